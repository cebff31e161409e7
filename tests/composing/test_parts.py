"""Length, charge units and parts: the shared table, the refusals, and what must hold of any text."""

from itertools import accumulate

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from sampan.composing.alphabet import Coding, encode, is_gsm, pack_septets
from sampan.composing.parts import CHINA_LONGEST, PART, SINGLE, compose, measure
from sampan.reasons import Reason, Refused
from tests.composing.lengths import LONGEST_SIGNATURE, Case, cases, composed

PART_OCTETS = 140
HEADER_OCTETS = 6  # of the user data of a part of several (spec S23)

# Long runs, so that many texts have something awkward just at a boundary.
awkward_texts = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "a",
                "你",
                "€",
                "\f",
                "\n",
                "\r",
                "é",
                "e\u0301",
                "😀",
                "👨‍👩‍👧",
                "🇭🇰",
                "क्षि",
                "1\ufe0f\u20e3",
                "\u06001",
                "\u0301",
            ]
        ),
        st.sampled_from([1, 1, 1, 2, 3, 10, 30, 50, 64, 65, 66, 67]),
    ),
    max_size=6,
).map(lambda runs: "".join(text * times for text, times in runs))
gsm_texts = st.lists(
    st.tuples(st.sampled_from("aé@^€\f\n"), st.sampled_from([1, 1, 1, 2, 76, 149, 150, 151, 152, 153])), max_size=6
).map(lambda runs: "".join(text * times for text, times in runs))
texts = st.one_of(awkward_texts, gsm_texts, st.text(max_size=250))
codings = st.sampled_from([None, Coding.UCS2])


def with_line_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def size(text: str, coding: Coding) -> int:
    return len(encode(text, coding)) // (1 if coding is Coding.GSM7 else 2)


def fewest_parts(text: str, coding: Coding) -> int:
    """How few short messages carry the text if no character is split."""
    return 1 if size(text, coding) <= SINGLE[coding] else fewest_of_several(text, coding)


def fewest_of_several(text: str, coding: Coding) -> int:
    """The same where each has the header, found by trying every end: slow and plain."""
    sums = [0, *accumulate(size(character, coding) for character in text)]
    fewest = [0] + [len(text)] * len(text)
    for end in range(1, len(text) + 1):
        starts = range(max(0, end - PART[coding]), end)
        fewest[end] = 1 + min(fewest[start] for start in starts if sums[end] - sums[start] <= PART[coding])
    return fewest[-1]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.why)
def test_a_text_is_as_long_as_the_shared_table_says(case: Case) -> None:
    """spec S20, S21, S22, S23, S24, S25"""
    if case.refused:
        with pytest.raises(Refused) as refused:
            compose(case.text, china=bool(case.china), coding=case.forced, signature=case.china)
        assert (refused.value.reason, refused.value.field) == (Reason[case.refused], "text")
        assert refused.value.value == (f"{case.length} characters; {case.fits} fit" if case.fits else "")
        return
    result = compose(case.text, china=bool(case.china), coding=case.forced, signature=case.china)
    sizes = tuple(size(part, result.coding) for part in result.parts)
    assert (result.coding, result.length, result.units, sizes) == (case.coding, case.length, case.units, case.parts)


def test_english_forced_on_other_characters_names_them() -> None:
    """spec S3"""
    with pytest.raises(Refused) as refused:
        compose("It’s 你\u200b and you’re 😀", coding=Coding.GSM7)
    assert (refused.value.reason, refused.value.field) == (Reason.NOT_IN_ALPHABET, "text")
    assert refused.value.value == "U+2019 ’ ×2, U+4F60 你, U+200B, U+1F600 😀"


def test_english_forced_on_other_characters_is_refused_to_china_too() -> None:
    with pytest.raises(Refused) as refused:
        compose("你好", coding=Coding.GSM7, china=True, signature=LONGEST_SIGNATURE)
    assert refused.value.reason is Reason.NOT_IN_ALPHABET


def test_only_the_first_of_many_characters_are_named() -> None:
    with pytest.raises(Refused) as refused:
        compose("一二三四五六七八九十百千萬", coding=Coding.GSM7)
    assert refused.value.value.endswith("U+5343 千, …")
    assert refused.value.value.count("U+") == 12


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("hi \ud83d", "U+D83D at character 4"),
        ("\ude00\ud83d", "U+DE00 at character 1"),
        ("你\0", "U+0000 at character 2"),
        ("a\r\n\0", "U+0000 at character 4"),
    ],
)
@pytest.mark.parametrize("china", [False, True])
def test_what_is_no_character_is_refused_with_its_place(text: str, where: str, china: bool) -> None:
    refusal = composed(text, china=china)
    assert isinstance(refusal, Refused)
    assert (refusal.reason, refusal.value) == (Reason.BAD_TEXT, where)


@pytest.mark.parametrize("signature", ["", "港", "海港花店香港店"])
def test_nothing_goes_to_china_without_a_valid_signature(signature: str) -> None:
    """spec S90"""
    with pytest.raises(ValueError, match="no China signature"):
        compose("你好", china=True, signature=signature)


def test_a_million_characters_are_refused_and_not_cut() -> None:
    refusal = composed("👨‍👩‍👧" * 200_000)
    assert isinstance(refusal, Refused)
    assert refusal.reason is Reason.TOO_LONG


@given(texts, codings)
def test_the_parts_joined_are_the_text_in_the_fewest_parts(text: str, coding: Coding | None) -> None:
    """spec S21, S22, S26"""
    body = with_line_breaks(text)
    result = composed(text, coding)
    if isinstance(result, Refused):
        assert result.reason in {Reason.NO_TEXT, Reason.TOO_LONG, Reason.BAD_TEXT}
        assert result.reason is not Reason.NO_TEXT or not body.strip()
        used = Coding.GSM7 if coding is None and is_gsm(body) else Coding.UCS2
        assert result.reason is not Reason.TOO_LONG or fewest_parts(body, used) > 3
        return
    assert "".join(result.parts) == body
    assert len(result.parts) == result.units == fewest_parts(body, result.coding) <= 3
    assert result.length == size(body, result.coding)
    assert result.coding is (Coding.GSM7 if coding is None and is_gsm(body) else Coding.UCS2)


@given(texts, codings)
def test_every_part_fits_a_short_message(text: str, coding: Coding | None) -> None:
    """spec S23; encoding each part by itself also shows that no pair is split"""
    for china in (False, True):
        result = composed(text, coding, china=china)
        if isinstance(result, Refused):
            continue
        header = HEADER_OCTETS if len(result.parts) > 1 else 0
        for part in result.parts:
            octets = encode(part, result.coding)
            packed = pack_septets(octets, header and 1) if result.coding is Coding.GSM7 else octets
            assert 0 < len(packed) <= PART_OCTETS - header


@given(awkward_texts, codings)
def test_a_grapheme_is_split_only_where_keeping_it_would_cost_a_part(text: str, coding: Coding | None) -> None:
    """spec S21; against all graphemes of the text, without the shortcuts of the code"""
    body = with_line_breaks(text)
    result = composed(text, coding)
    if isinstance(result, Refused) or result.units == 1:
        return
    starts = [0, *accumulate(len(grapheme) for grapheme in regex.findall(r"\X", body))]
    ends = [0, *accumulate(map(len, result.parts))]
    for place in range(1, len(ends) - 1):
        whole = max(start for start in starts if start <= ends[place])
        if ends[place - 1] < whole < ends[place]:
            assert fewest_of_several(body[whole:], result.coding) > result.units - place


@given(texts)
def test_to_china_the_formula_charges_and_never_fewer_units_than_parts_go(text: str) -> None:
    """spec S24, S25, S90"""
    body = with_line_breaks(text)
    result = composed(text, china=True)
    if isinstance(result, Refused):
        assert result.reason is not Reason.TOO_LONG or size(body, Coding.UCS2) > CHINA_LONGEST
        return
    assert "".join(result.parts) == f"【{LONGEST_SIGNATURE}】{body}"
    assert result.coding is Coding.UCS2
    assert result.length == size(body, Coding.UCS2) <= CHINA_LONGEST
    assert result.units == (1 if result.length <= 62 else -(-result.length // 60))
    assert len(result.parts) <= result.units


@given(gsm_texts)
def test_gsm_never_takes_more_parts_than_unicode(text: str) -> None:
    """spec S3: the first that carries the whole text is the cheaper"""
    body = with_line_breaks(text)
    assert fewest_parts(body, Coding.GSM7) <= fewest_parts(body, Coding.UCS2)


@pytest.mark.parametrize("case", [case for case in cases() if not case.forced], ids=lambda case: case.why)
def test_a_counter_measures_as_the_table_says(case: Case) -> None:
    """spec S26: also where the text is too long, or none"""
    measured = measure(case.text, china=bool(case.china))
    assert (measured.length, measured.is_too_long) == (case.length, case.refused == "TOO_LONG")
    if not case.refused:
        assert (measured.coding, measured.units) == (case.coding, case.units)
    assert (measured.units == 0) is (case.refused == "NO_TEXT")


@given(awkward_texts, st.booleans())
def test_a_counter_measures_as_the_text_is_composed(text: str, china: bool) -> None:
    """spec S26"""
    result = composed(text, china=china)
    measured = measure(text, china=china)
    if isinstance(result, Refused):
        assert measured.is_too_long is (result.reason is Reason.TOO_LONG)
        return
    assert (measured.coding, measured.length, measured.units) == (result.coding, result.length, result.units)
    assert measured.length == sum(measured.part_lengths) <= measured.room
