"""A message's status as pages show it: finer than the number of S71, because a shape and a word say more."""

from enum import StrEnum

from sampan.messages.tables import Status
from sampan.reasons import BY_NUMBER, Reason


class Shown(StrEnum):
    """What a customer sees; in the order in which totals name them."""

    DELIVERED = "delivered"
    SENT = "sent"  # taken on a route without receipts (spec S74)
    PROCESSING = "processing"
    RETRY = "retry"
    UNKNOWN = "unknown"  # spec S76
    WAITING = "waiting"  # for its turn: upload success
    SCHEDULING = "scheduling"
    EXPIRED = "expired"
    UNDELIVERABLE = "undeliverable"
    FILTERED = "filtered"  # undeliverable because of a rule of ours, before any operator had it; free
    UPLOAD_FAILED = "upload-failed"


OPEN = frozenset({Shown.PROCESSING, Shown.RETRY, Shown.UNKNOWN, Shown.WAITING, Shown.SCHEDULING})
TO_HAND_OVER = frozenset({Shown.WAITING, Shown.SCHEDULING})
NEVER_SENT = frozenset({Shown.FILTERED, Shown.UPLOAD_FAILED})

# Free, and still no filter: the money ended, or the customer called it off (spec S72, S81).
NOT_FILTERED = f"{Reason.BALANCE_TOO_LOW.number}, {Reason.CANCELLED.number}, {Reason.NOT_SENT_IN_TIME.number}"

SHOWN = f"""
    CASE m.status
    WHEN {Status.DELIVERED.value} THEN '{Shown.DELIVERED}'
    WHEN {Status.EXPIRED.value} THEN '{Shown.EXPIRED}'
    WHEN {Status.UNDELIVERABLE.value} THEN
         CASE WHEN m.price_pips = 0 AND m.answered_parts = 0 AND m.reason NOT IN ({NOT_FILTERED})
              THEN '{Shown.FILTERED}' ELSE '{Shown.UNDELIVERABLE}' END
    WHEN {Status.RETRY.value} THEN '{Shown.RETRY}'
    WHEN {Status.PROCESSING.value} THEN
         CASE m.reason WHEN {Reason.ROUTE_WITHOUT_RECEIPTS.number} THEN '{Shown.SENT}'
                       WHEN {Reason.OUTCOME_UNKNOWN.number} THEN '{Shown.UNKNOWN}' ELSE '{Shown.PROCESSING}' END
    WHEN {Status.SCHEDULING.value} THEN '{Shown.SCHEDULING}'
    WHEN {Status.UPLOAD_FAILED.value} THEN '{Shown.UPLOAD_FAILED}'
    ELSE CASE WHEN EXISTS (SELECT FROM attempt WHERE message_id = m.id)
              THEN '{Shown.PROCESSING}' ELSE '{Shown.WAITING}' END END"""
"""SQL, of a message `m`: its Shown. A message whose part is being handed over right now is PROCESSING already, though
its row says so only with the operator's answer (as `lookup.STATUS`)."""

HELD = "CASE WHEN m.hold_id IS NOT NULL AND m.charge_id IS NULL AND m.release_id IS NULL THEN m.price_pips ELSE 0 END"
"""SQL, of a message `m`: what is set aside for it now, in pips."""


def as_shown(shown: str, status: int, reason: int) -> tuple[Shown, Status, Reason]:
    """What SHOWN, the stored status and the stored reason's number mean to the customer."""
    if shown == Shown.PROCESSING and status == Status.UPLOAD_SUCCESS:
        return Shown.PROCESSING, Status.PROCESSING, Reason.PROCESSING
    return Shown(shown), Status(status), BY_NUMBER[reason]
