"""What a handset's message says: its addresses, its place in a long text, its characters. Pure; never raises."""

import re
from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from sampan.composing.alphabet import decode_gsm
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DataCoding, DataSm, DeliverSm, Ton

HONG_KONG = "852"
HONG_KONG_DIGITS = 8
LEFT_OUT = "[…]"  # stands for parts of a long text that did not come
LINE_BREAKS = b"\r\n"
WHOLE = 0, 1, 1  # reference, total and part of a text that came in one
_CHINA_MOBILE = re.compile(r"861[0-9]{10}")
_NOT_SHOWN = dict.fromkeys([0, 0xFEFF], "")  # PostgreSQL keeps no NUL; some handsets begin with a byte order mark


class ReceivedPart(NamedTuple):
    """One delivery that is no receipt."""

    handset: str  # digits with the country code where it is a number, else as it came
    number: str  # to which it was written, likewise
    data_coding: int
    octets: bytes
    reference: int
    total: int
    part: int


def read_part(body: DeliverSm | DataSm) -> ReceivedPart:
    """A delivery, wherever its text and its place in a long one stand (UDH, SAR, message_payload)."""
    content = content_of(body)
    place = WHOLE
    if content.concatenation is not None and content.concatenation.total > 1:
        found = content.concatenation
        # References of 8 and of 16 bits are not the same ones.
        place = found.reference + (0x10000 if found.wide else 0), found.total, found.number
    handset = _address(body.source_addr, body.source_addr_ton)
    number = _address(body.destination_addr, body.dest_addr_ton)
    return ReceivedPart(handset, number, body.data_coding, content.octets, *place)


def _address(address: str, ton: int) -> str:
    """Digits with the country code, where they are a number."""
    digits = address.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit()):
        return address
    is_national = ton in (Ton.NATIONAL, Ton.SUBSCRIBER_NUMBER, Ton.UNKNOWN)
    return HONG_KONG + digits if is_national and len(digits) == HONG_KONG_DIGITS and digits == address else digits


def is_in_china(handset: str) -> bool:
    """Is it a mobile of mainland China?"""
    return _CHINA_MOBILE.fullmatch(handset) is not None


class _Alphabet(Enum):
    GSM = 1
    UCS2 = 2
    LATIN_1 = 3
    IA5 = 4
    OCTETS = 5


_NAMED: dict[int, _Alphabet] = {
    DataCoding.SMSC_DEFAULT: _Alphabet.GSM,
    DataCoding.IA5: _Alphabet.IA5,
    DataCoding.LATIN_1: _Alphabet.LATIN_1,
    DataCoding.UCS2: _Alphabet.UCS2,
}
_OF_A_GROUP = (_Alphabet.GSM, _Alphabet.OCTETS, _Alphabet.UCS2, _Alphabet.OCTETS)


def _alphabet(data_coding: int) -> _Alphabet:
    """SMPP 3.4 §5.2.19; from 0x10 on as 3GPP 23.038 §4 has it."""
    if data_coding < 0x10:
        return _NAMED.get(data_coding, _Alphabet.OCTETS)
    group = data_coding >> 4
    if group < 0x8:
        return _OF_A_GROUP[data_coding >> 2 & 3]
    if group == 0xE:  # message waiting, in UCS-2
        return _Alphabet.UCS2
    return _Alphabet.OCTETS if group == 0xF and data_coding & 0x4 else _Alphabet.GSM


def decode(octets: bytes, data_coding: int) -> str:
    """The text; what has no meaning in its coding shows as U+FFFD, octets that are no text in hex."""
    match _alphabet(data_coding):
        case _Alphabet.UCS2:
            text = octets.decode("utf-16-be", "replace")
        case _Alphabet.LATIN_1:
            text = octets.decode("latin-1")
        case _Alphabet.IA5 if _is_ascii(octets):
            text = octets.decode("ascii")
        case _Alphabet.OCTETS:
            text = octets.hex(" ")
        case _:
            text = decode_gsm(octets)
    return text.translate(_NOT_SHOWN)


def _is_ascii(octets: bytes) -> bool:
    """Some send the GSM alphabet as IA5; control characters, which no text has, give it away."""
    return octets.isascii() and not any(octet < 0x20 and octet not in LINE_BREAKS for octet in octets)


def joined(parts: Sequence[ReceivedPart]) -> str:
    """The text of parts in the order of their numbers, each once; LEFT_OUT stands where some are missing.

    Neighbours are decoded together: some handsets cut a character in two.
    """
    text, octets = "", b""
    previous = parts[0]._replace(part=0)
    for part in parts:
        if part.part != previous.part + 1 or part.data_coding != previous.data_coding:
            text += decode(octets, previous.data_coding)
            text += LEFT_OUT if part.part != previous.part + 1 else ""
            octets = b""
        octets += part.octets
        previous = part
    text += decode(octets, previous.data_coding)
    return text + (LEFT_OUT if previous.part < previous.total else "")
