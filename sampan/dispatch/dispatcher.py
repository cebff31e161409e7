"""One operator: from its queue to its links, and from its answers and receipts back to the messages (house.md).

The loop below only moves things in memory; all that touches the database is done in threads, many rows at once. What
limits how much is in memory is what the links can take soon, so the backlog stays in PostgreSQL.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg
import structlog

from sampan.database import DatabaseThreads
from sampan.dispatch import claims, results
from sampan.dispatch.claims import Claimed, Handover, NotTheOwner
from sampan.dispatch.dialects import Dialect, Way, read_dialect
from sampan.dispatch.gathering import Gathering
from sampan.dispatch.inbox import LONGEST_REF
from sampan.dispatch.links import Link, LinkStatus, Part
from sampan.dispatch.queries import GRACE
from sampan.dispatch.receiving import Receiving
from sampan.dispatch.references import References
from sampan.dispatch.results import Sent
from sampan.dispatch.throttle import Throttle
from sampan.dispatch.turns import Turns
from sampan.dispatch.wire import Wire
from sampan.messages.tables import Lane, Status
from sampan.reasons import Reason, Refused
from sampan.routing.directory import Directory
from sampan.routing.operators import LinkFacts, OperatorFacts
from sampan.routing.tables import Operator
from sampan.smpp.client import ClientSession, Delivery
from sampan.smpp.pdu import PduError, encode
from sampan.smpp.pdu import Status as CommandStatus
from sampan.smpp.session import Answer, SessionClosed

LOOK_AROUND_S = 1.0
BACK_OFF = timedelta(seconds=1)  # before a throttled part is tried again
LEAST_HELD = 50
HELD_S = 0.3  # of the operator's rate
MOST_A_HANDOVER = 500

log = structlog.get_logger()


def utc_now() -> datetime:
    """The time, as the dispatcher writes it down."""
    return datetime.now(UTC)


class Dispatcher:
    """Owns one operator's links under one epoch. Made, started and stopped by the gateway, on its event loop."""

    def __init__(
        self,
        facts: OperatorFacts,
        directory: Directory,
        is_sending_held: bool,
        *,
        epoch: int,
        threads: DatabaseThreads,
        on_not_owner: Callable[[], None],
        on_link_status: Callable[[LinkFacts, LinkStatus], None],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.epoch = epoch
        self._threads = threads
        self._directory = directory
        self._is_sending_held = is_sending_held
        self._on_not_owner = on_not_owner
        self._on_link_status = on_link_status
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._facts = facts
        self._dialect: Dialect = read_dialect(facts.dialect)
        self._throttle = Throttle(facts.rate_parts_per_s, self._loop.time())
        self._turns = {lane: Turns() for lane in Lane}
        self._references = References()
        self._wire = Wire(self._dialect, self._references)
        self._links: dict[LinkFacts, tuple[Link, asyncio.Task[None]]] = {}
        self._wake = asyncio.Event()
        self._look = asyncio.Event()
        self._stopping = False
        self._results = Gathering[results.Result]("answers", self._record)
        self._receiving = Receiving(facts, self._dialect, threads, clock, self._results.after)
        self._tasks: list[asyncio.Task[None]] = []

    # Its life.

    def start(self) -> None:
        """Bind the links and begin."""
        self.update(self._facts, self._directory, self._is_sending_held)
        self._tasks = [self._loop.create_task(self._send()), self._loop.create_task(self._look_around())]

    def update(self, facts: OperatorFacts, directory: Directory, is_sending_held: bool) -> None:
        """Staff changed something: links come and go, the rest takes effect at once."""
        self._facts, self._directory, self._is_sending_held = facts, directory, is_sending_held
        self._dialect = read_dialect(facts.dialect)
        self._wire = Wire(self._dialect, self._references)
        self._receiving.update(facts, self._dialect)
        self._throttle.set_ceiling(facts.rate_parts_per_s)
        for gone in self._links.keys() - set(facts.links):
            link, task = self._links.pop(gone)
            self._tasks.append(self._loop.create_task(self._stop_link(link, task)))
        for new in facts.links:
            if new not in self._links:
                link = Link(new, self, lambda link, status: self._on_link_status(link.facts, status))
                self._links[new] = link, self._loop.create_task(link.run())
        self._wake.set()

    async def stop(self) -> None:
        """Hand over no more, wait for the answers that are due, record them, unbind."""
        self._stopping = True
        self._wake.set()
        self._look.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._stop_link(link, task) for link, task in self._links.values()))
        await self._results.drained()
        await self._receiving.drained()

    async def _stop_link(self, link: Link, task: "asyncio.Task[None]") -> None:
        await link.stop()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def abort(self, reason: str) -> None:
        """Another process owns the operator: cut the links, touch nothing."""
        self._stopping = True
        for link, task in self._links.values():
            link.abort(reason)
            task.cancel()
        for task in self._tasks:
            task.cancel()

    def ring(self, lane: int, customer_id: int) -> None:
        """Somebody has queued something."""
        self._turns[Lane(lane)].wake([customer_id])
        self._wake.set()

    def look_around_now(self) -> None:
        """Something may have been queued anywhere."""
        self._look.set()

    # From the queue to the wire.

    async def _look_around(self) -> None:
        """Once a second: who has anything queued, and which receipts are due again."""
        while not self._stopping:
            try:
                for lane, turns in self._turns.items():
                    waiting = await self._threads.run(claims.waiting_customers, self._facts.id, lane)
                    turns.look_at(waiting)
                    if waiting:
                        self._wake.set()
                await self._receiving.look((link for link, _ in self._links.values()), self._directory)
            except psycopg.OperationalError as error:
                log.warning("dispatch.database_away", work="look around", error=str(error).strip())
            except Exception as error:  # noqa: BLE001 - the loop's top
                log.error("dispatch.failed", work="look around", error=repr(error))
            await _set_within(self._look, LOOK_AROUND_S)
            self._look.clear()

    async def _send(self) -> None:
        """Claim, attempt, write; as fast as the operator takes it. What is begun is ended: it may be in the table."""
        while not self._stopping:
            self._wake.clear()
            try:
                idle = not await self._step()
            except NotTheOwner:
                self._on_not_owner()
                return
            except psycopg.OperationalError as error:
                log.warning("dispatch.database_away", work="send", error=str(error).strip())
                await asyncio.sleep(BACK_OFF.total_seconds())
                continue
            except Exception as error:  # noqa: BLE001 - the loop's top
                log.error("dispatch.failed", work="send", error=repr(error))
                await asyncio.sleep(BACK_OFF.total_seconds())
                continue
            if idle:
                await _set_within(self._wake, self._throttle.wait_s(self._loop.time()) or LOOK_AROUND_S)

    async def _step(self) -> bool:
        """One round; False where nothing could be done."""
        if self._facts.state == Operator.State.PAUSED or self._is_sending_held:
            for turns in self._turns.values():
                turns.clear()
            return False
        if self._results.is_full:
            return False
        claiming = self._loop.create_task(self._claim())  # while the last are attempted the next are read
        try:
            handed = await self._hand_over()
        finally:
            claimed = await claiming
        return claimed or handed

    async def _claim(self) -> bool:
        """Fill the lanes up to what can be sent soon."""
        window = sum(link.facts.window_size for link, _ in self._links.values() if link.is_bound)
        rate = self._throttle.rate
        most_held = max(2 * window, LEAST_HELD)
        if rate * HELD_S < most_held:
            most_held = max(1, int(rate * HELD_S))
        did = False
        for lane, turns in self._turns.items():
            asked = turns.ask(most_held - len(turns)) if window and len(turns) * 2 <= most_held else []
            if asked:
                rows = await self._threads.run(claims.claim, self._facts.id, lane, asked, self._clock())
                turns.add(asked, rows)
                did = did or bool(rows)
        return did

    async def _hand_over(self) -> bool:
        """Attempt as many parts as links and rate allow, then give them to the links."""
        now = self._clock()
        room = sum(link.room for link, _ in self._links.values())
        allowed = int(min(room, self._throttle.available(self._loop.time()), MOST_A_HANDOVER))
        taken: list[Claimed] = []
        for turns in self._turns.values():
            taken += turns.take(allowed - _parts(taken))
        if not taken:
            return False
        late = [claimed for claimed in taken if claimed.send_by <= now]
        prompt = [claimed for claimed in taken if claimed.send_by > now]
        try:
            if late:
                await self._end(late, Status.EXPIRED, Reason.NOT_SENT_IN_TIME, now)
            if prompt:
                await self._attempt(prompt, now)
        finally:
            for lane, turns in self._turns.items():
                turns.let_go(claimed.message_id for claimed in taken if claimed.lane == lane)
        return True

    async def _end(self, messages: Sequence[Claimed], ending: Status, reason: Reason, now: datetime) -> None:
        """These are not sent any more."""
        await self._threads.run(results.end_unsent, self._facts.id, messages, ending=ending, reason=reason, now=now)

    async def _attempt(self, messages: Sequence[Claimed], now: datetime) -> None:
        """Commit the attempts, then write. What the commit does not confirm is not written."""
        handovers: list[Handover] = []
        parts_of: dict[int, tuple[Link, list[Part]]] = {}
        unsendable: list[Claimed] = []
        rooms = {link: link.room for link, _ in self._links.values()}
        for claimed in messages:
            link = max(rooms, key=rooms.__getitem__)
            try:
                parts = self._parts_of(claimed, link, now)
            except SessionClosed:
                continue  # still queued; it comes again
            except (PduError, Refused, ValueError) as error:
                log.error(
                    "dispatch.cannot_be_sent", operator=self._facts.name, message=claimed.message_id, why=str(error)
                )
                unsendable.append(claimed)
                continue
            parts_of[claimed.message_id] = link, parts
            rooms[link] -= len(parts)
            deadline = now + timedelta(minutes=claimed.validity_minutes) + GRACE
            first = parts[0].sequence_number
            as_one = parts[0].sent.bits.bit_count() > 1
            handovers.append(Handover(claimed, claimed.parts_left, as_one, link.facts.id, first, deadline))
        if unsendable:
            await self._end(unsendable, Status.UNDELIVERABLE, Reason.OPERATOR_FAULT, now)
        if not handovers:
            return
        try:
            confirmed = await self._threads.run(claims.attempt, self._facts.id, self.epoch, handovers, now)
        except psycopg.OperationalError:  # it may have been committed all the same; none of it was written
            self.on_unsent([part for _, parts in parts_of.values() for part in parts])
            raise
        written: dict[Link, list[Part]] = {}
        for message_id in confirmed:
            link, parts = parts_of[message_id]
            written.setdefault(link, []).extend(parts)
        for link, ready in written.items():
            self._throttle.take(len(ready), self._loop.time())
            link.write(sorted(ready, key=lambda part: part.sequence_number))

    def _parts_of(self, claimed: Claimed, link: Link, now: datetime) -> list[Part]:
        """What goes on the wire for a message. Raises SessionClosed where the link has just gone.

        Raises PduError, Refused or ValueError where it cannot be put on the wire at all: the operator's settings break
        a limit of SMPP, or the text is composed otherwise than when it was accepted.
        """
        route = self._directory.routes[claimed.route_id]
        way = Way(route, self._directory.destinations[claimed.destination_id], self._facts.sender)
        wired = self._wire.submits(claimed, way, now)
        return [
            Part(Sent(claimed, part, bits, now), number, route.receipts, route.resends_unknown, encode(body, number))
            for (part, bits, body), number in zip(wired, link.sequence_numbers(len(wired)), strict=True)
        ]

    # From the wire to the messages; called by the links.

    def on_answers(self, answers: Sequence[Answer]) -> None:
        """Taken, refused for good, or asked to wait."""
        found: list[results.Result] = []
        for part, command_status, operator_ref in answers:
            if command_status == CommandStatus.ESME_ROK:
                found.append(results.Taken(part.sent, operator_ref[:LONGEST_REF], part.receipts))
            elif self._dialect.waits(command_status):
                if self._dialect.throttles(command_status):
                    self._throttle.refused(self._loop.time())
                found.append(results.Unsent(part.sent, self._clock() + BACK_OFF))
            else:
                reason = self._dialect.refusal(command_status)
                found.append(results.RefusedForGood(part.sent, command_status, reason))
        self._results.put(found)

    def on_unanswered(self, parts: Sequence[Part]) -> None:
        """The outcome is unknown (spec S76)."""
        self._results.put([results.Unanswered(part.sent, part.resends) for part in parts])

    def on_unsent(self, parts: Sequence[Part]) -> None:
        """Proven unsent: back to the queue, uncharged."""
        self._results.put([results.Unsent(part.sent, None) for part in parts])

    def on_room(self) -> None:
        """A window has room."""
        self._wake.set()

    def on_deliveries(self, link: Link, session: ClientSession, deliveries: Sequence[Delivery]) -> None:
        """Receipts and replies."""
        self._receiving.take(link, session, deliveries)

    async def _record(self, found: Sequence[results.Result]) -> None:
        await self._threads.run(results.record, self._facts.id, found, self._clock())


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _parts(messages: Sequence[Claimed]) -> int:
    return sum(message.parts_left.bit_count() for message in messages)
