"""The steps of a dispatcher, one at a time and without a wire: for tests of what each of them leaves behind."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, connect
from sampan.dispatch import claims, inbox, leases, receipts, results
from sampan.dispatch.claims import Claimed, Handover, Turn
from sampan.dispatch.dialects import Dialect
from sampan.dispatch.inbox import Kept, Receipt
from sampan.dispatch.results import RefusedForGood, Sent, Taken, Unanswered, Unsent, bit
from sampan.messages.reconcile import discrepancies
from sampan.messages.tables import Message
from sampan.reasons import BY_NUMBER, Reason
from sampan.routing.tables import Operator
from sampan.smpp.pdu import MessageState
from tests.world import NOW

DIALECT = Dialect(errors={"001": 303, "027": 304}, receipt_ids=("hex",))
DELIVERED, ENROUTE, UNDELIVERABLE = MessageState.DELIVERED, MessageState.ENROUTE, MessageState.UNDELIVERABLE


def take(conn: Connection, owner: str, operator_id: int) -> int | None:
    """The epoch under which this owner has the operator; None where somebody else has it."""
    held, _ = leases.look(conn)
    return leases.take(conn, owner, operator_id, held.get(operator_id), NOW)


class Owner:
    """A process that owns an operator's links."""

    def __init__(self, operator: Operator, name: str = "one") -> None:
        self.conn = connect("tests", by_key=True)
        self.operator_id = operator.pk
        epoch = take(self.conn, name, operator.pk)
        assert epoch is not None
        self.epoch = epoch
        self.attempted: dict[int, Claimed] = {}
        self.attempted_at: dict[int, datetime] = {}

    def claim(self, customer: Customer, lane: int = 1, limit: int = 100) -> list[Claimed]:
        """What the customer has waiting."""
        return claims.claim(self.conn, self.operator_id, lane, [Turn(customer.pk, 0, limit)], NOW)

    def attempt(self, claimed: Sequence[Claimed], now: datetime = NOW) -> set[int]:
        """Commit the attempts of all parts that are left."""
        handovers = [
            Handover(each, each.parts_left, False, 1, place * 10 + 1, NOW + timedelta(hours=26))
            for place, each in enumerate(claimed)
        ]
        self.attempted |= {each.message_id: each for each in claimed}
        self.attempted_at |= {each.message_id: now for each in claimed}
        return claims.attempt(self.conn, self.operator_id, self.epoch, handovers, now)

    def hand_over(self, customer: Customer) -> list[Claimed]:
        """Claim and attempt all that waits in the first lane."""
        claimed = self.claim(customer)
        assert self.attempt(claimed) == {each.message_id for each in claimed}
        return claimed

    def record(self, *found: results.Result) -> None:
        """Answers of the operator."""
        results.record(self.conn, self.operator_id, found, NOW)

    def sent(self, message_id: int, part: int = 1) -> Sent:
        """A part that was attempted."""
        return Sent(self.attempted[message_id], part, bit(part), self.attempted_at[message_id])

    def taken(self, message_id: int, part: int = 1, ref: str = "", *, receipts: bool = True) -> None:
        """One part was taken, under `ref` or its own id."""
        self.record(Taken(self.sent(message_id, part), ref or f"{message_id}{part}", receipts))

    def unanswered(self, message_id: int, part: int = 1, *, resends: bool = False) -> None:
        """Nobody knows what became of a part."""
        self.record(Unanswered(self.sent(message_id, part), resends))

    def unsent(self, message_id: int, *parts: int, not_before: datetime | None = None) -> None:
        """Parts were throttled, or never written."""
        self.record(*(Unsent(self.sent(message_id, part), not_before) for part in parts))

    def refused(self, message_id: int, part: int = 1, reason: Reason = Reason.UNKNOWN_SUBSCRIBER) -> None:
        """The operator does not want a part."""
        self.record(RefusedForGood(self.sent(message_id, part), 0x0B, reason))

    def receipt(self, ref: str, state: int = DELIVERED, error: str = "000", recipient: int = 85261234567) -> list[Kept]:
        """One receipt into the inbox and to its message; gives what found none."""
        found = Receipt(1, ref, recipient, state, error, False, "")
        kept = inbox.keep(self.conn, self.operator_id, [found], NOW)
        return self.match(kept)

    def match(self, kept: Sequence[Kept], dialect: Dialect = DIALECT) -> list[Kept]:
        """Receipts of the inbox to their messages."""
        return receipts.match(self.conn, self.operator_id, kept, dialect, NOW)


def shown(message_id: int) -> tuple[int, Reason, bool]:
    """Status, reason, and whether that is final."""
    message = Message.objects.get(pk=message_id)
    return message.status, BY_NUMBER[message.reason], message.final_at is not None


def money(conn: Connection, customer: Customer) -> dict[str, int]:
    """What is held and charged, in pips; and the books balance."""
    assert discrepancies(conn) == []
    found = ledger.balances(conn, [customer.pk])
    return {"held": found[customer.pk, Account.Kind.HELD], "charged": found[customer.pk, Account.Kind.CHARGED]}
