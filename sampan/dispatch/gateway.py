"""The gateway process: owns operators by leases, runs a dispatcher for each, hands over when it stops.

Several gateways share the operators evenly without being told of each other: each shows that it lives, takes what is
free up to its share, and lets go of what it has beyond.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import psycopg
import structlog

from sampan.database import Changes, Connection, DatabaseThreads, Snapshot
from sampan.dispatch import leases
from sampan.dispatch.dispatcher import Dispatcher, utc_now
from sampan.dispatch.leases import Lease
from sampan.dispatch.links import LinkStatus
from sampan.messages.announcing import CHANNEL, announced
from sampan.messages.holding import is_sending_held
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


class Known(NamedTuple):
    """What staff have set up, as it stands."""

    operators: dict[int, OperatorFacts]
    directory: Directory
    is_sending_held: bool


def look_up(conn: Connection) -> Known:
    """From memory where nothing has changed."""
    return Known(operators.get(conn), directory.get(conn), is_sending_held(conn))


class Gateway:
    """All of one gateway process, on its event loop."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self.owner = leases.new_owner()
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._threads = DatabaseThreads(THREADS, "gateway", by_key=True)
        self._dispatchers: dict[int, Dispatcher] = {}
        self._known: Known | None = None
        self._renewed_at_s = float("-inf")
        self._expired_since_s: dict[tuple[int, int], float] = {}  # by operator and epoch
        self._tasks: set[asyncio.Task[None]] = set()
        self._bells = Changes((CHANNEL,), self._on_bell, self._on_silence, application="gateway")
        Snapshot.listen_for_changes("gateway")

    @property
    def owned(self) -> set[int]:
        """The operators whose links are ours."""
        return set(self._dispatchers)

    async def run(self) -> None:
        """Tick until cancelled."""
        while True:
            try:
                await self._tick()
            except psycopg.OperationalError as error:
                log.warning("gateway.database_away", error=str(error).strip())
            except Exception as error:  # noqa: BLE001 - the loop's top
                log.error("gateway.failed", error=repr(error))
            await asyncio.sleep(TICK_S)

    async def stop(self) -> None:
        """Hand over no more, record what is answered, unbind, let go of the leases."""
        self._bells.stop()
        await asyncio.gather(*(dispatcher.stop() for dispatcher in self._dispatchers.values()))
        await self._threads.run(leases.release, self.owner, list(self._dispatchers))
        await self._threads.run(leases.leave, self.owner)
        self._threads.close()

    def abort(self, reason: str) -> None:
        """As after a crash: cut the links, touch nothing."""
        self._bells.stop()
        for dispatcher in self._dispatchers.values():
            dispatcher.abort(reason)

    async def _tick(self) -> None:
        """Renew what is owned, take what is free, let go of too much, apply what staff changed."""
        known = await self._threads.run(look_up)
        changed, self._known = known != self._known, known
        if self._loop.time() - self._renewed_at_s >= leases.RENEW_EVERY_S:
            await self._renew()
            self._renewed_at_s = self._loop.time()
        for operator_id in self._dispatchers.keys() - known.operators.keys():
            await self._let_go(operator_id)
        if changed:
            for operator_id, dispatcher in self._dispatchers.items():
                dispatcher.update(*self._settings(known.operators[operator_id]))
        await self._share(known)

    async def _renew(self) -> None:
        epochs = await self._threads.run(leases.renew, self.owner)
        for operator_id, dispatcher in list(self._dispatchers.items()):
            if epochs.get(operator_id) != dispatcher.epoch:
                self._lose(operator_id)

    async def _share(self, known: Known) -> None:
        """As many operators as every other gateway, give or take one."""
        held, living = await self._threads.run(leases.look)
        share = -(-len(known.operators) // max(living, 1))
        if len(self._dispatchers) > share:
            await self._let_go(max(self._dispatchers))
        for operator_id, operator in known.operators.items():
            if operator_id in self._dispatchers or len(self._dispatchers) >= share:
                continue
            if self._is_free(operator_id, held.get(operator_id)):
                await self._take(operator, held.get(operator_id))

    def _is_free(self, operator_id: int, lease: Lease | None) -> bool:
        """Nobody's, ours without our knowing, a dead process's of this machine, or run out for long enough."""
        if lease is None or lease.owner in ("", self.owner) or leases.is_dead(lease.owner):
            return True
        key = operator_id, lease.epoch
        if not lease.has_expired:
            self._expired_since_s.pop(key, None)
            return False
        since_s = self._expired_since_s.setdefault(key, self._loop.time())
        return self._loop.time() - since_s >= leases.PATIENCE_S

    async def _take(self, operator: OperatorFacts, lease: Lease | None) -> None:
        epoch = await self._threads.run(leases.take, self.owner, operator.id, lease, self._clock())
        if epoch is None:
            return
        log.info("gateway.owns", operator=operator.name, epoch=epoch)
        dispatcher = Dispatcher(
            *self._settings(operator),
            epoch=epoch,
            threads=self._threads,
            on_not_owner=lambda: self._lose(operator.id),
            on_link_status=self._on_link_status,
            clock=self._clock,
        )
        self._dispatchers[operator.id] = dispatcher
        dispatcher.start()

    def _settings(self, operator: OperatorFacts) -> tuple[OperatorFacts, Directory, bool]:
        assert self._known is not None
        return operator, self._known.directory, self._known.is_sending_held

    async def _let_go(self, operator_id: int) -> None:
        """In good order, for another gateway."""
        dispatcher = self._dispatchers.pop(operator_id)
        log.info("gateway.lets_go", operator=operator_id, epoch=dispatcher.epoch)
        await dispatcher.stop()
        await self._threads.run(leases.release, self.owner, [operator_id])

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
