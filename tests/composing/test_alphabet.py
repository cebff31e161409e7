"""The GSM alphabet against 3GPP 23.038's own tables, and 7-bit packing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.composing.alphabet import (
    Coding,
    decode_gsm,
    encode,
    encode_gsm,
    is_gsm,
    outside_gsm,
    pack_septets,
    septets,
    unpack_septets,
)

DEFAULT_ALPHABET: list[
    list[int | None]
] = [  # by code point, from the table of 3GPP 23.038 §6.2.1, eight a line; None is ESC
    [0x40, 0xA3, 0x24, 0xA5, 0xE8, 0xE9, 0xF9, 0xEC],
    [0xF2, 0xC7, 0x0A, 0xD8, 0xF8, 0x0D, 0xC5, 0xE5],
    [0x394, 0x5F, 0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8],
    [0x3A3, 0x398, 0x39E, None, 0xC6, 0xE6, 0xDF, 0xC9],
    [0x20, 0x21, 0x22, 0x23, 0xA4, 0x25, 0x26, 0x27],
    [0x28, 0x29, 0x2A, 0x2B, 0x2C, 0x2D, 0x2E, 0x2F],
    [0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37],
    [0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F],
    [0xA1, *range(0x41, 0x48)],
    [*range(0x48, 0x50)],
    [*range(0x50, 0x58)],
    [0x58, 0x59, 0x5A, 0xC4, 0xD6, 0xD1, 0xDC, 0xA7],
    [0xBF, *range(0x61, 0x68)],
    [*range(0x68, 0x70)],
    [*range(0x70, 0x78)],
    [0x78, 0x79, 0x7A, 0xE4, 0xF6, 0xF1, 0xFC, 0xE0],
]
CODE_POINTS = [code_point for line in DEFAULT_ALPHABET for code_point in line]
EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
WHOLE_ALPHABET = "".join(chr(point) for point in CODE_POINTS if point is not None) + "".join(EXTENSION)

gsm_texts = st.text(st.sampled_from(WHOLE_ALPHABET), max_size=200)
septet_strings = st.tuples(st.lists(st.integers(0, 0x7F), max_size=200), st.sampled_from([b"", b"\0", b"\r"])).map(
    lambda pair: bytes(pair[0]) + pair[1]
)


@pytest.mark.parametrize(("code", "code_point"), [pair for pair in enumerate(CODE_POINTS) if pair[1] is not None])
def test_each_septet_is_the_standards_character_and_back(code: int, code_point: int) -> None:
    assert encode_gsm(chr(code_point)) == bytes([code])
    assert decode_gsm(bytes([code])) == chr(code_point)


@pytest.mark.parametrize(("character", "code"), EXTENSION.items())
def test_each_extension_character_is_an_escape_pair_and_counts_two(character: str, code: int) -> None:
    """spec S21"""
    assert encode_gsm(character) == bytes([0x1B, code])
    assert decode_gsm(bytes([0x1B, code])) == character
    assert septets(character) == 2


@pytest.mark.parametrize(
    "character", ["ç", "`", "\t", "\x1b", "\0", "’", "Α", "你", "😀", "\x7f", "é" + "\u0301", "\ud800"]
)
def test_other_characters_are_outside_even_where_they_look_alike(character: str) -> None:
    assert not is_gsm(character)
    with pytest.raises(ValueError, match="outside the GSM alphabet"):
        encode_gsm(character)


def test_no_other_character_of_unicode_is_inside() -> None:
    assert sorted(filter(is_gsm, map(chr, range(0x110000)))) == sorted(WHOLE_ALPHABET)


def test_offending_characters_are_named_with_counts_in_order_of_first_use() -> None:
    counts = outside_gsm("It’s 你 and you’re 😀{}")
    assert list(counts.items()) == [("’", 2), ("你", 1), ("😀", 1)]
    assert outside_gsm("plain {text}\r\n") == {}


@given(gsm_texts)
def test_encoding_and_decoding_gsm_gives_the_text_back(text: str) -> None:
    octets = encode_gsm(text)
    assert decode_gsm(octets) == text
    assert len(octets) == septets(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"a\x1b", "a "),  # an escape that escapes nothing
        (b"a\x1b\x1bb", "a b"),  # an escape to a further table that does not exist
        (b"\x1b\x1b\x65", " e"),
        (b"\x1ba", "a"),  # not in the extension table: the default alphabet's character
        (b"\x1b\x0d\x0a", "\r\n"),
        (b"\x1b\x00", "@"),
        (b"a\x80\xffb", "a\ufffd\ufffdb"),  # no septets
        (b"\x1b\xe5", "\ufffd"),
        (b"", ""),
    ],
)
def test_odd_septets_from_a_network_fall_back_as_the_standard_says(octets: bytes, text: str) -> None:
    """3GPP 23.038 §6.2.1 note 1, §6.2.1.1 notes 1 and 3"""
    assert decode_gsm(octets) == text


@given(st.binary(max_size=200))
def test_decoding_never_fails_and_never_grows(octets: bytes) -> None:
    assert len(decode_gsm(octets)) <= len(octets)


def test_octets_of_a_short_message_are_unpacked_septets_or_utf_16_big_endian() -> None:
    """spec S78"""
    assert encode("@€a", Coding.GSM7) == b"\x00\x1b\x65\x61"
    assert encode("a你😀", Coding.UCS2) == bytes.fromhex("0061 4F60 D83D DE00")


@pytest.mark.parametrize(
    ("octets", "fill_bits", "packed"),
    [
        (b"hellohello", 0, "e8329bfd4697d9ec37"),  # the textbook's
        (b"", 0, ""),
        (b"\x61", 0, "61"),
        (b"\x61", 1, "c2"),
        (b"abcdefgh", 0, "61f1985c369fd1"),
        (b"abcdefg", 0, "61f1985c369f1b"),  # seven bits over: filled with CR, not 0 = @
    ],
)
def test_septets_pack_as_known_examples_do(octets: bytes, fill_bits: int, packed: str) -> None:
    assert pack_septets(octets, fill_bits).hex() == packed
    assert unpack_septets(bytes.fromhex(packed), fill_bits) == octets


@given(septet_strings, st.integers(0, 6))
def test_packing_and_unpacking_gives_the_septets_back(octets: bytes, fill_bits: int) -> None:
    packed = pack_septets(octets, fill_bits)
    full = (fill_bits + 7 * len(octets)) % 8 == 0
    assert unpack_septets(packed, fill_bits) == (octets[:-1] if full and octets.endswith(b"\r") else octets)
    assert len(packed) == -(-(fill_bits + 7 * len(octets)) // 8)


@given(st.binary(max_size=140), st.integers(0, 6))
def test_unpacking_never_fails(octets: bytes, fill_bits: int) -> None:
    assert all(septet <= 0x7F for septet in unpack_septets(octets, fill_bits))


def test_what_is_no_septet_is_not_packed() -> None:
    with pytest.raises(ValueError, match="no septet"):
        pack_septets(b"\x80")
