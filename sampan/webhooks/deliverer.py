"""Finds the endpoints with something due and sends a courier to each; `sampan webhooks` runs it."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import structlog

from sampan.database import DatabaseThreads
from sampan.webhooks import leases
from sampan.webhooks.address_guard import Network
from sampan.webhooks.courier import Courier
from sampan.webhooks.leases import LEASE
from sampan.webhooks.sending import TIMEOUT_S, open_client

LOOK_EVERY_S = 0.2
AWAY_S = 1.0
RENEWED_EVERY_S = 10.0
RESTS = timedelta(seconds=1)  # an endpoint whose due deliveries all wait for older ones
MOST_ENDPOINTS = 500  # delivered to at once
DATABASE_THREADS = 4
LOOK_UP_THREADS = 64  # a name server that does not answer holds one for seconds
STOP_WITHIN_S = TIMEOUT_S + 5

log = structlog.get_logger()


class Deliverer:
    """Delivers what is due by `clock`. `turn` again and again, `stop` once; on a running loop."""

    def __init__(
        self, allowed: Sequence[Network] = (), *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._owner = f"webhooks {uuid.uuid4().hex[:16]}"
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(LOOK_UP_THREADS, "look-up"))
        self._threads = DatabaseThreads(DATABASE_THREADS, "webhooks", by_key=True)
        self._client = open_client(allowed)
        self._couriers: dict[int, Courier] = {}
        self._resting: dict[int, datetime] = {}  # until when
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewed_at_s = self._loop.time()

    async def run(self) -> None:
        """Deliver for ever; until it is cancelled."""
        while True:
            wait_s = LOOK_EVERY_S
            try:
                await self.turn()
            except psycopg.OperationalError as error:
                log.warning("webhooks.database_away", error=str(error).strip())
                wait_s = AWAY_S
            except Exception as error:  # noqa: BLE001 - the loop's top: what was due stays due
                log.error("webhooks.failed", error=repr(error))
                wait_s = AWAY_S
            await asyncio.sleep(wait_s)

    async def turn(self) -> int:
        """Send couriers to where something is due and keep the leases; how many endpoints are delivered to now."""
        if self._couriers and self._loop.time() - self._renewed_at_s > RENEWED_EVERY_S:
            await self._renew()
        room = MOST_ENDPOINTS - len(self._couriers)
        if room > 0:
            ends_s = self._loop.time() + LEASE.total_seconds()
            now = self._clock()
            self._resting = {id_: until for id_, until in self._resting.items() if until > now}
            not_these = [*self._couriers, *self._resting]
            for endpoint_id in await self._threads.run(leases.take, self._owner, not_these, room, now):
                self._start(endpoint_id, ends_s)
        return len(self._couriers)

    def _start(self, endpoint_id: int, lease_ends_s: float) -> None:
        courier = Courier(
            endpoint_id,
            self._owner,
            threads=self._threads,
            client=self._client,
            clock=self._clock,
            lease_ends_s=lease_ends_s,
        )
        self._couriers[endpoint_id] = courier
        task = self._loop.create_task(self._run(courier))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, courier: Courier) -> None:
        try:
            await courier.run()
            if courier.found_nothing:
                self._resting[courier.endpoint_id] = self._clock() + RESTS
        except psycopg.OperationalError as error:
            log.warning("webhooks.database_away", error=str(error).strip())
        except Exception as error:  # noqa: BLE001 - the courier's top: what it had is due again after its lease
            log.error("webhooks.failed", endpoint=courier.endpoint_id, error=repr(error))
        finally:
            del self._couriers[courier.endpoint_id]

    async def _renew(self) -> None:
        self._renewed_at_s = self._loop.time()
        kept = await self._threads.run(leases.renew, self._owner, list(self._couriers), self._clock())
        for endpoint_id, courier in self._couriers.items():
            if endpoint_id in kept:
                courier.lease_ends_s = self._renewed_at_s + LEASE.total_seconds()
            else:
                courier.stopping = True

    async def drained(self) -> None:
        """Wait until every courier has come back."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Send no more, wait for the answers that are due, record them."""
        for courier in self._couriers.values():
            courier.stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
        await self._client.close()
        self._threads.close()
