"""Group commit: the drafts of a few milliseconds are planned and accepted in one transaction (house.md, one message).

When nothing is under way a draft goes at once (a one-time password waits for nobody); in a crowd a flush gathers what
came meanwhile, and a moment more: a commit costs the same for one as for 200. Two may be under way: while one waits for
its commit the next is planned.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
import structlog

from sampan.database import Connection, DatabaseThreads
from sampan.messages.announcing import Place, announce, places_of
from sampan.messages.planning import Draft, Plan, Platform, plan_all, terms_in_force
from sampan.messages.submit import Outcome, submit
from sampan.reasons import Reason, Refused

MOST_RECIPIENTS_OF_A_FLUSH = 500
MOST_PENDING = 5_000
MOST_FLUSHES = 2
CROWD = 8  # so many in one flush, and the next one gathers
GATHER_S = 0.0015
RING_EVERY_S = 0.01

log = structlog.get_logger()


class Intake:
    """The one way from an asyncio door to `submit`. One a process; made on its event loop."""

    def __init__(self, platform: Platform, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._platform = platform
        self._clock = clock
        self._threads = DatabaseThreads(MOST_FLUSHES + 1, "intake")  # and one for the bell
        self._loop = asyncio.get_running_loop()
        self._pending: list[tuple[Draft, asyncio.Future[Outcome]]] = []
        self._flushes = 0
        self._last_count = 0
        self._places: set[Place] = set()
        self._ringing = False
        self._rang_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, draft: Draft) -> Outcome:
        """Accepted or refused; what it says is committed. OVERLOADED where too many are waiting already."""
        if len(self._pending) >= MOST_PENDING:
            return Refused(Reason.OVERLOADED)
        outcome: asyncio.Future[Outcome] = self._loop.create_future()
        self._pending.append((draft, outcome))
        if self._flushes < MOST_FLUSHES:
            self._start()
        return await outcome

    def _start(self) -> None:
        self._flushes += 1
        if self._flushes > 1 or self._last_count >= CROWD:
            self._loop.call_later(GATHER_S, self._flush)
        else:
            self._loop.call_soon(self._flush)  # with all that this turn of the loop brings

    def _flush(self) -> None:
        taken = self._take()
        if not taken:  # the other flush has them
            self._flushes -= 1
            return
        task = self._loop.create_task(self._run(taken))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _take(self) -> list[tuple[Draft, asyncio.Future[Outcome]]]:
        """As many of the oldest as one statement should carry, at least one."""
        count = recipients = 0
        for draft, _ in self._pending:
            recipients += len(draft.recipients)
            if count and recipients > MOST_RECIPIENTS_OF_A_FLUSH:
                break
            count += 1
        taken, self._pending = self._pending[:count], self._pending[count:]
        return taken

    async def _run(self, taken: list[tuple[Draft, asyncio.Future[Outcome]]]) -> None:
        try:
            drafts = [draft for draft, _ in taken]
            outcomes, places = await self._threads.run(accept, drafts, self._platform, self._clock())
            self._places |= places
        except Exception as error:  # noqa: BLE001 - the loop's top: every waiting caller gets an answer
            log.error("intake.failed", error=repr(error), drafts=len(taken))
            outcomes = [Refused(Reason.UNEXPECTED)] * len(taken)
        for (_, future), outcome in zip(taken, outcomes, strict=True):
            if not future.done():
                future.set_result(outcome)
        self._last_count = len(taken)
        self._flushes -= 1
        if self._pending:
            self._start()
        if not self._ringing:
            self._ringing = True
            try:
                await self._ring()
            finally:
                self._ringing = False

    async def _ring(self) -> None:
        """Wake the dispatchers, once for all flushes of some milliseconds: while more come, the next one rings."""
        while self._places and not (self._pending and self._loop.time() - self._rang_at < RING_EVERY_S):
            places, self._places = self._places, set()
            self._rang_at = self._loop.time()
            try:
                await self._threads.run(announce, places)
            except psycopg.OperationalError as error:
                log.warning("intake.bell", error=str(error).strip())

    async def close(self) -> None:
        """Answer all that are waiting, then stop."""
        while self._flushes or self._tasks:
            await asyncio.gather(*self._tasks)
            await asyncio.sleep(0)
        self._threads.close()


def accept(
    conn: Connection, drafts: Sequence[Draft], platform: Platform, now: datetime
) -> tuple[list[Outcome], set[Place]]:
    """Plan and submit drafts together; one that cannot be planned is refused by itself. Gives where they wait, too."""
    terms = terms_in_force(conn, platform)
    planned = plan_all(drafts, terms, now)
    plans = [each for each in planned if isinstance(each, Plan)]
    submitted = iter(submit(conn, plans, now) if plans else ())
    return [each if isinstance(each, Refused) else next(submitted) for each in planned], places_of(plans)
