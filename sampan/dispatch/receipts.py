"""Receipts become the ends of parts and messages, many at once (spec S71, S73, S76–S78).

A receipt may come before its answer is recorded, twice, out of order, by another link or after a restart, and with
its id in another form than the answer had: `matching` finds what it is about, and what finds nothing waits in `inbox`.
"""

from collections.abc import Sequence
from datetime import datetime

from sampan.database import Connection, array_of, array_of_texts, array_of_times, one_line
from sampan.dispatch import inbox
from sampan.dispatch.dialects import Dialect
from sampan.dispatch.inbox import Kept, Receipt
from sampan.dispatch.matching import Found, find
from sampan.dispatch.results import COLUMNS, KEYS, attempts, lock
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.status import Evidence, Settled
from sampan.messages.tables import Status

FINISH = one_line(f"""
WITH found AS MATERIALIZED ({
    attempts(
        f"unnest({KEYS}, %(at)s::timestamptz[], %(states)s::int2[], %(errors)s::text[])"
        " AS g (message_id, part, try_number, receipt_at, receipt_state, receipt_error)"
    )
}),
gone AS (DELETE FROM attempt WHERE ctid = ANY (ARRAY(SELECT place FROM found)))
INSERT INTO message_part (message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at,
                          answered_at, operator_ref, command_status, receipt_at, receipt_state, receipt_error)
SELECT message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at, answered_at, operator_ref, 0,
       receipt_at, receipt_state, receipt_error FROM found""")

TRY_AGAIN = one_line(f"""
WITH found AS MATERIALIZED ({
    attempts(
        f"unnest({KEYS}, %(at)s::timestamptz[], %(errors)s::text[]) AS g (message_id, part, try_number, at, error)",
        (Attempt.State.TAKEN.value, Attempt.State.RETRYING.value),
    )
})
INSERT INTO attempt ({COLUMNS}, receipt_error)
SELECT message_id, part, try_number, carries, {Attempt.State.RETRYING.value}, operator_id, link_id, sequence_number,
       epoch, recipient, submitted_at, answered_at, at, deadline_at, operator_ref, error FROM found
    ON CONFLICT (message_id, part, try_number) DO UPDATE
       SET state = excluded.state, state_at = excluded.state_at, receipt_error = excluded.receipt_error""")


def take(conn: Connection, operator_id: int, given: Sequence[Receipt], dialect: Dialect, now: datetime) -> list[Kept]:
    """Receipts as they come: to their messages, the others into the inbox, in one transaction; gives those others.

    Once this returns all may be acknowledged (spec S77).
    """
    fresh = [Kept(place, receipt, now) for place, receipt in enumerate(given)]
    with conn.transaction():
        found = find(conn, operator_id, fresh, dialect)
        apply(conn, found, now)
        matched = {each.kept.id for each in found}
        return inbox.keep(conn, operator_id, [each.receipt for each in fresh if each.id not in matched], now)


def match(conn: Connection, operator_id: int, kept: Sequence[Kept], dialect: Dialect, now: datetime) -> list[Kept]:
    """Bring receipts of the inbox to their messages, in one transaction; gives those that found none."""
    with conn.transaction():
        found = find(conn, operator_id, kept, dialect)
        apply(conn, found, now)
        inbox.forget(conn, {each.kept.id for each in found})
    matched = {each.kept.id for each in found}
    return [each for each in kept if each.id not in matched]


def apply(conn: Connection, found: Sequence[Found], now: datetime) -> None:
    """Parts and messages as the receipts say; a part that was in doubt is proven taken (spec S76)."""
    final: dict[tuple[int, int, int], Found] = {}
    trying: dict[tuple[int, int, int], Found] = {}
    evidence: dict[int, Evidence] = {}
    doubtful: dict[int, int] = {}
    for each in found:
        if each.verdict.status is None:  # ACCEPTD: nothing new
            continue
        key = each.message_id, each.part, each.try_number
        if each.verdict.status == Status.RETRY:
            trying.setdefault(key, each)
        else:
            final.setdefault(key, each)
        if each.state in (Attempt.State.SUBMITTING, Attempt.State.UNKNOWN):
            doubtful[each.message_id] = doubtful.get(each.message_id, 0) | each.carries
    for each in [*trying.values(), *final.values()]:
        evidence[each.message_id] = _stronger(evidence.get(each.message_id), each)
    status.settle(conn, [Settled(message_id, parts, parts) for message_id, parts in doubtful.items()], now)
    _finish(conn, list(final.values()))
    _try_again(conn, [each for key, each in trying.items() if key not in final])
    status.hear(conn, evidence.values(), now)


def _stronger(known: Evidence | None, found: Found) -> Evidence:
    """What all receipts of one message say together: a failure outweighs a delivery, and that a retry."""
    verdict = found.verdict
    delivered = (known.delivered if known else 0) | (found.carries if verdict.status == Status.DELIVERED else 0)
    if verdict.status in (Status.EXPIRED, Status.UNDELIVERABLE):
        return Evidence(found.message_id, delivered, verdict.status, verdict.reason)
    if known and known.status is not None:
        return known._replace(delivered=delivered)
    if verdict.status == Status.RETRY:
        return Evidence(found.message_id, delivered, verdict.status, verdict.reason)
    return Evidence(found.message_id, delivered)


def _keys(found: Sequence[Found]) -> dict[str, object]:
    return {
        "ids": array_of(each.message_id for each in found),
        "parts": array_of(each.part for each in found),
        "tries": array_of(each.try_number for each in found),
        "at": array_of_times(each.kept.received_at for each in found),
        "errors": array_of_texts(each.kept.receipt.error for each in found),
    }


def _finish(conn: Connection, final: Sequence[Found]) -> None:
    if final:
        values = _keys(final) | {"states": array_of(each.kept.receipt.state for each in final)}
        lock(conn, values)
        conn.execute(FINISH, values, prepare=True)


def _try_again(conn: Connection, trying: Sequence[Found]) -> None:
    if trying:
        conn.execute(TRY_AGAIN, _keys(trying), prepare=True)
