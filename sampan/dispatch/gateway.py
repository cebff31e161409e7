"""The gateway process: owns operators by leases, runs a dispatcher for each, hands over when it stops."""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from datetime import datetime

import psycopg
import structlog

from sampan.database import Changes, Connection, DatabaseThreads, Snapshot
from sampan.dispatch import leases
from sampan.dispatch.dispatcher import Dispatcher, utc_now
from sampan.dispatch.links import LinkStatus
from sampan.messages.announcing import CHANNEL, announced
from sampan.routing.directory import Directory, directory
from sampan.routing.operators import LinkFacts, OperatorFacts, operators

THREADS = 8
TICK_S = 1.0

WRITE_STATUS = """
    INSERT INTO link_state (link_id, bound, words, since) SELECT %(link)s, %(bound)s, %(words)s, %(now)s
     WHERE EXISTS (SELECT FROM link WHERE id = %(link)s)
    ON CONFLICT (link_id) DO UPDATE SET bound = excluded.bound, words = excluded.words, since = excluded.since
     WHERE (link_state.bound, link_state.words) IS DISTINCT FROM (excluded.bound, excluded.words)"""

log = structlog.get_logger()


class Gateway:
    """All of one gateway process, on its event loop."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._threads = DatabaseThreads(THREADS, "gateway", by_key=True)
        self._dispatchers: dict[int, Dispatcher] = {}
        self._known: tuple[dict[int, OperatorFacts], Directory] | None = None
        self._renewed_at_s = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()
        self._bells = Changes((CHANNEL,), self._on_bell, self._on_silence, application="gateway")
        Snapshot.listen_for_changes("gateway")

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            try:
                await self._tick()
            except psycopg.OperationalError as error:
                log.warning("gateway.database_away", error=str(error).strip())
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """Hand over no more, record what is answered, unbind, let go of the leases."""
        self._bells.stop()
        await asyncio.gather(*(dispatcher.stop() for dispatcher in self._dispatchers.values()))
        await self._threads.run(leases.release, self._owner, list(self._dispatchers))
        self._threads.close()

    async def _tick(self) -> None:
        """Renew what is owned, take what is free, apply what staff changed."""
        known = await self._threads.run(_known)
        changed, self._known = known != self._known, known
        facts, now_s = known[0], self._loop.time()
        if now_s - self._renewed_at_s >= leases.RENEW_EVERY_S:
            await self._renew()
            self._renewed_at_s = now_s
        for operator_id in self._dispatchers.keys() - facts.keys():
            await self._dispatchers.pop(operator_id).stop()
        for operator_id, operator in facts.items():
            dispatcher = self._dispatchers.get(operator_id)
            if dispatcher is None:
                await self._take(operator)
            elif changed:
                dispatcher.update(operator, known[1])

    async def _renew(self) -> None:
        epochs = await self._threads.run(leases.renew, self._owner)
        for operator_id, dispatcher in list(self._dispatchers.items()):
            if epochs.get(operator_id) != dispatcher.epoch:
                self._lose(operator_id)

    async def _take(self, operator: OperatorFacts) -> None:
        epoch = await self._threads.run(leases.take, self._owner, operator.id, self._clock())
        if epoch is None or self._known is None:
            return
        log.info("gateway.owns", operator=operator.name, epoch=epoch)
        dispatcher = Dispatcher(
            operator,
            epoch,
            self._threads,
            self._known[1],
            on_not_owner=lambda: self._lose(operator.id),
            on_link_status=self._on_link_status,
            clock=self._clock,
        )
        self._dispatchers[operator.id] = dispatcher
        dispatcher.start()

    def _lose(self, operator_id: int) -> None:
        """Somebody else owns it by now."""
        if dispatcher := self._dispatchers.pop(operator_id, None):
            log.warning("gateway.lost", operator=operator_id, epoch=dispatcher.epoch)
            dispatcher.abort("another gateway owns the operator")

    def _on_bell(self, _channel: str, payload: str) -> None:
        self._loop.call_soon_threadsafe(self._ring, payload)

    def _on_silence(self) -> None:
        self._loop.call_soon_threadsafe(self._ring, "")

    def _ring(self, payload: str) -> None:
        places = announced(payload)
        for operator_id, lane, customer_id in places:
            if dispatcher := self._dispatchers.get(operator_id):
                dispatcher.ring(lane, customer_id)
        if not places:
            for dispatcher in self._dispatchers.values():
                dispatcher.look_around_now()

    def _on_link_status(self, link: LinkFacts, status: LinkStatus) -> None:
        log.info("gateway.link", link=link.id, system_id=link.system_id, bound=status.bound, words=status.words)
        task = self._loop.create_task(self._write_status(link, status))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_status(self, link: LinkFacts, status: LinkStatus) -> None:
        values = {"link": link.id, "bound": status.bound, "words": status.words[:200], "now": self._clock()}
        try:
            await self._threads.run(lambda conn: conn.execute(WRITE_STATUS, values))
        except psycopg.OperationalError as error:
            log.warning("gateway.database_away", error=str(error).strip())


def _known(conn: Connection) -> tuple[dict[int, OperatorFacts], Directory]:
    return operators.get(conn), directory.get(conn)
