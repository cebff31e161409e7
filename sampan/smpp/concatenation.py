"""User data headers and the parts of long texts (3GPP 23.040 §9.2.3.24), and the SAR parameters of SMPP 3.4."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sampan.smpp.pdu import DataSm, EsmClass, ShortMessage, SubmitMulti, Tag, Tlv, integer, tlv

CONCATENATED_8_BIT = 0x00  # information element identifiers, 3GPP 23.040 §9.2.3.24.1 and .8
CONCATENATED_16_BIT = 0x08
MOST_HEADER_OCTETS = 140  # TP-UD
UDHI, MESSAGE_PAYLOAD = (
    int(EsmClass.UDHI),
    int(Tag.MESSAGE_PAYLOAD),
)  # enum attributes are slow, and this is for every message

Element = tuple[int, bytes]  # an information element: identifier, octets


class Concatenation(NamedTuple):
    """Which part of which long text: `number` of `total`, one `reference` for all of them."""

    reference: int
    total: int
    number: int
    wide: bool = False  # a reference of 16 bits


class Content(NamedTuple):
    """What a message carries: its octets without the header; the header's elements; its place in a long text."""

    octets: bytes
    elements: tuple[Element, ...]
    concatenation: Concatenation | None


def write_header(concatenation: Concatenation, others: Sequence[Element] = ()) -> bytes:
    """The user data header of one part, with its length octet. ValueError where a figure does not fit."""
    reference, total, number, wide = concatenation
    if not (0 <= reference <= (0xFFFF if wide else 0xFF) and 1 <= number <= total <= 0xFF):
        raise ValueError(f"part {number} of {total} with reference {reference} fits in no header")
    figures = bytes((total, number))
    if wide:
        return write_elements([(CONCATENATED_16_BIT, reference.to_bytes(2, "big") + figures), *others])
    return write_elements([(CONCATENATED_8_BIT, bytes((reference,)) + figures), *others])


def write_elements(elements: Iterable[Element]) -> bytes:
    """A user data header of these elements, with its length octet. ValueError where it is longer than a message."""
    octets = b"".join(bytes((identifier, len(value))) + value for identifier, value in elements)
    if len(octets) >= MOST_HEADER_OCTETS:
        raise ValueError(f"a user data header of {len(octets)} octets leaves no room in a message")
    return bytes((len(octets),)) + octets


def split_header(octets: bytes) -> tuple[tuple[Element, ...], bytes] | None:
    """The elements of the header a message begins with, and the rest; None where it begins with no whole header."""
    if not octets or 1 + octets[0] > len(octets):
        return None
    end, position, elements = 1 + octets[0], 1, list[Element]()
    while position + 2 <= end:
        identifier, size = octets[position], octets[position + 1]
        start, position = position + 2, position + 2 + size
        elements.append((identifier, octets[start:position]))
    return (tuple(elements), octets[end:]) if position == end else None


def find_concatenation(elements: Iterable[Element]) -> Concatenation | None:
    """The place in a long text that the elements give; figures that make no sense are ignored, as 23.040 asks."""
    for identifier, value in elements:
        if identifier == CONCATENATED_8_BIT and len(value) == 3:
            found = Concatenation(value[0], value[1], value[2])
        elif identifier == CONCATENATED_16_BIT and len(value) == 4:
            found = Concatenation(int.from_bytes(value[:2], "big"), value[2], value[3], wide=True)
        else:
            continue
        if 1 <= found.number <= found.total:
            return found
    return None


def sar_tlvs(concatenation: Concatenation) -> tuple[Tlv, ...]:
    """The three SAR parameters, for operators that want those instead of a header."""
    return (
        (Tag.SAR_MSG_REF_NUM, concatenation.reference.to_bytes(2, "big")),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((concatenation.total,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((concatenation.number,))),
    )


def from_sar(tlvs: Sequence[Tlv]) -> Concatenation | None:
    """The place in a long text that SAR parameters give; None unless all three stand and make sense."""
    reference = integer(tlvs, Tag.SAR_MSG_REF_NUM)
    if reference is None:
        return None
    total, number = integer(tlvs, Tag.SAR_TOTAL_SEGMENTS), integer(tlvs, Tag.SAR_SEGMENT_SEQNUM)
    if total is None or number is None or not 1 <= number <= total:
        return None
    return Concatenation(reference, total, number, wide=True)


def content_of(pdu: ShortMessage | SubmitMulti | DataSm) -> Content:
    """What the message carries, wherever it stands: short_message or message_payload, header or SAR parameters.

    Where esm_class announces a header and none is there, all octets count as text.
    """
    octets = b"" if isinstance(pdu, DataSm) else pdu.short_message
    if not pdu.tlvs and not pdu.esm_class & UDHI:
        return Content(octets, (), None)
    octets = tlv(pdu.tlvs, MESSAGE_PAYLOAD) or octets
    parted = split_header(octets) if pdu.esm_class & UDHI else None
    if parted is None:
        return Content(octets, (), from_sar(pdu.tlvs))
    elements, octets = parted
    return Content(octets, elements, find_concatenation(elements) or from_sar(pdu.tlvs))
