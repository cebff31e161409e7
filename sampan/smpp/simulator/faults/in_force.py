"""The faults in force: where each stands, and whether it happens now.

Every fault draws its chances from a source of its own, made of the seed and its place: the same seed, faults and order
of submits give the same faults again.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from msgspec import UNSET

from sampan.smpp.pdu import Status
from sampan.smpp.simulator.faults.kinds import Fault, RefuseBinds, Throttle, as_json


class Armed:
    """One fault that was set, and how often it could have happened and did. Times are the loop's."""

    def __init__(self, fault: Fault, chance: Random, *, now: float) -> None:
        self.fault = fault
        self.chance = chance
        self.occasions = 0
        self.happened = 0
        self.begins_at = now + (0.0 if fault.after_s is UNSET else fault.after_s)
        self.ends_at = None if fault.for_s is None else self.begins_at + fault.for_s
        self._passes_first = 0 if fault.after_submits is UNSET else fault.after_submits
        self._rate = fault.most_submits_per_s if isinstance(fault, Throttle) else None
        self._let_through = max(1.0, self._rate or 0.0)  # submits it has still room for
        self._counted_at = now

    def is_over(self, now: float) -> bool:
        """Whether it will never happen again."""
        spent = self.fault.times is not None and self.happened >= self.fault.times
        return spent or (self.ends_at is not None and now >= self.ends_at)

    def end(self, now: float) -> None:
        """Never again."""
        self.ends_at = now

    def is_meant_for(self, system_id: str, session: int | None) -> bool:
        """Whether it may happen there."""
        fault = self.fault
        return fault.system_id in {None, system_id} and (fault.session is None or fault.session == session)

    def happens(self, now: float) -> bool:
        """Whether it happens at this occasion."""
        self.occasions += 1
        if self.occasions <= self._passes_first or now < self.begins_at or self.is_over(now):
            return False
        if self._rate is not None and self._within_rate(self._rate, now):
            return False
        if self.fault.probability < 1 and self.chance.random() >= self.fault.probability:
            return False
        self.happened += 1
        return True

    def _within_rate(self, rate: float, now: float) -> bool:
        self._let_through = min(max(1.0, rate), self._let_through + (now - self._counted_at) * rate)
        self._counted_at = now
        if self._let_through < 1:
            return False
        self._let_through -= 1
        return True


class Faults:
    """All that were set, in their order."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.in_force = False  # whether any may still happen: to be asked for each submit
        self._armed: list[Armed] = []

    def set(self, faults: Sequence[Fault], *, now: float, seed: int | None = None) -> list[Armed]:
        """These, and no others, begin now."""
        self.seed = self.seed if seed is None else seed
        # A source of chances that guards nothing.
        chances = (Random(f"{self.seed}/{place}") for place in range(len(faults)))  # noqa: S311
        self._armed = [Armed(fault, chance, now=now) for fault, chance in zip(faults, chances, strict=True)]
        self.in_force = bool(faults)
        return self._armed

    def at_bind(self, system_id: str, *, now: float) -> int:
        """What a bind is answered: ESME_ROK where no fault says otherwise."""
        for armed in self._armed:
            fault = armed.fault
            if isinstance(fault, RefuseBinds) and armed.is_meant_for(system_id, None) and armed.happens(now):
                return Status[fault.status]
        return Status.ESME_ROK

    def at_submit(self, system_id: str, session: int, *, now: float) -> list[Armed]:
        """The faults that a submit meets."""
        met: list[Armed] = []
        for armed in self._armed:
            fault = armed.fault
            if isinstance(fault, RefuseBinds) or fault.at_a_moment or not armed.is_meant_for(system_id, session):
                continue
            if armed.happens(now):
                met.append(armed)
        self.in_force = not all(armed.is_over(now) for armed in self._armed)
        return met

    def as_list(self, *, now: float) -> list[dict[str, Any]]:
        """Each as it was set, with how often it could have happened, did, and whether it is over."""
        return [
            as_json(armed.fault)
            | {"occasions": armed.occasions, "happened": armed.happened, "over": armed.is_over(now)}
            for armed in self._armed
        ]
