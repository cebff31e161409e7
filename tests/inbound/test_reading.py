"""What handsets write, in every coding and cut in every way (spec S111)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.inbound.reading import LEFT_OUT, ReceivedPart, decode, is_in_china, joined, read_part
from sampan.smpp.concatenation import Concatenation, sar_tlvs, write_header
from sampan.smpp.pdu import DataCoding, DataSm, DeliverSm, EsmClass, Tag, Ton
from sampan.smpp.simulator.texts import encode_reply

HANDSET, NUMBER = "85261234567", "85264478200"


def part_of(body: DeliverSm | DataSm) -> ReceivedPart:
    return read_part(body)


def received(octets: bytes, **changes: object) -> ReceivedPart:
    values: dict[str, object] = {
        "source_addr_ton": Ton.INTERNATIONAL,
        "source_addr": HANDSET,
        "dest_addr_ton": Ton.INTERNATIONAL,
        "destination_addr": NUMBER,
        "short_message": octets,
    }
    return read_part(DeliverSm(**(values | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (DataCoding.SMSC_DEFAULT, b"Can it wait? \x1b\x65\x00", "Can it wait? €@"),
        (DataCoding.UCS2, "可否中午前送到？😀".encode("utf-16-be"), "可否中午前送到？😀"),
        (DataCoding.LATIN_1, "Café, señor".encode("latin-1"), "Café, señor"),
        (DataCoding.IA5, b"plain @ $ text", "plain @ $ text"),
        (DataCoding.IA5, b"price \x02 5 \x00 once", "price $ 5 @ once"),  # the GSM alphabet, called IA5
        (0x10, b"flash", "flash"),
        (0x18, "急".encode("utf-16-be"), "急"),
        (0xE0, "留言".encode("utf-16-be"), "留言"),
        (0xF1, b"class one", "class one"),
        (0xF5, b"\x01\xfe", "01 fe"),
        (DataCoding.OCTETS, b"\x01\xfe", "01 fe"),
        (DataCoding.UCS2, b"\xfe\xff\x00A\x00\x00\x00B", "AB"),  # a byte order mark and a NUL
        (DataCoding.UCS2, b"\x00A\xd8\x3d", "A\ufffd"),  # half an emoji
        (DataCoding.UCS2, b"\x00A\x4e", "A\ufffd"),  # half a character
    ],
)
def test_each_alphabet_is_read_and_nothing_raises(data_coding: int, octets: bytes, text: str) -> None:
    assert decode(octets, data_coding) == text


@given(st.binary(max_size=200), st.integers(0, 255))
def test_no_octets_in_no_coding_raise_or_leave_what_postgresql_does_not_keep(octets: bytes, data_coding: int) -> None:
    text = decode(octets, data_coding)
    assert "\0" not in text
    text.encode()


@pytest.mark.parametrize(
    ("address", "ton", "read"),
    [
        ("61234567", Ton.NATIONAL, HANDSET),
        ("61234567", Ton.UNKNOWN, HANDSET),
        ("+85261234567", Ton.INTERNATIONAL, HANDSET),
        ("0085261234567", Ton.UNKNOWN, HANDSET),
        ("12345678", Ton.INTERNATIONAL, "12345678"),
        ("Kwai-Fong", Ton.ALPHANUMERIC, "Kwai-Fong"),
        ("", Ton.UNKNOWN, ""),
    ],
)
def test_an_address_gets_its_country_code(address: str, ton: int, read: str) -> None:
    assert received(b"", source_addr=address, source_addr_ton=ton).handset == read


def test_a_place_in_a_long_text_is_found_in_a_header_in_sar_and_behind_message_payload() -> None:
    eight = write_header(Concatenation(7, 3, 2))
    sixteen = write_header(Concatenation(7, 3, 2, wide=True))
    udhi = int(EsmClass.UDHI)
    by_header = received(eight + b"two", esm_class=udhi)
    by_wide_header = received(sixteen + b"two", esm_class=udhi)
    by_sar = received(b"two", tlvs=sar_tlvs(Concatenation(7, 3, 2)))
    by_payload = received(b"", esm_class=udhi, tlvs=((Tag.MESSAGE_PAYLOAD, eight + b"two"),))
    assert by_header[3:] == (b"two", 7, 3, 2) == by_payload[3:]
    assert by_wide_header[3:] == by_sar[3:] == (b"two", 0x10007, 3, 2)


def test_a_long_text_of_one_part_is_a_short_one() -> None:
    header = write_header(Concatenation(9, 1, 1))
    assert received(header + b"all", esm_class=int(EsmClass.UDHI))[3:] == (b"all", 0, 1, 1)


def test_data_sm_is_read_like_deliver_sm() -> None:
    body = DataSm(
        source_addr_ton=1,
        source_addr=HANDSET,
        dest_addr_ton=1,
        destination_addr=NUMBER,
        tlvs=((Tag.MESSAGE_PAYLOAD, b"by data_sm"),),
    )
    assert part_of(body) == ReceivedPart(HANDSET, NUMBER, 0, b"by data_sm", 0, 1, 1)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), min_size=1, max_size=400))
def test_what_the_simulator_cuts_is_joined_again(text: str) -> None:
    parts = [
        received(octets, esm_class=esm_class, data_coding=coding) for esm_class, coding, octets in encode_reply(text, 5)
    ]
    assert joined(parts) == text


def test_a_character_cut_in_two_by_its_handset_is_whole_again() -> None:
    octets = "好😀".encode("utf-16-be")
    parts = [
        ReceivedPart(HANDSET, NUMBER, 8, octets[:3], 1, 2, 1),
        ReceivedPart(HANDSET, NUMBER, 8, octets[3:], 1, 2, 2),
    ]
    assert joined(parts) == "好😀"


@pytest.mark.parametrize(
    ("came", "text"),
    [
        ([1, 2, 3, 4], "abcd"),
        ([1, 2, 4], "ab" + LEFT_OUT + "d"),
        ([2, 3, 4], LEFT_OUT + "bcd"),
        ([1, 2, 3], "abc" + LEFT_OUT),
        ([2], LEFT_OUT + "b" + LEFT_OUT),
        ([1, 4], "a" + LEFT_OUT + "d"),
    ],
)
def test_missing_parts_are_shown_as_such(came: list[int], text: str) -> None:
    parts = [ReceivedPart(HANDSET, NUMBER, 0, b"abcd"[n - 1 : n], 1, 4, n) for n in came]
    assert joined(parts) == text


def test_parts_in_two_codings_are_each_read_in_their_own() -> None:
    parts = [
        ReceivedPart(HANDSET, NUMBER, 0, b"one ", 1, 2, 1),
        ReceivedPart(HANDSET, NUMBER, 8, "二".encode("utf-16-be"), 1, 2, 2),
    ]
    assert joined(parts) == "one 二"


def test_who_is_in_china() -> None:
    assert is_in_china("8613812345678")
    assert not is_in_china("85261234567")
    assert not is_in_china("861381234567")
