"""Receipts and replies go out to who is bound, within their windows; what is not acknowledged comes again."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import psycopg
import structlog

from sampan.database import Connection, DatabaseThreads
from sampan.inbound.esmes import Untold
from sampan.interfaces.smpp_door import receipts
from sampan.interfaces.smpp_door.receipts import Told
from sampan.interfaces.smpp_door.replies import Receivers, TellingReplies, rooms_of
from sampan.smpp.server import ServerSession
from sampan.smpp.session import Answer, SessionClosed

LOOK_EVERY_S = 0.2
GATHER_S = 0.02  # acknowledgements of so long make room together
AWAY_S = 1.0
REFUSED_AGAIN_AFTER = timedelta(seconds=60)

log = structlog.get_logger()


class Telling:
    """For all sessions that take deliveries: receipts by login (a person's id), replies by customer."""

    def __init__(
        self,
        threads: DatabaseThreads,
        clock: Callable[[], datetime],
        receivers: Receivers,
        receivers_by_customer: Receivers,
    ) -> None:
        self._threads = threads
        self._clock = clock
        self._receivers = receivers
        self._replies = TellingReplies(threads, clock, receivers_by_customer)
        self._done: list[int] = []
        self._enroute: list[int] = []
        self._refused: list[int] = []
        self._undelivered: list[int] = []
        self._room = asyncio.Event()

    def wake(self) -> None:
        """Somebody may take more than a moment ago."""
        self._room.set()

    def answered(self, answers: Iterable[Answer]) -> None:
        """Deliveries were answered."""
        self.wake()
        for token, status, _ in answers:
            if isinstance(token, Untold):
                self._replies.answered(token, status)
                continue
            told: Told = token
            (self._refused if status else self._done if told.is_last else self._enroute).append(told.id)

    def undelivered(self, tokens: Iterable[object]) -> None:
        """Deliveries had no answer."""
        lost = list(tokens)
        self._undelivered += [token.id for token in lost if isinstance(token, Told)]
        self._replies.undelivered(token for token in lost if isinstance(token, Untold))

    async def run(self) -> None:
        """Tell what there is to tell, for ever."""
        while True:
            self._room.clear()
            try:
                if not await self.turn():
                    await self._rest()
            except psycopg.OperationalError as error:
                log.warning("smpp_door.database_away", error=str(error).strip())
                await asyncio.sleep(AWAY_S)
            except Exception as error:  # noqa: BLE001 - the loop's top: what was taken comes again
                log.error("smpp_door.failed", work="telling", error=repr(error))
                await asyncio.sleep(AWAY_S)

    async def _rest(self) -> None:
        await asyncio.sleep(GATHER_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._room.wait()

    async def turn(self) -> bool:
        """Note what was answered and tell what is due; whether there may be more at once."""
        await self._note()
        await self._replies.note()
        more_receipts = await self._tell_receipts()
        return await self._replies.tell() or more_receipts

    async def _tell_receipts(self) -> bool:
        receivers = self._receivers()
        rooms = rooms_of(receivers)
        if not rooms:
            return False
        told = await self._threads.run(receipts.take, rooms, self._clock())
        by_login: defaultdict[int, list[Told]] = defaultdict(list)
        for each in told:
            by_login[each.person_id].append(each)
        for person_id, theirs in by_login.items():
            self._deliver(receivers[person_id], theirs)
        return len(told) == sum(rooms.values())

    def _deliver(self, sessions: Iterable[ServerSession], told: list[Told]) -> None:
        for session in sessions:
            now, told = told[: session.room], told[session.room :]
            try:
                session.deliver([(each, each.body) for each in now])
            except SessionClosed:
                self.undelivered(now)
        self.undelivered(told)

    async def _note(self) -> None:
        if self._done or self._enroute or self._refused or self._undelivered:
            lists = self._done, self._enroute, self._refused, self._undelivered
            self._done, self._enroute, self._refused, self._undelivered = [], [], [], []
            await self._threads.run(_note, *lists, now=self._clock())


def _note(
    conn: Connection, done: list[int], enroute: list[int], refused: list[int], undelivered: list[int], *, now: datetime
) -> None:
    with conn.transaction():
        receipts.done(conn, done)
        receipts.enroute_told(conn, enroute, now)
        receipts.give_back(conn, refused, now + REFUSED_AGAIN_AFTER)
        receipts.give_back(conn, undelivered, now)
