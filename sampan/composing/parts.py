"""A text into short messages: its coding, its length, what it is charged, its parts on the wire (spec S20–S26).

`compose` is the one function that preview, price and wire use. Its twin in the browser is
`interfaces/static/sampan/js/length.mjs`; `tests/composing/lengths.json` holds both to the same figures.
"""

import re
from dataclasses import dataclass

import msgspec
import regex

from sampan.composing.alphabet import EXTENSION_CHARACTERS, Coding, is_gsm, outside_gsm
from sampan.composing.signature import signed
from sampan.reasons import Reason, Refused

# How many septets or UTF-16 units a short message holds alone, and as a part of a longer text, where the 6-octet
# concatenation header takes its place (spec S20, S23).
SINGLE = {Coding.GSM7: 160, Coding.UCS2: 70}
PART = {Coding.GSM7: 153, Coding.UCS2: 67}
MOST_PARTS = 3
CHINA_SINGLE = 62
CHINA_UNIT = 60
CHINA_LONGEST = 459
MOST_CHARACTERS_NAMED = 12

# Stands before each character that counts two, so that a text's length is its `len`. Half a surrogate pair cannot
# stand in a text that is sent (`_UNSENDABLE`), so it is free to mean this.
_PAIR = "\ud800"
_PAIRED = {
    Coding.GSM7: re.compile(f"[{re.escape(EXTENSION_CHARACTERS)}]"),
    Coding.UCS2: re.compile("[\U00010000-\U0010ffff]"),
}
# Half a surrogate pair is no character, and neither PostgreSQL nor a handset keeps NUL.
_UNSENDABLE = re.compile("[\0\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n?|\n")
_GRAPHEME = regex.compile(r"\X")
# Between two of these there is always a grapheme boundary (UAX #29 GB999); most boundaries of parts are such.
_PLAIN_PAIR = re.compile("[ -~\u3001-\u3029\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff60]{2}")


class Composed(msgspec.Struct, frozen=True):
    """A text ready to be priced and sent.

    `length` is in septets or UTF-16 units, as it counts for the charge (to China without the signature); `units` are
    charge units; `parts` are the texts of the short messages in order (to China with the signature).
    """

    coding: Coding
    length: int
    units: int
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """How long a text is, be it too long or nothing at all: what a counter shows while somebody types.

    `units` is 0 where there is no text; `room` is what those units hold; `part_lengths` are those of the parts.
    """

    coding: Coding
    length: int
    units: int
    room: int
    part_lengths: tuple[int, ...]
    is_too_long: bool


def measure(text: str, *, china: bool = False) -> Measured:
    """As `compose` counts it, and the browser's counter. Raises Refused with BAD_TEXT alone."""
    body = _LINE_BREAK.sub("\r\n", text)
    coding = Coding.UCS2 if china else _coding(body, None)
    marked = _marked(body, coding)
    length = len(marked)
    is_text = bool(body.strip())
    if china:
        units = 1 if length <= CHINA_SINGLE else -(-length // CHINA_UNIT)
        room = CHINA_SINGLE if units == 1 else min(units * CHINA_UNIT, CHINA_LONGEST)
        return Measured(coding, length, units * is_text, room, (length,), is_text and length > CHINA_LONGEST)
    ends = _ends(marked, coding)
    units = len(ends)
    room = SINGLE[coding] if units == 1 else min(units, MOST_PARTS) * PART[coding]
    lengths = tuple(end - start for start, end in zip([0, *ends], ends, strict=False))
    return Measured(coding, length, units * is_text, room, lengths, is_text and units > MOST_PARTS)


def compose(text: str, *, china: bool = False, coding: Coding | None = None, signature: str = "") -> Composed:
    """The text as it is charged and sent to a destination (spec S20–S26).

    `coding` forces one (the HTTP API's langeng); else GSM 7-bit where it carries the whole text, which never takes
    more parts than UCS-2. `china` counts and cuts as China wants it, always in UCS-2 and with `signature` in front;
    forced GSM 7-bit still means that only its characters may stand in the text. A text of nothing but white space is
    refused as no text: nobody means to pay for it.

    Raises Refused with NOT_IN_ALPHABET, BAD_TEXT (half a surrogate pair, NUL), NO_TEXT or TOO_LONG, and ValueError
    where `china` goes without a valid signature.
    """
    body = _LINE_BREAK.sub("\r\n", text) if "\n" in text or "\r" in text else text  # spec S22
    coding = _coding(body, coding)
    if not body.strip():
        raise Refused(Reason.NO_TEXT, "text")
    if china:
        return _compose_for_china(body, signature)
    marked = _marked(body, coding)
    ends = _ends(marked, coding)
    if len(ends) > MOST_PARTS:
        raise _too_long(len(marked), ends[MOST_PARTS - 1])
    return Composed(coding, len(marked), len(ends), _parts(body, marked, ends, coding))


def _compose_for_china(body: str, signature: str) -> Composed:
    """Charge units come from the formula, parts from the wire; there are never more parts than units (spec S24, S25).

    k ≥ 2 units are at most 60 k of text and 8 of signature; k parts hold at least 66 k + 1, a pair at each boundary.
    """
    length = len(_marked(body, Coding.UCS2))
    if length > CHINA_LONGEST:
        raise _too_long(length, CHINA_LONGEST)
    units = 1 if length <= CHINA_SINGLE else -(-length // CHINA_UNIT)
    whole = signed(body, signature)
    marked = _marked(whole, Coding.UCS2)
    ends = _ends(marked, Coding.UCS2)
    return Composed(Coding.UCS2, length, units, _parts(whole, marked, ends, Coding.UCS2))


def _coding(body: str, forced: Coding | None) -> Coding:
    if forced is not Coding.UCS2 and is_gsm(body):
        return Coding.GSM7
    if forced is Coding.GSM7:
        raise Refused(Reason.NOT_IN_ALPHABET, "text", _named(outside_gsm(body)))
    if bad := _UNSENDABLE.search(body):
        raise Refused(Reason.BAD_TEXT, "text", f"U+{ord(bad[0]):04X} at character {bad.start() + 1}")
    return Coding.UCS2


def _named(counts: dict[str, int]) -> str:
    """`U+2019 ’ ×2, U+4F60 你`; what cannot be shown is its code point alone."""
    names = [
        f"U+{ord(character):04X}" + f" {character}" * character.isprintable() + f" ×{count}" * (count > 1)
        for character, count in counts.items()
    ]
    return ", ".join(names[:MOST_CHARACTERS_NAMED]) + ", …" * (len(names) > MOST_CHARACTERS_NAMED)


def _too_long(length: int, fits: int) -> Refused:
    return Refused(Reason.TOO_LONG, "text", f"{length} characters; {fits} fit")


def _marked(text: str, coding: Coding) -> str:
    """The text with `_PAIR` before each character that counts two."""
    return _PAIRED[coding].sub(_PAIR + r"\g<0>", text)


def _ends(marked: str, coding: Coding) -> list[int]:
    """Where each part ends if as few as possible carry the text."""
    return [len(marked)] if len(marked) <= SINGLE[coding] else _fewest(marked, coding, 0)


def _fewest(marked: str, coding: Coding, start: int) -> list[int]:
    """Where each part ends if each takes all it can from `start` on and no pair is split."""
    ends = []
    while start < len(marked):
        end = min(start + PART[coding], len(marked))
        end -= marked[end - 1] == _PAIR
        ends.append(end)
        start = end
    return ends


def _parts(text: str, marked: str, ends: list[int], coding: Coding) -> tuple[str, ...]:
    """The texts between those ends, each moved before the grapheme it splits where that costs no part (spec S21)."""
    if len(ends) == 1:
        return (text,)
    parts, start = [], 0
    for place in range(len(ends)):
        whole = _before_grapheme(text, marked, ends[place], coding)
        if whole < ends[place]:
            rest = _fewest(marked, coding, whole)
            if len(rest) == len(ends) - place - 1:  # never where the grapheme begins with the part or before it
                ends = [*ends[:place], whole, *rest]
        parts.append(marked[start : ends[place]].replace(_PAIR, ""))
        start = ends[place]
    return tuple(parts)


def _before_grapheme(text: str, marked: str, end: int, coding: Coding) -> int:
    """The last grapheme boundary at or before `end`; both are places in `marked`."""
    index = end - marked.count(_PAIR, 0, end)
    if index == len(text) or _PLAIN_PAIR.match(text, index - 1):
        return end
    start = next(grapheme.start() for grapheme in _GRAPHEME.finditer(text) if grapheme.end() > index)
    return end - len(_marked(text[start:index], coding))
