"""What is due when: one timer for all, which does together what is due together."""

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any

import structlog

log = structlog.get_logger()

FINEST_S = 0.005  # what is due within this time of each other is done at once


class Agenda:
    """Things to do later. `after_each` is called once after all that was due together."""

    def __init__(self, after_each: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._after_each = after_each
        self._due: list[tuple[float, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None
        self._armed_for = 0.0

    def __len__(self) -> int:
        return len(self._due)

    def after(self, wait_s: float, do: Callable[..., None], *arguments: Any) -> None:
        """Do that so much later."""
        due = self._loop.time() + wait_s
        heapq.heappush(self._due, (due, next(self._order), do, arguments))
        if self._timer is None or due < self._armed_for:
            self._arm(due)

    def clear(self) -> None:
        """Nothing is due any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed_for = max(when, self._loop.time() + FINEST_S)
        self._timer = self._loop.call_at(self._armed_for, self._do_due)

    def _do_due(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._due and self._due[0][0] <= now:
            _, _, do, arguments = heapq.heappop(self._due)
            self._attempt(do, arguments)
        self._attempt(self._after_each, ())
        if self._due and self._timer is None:
            self._arm(self._due[0][0])

    def _attempt(self, do: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        try:
            do(*arguments)
        except Exception:
            log.exception("simulator.agenda")
