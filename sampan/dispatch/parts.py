"""What became of each part of a message, in the words of its customer: never the operator's own (spec S72, S73)."""

from datetime import datetime
from typing import Any, NamedTuple

from sampan.database import Connection
from sampan.dispatch.dialects import Dialect, read_dialect
from sampan.dispatch.tables import Attempt
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Status
from sampan.reasons import Reason
from sampan.smpp.pdu import MessageState

ENDINGS = {
    Status.DELIVERED: Shown.DELIVERED,
    Status.EXPIRED: Shown.EXPIRED,
    Status.UNDELIVERABLE: Shown.UNDELIVERABLE,
    Status.RETRY: Shown.RETRY,
}


class PartResult(NamedTuple):
    """One part that was handed over: what is known of it, when it was written, answered and told of by a receipt."""

    part: int
    shown: Shown
    reason: Reason
    submitted_at: datetime
    answered_at: datetime | None
    receipt_at: datetime | None


class _Known(NamedTuple):
    """What one submit_sm carried, as it is stored, while it is open or after."""

    part: int
    carries: int  # bits of the parts
    state: int | None  # Attempt.State while it is open
    submitted_at: datetime
    answered_at: datetime | None
    command_status: int | None
    receipt_at: datetime | None
    receipt_state: int | None
    receipt_error: str
    dialect: dict[str, Any]


PARTS = f"""
    SELECT p.part, p.carries, p.state, p.submitted_at, p.answered_at, p.command_status, p.receipt_at, p.receipt_state,
           coalesce(p.receipt_error, ''), o.dialect
      FROM (SELECT part, try_number, carries, operator_id, state, submitted_at, answered_at,
                   NULL::int AS command_status,
                   CASE state WHEN {Attempt.State.RETRYING.value} THEN state_at END AS receipt_at,
                   NULL::smallint AS receipt_state, receipt_error
              FROM attempt WHERE message_id = %(id)s
            UNION ALL
            SELECT part, try_number, 1 << part - 1, operator_id, NULL, submitted_at, answered_at, command_status,
                   receipt_at, receipt_state, receipt_error
              FROM message_part WHERE message_id = %(id)s) p
      JOIN operator o ON o.id = p.operator_id ORDER BY p.part, p.try_number"""


def part_results(conn: Connection, message_id: int) -> dict[int, PartResult]:
    """By number what is known of the parts that were handed over; where one was sent again, of the last time.

    Where an ended long text went in one submit_sm, that is known of part 1. The caller has made sure whose message it
    is.
    """
    results: dict[int, PartResult] = {}
    for row in conn.execute(PARTS, {"id": message_id}):
        known = _Known(*row)
        parts = (number for number in range(1, known.carries.bit_length() + 1) if known.carries >> number - 1 & 1)
        results |= {number: _result(known)._replace(part=number) for number in parts}
    return results


def _result(known: _Known) -> PartResult:
    dialect = read_dialect(known.dialect)
    if known.state is None:
        shown, reason = _ended(known, dialect)
    else:
        shown, reason = _open(known.state, known.receipt_error, dialect)
    return PartResult(known.part, shown, reason, known.submitted_at, known.answered_at, known.receipt_at)


def _open(state: int, receipt_error: str, dialect: Dialect) -> tuple[Shown, Reason]:
    if state == Attempt.State.UNKNOWN:
        return Shown.UNKNOWN, Reason.OUTCOME_UNKNOWN
    if state == Attempt.State.RETRYING:
        return Shown.RETRY, dialect.verdict(MessageState.ENROUTE, receipt_error).reason
    return Shown.PROCESSING, Reason.PROCESSING


def _ended(known: _Known, dialect: Dialect) -> tuple[Shown, Reason]:
    if known.command_status:
        return Shown.UNDELIVERABLE, dialect.refusal(known.command_status)
    if known.receipt_state is not None:
        status, reason = dialect.verdict(known.receipt_state, known.receipt_error)
        return ENDINGS[status] if status else Shown.PROCESSING, reason
    if known.command_status == 0:
        return Shown.SENT, Reason.ROUTE_WITHOUT_RECEIPTS
    return Shown.EXPIRED, Reason.NO_RECEIPT  # no receipt came in time (spec S75)
