"""The way back from one operator: receipts taken, acknowledged, tried again, and asked for (spec S77, S78).

Replies are kept and acknowledged likewise (spec S111); the worker reads them.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import psycopg
import structlog

from sampan.database import DatabaseThreads
from sampan.dispatch import inbox, queries, receipts
from sampan.dispatch.dialects import Dialect, Way, source_of
from sampan.dispatch.gathering import Gathering
from sampan.dispatch.inbox import Kept, Receipt
from sampan.dispatch.links import Link
from sampan.dispatch.queries import Overdue
from sampan.inbound import parts
from sampan.inbound.reading import ReceivedPart, read_part
from sampan.routing.directory import Directory
from sampan.routing.operators import OperatorFacts
from sampan.smpp.client import ClientSession, Delivery
from sampan.smpp.receipt import read_receipt
from sampan.smpp.session import CommandRefused, SessionClosed

MEMORY_TRIES = 3  # of a receipt that came before its answer, as by another link
MEMORY_TRY_S = 0.1
QUERY_EVERY_S = 60.0

log = structlog.get_logger()


class Receiving:
    """Of one operator, for as long as it is ours; its settings may change."""

    def __init__(
        self,
        facts: OperatorFacts,
        dialect: Dialect,
        threads: DatabaseThreads,
        clock: Callable[[], datetime],
        after_answers: Callable[[Callable[[], None]], None],
    ) -> None:
        """`after_answers` calls what it is given once all answers read so far are recorded."""
        self._facts = facts
        self._dialect = dialect
        self._threads = threads
        self._clock = clock
        self._after_answers = after_answers
        self._loop = asyncio.get_running_loop()
        self._queried_at_s = self._loop.time()
        self._in_hand: set[int] = set()  # receipts that were due and are being tried
        self._inbox = Gathering[tuple[ClientSession, int, Receipt]]("inbox", self._keep)
        self._matches = Gathering[tuple[Kept, int]]("receipts", self._match)
        self._replies = Gathering[tuple[ClientSession, int, ReceivedPart]]("replies", self._keep_replies)

    def update(self, facts: OperatorFacts, dialect: Dialect) -> None:
        """Staff changed something."""
        self._facts, self._dialect = facts, dialect

    def take(self, link: Link, session: ClientSession, deliveries: Sequence[Delivery]) -> None:
        """Receipts go to the inbox, what handsets wrote to the replies."""
        kept: list[tuple[ClientSession, int, Receipt]] = []
        replies: list[tuple[ClientSession, int, ReceivedPart]] = []
        for number, body in deliveries:
            receipt = read_receipt(body)
            if receipt is None:
                replies.append((session, number, read_part(body)))
            else:
                kept.append((session, number, inbox.receipt_of(link.facts.id, body, receipt)))
        self._inbox.put(kept)
        self._replies.put(replies)

    async def _keep(self, items: Sequence[tuple[ClientSession, int, Receipt]]) -> None:
        """To their messages or into the inbox; then, and only then, acknowledge, on the session that brought each.

        One that has been closed meanwhile does nothing, and the operator sends those again.
        """
        given = [receipt for _, _, receipt in items]
        try:
            left = await self._threads.run(receipts.take, self._facts.id, given, self._dialect, self._clock())
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one of them, all are kept first
            log.error("dispatch.failed", work="inbox", items=len(given), error=repr(error))
            left = await self._threads.run(inbox.keep, self._facts.id, given, self._clock())
        _acknowledge(items)
        if left:  # they were faster than the record of their answers
            self._after_answers(lambda: self._matches.put([(each, 1) for each in left]))

    async def _keep_replies(self, items: Sequence[tuple[ClientSession, int, ReceivedPart]]) -> None:
        """As `_keep`: committed, then acknowledged; what an operator sends again is known again."""
        await self._threads.run(parts.keep, self._facts.id, [part for _, _, part in items], self._clock())
        _acknowledge(items)

    async def _match(self, items: Sequence[tuple[Kept, int]]) -> None:
        """Receipts of the inbox: what finds nothing is tried a few times from memory, then later."""
        tried = {kept.id: tries for kept, tries in items}
        kept = list({kept.id: kept for kept, _ in items}.values())
        try:
            left = await self._threads.run(receipts.match, self._facts.id, kept, self._dialect, self._clock())
            again = [(each, tried[each.id] + 1) for each in left if tried[each.id] < MEMORY_TRIES]
            if again:
                self._loop.call_later(MEMORY_TRY_S, self._matches.put, again)
            later = [each for each in left if tried[each.id] >= MEMORY_TRIES]
            if later:
                await self._threads.run(inbox.postpone, later)
        finally:
            self._in_hand.difference_update(tried)

    async def look(self, links: Iterable[Link], directory: Directory) -> None:
        """What is due: receipts whose turn to be tried again has come, and parts to ask the operator about."""
        due = await self._threads.run(inbox.due, self._facts.id, self._clock())
        # On a slow database they are still due at the next look; each look would take a try from them.
        new = [kept for kept in due if kept.id not in self._in_hand]
        self._in_hand.update(kept.id for kept in new)
        self._matches.put([(kept, MEMORY_TRIES) for kept in new])
        if self._dialect.queries and self._loop.time() - self._queried_at_s >= QUERY_EVERY_S:
            self._queried_at_s = self._loop.time()
            await self._query(list(links), directory)

    async def _query(self, links: Sequence[Link], directory: Directory) -> None:
        bound = [link for link in links if link.is_bound]
        if not bound:
            return
        parts = await self._threads.run(queries.overdue, self._facts.id, self._clock())
        found: list[Receipt] = []
        for part in parts:
            link = next((link for link in bound if link.facts.id == part.link_id), bound[0])
            source = source_of(part.sender, self._way(part, directory), self._dialect)
            try:
                answer = await link.query(queries.question(part, source))
            except (TimeoutError, CommandRefused, SessionClosed) as error:
                log.info("dispatch.query", operator=self._facts.name, message=part.message_id, why=str(error))
                continue
            if receipt := queries.as_receipt(part, answer):
                found.append(receipt)
        if found:
            kept = await self._threads.run(inbox.keep, self._facts.id, found, self._clock())
            self._matches.put([(each, MEMORY_TRIES) for each in kept])

    def _way(self, part: Overdue, directory: Directory) -> Way:
        return Way(directory.routes[part.route_id], directory.destinations[part.destination_id], self._facts.sender)

    async def drained(self) -> None:
        """Wait until nothing is left to do."""
        await self._inbox.drained()
        await self._replies.drained()
        await self._matches.drained()


def _acknowledge(items: Sequence[tuple[ClientSession, int, object]]) -> None:
    for session in {session for session, _, _ in items}:
        session.acknowledge([number for other, number, _ in items if other is session])
