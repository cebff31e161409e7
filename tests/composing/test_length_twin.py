"""The portal's live counter gives what the server gives, in a real browser (spec S26)."""

import json
import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

import sampan
from sampan.composing.alphabet import Coding, encode, outside_gsm
from sampan.composing.parts import compose
from sampan.reasons import Reason, Refused
from tests.browser import served
from tests.composing.lengths import cases, composed

STATIC = Path(sampan.__file__).parent / "interfaces/static"
MODULE = "/sampan/js/length.mjs"
SEED = 26
RANDOM_TEXTS = 4_000
NAMES = {Coding.GSM7: "gsm", Coding.UCS2: "ucs2"}

# Graphemes that every version of Unicode in use breaks alike.
PIECES = ["a", "é", "@", "€", "{", "\f", "\n", "\r", "\r\n", " ", "\t", "’", "你", "\u3000", "e\u0301", "❤\ufe0f"]
PIECES += [
    "😀",
    "𠮷",
    "👍🏽",
    "👨‍👩‍👧",
    "🇭🇰",
    "🇲🇴",
    "1\ufe0f\u20e3",
    "각",
    "\u1100\u1161\u11a8",
    "นี้",
    "\u200b",
    "\u06001",
    "\ufeff",
]
GSM_PIECES = PIECES[:10]


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(STATIC) as address:
        yield address


@pytest.fixture
def counter(page: Page, site: str) -> Page:
    """A page with the module as `counter`."""
    page.goto(site)
    page.evaluate(f"async () => {{ globalThis.counter = await import('{MODULE}'); }}")
    return page


def measured(counter: Page, texts: list[str], function: str = "measure") -> list[dict[str, Any]]:
    """What the module's function says of each text."""
    script = f"(texts) => JSON.stringify(texts.map((text) => counter.{function}(text)))"
    answers: list[dict[str, Any]] = json.loads(counter.evaluate(script, texts))
    assert len(answers) == len(texts)
    return answers


def part_lengths(parts: tuple[str, ...], coding: Coding) -> list[int]:
    return [len(encode(part, coding)) // (1 if coding is Coding.GSM7 else 2) for part in parts]


def awkward_texts(chance: random.Random) -> Iterator[str]:
    """Texts of runs, many of which end near a boundary of parts."""
    for _ in range(RANDOM_TEXTS):
        pieces = GSM_PIECES if chance.random() < 0.3 else PIECES
        runs = [
            chance.choice(pieces) * chance.choice([1, 1, 1, 2, 3, 20, 50, 66, 67, 152])
            for _ in range(chance.randint(0, 9))
        ]
        yield "".join(runs)[: chance.choice([60, 70, 134, 160, 201, 306, 459, 500])]


def any_texts(chance: random.Random) -> Iterator[str]:
    """Texts of any characters that Unicode assigns, and a few blank ones."""
    assigned = [chr(c) for c in range(1, 0x110000) if unicodedata.category(chr(c)) not in {"Cn", "Co", "Cs"}]
    spaces = [character for character in assigned if character.isspace()]
    for place in range(RANDOM_TEXTS):
        yield "".join(
            chance.choices(spaces if place % 10 == 0 else assigned, k=chance.choice([1, 2, 30, 45, 70, 80, 110, 125]))
        )


def assert_the_twin_refuses(refusal: Refused, text: str, answer: dict[str, Any]) -> None:
    assert answer["tooLong"] is (refusal.reason is Reason.TOO_LONG), ascii(text)
    assert (answer["units"] == 0) is (refusal.reason is Reason.NO_TEXT), ascii(text)


def assert_the_twin_agrees(text: str, answer: dict[str, Any], *, graphemes: bool) -> None:
    """Units, length and coding always; the parts' lengths where both know the graphemes."""
    result = composed(text)
    if isinstance(result, Refused):
        return assert_the_twin_refuses(result, text, answer)
    theirs = NAMES[result.coding], result.length, result.units, False
    assert (answer["coding"], answer["length"], answer["units"], answer["tooLong"]) == theirs, ascii(text)
    assert answer["parts"] == part_lengths(result.parts, result.coding) or not graphemes, ascii(text)
    assert sum(answer["parts"]) == result.length <= answer["room"], ascii(text)
    return None


def test_the_twin_gives_the_shared_table(counter: Page) -> None:
    """spec S20, S21, S22, S23, S26; but the rows that force a coding, which the portal never does (spec S3)"""
    table = [case for case in cases() if not case.china and not case.forced]
    for case, answer in zip(table, measured(counter, [case.text for case in table]), strict=True):
        assert (answer["coding"], answer["length"]) == (NAMES[case.coding], case.length), case.why
        assert answer["tooLong"] is (case.refused == "TOO_LONG"), case.why
        if not answer["tooLong"]:
            assert answer["units"] == case.units, case.why
        if not case.refused:
            assert tuple(answer["parts"]) == case.parts, case.why


def test_the_twin_gives_the_shared_table_for_china(counter: Page) -> None:
    """spec S24, S26"""
    table = [case for case in cases() if case.china]
    for case, answer in zip(table, measured(counter, [case.text for case in table], "measureForChina"), strict=True):
        assert (answer["length"], answer["tooLong"]) == (case.length, case.refused == "TOO_LONG"), case.why
        if not answer["tooLong"]:
            assert answer["units"] == case.units, case.why


def test_the_twin_agrees_on_thousands_of_awkward_texts(counter: Page) -> None:
    """spec S26"""
    texts = list(awkward_texts(random.Random(SEED)))
    for text, answer in zip(texts, measured(counter, texts), strict=True):
        assert_the_twin_agrees(text, answer, graphemes=True)


def test_the_twin_agrees_on_thousands_of_texts_of_any_characters(counter: Page) -> None:
    """spec S26"""
    texts = list(any_texts(random.Random(SEED)))
    for text, answer in zip(texts, measured(counter, texts), strict=True):
        assert_the_twin_agrees(text, answer, graphemes=False)
        assert {entry["character"]: entry["count"] for entry in answer["offenders"]} == outside_gsm(text)


def test_the_twin_agrees_for_china_on_thousands_of_texts(counter: Page) -> None:
    """spec S24, S26"""
    chance = random.Random(SEED)
    texts = [*awkward_texts(chance), *any_texts(chance)][::2]
    for text, answer in zip(texts, measured(counter, texts, "measureForChina"), strict=True):
        result = composed(text, china=True)
        if isinstance(result, Refused):
            assert_the_twin_refuses(result, text, answer)
            continue
        theirs = result.length, result.units, False
        assert (answer["length"], answer["units"], answer["tooLong"]) == theirs, ascii(text)
        assert answer["length"] <= answer["room"], ascii(text)


def test_units_are_the_same_in_a_browser_that_knows_no_graphemes(counter: Page) -> None:
    """spec S21: keeping one whole never costs a part"""
    texts = list(awkward_texts(random.Random(SEED)))
    units = [answer["units"] for answer in measured(counter, texts)]
    counter.evaluate("() => { delete Intl.Segmenter; }")
    answers = measured(counter, texts)
    assert [answer["units"] for answer in answers] == units
    assert all(sum(answer["parts"]) == answer["length"] for answer in answers)


def test_half_a_surrogate_pair_counts_as_the_character_a_form_makes_of_it(counter: Page) -> None:
    (answer,) = counter.evaluate("() => [counter.measure('a\\ud83d')]")
    assert (answer["coding"], answer["length"], answer["units"]) == ("ucs2", 2, 1)
    assert [entry["codePoint"] for entry in answer["offenders"]] == ["U+FFFD"]


def test_offenders_are_named_with_what_may_stand_for_them(counter: Page) -> None:
    (answer,) = measured(counter, ["It’s 你 and you’re…"])
    assert answer["offenders"] == [
        {"character": "’", "codePoint": "U+2019", "count": 2, "plain": "'"},
        {"character": "你", "codePoint": "U+4F60", "count": 1},
        {"character": "…", "codePoint": "U+2026", "count": 1, "plain": "..."},
    ]


def test_plain_characters_bring_a_typographic_text_back_to_gsm(counter: Page) -> None:
    text = "“Cafe\u0301” – 5\u00a0% off…\u200b"
    plain = counter.evaluate("(text) => counter.inPlainCharacters(text)", text)
    assert plain == '"Café" - 5 % off...'
    assert compose(plain).coding is Coding.GSM7
