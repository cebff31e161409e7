"""What staff decide of handed-over messages that no evidence settles: outcomes in doubt, receipts without a message.

Whatever staff hear from the operator takes the way that a receipt takes, and is logged (spec S76, S77, S134). The
message is locked first, as where receipts are matched; an attempt that somebody else has in hand is left to them.
"""

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Person
from sampan.database import Connection, array_of, beneath_django, one_line
from sampan.dispatch import inbox, receipts
from sampan.dispatch.dialects import Dialect, read_dialect
from sampan.dispatch.inbox import KEPT_FOR, PATIENCE, Kept, Receipt
from sampan.dispatch.matching import Found
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.reports.shown import HELD
from sampan.messages.status import Settled
from sampan.messages.tables import Status
from sampan.reasons import Reason, Refused
from sampan.smpp.pdu import MessageState

MOST_SHOWN = 100


class Word(Enum):
    """What the operator says of a message whose outcome is unknown."""

    DELIVERED = "delivered"  # charged
    FAILED = "failed"  # they had it, and could not deliver it: charged (spec S82)
    NEVER_HAD = "never-had"  # released


class Doubt(NamedTuple):
    """One message whose outcome is unknown, without its number and text."""

    message_id: int
    customer_id: int
    customer: str
    operator: str
    link: str
    sequence_numbers: list[int]
    since: datetime
    held_pips: int
    ends_at: datetime  # by itself (spec S75)


class Stray(NamedTuple):
    """One receipt that found no message; `nearest` is a message in doubt to the same handset."""

    id: int
    received_at: datetime
    operator: str
    operator_ref: str
    state: int
    error: str
    nearest: int | None
    is_for_staff: bool  # its 72 hours are over


DOUBTS = f"""
    SELECT a.message_id, m.customer_id, c.name, o.name, coalesce(l.system_id || '@' || l.host, a.link_id::text),
           array_agg(a.sequence_number ORDER BY a.part), min(a.state_at), max({HELD}), max(a.deadline_at)
      FROM (SELECT * FROM attempt WHERE state = {Attempt.State.UNKNOWN.value} LIMIT 10000) a
      JOIN message m ON m.id = a.message_id JOIN customer c ON c.id = m.customer_id
      JOIN operator o ON o.id = a.operator_id LEFT JOIN link l ON l.id = a.link_id
     GROUP BY 1, 2, 3, 4, 5 ORDER BY min(a.state_at), a.message_id LIMIT {MOST_SHOWN}"""
DOUBTS_WAITING = f"""
    SELECT count(DISTINCT message_id), min(state_at) FROM attempt WHERE state = {Attempt.State.UNKNOWN.value}"""
STRAYS = f"""
    SELECT i.id, i.received_at, o.name, i.operator_ref, i.receipt_state, coalesce(i.receipt_error, ''),
           (SELECT message_id FROM attempt a WHERE a.operator_id = i.operator_id AND a.recipient = i.recipient
               AND a.state = {Attempt.State.UNKNOWN.value} ORDER BY submitted_at LIMIT 1),
           i.received_at <= %(now)s - interval '{int(KEPT_FOR.total_seconds())} s'
      FROM inbox_receipt i JOIN operator o ON o.id = i.operator_id
     WHERE i.tries >= {len(PATIENCE)} ORDER BY i.id LIMIT {MOST_SHOWN}"""
STRAYS_WAITING = f"""
    SELECT count(*), min(received_at) FROM inbox_receipt
     WHERE received_at <= %(now)s - interval '{int(KEPT_FOR.total_seconds())} s' AND tries >= {len(PATIENCE)}"""


def doubts(conn: Connection) -> list[Doubt]:
    """Messages whose outcome is unknown, the oldest first."""
    return [Doubt(*row) for row in conn.execute(DOUBTS)]


def strays(conn: Connection, now: datetime) -> list[Stray]:
    """Receipts that found no message after some tries, the oldest first."""
    return [Stray(*row) for row in conn.execute(STRAYS, {"now": now})]


LOCK = "SELECT customer_id FROM message WHERE id = %s FOR NO KEY UPDATE"
OPEN = """
    SELECT a.part, a.try_number, a.carries, a.state, a.operator_id, a.link_id, a.recipient,
           o.dialect::json -- not jsonb, which Django's connections give as text
      FROM attempt a JOIN operator o ON o.id = a.operator_id
     WHERE a.message_id = %s ORDER BY a.part, a.try_number FOR UPDATE OF a SKIP LOCKED"""
IS_QUEUED = """
    SELECT FROM queued q JOIN message m ON m.operator_id = q.operator_id AND m.id = q.message_id WHERE m.id = %s"""


class _Open(NamedTuple):
    """One submit_sm of a message that is not settled."""

    part: int
    try_number: int
    carries: int
    state: int
    operator_id: int
    link_id: int
    recipient: int
    dialect: Dialect

    def found(self, message_id: int, kept: Kept) -> Found:
        """It, with the receipt that is about it."""
        verdict = self.dialect.verdict(kept.receipt.state, kept.receipt.error)
        return Found(kept, verdict, message_id, self.part, self.try_number, self.carries, self.state)


def _lock(conn: Connection, message_id: int) -> tuple[int, list[_Open]]:
    """The message's customer, and what of it is with operators; ours until the transaction ends."""
    row = conn.execute(LOCK, [message_id]).fetchone()
    if row is None:
        raise Refused(Reason.UNKNOWN_MESSAGE, "message", str(message_id))
    rows = conn.execute(OPEN, [message_id]).fetchall()
    return row[0], [_Open._make([*each[:-1], read_dialect(each[-1])]) for each in rows]


@transaction.atomic
def settle(message_id: int, word: Word, *, by: Person, why: str, now: datetime) -> None:
    """End a message whose outcome is unknown by the operator's word; `why` says who said it, and where.

    Refused where it is not in doubt (any more), or a part of it is still on its way.
    """
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    with beneath_django() as conn:
        customer_id, found = _lock(conn, message_id)
        in_doubt = [each for each in found if each.state == Attempt.State.UNKNOWN]
        if not in_doubt:
            raise Refused(Reason.NOT_IN_DOUBT, "message", str(message_id))
        if len(in_doubt) < len(found) or conn.execute(IS_QUEUED, [message_id]).rowcount:
            raise Refused(Reason.STILL_ON_ITS_WAY, "message", str(message_id))
        record(
            Act.SETTLE_UNKNOWN,
            by=by,
            subject=f"message {message_id}",
            customer_id=customer_id,
            before={"outcome": "unknown"},
            after={"outcome": word.value},
            why=why,
            now=now,
        )
        if word is Word.NEVER_HAD:
            _release(conn, message_id, in_doubt, now)
        else:
            state = MessageState.DELIVERED if word is Word.DELIVERED else MessageState.UNDELIVERABLE
            receipts.apply(conn, [each.found(message_id, _by_hand(each, state, now)) for each in in_doubt], now)


def _by_hand(attempt: _Open, state: MessageState, now: datetime) -> Kept:
    receipt = Receipt(attempt.link_id, "", attempt.recipient, state, "", intermediate=False, text="by staff")
    return Kept(0, receipt, now)


RELEASE = one_line("""
    WITH gone AS (
        DELETE FROM attempt a USING unnest(%(parts)s::int2[], %(tries)s::int2[]) AS g (part, try_number)
         WHERE a.message_id = %(message)s AND a.part = g.part AND a.try_number = g.try_number RETURNING a.*)
    INSERT INTO message_part (message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at)
    SELECT message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at FROM gone""")


def _release(conn: Connection, message_id: int, in_doubt: list[_Open], now: datetime) -> None:
    """The operator never had it: nothing of it is charged."""
    parts = 0
    for each in in_doubt:
        parts |= each.carries
    values = {
        "message": message_id,
        "parts": array_of(each.part for each in in_doubt),
        "tries": array_of(each.try_number for each in in_doubt),
    }
    conn.execute(RELEASE, values)
    status.settle(conn, [Settled(message_id, parts, 0, Status.UNDELIVERABLE, Reason.OPERATOR_FAULT)], now)


KEPT = """
    SELECT operator_id, id, received_at, tries, link_id, operator_ref, recipient, receipt_state, receipt_error,
           intermediate, text, source, submitted_at, user_reference
      FROM inbox_receipt WHERE id = %s FOR UPDATE"""


def _kept(conn: Connection, receipt_id: int) -> tuple[int, Kept]:
    """The receipt's operator, and it; ours until the transaction ends."""
    row = conn.execute(KEPT, [receipt_id]).fetchone()
    if row is None:
        raise Refused(Reason.NO_SUCH_RECEIPT, "receipt", str(receipt_id))
    operator_id, id_, received_at, tries, *receipt = row
    return operator_id, Kept(id_, Receipt(*receipt), received_at, tries)


@transaction.atomic
def attach(receipt_id: int, message_id: int, *, by: Person, why: str, now: datetime) -> None:
    """Bring a receipt that found nothing to the message it is about; of several open parts to the first.

    Refused where that message has nothing open with the receipt's operator.
    """
    with beneath_django() as conn:
        customer_id, found = _lock(conn, message_id)
        operator_id, kept = _kept(conn, receipt_id)
        fitting = [e for e in found if e.operator_id == operator_id and e.state != Attempt.State.SUBMITTING]
        if not fitting:
            raise Refused(Reason.NOTHING_OPEN_THERE, "message", str(message_id))
        record(
            Act.ATTACH_RECEIPT,
            by=by,
            subject=f"message {message_id}",
            customer_id=customer_id,
            after={"receipt": kept.receipt.operator_ref, "state": kept.receipt.state, "part": fitting[0].part},
            why=why,
            now=now,
        )
        receipts.apply(conn, [fitting[0].found(message_id, kept)], now)
        inbox.forget(conn, [receipt_id])


@transaction.atomic
def dismiss(receipt_id: int, *, by: Person, why: str, now: datetime) -> None:
    """A receipt that is about nothing of ours."""
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    with beneath_django() as conn:
        operator_id, kept = _kept(conn, receipt_id)
        before = {"operator": operator_id, "receipt": kept.receipt.operator_ref, "state": kept.receipt.state}
        record(Act.DISMISS_RECEIPT, by=by, subject=f"inbox_receipt {receipt_id}", before=before, why=why, now=now)
        inbox.forget(conn, [receipt_id])
