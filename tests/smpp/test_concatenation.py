"""User data headers (3GPP 23.040 §9.2.3.24) and SAR parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.smpp.concatenation import (
    Concatenation,
    Content,
    Element,
    content_of,
    find_concatenation,
    from_sar,
    sar_tlvs,
    split_header,
    write_elements,
    write_header,
)
from sampan.smpp.pdu import DataSm, DeliverSm, EsmClass, SubmitSm, Tag

PORTS: Element = (0x05, bytes.fromhex("23f40000"))


@pytest.mark.parametrize(
    ("concatenation", "others", "octets"),
    [
        (Concatenation(0x07, 2, 1), (), "05 00 03 07 02 01"),  # spec S23: six octets
        (Concatenation(0x1234, 3, 3, wide=True), (), "06 08 04 1234 03 03"),
        (Concatenation(0xFF, 255, 255), (PORTS,), "0b 00 03 ff ff ff 05 04 23f40000"),
    ],
)
def test_a_part_begins_with_its_header(concatenation: Concatenation, others: tuple[Element, ...], octets: str) -> None:
    header = write_header(concatenation, others)
    assert header == bytes.fromhex(octets)
    parted = split_header(header + b"text")
    assert parted is not None
    elements, rest = parted
    assert rest == b"text"
    assert elements[1:] == others
    assert find_concatenation(elements) == concatenation


@pytest.mark.parametrize(
    "concatenation",
    [
        Concatenation(256, 2, 1),
        Concatenation(0x10000, 2, 1, wide=True),
        Concatenation(-1, 2, 1),
        Concatenation(1, 256, 1),
        Concatenation(1, 2, 3),
        Concatenation(1, 2, 0),
    ],
)
def test_figures_that_fit_in_no_header_are_refused(concatenation: Concatenation) -> None:
    with pytest.raises(ValueError, match="fits in no header"):
        write_header(concatenation)


def test_a_header_without_room_for_text_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        write_elements([(0x24, bytes(138))])


@pytest.mark.parametrize("octets", ["", "05", "05 00 03 07 02", "05 00 04 07 02 01", "01 00"])
def test_a_header_that_lies_is_none(octets: str) -> None:
    assert split_header(bytes.fromhex(octets)) is None


@pytest.mark.parametrize("figures", ["07 02 00", "07 00 00", "07 02 03", "07 02"])
def test_a_place_that_makes_no_sense_is_ignored(figures: str) -> None:
    assert find_concatenation([(0x00, bytes.fromhex(figures))]) is None


def test_sar_parameters_give_the_place_too() -> None:
    tlvs = sar_tlvs(Concatenation(0x1234, 3, 2))
    assert tlvs == (
        (Tag.SAR_MSG_REF_NUM, b"\x12\x34"),
        (Tag.SAR_TOTAL_SEGMENTS, b"\3"),
        (Tag.SAR_SEGMENT_SEQNUM, b"\2"),
    )
    assert from_sar(tlvs) == Concatenation(0x1234, 3, 2, wide=True)
    assert from_sar(tlvs[:2]) is None
    assert from_sar(sar_tlvs(Concatenation(1, 2, 3))) is None
    assert from_sar(()) is None


HEADER = write_header(Concatenation(7, 2, 1))
IN_HEADER = Concatenation(7, 2, 1)


@pytest.mark.parametrize(
    ("pdu", "content"),
    [
        (SubmitSm(short_message=b"hi"), Content(b"hi", (), None)),
        (
            SubmitSm(esm_class=EsmClass.UDHI, short_message=HEADER + b"hi"),
            Content(b"hi", ((0, b"\7\2\1"),), IN_HEADER),
        ),
        (
            DeliverSm(esm_class=EsmClass.UDHI, tlvs=((Tag.MESSAGE_PAYLOAD, HEADER + b"hi"),)),
            Content(b"hi", ((0, b"\7\2\1"),), IN_HEADER),
        ),
        (DataSm(tlvs=((Tag.MESSAGE_PAYLOAD, b"hi"),)), Content(b"hi", (), None)),
        (DataSm(), Content(b"", (), None)),
        (SubmitSm(esm_class=EsmClass.UDHI, short_message=b"\x7fno header"), Content(b"\x7fno header", (), None)),
        (
            SubmitSm(short_message=b"hi", tlvs=sar_tlvs(IN_HEADER)),
            Content(b"hi", (), Concatenation(7, 2, 1, wide=True)),
        ),
        (
            SubmitSm(esm_class=EsmClass.UDHI, short_message=HEADER + b"hi", tlvs=sar_tlvs(Concatenation(9, 3, 2))),
            Content(b"hi", ((0, b"\7\2\1"),), IN_HEADER),
        ),
    ],
)
def test_the_content_is_found_wherever_it_stands(pdu: SubmitSm | DeliverSm | DataSm, content: Content) -> None:
    assert content_of(pdu) == content


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=5), st.binary(max_size=100))
def test_any_elements_come_back(elements: list[Element], rest: bytes) -> None:
    assert split_header(write_elements(elements) + rest) == (tuple(elements), rest)


@given(st.binary(max_size=160), st.integers(0, 255))
def test_no_octets_bring_the_reading_down(octets: bytes, esm_class: int) -> None:
    content = content_of(SubmitSm(esm_class=esm_class, short_message=octets))
    assert octets.endswith(content.octets)
