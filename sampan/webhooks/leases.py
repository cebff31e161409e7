"""What the deliverer reads and writes: whose endpoint is whose, what is due there, how it went.

One process delivers to an endpoint, under a lease. What has no recorded answer is due again when the lease is over, so
kill -9 loses nothing; what had an answer that was not recorded comes twice (at least once).
"""

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.accounts.seals import unseal
from sampan.database import Connection, array_of, one_line
from sampan.webhooks.forms import Delivery, Endpoint, key_of
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State

LEASE = timedelta(seconds=60)  # three times as long as a request may take
GIVEN_UP_AFTER = timedelta(hours=24)  # spec S103
WAITS_S = (5, 30, 120, 600, 1800, 3600)  # after the first, second … try; then always the last
LEFT_ALONE_AFTER = 3  # failures with nothing taken between
LONGEST_LEFT_ALONE_S = 300
LONGEST_RETRY_AFTER_S = 3600
JITTER = 0.2

TAKE = one_line(f"""
WITH due AS MATERIALIZED (
    SELECT e.id FROM webhook_endpoint e
     WHERE e.off_since IS NULL AND e.removed_at IS NULL AND coalesce(e.resume_at, %(now)s) <= %(now)s
       AND coalesce(e.lease_until, %(now)s) <= %(now)s AND e.id <> ALL(%(but)s::int8[])
       AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = {State.WAITING.value}
                      AND d.next_at <= %(now)s)
     ORDER BY e.lease_until NULLS FIRST LIMIT %(most)s FOR UPDATE SKIP LOCKED)
UPDATE webhook_endpoint e SET owner = %(owner)s, lease_until = %(until)s FROM due WHERE e.id = due.id RETURNING e.id""")
RENEW = """
    UPDATE webhook_endpoint SET lease_until = %(until)s
     WHERE id = ANY(%(mine)s::int8[]) AND owner = %(owner)s AND lease_until > %(now)s RETURNING id"""
RELEASE = "UPDATE webhook_endpoint SET lease_until = NULL, owner = '' WHERE id = %s AND owner = %s"


def take(conn: Connection, owner: str, but: Collection[int], most: int, now: datetime) -> list[int]:
    """Endpoints with something due that nobody delivers to, `but` these; they are the owner's for LEASE."""
    values = {"owner": owner, "but": array_of(but), "most": most, "now": now, "until": now + LEASE}
    return [id_ for (id_,) in conn.execute(TAKE, values)]


def renew(conn: Connection, owner: str, mine: Collection[int], now: datetime) -> set[int]:
    """Keep these for another LEASE; gives those that still were the owner's."""
    values = {"owner": owner, "mine": array_of(mine), "now": now, "until": now + LEASE}
    return {id_ for (id_,) in conn.execute(RENEW, values)}


def release(conn: Connection, owner: str, endpoint_id: int) -> None:
    """Somebody else may have it."""
    conn.execute(RELEASE, [endpoint_id, owner])


ENDPOINT = """
    SELECT url, form, failures, secret, CASE WHEN old_secret_until > %(now)s THEN old_secret END FROM webhook_endpoint
     WHERE id = %(endpoint)s AND owner = %(owner)s AND lease_until > %(now)s AND off_since IS NULL
       AND removed_at IS NULL"""
# Of each subject only the oldest that waits is taken: so each message's events arrive in order. It is one walk along
# the index webhook_delivery_in_order; the planner takes that one, whatever it believes of a table that nobody has
# counted yet, because it may not sort. (Asking of each row whether there is an older one: 13 s for 400 of 30,000.)
IN_ORDER = "SET enable_sort = off"
DUE = f"""
    SELECT id, kind, at, begun_at, tries, data
      FROM (SELECT DISTINCT ON (subject_id) * FROM webhook_delivery
             WHERE endpoint_id = %(endpoint)s AND state = {State.WAITING.value} ORDER BY subject_id, id) AS oldest
     WHERE next_at <= %(now)s AND id <> ALL(%(in_hand)s::int8[]) LIMIT %(most)s"""


def due(
    conn: Connection, owner: str, endpoint_id: int, now: datetime, *, in_hand: Iterable[int], most: int
) -> tuple[Endpoint, list[Delivery]] | None:
    """The endpoint as it is now, and what is to go there; None where the owner may not deliver to it any more."""
    values = {"endpoint": endpoint_id, "owner": owner, "now": now, "in_hand": array_of(in_hand), "most": most}
    row = conn.execute(ENDPOINT, values).fetchone()
    if row is None:
        return None
    conn.execute(IN_ORDER)
    url, form, failures, *sealed = row
    keys = [key_of(unseal(secret)) for secret in sealed if secret is not None]
    return Endpoint(url, WebhookEndpoint.Form(form), failures, keys), [
        Delivery(*each) for each in conn.execute(DUE, values)
    ]


class Answer(NamedTuple):
    """How a try went: `status` of HTTP or None, how the answer begins or why there was none."""

    delivery: Delivery
    status: int | None
    ms: int
    words: str
    retry_after_s: float | None = None

    @property
    def is_taken(self) -> bool:
        """Any 2xx."""
        return self.status is not None and 200 <= self.status < 300


RECORD = one_line(f"""
UPDATE webhook_delivery d SET state = g.state, next_at = g.next_at, tries = d.tries + 1, answered_at = %(now)s,
       answer_status = g.status, answer_ms = g.ms, answer = g.words
  FROM unnest(%(ids)s::int8[], %(states)s::int2[], %(nexts)s::timestamptz[], %(statuses)s::int2[], %(ms)s::int4[],
              %(words)s::text[]) AS g (id, state, next_at, status, ms, words)
 WHERE d.id = g.id AND d.state = {State.WAITING.value}""")


def record(conn: Connection, endpoint_id: int, answers: Sequence[Answer], now: datetime) -> datetime | None:
    """How these tries went, in one transaction; gives since when the endpoint takes nothing, None where it did."""
    states = [_state(answer, now) for answer in answers]
    values = {
        "ids": array_of(answer.delivery.id for answer in answers),
        "states": array_of(states),
        "nexts": [_next_at(answer, now) for answer in answers],
        "statuses": array_of(answer.status for answer in answers),
        "ms": array_of(answer.ms for answer in answers),
        "words": [answer.words for answer in answers],
        "now": now,
    }
    with conn.transaction():
        conn.execute(RECORD, values)
        return _note_health(conn, endpoint_id, answers, now)


def _state(answer: Answer, now: datetime) -> WebhookDelivery.State:
    if answer.is_taken:
        return State.TAKEN
    return State.GIVEN_UP if now - answer.delivery.begun_at >= GIVEN_UP_AFTER else State.WAITING


def _next_at(answer: Answer, now: datetime) -> datetime:
    if answer.is_taken:
        return now
    wait_s = _jittered(WAITS_S[min(answer.delivery.tries, len(WAITS_S) - 1)])
    return now + timedelta(seconds=max(wait_s, answer.retry_after_s or 0))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - nobody gains by guessing it


WELL = """
    UPDATE webhook_endpoint e SET failures = 0, failing_since = NULL, resume_at = NULL, taken_at = %(now)s
      FROM (SELECT id, failures FROM webhook_endpoint WHERE id = %(endpoint)s) b
     WHERE e.id = b.id RETURNING b.failures"""
# What waits only because the endpoint was away need not wait any longer.
HURRY = f"""
    UPDATE webhook_delivery SET next_at = %(now)s
     WHERE endpoint_id = %(endpoint)s AND state = {State.WAITING.value} AND next_at > %(now)s"""
UNWELL = """
    UPDATE webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, %(now)s)
     WHERE id = %(endpoint)s RETURNING failures, failing_since"""
LEAVE_ALONE = "UPDATE webhook_endpoint SET resume_at = %(until)s WHERE id = %(endpoint)s"


def _note_health(conn: Connection, endpoint_id: int, answers: Sequence[Answer], now: datetime) -> datetime | None:
    values = {"endpoint": endpoint_id, "now": now}
    asked_s = max((answer.retry_after_s or 0 for answer in answers), default=0)
    failing_since = None
    wait_s: float = asked_s
    if any(answer.is_taken for answer in answers):
        row = conn.execute(WELL, values).fetchone()
        if row is not None and row[0] >= LEFT_ALONE_AFTER:
            conn.execute(HURRY, values)
    else:
        row = conn.execute(UNWELL, values).fetchone()
        failures, failing_since = row or (0, now)
        if failures >= LEFT_ALONE_AFTER:
            doubled_s = 2.0 ** min(failures - LEFT_ALONE_AFTER, 10)
            wait_s = max(asked_s, _jittered(min(doubled_s, LONGEST_LEFT_ALONE_S)))
    if wait_s:
        until = now + timedelta(seconds=min(wait_s, LONGEST_RETRY_AFTER_S))
        conn.execute(LEAVE_ALONE, values | {"until": until})
    return failing_since
