"""Deliveries of one account, receipts and replies, until they are acknowledged.

As an SMSC does: on the session a message came by where that can receive, else on another of the same system_id, else
kept until one binds. What a session left unacknowledged goes out again on the next.
"""

from collections import deque
from dataclasses import dataclass, field

from sampan.smpp.pdu import DeliverSm, Status
from sampan.smpp.server import ServerSession

MOST_KEPT = 500_000  # deliveries of an account; beyond, the oldest is lost and counted
MOST_TRIES = 5  # of a delivery the ESME refuses for now
# Refusals after which an SMSC tries again; any other loses the delivery.
TEMPORARY = frozenset({Status.ESME_RX_T_APPN, Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED, Status.ESME_RSYSERR})


@dataclass(slots=True, eq=False)
class Outbound:
    """One deliver_sm on its way."""

    body: DeliverSm
    is_receipt: bool
    tries: int = 0


class Outbox:
    """The deliveries of one account, and its sessions that can receive."""

    def __init__(self) -> None:
        self.lost = 0
        self._kept: deque[Outbound] = deque()
        self._queues: dict[ServerSession, deque[Outbound]] = {}

    @property
    def waiting(self) -> int:
        """Deliveries not written yet."""
        return len(self._kept) + sum(map(len, self._queues.values()))

    @property
    def in_flight(self) -> int:
        """Deliveries written, by sessions that stand, and not acknowledged yet."""
        return sum(session.limits.window - session.room for session in self._queues)

    def open(self, session: ServerSession) -> None:
        """A session that can receive has bound; what was kept is its."""
        self._queues[session] = self._kept
        self._kept = deque()

    def close(self, session: ServerSession, undelivered: list[Outbound]) -> None:
        """It is gone; what it had not acknowledged comes first when it comes again."""
        queue = self._queues.pop(session, deque())
        queue.extendleft(reversed(undelivered))
        another = next(iter(self._queues.values()), self._kept)
        another.extendleft(reversed(queue))

    def put(self, delivery: Outbound, by: ServerSession | None = None, *, elsewhere: bool = False) -> None:
        """Send it, by this session where that can receive; `elsewhere`: by another, where there is one that can."""
        queue = self._queues.get(by) if by is not None else None
        if elsewhere and queue is not None and len(self._queues) > 1:
            queue = min((others for session, others in self._queues.items() if session is not by), key=len)
        if queue is None:
            queue = min(self._queues.values(), key=len, default=self._kept)
        queue.append(delivery)
        if len(queue) > MOST_KEPT:
            queue.popleft()
            self.lost += 1

    def pump(self) -> tuple[int, int]:
        """Write what the sessions' windows have room for; how many receipts and replies that were."""
        receipts = replies = 0
        for session, queue in self._queues.items():
            count = min(session.room, len(queue))
            if count > 0 and session.state.may_deliver:
                batch = [queue.popleft() for _ in range(count)]
                session.deliver([(delivery, delivery.body) for delivery in batch])
                fresh = sum(delivery.is_receipt for delivery in batch)
                receipts, replies = receipts + fresh, replies + count - fresh
        return receipts, replies

    def clear(self) -> int:
        """Forget what is not written yet; how much that was."""
        forgotten = self.waiting
        self._kept.clear()
        for queue in self._queues.values():
            queue.clear()
        return forgotten


@dataclass(eq=False)
class Account:
    """A system_id that has been let in, and what is on its way to it."""

    index: int
    system_id: str
    outbox: Outbox = field(default_factory=Outbox)


def may_try_again(delivery: Outbound, command_status: int) -> bool:
    """Whether a refused delivery is worth another try."""
    delivery.tries += 1
    return command_status in TEMPORARY and delivery.tries < MOST_TRIES
