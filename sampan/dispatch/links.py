"""One SMPP link of an operator: bound, kept bound, and written to as its window has room.

Parts whose attempts are committed wait here in two lanes until they can be written: a one-time password passes the bulk
that stands before it. When a link dies, what was written is unknown and what was not goes back to the queue.
"""

import asyncio
import contextlib
import ssl
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple, Protocol

import structlog

from sampan.dispatch.results import Sent
from sampan.messages.tables import Lane
from sampan.routing.operators import LinkFacts
from sampan.routing.tables import Link as LinkRow
from sampan.smpp.client import BindMode, BindRefused, ClientSession, Delivery, Operator, backoff_s, connect
from sampan.smpp.pdu import PduError, QuerySm, QuerySmResp
from sampan.smpp.session import Answer, Limits, SessionClosed

MODES = {
    LinkRow.Bind.RECEIVER: BindMode.RECEIVER,
    LinkRow.Bind.TRANSMITTER: BindMode.TRANSMITTER,
    LinkRow.Bind.TRANSCEIVER: BindMode.TRANSCEIVER,
}
BOUND_LONG_ENOUGH_S = 10.0  # who was bound so long begins again with the first back-off
STOP_WITHIN_S = 5.0

log = structlog.get_logger()


def tls_context(facts: LinkFacts) -> ssl.SSLContext:
    """Verifies the SMSC by the system's authorities or its own, and shows our certificate where there is one.

    Raises ssl.SSLError where certificate and key do not fit, OSError where they are no PEM.
    """
    context = ssl.create_default_context(cadata=facts.tls_authorities or None)
    if facts.tls_certificate:
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as pem:  # 0600; the module reads files only
            pem.write(f"{facts.tls_certificate}\n{facts.tls_key}\n")
            pem.flush()
            context.load_cert_chain(pem.name)
    return context


class Part(NamedTuple):
    """One part whose attempt is committed: what goes on the wire, and what it is."""

    sent: Sent
    sequence_number: int
    receipts: bool  # whether one will come
    resends: bool  # whether it may go once more where nobody answers
    frame: bytes  # the submit_sm


class LinkOwner(Protocol):
    """The dispatcher of the operator."""

    def on_answers(self, answers: Sequence[Answer]) -> None:
        """Parts were answered, in time or late."""

    def on_unanswered(self, parts: Sequence[Part]) -> None:
        """Parts were written and got no answer in time, or the link died."""

    def on_unsent(self, parts: Sequence[Part]) -> None:
        """Parts were never written."""

    def on_deliveries(self, link: "Link", session: ClientSession, deliveries: Sequence[Delivery]) -> None:
        """Receipts and replies, to be acknowledged on the session that brought them, once they are stored."""

    def on_room(self) -> None:
        """A link is bound, or its window has room again."""


@dataclass(slots=True)
class LinkStatus:
    """For whoever watches."""

    bound: bool
    words: str


class Link:
    """One bind, for as long as its settings stand. `run` is its task."""

    def __init__(self, facts: LinkFacts, owner: LinkOwner, on_status: Callable[["Link", LinkStatus], None]) -> None:
        self.facts = facts
        self._owner = owner
        self._on_status = on_status
        self._session: ClientSession | None = None
        self._ready = {lane: deque[Part]() for lane in Lane}
        self._answered = asyncio.Event()
        self._stopping = False

    @property
    def is_bound(self) -> bool:
        """Whether parts can be written now."""
        return self._session is not None and self.facts.bind != LinkRow.Bind.RECEIVER and not self._stopping

    @property
    def room(self) -> int:
        """How many more parts it should be given: its window, and as many again so that it never runs dry."""
        if not self.is_bound or self._session is None:
            return 0
        waiting = sum(len(ready) for ready in self._ready.values())
        return self._session.room + self.facts.window_size - waiting

    def sequence_numbers(self, count: int) -> list[int]:
        """Numbers for parts that are about to be attempted. Raises SessionClosed where the link has just gone."""
        if self._session is None:
            raise SessionClosed("not bound")
        return self._session.sequence_numbers(count)

    async def query(self, body: QuerySm) -> QuerySmResp:
        """What became of a message. TimeoutError, CommandRefused or SessionClosed."""
        if self._session is None:
            raise SessionClosed("not bound")
        return await self._session.query(body)

    def write(self, parts: Sequence[Part]) -> None:
        """Write these as soon as the window lets them; their attempts are committed."""
        for part in parts:
            self._ready[Lane(part.sent.claimed.lane)].append(part)
        self._pump()

    def _pump(self) -> None:
        session = self._session
        if session is None:
            self._give_back()
            return
        items: list[Part] = []
        room = session.room
        for ready in self._ready.values():  # in the order of the lanes
            while ready and len(items) < room:
                items.append(ready.popleft())
        if items:
            try:
                session.submit_frames([(part.sequence_number, part, part.frame) for part in items])
            except SessionClosed:
                self._owner.on_unsent(items)

    def _give_back(self) -> None:
        unsent = [part for ready in self._ready.values() for part in ready]
        for ready in self._ready.values():
            ready.clear()
        if unsent:
            self._owner.on_unsent(unsent)

    # What the session calls.

    def on_bound(self, session: ClientSession) -> None:
        """The bind stands."""
        self._session = session
        self._on_status(self, LinkStatus(bound=True, words=""))
        self._owner.on_room()

    def on_answers(self, answers: list[Answer]) -> None:
        """In time."""
        self._owner.on_answers(answers)
        self._answered.set()
        self._pump()
        self._owner.on_room()

    def on_late(self, answers: list[Answer]) -> None:
        """After they were given up as unknown."""
        self._owner.on_answers(answers)

    def on_expired(self, tokens: list[Part]) -> None:
        """The operator does not answer."""
        self._owner.on_unanswered(tokens)
        self._answered.set()
        self._pump()
        self._owner.on_room()

    def on_deliveries(self, deliveries: list[Delivery]) -> None:
        """Receipts and replies."""
        assert self._session is not None
        self._owner.on_deliveries(self, self._session, deliveries)

    def on_closed(self, reason: str, unanswered: list[Part], unsent: list[Part]) -> None:
        """The session is gone."""
        self._session = None
        self._answered.set()
        if unanswered:
            self._owner.on_unanswered(unanswered)
        if unsent:
            self._owner.on_unsent(unsent)
        self._give_back()
        self._on_status(self, LinkStatus(bound=False, words=reason))

    async def run(self) -> None:
        """Bind, stay bound, bind again, until `stop`."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began_s = loop.time()
            try:
                session = await self._bind()
            except (OSError, TimeoutError, BindRefused, SessionClosed, PduError, ValueError) as error:
                self._on_status(self, LinkStatus(bound=False, words=str(error)))
            else:
                await session.wait_closed()
            if loop.time() - began_s > BOUND_LONG_ENOUGH_S:
                attempt = 0
            if not self._stopping:
                await asyncio.sleep(backoff_s(attempt, _CHANCE))
                attempt += 1

    async def _bind(self) -> ClientSession:
        facts = self.facts
        operator = Operator(
            host=facts.host,
            port=facts.port,
            system_id=facts.system_id,
            password=facts.password,
            system_type=facts.system_type,
            mode=MODES[facts.bind],
            tls=tls_context(facts) if facts.tls else None,
        )
        limits = Limits(
            window=facts.window_size,
            response_timeout_s=facts.response_timeout_s,
            enquire_link_s=facts.enquire_link_s,
        )
        return await connect(operator, self, limits)

    async def stop(self) -> None:
        """Write no more, wait a little for the answers that are due, unbind."""
        self._stopping = True
        self._give_back()
        session = self._session
        if session is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_WITHIN_S):
                while session.room < self.facts.window_size:
                    self._answered.clear()
                    await self._answered.wait()
        await session.unbind()

    def abort(self, reason: str) -> None:
        """Cut the connection at once: somebody else owns the operator."""
        self._stopping = True
        if self._session is not None:
            self._session.abort(reason)


_CHANCE = Random()  # noqa: S311 - spreads reconnects, guards nothing
