"""The matrix: each fault × {short, long text} × whom `kill -9` hits × when."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Any, Literal

Fault = dict[str, Any]
Victim = Literal["nobody", "gateway", "postgres", "simulator"]
State = Literal["before-submit", "mid-window", "before-receipts"]

SIZES: Mapping[int, int] = MappingProxyType({1: 200, 3: 80})  # parts of a text: how many messages
VICTIMS: tuple[Victim, ...] = ("gateway", "postgres", "simulator")
STATES: tuple[State, ...] = ("before-submit", "mid-window", "before-receipts")
INVARIANTS = ("at most once", "all there", "final or unknown", "held = open", "charged = handed over", "books", "ends")
MID_WINDOW = 20  # submits; the windows of two links hold more


@dataclass(frozen=True)
class Trouble:
    """What goes wrong at the SMSC. `restarts`: it does so itself, once. `forgets`: some receipts never come."""

    faults: tuple[Fault, ...] = ()
    restarts: Mapping[str, Any] | None = None
    forgets: bool = False


def _once_more(kind: str, **more: Any) -> Trouble:
    """A session ends in the middle of its window, and the next one too."""
    return Trouble(({"fault": kind, "after_submits": MID_WINDOW, "unanswered": 5, "times": 2} | more,))


def _answers(form: str, **more: Any) -> Trouble:
    return Trouble(({"fault": "spoilt-answers", "form": form} | more,))


def _one(kind: str, **more: Any) -> Trouble:
    return Trouble(({"fault": kind} | more,))


TROUBLES: Mapping[str, Trouble] = MappingProxyType(
    {
        "none": Trouble(),
        "latency": _one("slow-answers", latency_s=0.4),
        "jitter": _one("slow-answers", latency_s=0.01, jitter_s=0.6),
        "half-open": _once_more("half-open", hold_s=20),
        "slow-reader": _one("slow-reader", octets_per_s=6000, for_s=15),
        "unbind": _once_more("unbind"),
        "close": _once_more("close"),
        "reset": _once_more("reset"),
        "binds-refused": Trouble(
            ({"fault": "refuse-binds", "for_s": 3}, {"fault": "close", "after_submits": MID_WINDOW, "times": 2})
        ),
        "lost-answers": _one("lost-answers", probability=0.05),
        "answered-twice": _answers("twice", probability=0.2),
        "wrong-number": _answers("unknown-number", probability=0.1),
        "number-of-another": Trouble(
            ({"fault": "spoilt-answers", "form": "previous-number", "after_submits": MID_WINDOW, "times": 5},),
            forgets=True,  # the answer of one part names another's id, so the receipt of one of them finds nothing
        ),
        "garbage": _answers("garbage-before", after_submits=MID_WINDOW, times=2),
        "garbage-for-an-id": Trouble(
            ({"fault": "spoilt-answers", "form": "garbage-inside", "after_submits": MID_WINDOW, "times": 5},),
            forgets=True,  # such an id no receipt will ever name
        ),
        "endless-answer": _answers("endless", after_submits=MID_WINDOW, times=2),
        "half-an-answer": _answers("cut-short", after_submits=MID_WINDOW, times=2),
        "unknown-commands": _answers("unknown-command", probability=0.2),
        "throttle-storm": Trouble(
            (
                {"fault": "throttle", "for_s": 2},
                {"fault": "throttle", "status": "ESME_RMSGQFUL", "probability": 0.3, "for_s": 5},
            )
        ),
        "receipts-twice": _one("duplicate-receipts", copies=3),
        "receipts-reordered": Trouble(
            ({"fault": "reordered-receipts"}, {"fault": "slow-receipts", "latency_s": 0, "jitter_s": 0.5})
        ),
        "receipts-first": _one("receipts-first"),
        "receipts-elsewhere": _one("receipts-elsewhere"),
        "receipts-contradict": _one("contradictory-receipts"),
        "receipts-of-strangers": _one("stray-receipts"),
        "receipts-of-garbage": _one("garbled-receipts"),
        "restart": Trouble(restarts={"down_s": 1.0}),
        "restart-forgetful": Trouble(restarts={"down_s": 1.0, "keep_receipts": False}, forgets=True),
    }
)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix."""

    trouble: str
    parts: int
    victim: Victim = "nobody"
    state: State = "mid-window"
    messages: int = field(default=0)

    @property
    def count(self) -> int:
        """How many messages."""
        return self.messages or SIZES[self.parts]

    @property
    def receipts_may_be_lost(self) -> bool:
        """Whether the SMSC forgets, so that what it took may never get a receipt."""
        return self.victim == "simulator" or TROUBLES[self.trouble].forgets

    def __str__(self) -> str:
        when = f"-{self.state}" if self.victim != "nobody" else ""
        return f"{self.trouble}-{self.parts}-{self.victim}{when}"


def cases_of(trouble: str) -> Iterator[Case]:
    """All cases of one fault; its victims take turns."""
    for parts in SIZES:
        yield Case(trouble, parts)
    for state, parts, victim in product(STATES, SIZES, VICTIMS):
        yield Case(trouble, parts, victim, state)


A_FEW = (
    Case("throttle-storm", 1, messages=100),
    Case("none", 1, "gateway", "mid-window", 100),
    Case("reset", 3, "postgres", "mid-window", 30),
    Case("receipts-twice", 1, "simulator", "before-receipts", 100),
)
