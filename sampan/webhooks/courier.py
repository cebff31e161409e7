"""Delivers to one endpoint: reads what is due, sends it by a few at once, records the answers by many.

How many at once is learnt: more with each quick answer, half as many with each failure. So a fast server gets all it
can take, and a slow one holds up nobody but itself.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

import aiohttp
import structlog

from sampan.database import DatabaseThreads
from sampan.webhooks import leases
from sampan.webhooks.forms import Delivery, Endpoint, request_of
from sampan.webhooks.leases import LEFT_ALONE_AFTER, Answer
from sampan.webhooks.sending import TIMEOUT_S, send
from sampan.webhooks.switching import Off, switch_off_apart

FIRST_AT_ONCE, MOST_AT_ONCE = 4, 64
QUICK_MS = 1_000
MOST_IN_HAND = 400
REFILLED_BELOW = 200
MOST_A_RECORD = 200
RECORDED_EVERY_S = 0.05
LOOKED_EVERY_S = 0.25
OFF_AFTER = timedelta(days=1)
GONE = 410

log = structlog.get_logger()


class Courier:
    """The deliverer's hand at one endpoint, while something is due there. `run` once, on the deliverer's loop."""

    def __init__(
        self,
        endpoint_id: int,
        owner: str,
        *,
        threads: DatabaseThreads,
        client: aiohttp.ClientSession,
        clock: Callable[[], datetime],
        lease_ends_s: float,
    ) -> None:
        self.endpoint_id = endpoint_id
        self.lease_ends_s = lease_ends_s  # of the loop's clock; the deliverer renews it
        self.stopping = False
        self.found_nothing = True  # what is due waits for something older that is not
        self._owner = owner
        self._threads = threads
        self._client = client
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._endpoint: Endpoint | None = None
        self._due: deque[Delivery] = deque()
        self._in_hand: set[int] = set()  # due or sent, and not yet recorded
        self._answers: list[Answer] = []
        self._senders: set[asyncio.Task[None]] = set()
        self._at_once = FIRST_AT_ONCE
        self._failed_in_a_row = 0
        self._failed: BaseException | None = None
        self._news = asyncio.Event()
        self._looked_at_s = float("-inf")

    async def run(self) -> None:
        """Until nothing is due, or the endpoint is to be left alone. Where it fails the lease runs out by itself."""
        try:
            while await self._go_on():
                self._start_senders()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), RECORDED_EVERY_S)
                self._news.clear()
        finally:
            for sender in self._senders:
                sender.cancel()
            await asyncio.gather(*self._senders, return_exceptions=True)
        if self._failed is not None:
            raise self._failed
        await self._threads.run(leases.release, self._owner, self.endpoint_id)

    async def _go_on(self) -> bool:
        """Record what was answered, read what is due; whether there is anything to wait for."""
        recorded = bool(self._answers)
        while self._answers:
            await self._record()
        if self.stopping or self._loop.time() > self.lease_ends_s - TIMEOUT_S:
            self._drop()
        elif len(self._due) < REFILLED_BELOW and (recorded or self._loop.time() - self._looked_at_s > LOOKED_EVERY_S):
            await self._refill()
        return bool(self._due or self._senders or self._answers)

    def _drop(self) -> None:
        """Send no more of what was read; what is sent is waited for."""
        self._in_hand -= {delivery.id for delivery in self._due}
        self._due.clear()

    async def _refill(self) -> None:
        self._looked_at_s = self._loop.time()
        most = MOST_IN_HAND - len(self._in_hand)
        found = await self._threads.run(
            leases.due, self._owner, self.endpoint_id, self._clock(), in_hand=self._in_hand, most=max(most, 0)
        )
        if found is None:
            self.stopping = True
            self._drop()
            return
        self._endpoint, deliveries = found
        if self._endpoint.failures:
            self._at_once = 1
        self.found_nothing = self.found_nothing and not deliveries
        self._due.extend(deliveries)
        self._in_hand.update(delivery.id for delivery in deliveries)

    def _start_senders(self) -> None:
        for _ in range(min(len(self._due), self._at_once) - len(self._senders)):
            sender = self._loop.create_task(self._send_on())
            self._senders.add(sender)
            sender.add_done_callback(self._ended)

    def _ended(self, sender: "asyncio.Task[None]") -> None:
        self._senders.discard(sender)
        if not sender.cancelled() and (error := sender.exception()) is not None:
            self._failed, self.stopping = error, True
        if not self._senders:
            self._news.set()

    async def _send_on(self) -> None:
        """One of those who send: the next and the next, until there is none or there are too many of us."""
        while self._due and not self.stopping and len(self._senders) <= self._at_once:
            delivery = self._due.popleft()
            assert self._endpoint is not None, "what is due was read with it"
            now = self._clock()
            answer = await send(self._client, delivery, request_of(self._endpoint, delivery, now), now)
            self._learn(answer)
            self._answers.append(answer)
            if len(self._answers) >= MOST_A_RECORD:
                self._news.set()

    def _learn(self, answer: Answer) -> None:
        if answer.is_taken:
            self._failed_in_a_row = 0
            if answer.ms < QUICK_MS:
                self._at_once = min(MOST_AT_ONCE, self._at_once + 1)
            return
        self._failed_in_a_row += 1
        self._at_once = max(1, self._at_once // 2)
        is_known_to_fail = self._endpoint is not None and self._endpoint.failures > 0
        if answer.retry_after_s or self._failed_in_a_row >= (1 if is_known_to_fail else LEFT_ALONE_AFTER):
            self.stopping = True

    async def _record(self) -> None:
        answers, self._answers = self._answers[:MOST_A_RECORD], self._answers[MOST_A_RECORD:]
        now = self._clock()
        failing_since = await self._threads.run(leases.record, self.endpoint_id, answers, now)
        self._in_hand -= {answer.delivery.id for answer in answers}
        if any(answer.status == GONE for answer in answers):
            await self._switch_off(Off.GONE, now)
        elif failing_since is not None and now - failing_since >= OFF_AFTER:
            await self._switch_off(Off.FAILING, now)

    async def _switch_off(self, why: Off, now: datetime) -> None:
        self.stopping = True
        log.warning("webhooks.switched_off", endpoint=self.endpoint_id, why=why.name)
        await self._loop.run_in_executor(None, switch_off_apart, self.endpoint_id, why, now)
