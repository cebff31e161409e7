"""Receipts: kept in the inbox before they are acknowledged, then matched to their parts many at once (spec S76–S78).

The inbox belongs to the operator's account, not to the link. A receipt may come before its answer is recorded, twice,
out of order, by another link or after a restart, and with its id in another form than the answer had.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.dispatch.dialects import Dialect, Verdict
from sampan.dispatch.results import bit
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.status import Evidence, Settled
from sampan.messages.tables import Status

MOST_A_LOOK = 1_000
# How long a receipt that found nothing waits before it is tried again; after the last it waits for staff.
PATIENCE = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
KEPT_FOR = timedelta(hours=72)


class Receipt(NamedTuple):
    """A receipt as its link read it."""

    link_id: int
    operator_ref: str
    recipient: int | None  # the handset, where the operator names it in digits
    state: int  # message_state, SMPP 3.4 §5.2.28
    error: str
    intermediate: bool
    text: str


class Kept(NamedTuple):
    """A receipt in the inbox."""

    id: int
    receipt: Receipt
    received_at: datetime
    tries: int = 0


KEEP = one_line("""
INSERT INTO inbox_receipt (operator_id, link_id, received_at, retry_at, operator_ref, recipient, receipt_state,
                           receipt_error, intermediate, text)
SELECT %(operator)s, g.link_id, %(now)s, %(now)s + interval '1 s', g.operator_ref, g.recipient, g.state, g.error,
       g.intermediate, g.text
  FROM unnest(%(links)s::int4[], %(refs)s::text[], %(recipients)s::int8[], %(states)s::int2[], %(errors)s::text[],
              %(intermediate)s::bool[], %(texts)s::text[])
       AS g (link_id, operator_ref, recipient, state, error, intermediate, text)
RETURNING id""")


def keep(conn: Connection, operator_id: int, receipts: Sequence[Receipt], now: datetime) -> list[Kept]:
    """Into the inbox; once this returns they may be acknowledged."""
    values = {
        "operator": operator_id,
        "now": now,
        "links": array_of(receipt.link_id for receipt in receipts),
        "refs": [receipt.operator_ref for receipt in receipts],
        "recipients": array_of(receipt.recipient for receipt in receipts),
        "states": array_of(receipt.state for receipt in receipts),
        "errors": [receipt.error for receipt in receipts],
        "intermediate": [receipt.intermediate for receipt in receipts],
        "texts": [receipt.text for receipt in receipts],
    }
    ids = conn.execute(KEEP, values, prepare=True).fetchall()
    return [Kept(id_, receipt, now) for (id_,), receipt in zip(ids, receipts, strict=True)]


DUE = """
    SELECT id, received_at, tries, link_id, operator_ref, recipient, receipt_state, receipt_error, intermediate, text
      FROM inbox_receipt WHERE operator_id = %s AND retry_at <= %s ORDER BY id LIMIT %s"""


def due(conn: Connection, operator_id: int, now: datetime) -> list[Kept]:
    """Receipts of the inbox whose turn to be tried again has come."""
    rows = conn.execute(DUE, [operator_id, now, MOST_A_LOOK])
    return [Kept(id_, Receipt(*receipt), received_at, tries) for id_, received_at, tries, *receipt in rows]


# The look-up is pinned to the index: a join would read all attempts of the operator while statistics are young.
FIND = one_line("""
SELECT g.place, a.message_id, a.part, a.state
  FROM unnest(%(refs)s::text[], %(places)s::int4[], %(recipients)s::int8[]) AS g (operator_ref, place, recipient)
 CROSS JOIN LATERAL (
       SELECT message_id, part, state FROM attempt
        WHERE operator_id = %(operator)s AND operator_ref = g.operator_ref AND operator_ref <> ''
          AND (g.recipient IS NULL OR recipient = g.recipient) LIMIT 1) a""")


class Found(NamedTuple):
    """A receipt with the part it is about."""

    kept: Kept
    message_id: int
    part: int
    state: int  # of the attempt
    verdict: Verdict


def find(conn: Connection, operator_id: int, kept: Sequence[Kept], dialect: Dialect) -> list[Found]:
    """By the id as it came; else by its other forms, and then only for the same handset."""
    exact = [(each.receipt.operator_ref, place, None) for place, each in enumerate(kept)]
    found = _look_up(conn, operator_id, exact)
    forms = [
        (form, place, each.receipt.recipient)
        for place, each in enumerate(kept)
        if place not in found and each.receipt.recipient
        for form in dialect.other_forms(each.receipt.operator_ref)
    ]
    if forms:
        found |= _look_up(conn, operator_id, forms)
    return [
        Found(kept[place], *row, dialect.verdict(kept[place].receipt.state, kept[place].receipt.error))
        for place, row in found.items()
    ]


def _look_up(
    conn: Connection, operator_id: int, rows: Sequence[tuple[str, int, int | None]]
) -> dict[int, tuple[int, int, int]]:
    values = {
        "operator": operator_id,
        "refs": [ref for ref, _, _ in rows],
        "places": array_of(place for _, place, _ in rows),
        "recipients": array_of(recipient for _, _, recipient in rows),
    }
    return {place: (id_, part, state) for place, id_, part, state in conn.execute(FIND, values, prepare=True)}


FINISH = one_line("""
WITH gone AS (
    DELETE FROM attempt a
     USING unnest(%(ids)s::int8[], %(parts)s::int2[], %(at)s::timestamptz[], %(states)s::int2[], %(errors)s::text[])
           AS g (message_id, part, receipt_at, receipt_state, receipt_error)
     WHERE a.message_id = g.message_id AND a.part = g.part
    RETURNING a.message_id, a.part, a.operator_id, a.link_id, a.sequence_number, a.submitted_at, a.answered_at,
              a.operator_ref, g.receipt_at, g.receipt_state, g.receipt_error)
INSERT INTO message_part (message_id, part, operator_id, link_id, sequence_number, submitted_at, answered_at,
                          operator_ref, command_status, receipt_at, receipt_state, receipt_error)
SELECT message_id, part, operator_id, link_id, sequence_number, submitted_at, answered_at, operator_ref, 0,
       receipt_at, receipt_state, receipt_error FROM gone""")

TRY_AGAIN = one_line(f"""
UPDATE attempt a SET state = {Attempt.State.RETRYING.value}, state_at = g.receipt_at, receipt_error = g.receipt_error
  FROM unnest(%(ids)s::int8[], %(parts)s::int2[], %(at)s::timestamptz[], %(errors)s::text[])
       AS g (message_id, part, receipt_at, receipt_error)
 WHERE a.message_id = g.message_id AND a.part = g.part
   AND a.state IN ({Attempt.State.TAKEN.value}, {Attempt.State.RETRYING.value})""")

FORGET = "DELETE FROM inbox_receipt WHERE id = ANY(%s::int8[])"
POSTPONE = """
    UPDATE inbox_receipt i SET tries = i.tries + 1, retry_at = g.retry_at
      FROM unnest(%(ids)s::int8[], %(at)s::timestamptz[]) AS g (id, retry_at) WHERE i.id = g.id"""


def match(conn: Connection, operator_id: int, kept: Sequence[Kept], dialect: Dialect, now: datetime) -> list[Kept]:
    """Bring receipts to their messages, in one transaction; gives those that found none."""
    with conn.transaction():
        found = find(conn, operator_id, kept, dialect)
        _apply(conn, found, now)
        conn.execute(FORGET, [array_of(each.kept.id for each in found)], prepare=True)
    matched = {each.kept.id for each in found}
    return [each for each in kept if each.id not in matched]


def postpone(conn: Connection, kept: Sequence[Kept]) -> None:
    """Try these again later; after the last try they wait until staff see them (spec S77)."""
    if not kept:
        return
    at = [
        each.received_at + PATIENCE[each.tries] if each.tries < len(PATIENCE) else each.received_at + KEPT_FOR
        for each in kept
    ]
    conn.execute(POSTPONE, {"ids": array_of(each.id for each in kept), "at": at})


def _apply(conn: Connection, found: Sequence[Found], now: datetime) -> None:
    """Parts and messages as the receipts say; a part that was in doubt is proven taken (spec S76)."""
    final: dict[tuple[int, int], Found] = {}
    trying: dict[tuple[int, int], Found] = {}
    evidence: dict[int, Evidence] = {}
    doubtful: dict[int, int] = {}
    for each in found:
        if each.verdict.status is None:  # ACCEPTD: nothing new
            continue
        key = each.message_id, each.part
        if each.verdict.status == Status.RETRY:
            trying.setdefault(key, each)
        else:
            final.setdefault(key, each)
        if each.state in (Attempt.State.SUBMITTING, Attempt.State.UNKNOWN):
            doubtful[each.message_id] = doubtful.get(each.message_id, 0) | bit(each.part)
    for each in [*trying.values(), *final.values()]:
        evidence[each.message_id] = _stronger(evidence.get(each.message_id), each)
    status.settle(conn, [Settled(message_id, parts, parts) for message_id, parts in doubtful.items()], now)
    _finish(conn, list(final.values()))
    _try_again(conn, [each for key, each in trying.items() if key not in final])
    status.hear(conn, evidence.values(), now)


def _stronger(known: Evidence | None, found: Found) -> Evidence:
    """What all receipts of one message say together: a failure outweighs a delivery, and that a retry."""
    verdict = found.verdict
    delivered = (known.delivered if known else 0) | (bit(found.part) if verdict.status == Status.DELIVERED else 0)
    if verdict.status in (Status.EXPIRED, Status.UNDELIVERABLE):
        return Evidence(found.message_id, delivered, verdict.status, verdict.reason)
    if known and known.status is not None:
        return known._replace(delivered=delivered)
    if verdict.status == Status.RETRY:
        return Evidence(found.message_id, delivered, verdict.status, verdict.reason)
    return Evidence(found.message_id, delivered)


def _finish(conn: Connection, final: Sequence[Found]) -> None:
    if final:
        values = {
            "ids": array_of(each.message_id for each in final),
            "parts": array_of(each.part for each in final),
            "at": [each.kept.received_at for each in final],
            "states": array_of(each.kept.receipt.state for each in final),
            "errors": [each.kept.receipt.error for each in final],
        }
        conn.execute(FINISH, values, prepare=True)


def _try_again(conn: Connection, trying: Sequence[Found]) -> None:
    if trying:
        values = {
            "ids": array_of(each.message_id for each in trying),
            "parts": array_of(each.part for each in trying),
            "at": [each.kept.received_at for each in trying],
            "errors": [each.kept.receipt.error for each in trying],
        }
        conn.execute(TRY_AGAIN, values, prepare=True)
