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

The rest is sent. Each has its SMSD ID, ends at once with the same numbers at every door, and is free of charge. Doors
that answer for each recipient name the reason, too; in a deliver_sm `err` is its number.
"""
NOTHING, BAR = "–", "\\|"
NOT_ENDS = {Reason.NONE, Reason.NOT_A_MOBILE}


def page(doors: list[Door]) -> str:
    """The whole of it."""
    row_wise = [door for door in doors if not door.all_or_nothing_to]
    ends = dict.fromkeys(row.reason for case in CASES for row in case.rows if row.reason not in NOT_ENDS)
    return "\n".join(
        (
            HEAD,
            *_table(["reason", *(door.name for door in doors)]),
            *(_row(reason.words, *(_said(door, reason) for door in doors)) for reason in refusals(doors)),
            ENDS,
            *_table(["reason", "status/reason", *(door.name for door in row_wise)]),
            *(_row(end.words, f"21/{end.shown}", *(_row_word(door, end) for door in row_wise)) for end in ends),
            "",
        )
    )


def refusals(doors: list[Door]) -> list[Reason]:
    """Each that the tests bring about at any door, in their order."""
    brought_about = (case.refusal_at(door) for case in CASES for door in doors if case.is_asked_at(door))
    return list(dict.fromkeys((*(reason for reason in brought_about if reason), *ELSEWHERE)))


def _table(names: list[str]) -> tuple[str, str]:
    return _row(*names), "|" + " --- |" * len(names)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _said(door: Door, reason: Reason) -> str:
    """Its word, where a test has heard it."""
    asked = [case for case in CASES if case.is_asked_at(door) and case.refusal_at(door) == reason]
    return _word(door, reason) if asked or reason in ELSEWHERE else NOTHING


def _row_word(door: Door, reason: Reason) -> str:
    return f"`{(door.row_words or door.words)[reason]}`"


def _word(door: Door, reason: Reason) -> str:
    return NOTHING if reason in door.never or reason not in door.words else f"`{door.words[reason]}`"
