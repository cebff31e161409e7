"""Words that mean something by themselves: STOP in its languages, keywords of shared numbers (spec S112). Pure."""

import re
import unicodedata
from typing import NamedTuple

LONGEST_KEYWORD = 20
_WORD = re.compile(r"\w{2,20}")
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")  # quotation marks, full stops, spaces: people type those around a word


def fold(text: str) -> str:
    """A word whatever its case, width, spaces and the marks around it."""
    words = "".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _AROUND.sub("", "".join(each for each in words if unicodedata.category(each) != "Cf"))


def as_keyword(typed: str) -> str:
    """A keyword, folded: one word of 2 to 20 letters or digits. "" where it cannot be one."""
    folded = fold(typed)
    return folded if len(typed.split()) == 1 and _WORD.fullmatch(folded) and "_" not in folded else ""


def is_stop(text: str, stop_words: frozenset[str]) -> bool:
    """Is a STOP word the whole message?"""
    folded = fold(text)
    return bool(folded) and folded in stop_words


class Split(NamedTuple):
    """A text's first word, folded, and what stands behind it."""

    word: str
    rest: str


def split(text: str) -> Split:
    """The first word and the rest."""
    first, *rest = unicodedata.normalize("NFKC", text).strip().split(maxsplit=1) or [""]
    return Split(fold(first)[:LONGEST_KEYWORD], "".join(rest))
