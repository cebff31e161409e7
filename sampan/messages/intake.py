"""Group commit: the drafts of a few milliseconds are planned and accepted in one transaction (house.md, one message).

When nothing is under way a draft goes at once (a one-time password waits for nobody); in a crowd a flush gathers what
came meanwhile, and a moment more: a commit costs the same for one as for 200. Two may be under way: while one waits for
its commit the next is planned.

Who sends 100,000 at once holds the lock of their balance for seconds, and their own next message waits for it. Nobody
else's does: a flush waits for no lock for long, and customers that are waited for go apart, each by itself. The large
drafts go apart from all, one at a time: each takes memory.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

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
MOST_APART = 4  # flushes of one customer each
MOST_LARGE = 1  # drafts of more recipients than a flush carries
LONGEST_LOCK_MS = 100
CROWD = 8  # so many in one flush, and the next one gathers
GATHER_SHARE = 0.4  # of the time the last flush took: the dearer a commit is, the more should share it
MOST_GATHER_S = 0.005
RING_EVERY_S = 0.01

log = structlog.get_logger()


class Waiting(NamedTuple):
    """A draft, and where its door waits for the outcome."""

    draft: Draft
    outcome: asyncio.Future[Outcome]

    @property
    def customer_id(self) -> int:
        """Whose it is."""
        return self.draft.customer.id


class Intake:
    """The one way from an asyncio door to `submit`. One a process; made on its event loop."""

    def __init__(self, platform: Platform, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._platform = platform
        self._clock = clock
        self._shared = DatabaseThreads(MOST_FLUSHES + 1, "intake", lock_timeout_ms=LONGEST_LOCK_MS)  # 1 for the bell
        self._own = DatabaseThreads(MOST_APART, "intake apart")
        self._large = DatabaseThreads(MOST_LARGE, "intake large")
        self._loop = asyncio.get_running_loop()
        self._unanswered = 0
        self._pending: list[Waiting] = []
        self._apart: dict[int, list[Waiting]] = {}  # of customers whose locks others hold
        self._flushes = 0
        self._last_count = 0
        self._last_took_s = 0.0
        self._places: set[Place] = set()
        self._ringing = False
        self._rang_at = float("-inf")
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, draft: Draft) -> Outcome:
        """Accepted or refused; what it says is committed. OVERLOADED where too many are waiting already."""
        if self._unanswered >= MOST_PENDING:
            return Refused(Reason.OVERLOADED)
        self._unanswered += 1
        waiting = Waiting(draft, self._loop.create_future())
        if len(draft.recipients) > MOST_RECIPIENTS_OF_A_FLUSH:
            self._begin(self._answer(self._large, [waiting]))
        elif waiting.customer_id in self._apart:
            self._apart[waiting.customer_id].append(waiting)
        else:
            self._pending.append(waiting)
            if self._flushes < MOST_FLUSHES:
                self._start()
        return await waiting.outcome

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _start(self) -> None:
        self._flushes += 1
        if self._flushes > 1 or self._last_count >= CROWD:
            self._loop.call_later(min(MOST_GATHER_S, GATHER_SHARE * self._last_took_s), self._flush)
        else:
            self._loop.call_soon(self._flush)  # with all that this turn of the loop brings

    def _flush(self) -> None:
        taken, self._pending = _portion(self._pending)
        if taken:
            self._begin(self._run(taken))
        else:  # the other flush has them
            self._flushes -= 1

    async def _run(self, taken: list[Waiting]) -> None:
        """A flush, of many customers; the one whose lock takes long goes apart, and all others at once."""
        began_s = self._loop.time()
        try:
            await self._answer(self._shared, taken)
        except psycopg.errors.LockNotAvailable:
            for customer_id, of_customer in groupby(sorted(taken, key=_customer_id), _customer_id):
                await self._try_alone(customer_id, [*of_customer])
        self._last_count, self._last_took_s = len(taken), self._loop.time() - began_s
        self._flushes -= 1
        if self._pending:
            self._start()

    async def _try_alone(self, customer_id: int, theirs: list[Waiting]) -> None:
        try:
            if customer_id not in self._apart:
                await self._answer(self._shared, theirs)
                return
        except psycopg.errors.LockNotAvailable:
            pass
        if customer_id in self._apart:
            self._apart[customer_id] += theirs
        else:
            self._apart[customer_id] = theirs
            self._begin(self._run_apart(customer_id))

    async def _run_apart(self, customer_id: int) -> None:
        while self._apart[customer_id]:
            taken, self._apart[customer_id] = _portion(self._apart[customer_id])
            await self._answer(self._own, taken)
        del self._apart[customer_id]

    async def _answer(self, threads: DatabaseThreads, taken: list[Waiting]) -> None:
        """Accept them in one transaction. Raises LockNotAvailable, where these threads wait only so long."""
        try:
            drafts = [each.draft for each in taken]
            outcomes, places = await threads.run(accept, drafts, self._platform, self._clock())
            self._places |= places
        except psycopg.errors.LockNotAvailable:
            raise
        except Exception as error:  # noqa: BLE001 - the loop's top: every waiting caller gets an answer
            log.error("intake.failed", error=repr(error), drafts=len(taken))
            outcomes = [Refused(Reason.UNEXPECTED)] * len(taken)
        self._unanswered -= len(taken)
        for each, outcome in zip(taken, outcomes, strict=True):
            if not each.outcome.done():
                each.outcome.set_result(outcome)
        if not self._ringing:
            self._ringing = True
            self._begin(self._ring())

    async def _ring(self) -> None:
        """Wake the dispatchers, once for all flushes of some milliseconds: while more come, the next one rings."""
        try:
            while self._places and not (self._pending and self._loop.time() - self._rang_at < RING_EVERY_S):
                places, self._places = self._places, set()
                self._rang_at = self._loop.time()
                await self._shared.run(announce, places)
        except psycopg.OperationalError as error:
            log.warning("intake.bell", error=str(error).strip())
        finally:
            self._ringing = False

    async def close(self) -> None:
        """Answer all that are waiting, then stop."""
        while self._flushes or self._tasks:
            await asyncio.gather(*self._tasks)
            await asyncio.sleep(0)
        self._shared.close()
        self._own.close()
        self._large.close()


_customer_id = attrgetter("customer_id")


def _portion(waiting: list[Waiting]) -> tuple[list[Waiting], list[Waiting]]:
    """As many of the oldest as one statement should carry, at least one; and those that are left."""
    count = recipients = 0
    for draft, _ in waiting:
        recipients += len(draft.recipients)
        if count and recipients > MOST_RECIPIENTS_OF_A_FLUSH:
            break
        count += 1
    return waiting[:count], waiting[count:]


def accept(
    conn: Connection, drafts: Sequence[Draft], platform: Platform, now: datetime
) -> tuple[list[Outcome], set[Place]]:
    """Plan and submit drafts together; one that cannot be planned is refused by itself. Gives where they wait, too."""
    terms = terms_in_force(conn, platform)
    planned = plan_all(drafts, terms, now)
    plans = [each for each in planned if isinstance(each, Plan)]
    submitted = iter(submit(conn, plans, now) if plans else ())
    return [each if isinstance(each, Refused) else next(submitted) for each in planned], places_of(plans)
