"""Work that gathers: what came while the last batch was at the database is the next batch.

Under load a batch waits a moment longer for more, because a commit costs the same for one row as for a hundred. While
the database is away the same batch is tried again until it is back: nothing is dropped, and whoever puts more in is
told by `is_full` to stop.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import psycopg
import structlog

T = TypeVar("T")

MOST_A_BATCH = 2_000
MOST_WAITING = 20_000
GATHER_S = 0.01
LITTLE = 20  # a batch of fewer does not wait for more
TRY_AGAIN_S = 0.3

log = structlog.get_logger()


class Gathering(Generic[T]):
    """One kind of work of one dispatcher: one batch in flight at a time, in order."""

    def __init__(self, name: str, work: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        self._name = name
        self._work = work
        self._waiting: list[T] = []
        self._put = self._done = 0
        self._afterwards: deque[tuple[int, Callable[[], None]]] = deque()
        self._busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None

    @property
    def is_full(self) -> bool:
        """Too much waits, because the database is slow or away."""
        return len(self._waiting) >= MOST_WAITING

    def put(self, items: Sequence[T]) -> None:
        """Have these worked on soon."""
        if not items:
            return
        self._waiting.extend(items)
        self._put += len(items)
        if not self._busy:
            self._busy = True
            self._idle.clear()
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MOST_A_BATCH], self._waiting[MOST_A_BATCH:]
                await self._until_done(batch)
                self._done += len(batch)
                while self._afterwards and self._afterwards[0][0] <= self._done:
                    self._afterwards.popleft()[1]()
                if len(batch) >= LITTLE and len(self._waiting) < MOST_A_BATCH:
                    await asyncio.sleep(GATHER_S)
        finally:
            self._busy = False
            self._idle.set()

    async def _until_done(self, batch: Sequence[T]) -> None:
        """Try until the database is there; where something in the batch is at fault, the rest goes without it."""
        while True:
            try:
                return await self._work(batch)
            except psycopg.OperationalError as error:
                log.warning("dispatch.database_away", work=self._name, items=len(batch), error=str(error).strip())
                await asyncio.sleep(TRY_AGAIN_S)
            except Exception as error:  # noqa: BLE001 - the loop's top
                log.error("dispatch.failed", work=self._name, items=len(batch), error=repr(error))
                if len(batch) == 1:
                    return None
                half = len(batch) // 2
                await self._until_done(batch[:half])
                batch = batch[half:]

    def after(self, then: Callable[[], None]) -> None:
        """Call this once all that was put so far is done: at once where nothing is left to do."""
        if self._done == self._put:
            then()
        else:
            self._afterwards.append((self._put, then))

    async def drained(self) -> None:
        """Wait until nothing is left to do."""
        await self._idle.wait()
