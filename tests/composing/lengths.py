"""The table both twins are held to: what a text's length, units and parts are (spec S20–S26); and either answer."""

import json
from dataclasses import dataclass
from pathlib import Path

from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed, compose
from sampan.reasons import Refused

LONGEST_SIGNATURE = "海港花店香港"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of lengths.json, where a text is written as strings and [string, times].

    `china` is the signature of a text to China; `forced` a coding asked for; `parts` the lengths on the wire;
    `refused` the name of a Reason, then `fits` how long the text may be.
    """

    why: str
    text: str
    coding: Coding
    length: int
    units: int = 0
    parts: tuple[int, ...] = ()
    china: str = ""
    forced: Coding | None = None
    refused: str = ""
    fits: int = 0


def cases() -> list[Case]:
    """All rows of the table."""
    rows = json.loads(Path(__file__).with_name("lengths.json").read_text("utf-8"))
    for row in rows:
        row["text"] = "".join(piece if isinstance(piece, str) else piece[0] * piece[1] for piece in row["text"])
        row["coding"] = Coding[row["coding"]]
        row["forced"] = Coding[row["forced"]] if "forced" in row else None
        row["parts"] = tuple(row.get("parts", ()))
    return [Case(**row) for row in rows]


def composed(text: str, coding: Coding | None = None, *, china: bool = False) -> Composed | Refused:
    """What `compose` gives, or the refusal it raises; to China with the longest signature there may be."""
    try:
        return compose(text, coding=coding, china=china, signature=LONGEST_SIGNATURE if china else "")
    except Refused as refusal:
        return refusal
