"""docs/api/reasons.md: each Reason that a request can meet, and what every door says for it."""

from pathlib import Path

from sampan.reasons import Reason
from tests.interfaces.doors import Door
from tests.interfaces.doors.cases import CASES

PAGE = Path(__file__).parents[3] / "docs/api/reasons.md"
ELSEWHERE = (  # asked in tests of their own
    Reason.TOO_MANY_RECIPIENTS,
    Reason.BALANCE_TOO_LOW,
    Reason.REFERENCE_REUSED,
    Reason.OVERLOADED,
    Reason.UNEXPECTED,
)
HEAD = """# What each door says

`tests/interfaces/test_every_door.py` sends the same requests through every door and writes this page; do not edit it.

## Refusals of a whole request

Nothing was sent or charged. – where no request of that door can be wrong in that way. Among several recipients one
that is no mobile, one whose network cannot show the sender ID, or one in China and a word barred there refuse the whole
at the HTTP API; at the other doors only that recipient is left out.
"""
ENDS = """
## Recipients who are left out

The rest is sent. Each has its SMSD ID, ends at once as below and is free of charge; the numbers are the same at every
door (in a deliver_sm `err` is the reason).

| reason | status/reason | words |
| --- | --- | --- |"""
NOT_ENDS = {Reason.NONE, Reason.NOT_A_MOBILE}


def page(doors: list[Door]) -> str:
    """The whole of it."""
    rows = [
        f"| reason | {' | '.join(door.name for door in doors)} |",
        "| --- |" + " --- |" * len(doors),
        *(f"| {reason.words} | {' | '.join(_said(door, reason) for door in doors)} |" for reason in refusals(doors)),
    ]
    ends = dict.fromkeys(row.reason for case in CASES for row in case.rows)
    left_out = [f"| {reason.name} | 21/{reason.shown} | {reason.words} |" for reason in ends if reason not in NOT_ENDS]
    return "\n".join((HEAD, *rows, ENDS, *left_out, ""))


def refusals(doors: list[Door]) -> list[Reason]:
    """Each that the tests bring about at any door, in their order."""
    asked = [(case, door) for case in CASES for door in doors if case.is_asked_at(door)]
    return list(dict.fromkeys((*(reason for case, door in asked for reason in case.reasons_at(door)), *ELSEWHERE)))


def _said(door: Door, reason: Reason) -> str:
    if reason in door.never or reason not in door.words:
        return "–"
    return f"`{door.words[reason]}`"
