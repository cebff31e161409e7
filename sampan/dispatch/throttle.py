"""How fast an operator account may be sent to: a token bucket in parts, slowed by throttling, and climbing back. Pure.

Additive increase, multiplicative decrease: a refusal for speed halves the rate, at most once a second; each second
without one gives back a twentieth of the ceiling. Where no ceiling is set, a refusal halves the speed of that moment,
and the rate then grows by half each second: a refusal while little was sent says little.
"""

BURST_S = 0.1  # how much of a second may go at once
LEAST_RATE = 1.0
LEAST_RATE_WITHOUT_CEILING = 10.0
HALVE_EVERY_S = 1.0
CLIMB = 0.05
GROWTH = 1.5
LONGEST_STEP_S = 60.0
MOST_RATE = 1e6  # faster than this is not limited
UNLIMITED = float("inf")


class Throttle:
    """Of one operator account, shared by its links. Times are seconds of any steady clock."""

    def __init__(self, rate_parts_per_s: float, now_s: float) -> None:
        self._ceiling = rate_parts_per_s or UNLIMITED
        self._rate = self._ceiling
        self._tokens = self._burst()
        self._filled_at_s = now_s
        self._halved_at_s = float("-inf")
        self._counted_from_s = now_s
        self._counted = 0
        self._speed = 0.0  # parts a second, as of the last whole second

    @property
    def rate(self) -> float:
        """Parts a second that may go now; infinite where nothing limits them."""
        return self._rate

    def set_ceiling(self, rate_parts_per_s: float) -> None:
        """Staff changed the account's rate (0: none)."""
        self._ceiling = rate_parts_per_s or UNLIMITED
        self._rate = min(self._rate, self._ceiling) if self._rate < UNLIMITED else self._ceiling
        self._tokens = min(self._tokens, self._burst())

    def available(self, now_s: float) -> float:
        """How many parts may go at this moment."""
        self._fill(now_s)
        return self._tokens

    def take(self, parts: int, now_s: float) -> None:
        """These parts go now. A message goes whole, so the bucket may end below zero and wait the longer."""
        self._fill(now_s)
        self._tokens -= parts
        self._counted += parts

    def wait_s(self, now_s: float) -> float:
        """How long until the next part may go."""
        self._fill(now_s)
        return max(0.0, (1 - self._tokens) / self._rate) if self._tokens < 1 else 0.0

    def refused(self, now_s: float) -> None:
        """The operator said that this is too fast (ESME_RTHROTTLED, ESME_RMSGQFUL)."""
        if now_s - self._halved_at_s < HALVE_EVERY_S:
            return
        self._fill(now_s)
        speed = self._rate if self._rate < UNLIMITED else max(self._speed, float(self._counted))
        least = LEAST_RATE if self._ceiling < UNLIMITED else LEAST_RATE_WITHOUT_CEILING
        self._rate = max(least, speed / 2)
        self._halved_at_s = now_s
        self._tokens = min(self._tokens, 0.0)

    def _burst(self) -> float:
        return UNLIMITED if self._rate == UNLIMITED else max(1.0, self._rate * BURST_S)

    def _fill(self, now_s: float) -> None:
        passed_s = min(max(0.0, now_s - self._filled_at_s), LONGEST_STEP_S)
        self._filled_at_s = now_s
        if now_s - self._counted_from_s >= 1:
            self._speed = self._counted / (now_s - self._counted_from_s)
            self._counted, self._counted_from_s = 0, now_s
        if self._rate < self._ceiling and now_s - self._halved_at_s >= HALVE_EVERY_S:
            self._rate = self._climbed(passed_s)
        self._tokens = min(self._burst(), self._tokens + passed_s * self._rate) if self._rate < UNLIMITED else UNLIMITED

    def _climbed(self, passed_s: float) -> float:
        if self._ceiling < UNLIMITED:
            return min(self._ceiling, self._rate + CLIMB * self._ceiling * passed_s)
        return self._rate * GROWTH**passed_s if self._rate < MOST_RATE else UNLIMITED
