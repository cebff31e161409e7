"""What octets of a message say, and replies as octets.

The alphabet is typed anew here from 3GPP 23.038 §6.2.1, and not shared with what sends: a simulator that made the same
mistake as the gateway would prove nothing.
"""

import re
from collections.abc import Iterator, Sequence

from sampan.smpp.concatenation import Concatenation, write_header
from sampan.smpp.pdu import DataCoding

ESCAPE = "\x1b"
ROW_0 = "@£$¥èéùìòÇ\nØø\rÅå"
ROW_1 = "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
ROW_4_TO_5 = "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
ROW_6_TO_7 = "¿abcdefghijklmnopqrstuvwxyzäöñüà"
ROW_2_TO_3 = " !\"#¤%&'()*+,-./0123456789:;<=>?"
SEPTETS = ROW_0 + ROW_1 + ROW_2_TO_3 + ROW_4_TO_5 + ROW_6_TO_7
ESCAPED = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
OCTETS_OF = {character: bytes((code,)) for code, character in enumerate(SEPTETS) if character != ESCAPE}
OCTETS_OF |= {character: bytes((0x1B, code)) for code, character in ESCAPED.items()}

MOST_OCTETS = 140  # TP-UD (3GPP 23.040 §9.2.3.16)
MOST_SEPTETS = 160
TURNED_TO_SEPTETS = frozenset({DataCoding.SMSC_DEFAULT, DataCoding.IA5, DataCoding.LATIN_1})  # by an SMSC
HEADER_OCTETS = 6  # of a part with an 8-bit reference
MOST_PARTS = 255


def decode_text(octets: bytes, data_coding: int) -> str:
    """The text; what has no meaning in its coding shows as U+FFFD. Octets of no text, in hex."""
    match data_coding:
        case DataCoding.SMSC_DEFAULT:
            return _decode_septets(octets)
        case DataCoding.UCS2:
            return octets.decode("utf-16-be", "replace")
        case DataCoding.IA5 | DataCoding.LATIN_1:
            return octets.decode("latin-1")
        case _:
            return octets.hex()


def encode_reply(text: str, reference: int) -> Iterator[tuple[int, int, bytes]]:
    """A reply as a handset would send it: (esm_class flag for a header or 0, data_coding, octets) for each part.

    ValueError where it has more than 255 parts.
    """
    if all(character in OCTETS_OF for character in text):
        coding, pieces, unit_bits = DataCoding.SMSC_DEFAULT, [OCTETS_OF[character] for character in text], 7
    else:
        coding, pieces, unit_bits = DataCoding.UCS2, [character.encode("utf-16-be") for character in text], 8
    whole = MOST_OCTETS * 8 // unit_bits
    if sum(map(len, pieces)) <= whole:
        yield 0, coding, b"".join(pieces)
        return
    parts = _cut(pieces, (MOST_OCTETS - HEADER_OCTETS) * 8 // unit_bits)
    if len(parts) > MOST_PARTS:
        raise ValueError(
            f"a text of {len(text)} characters needs {len(parts)} parts; at most {MOST_PARTS} are possible"
        )
    for number, part in enumerate(parts, 1):
        yield 0x40, coding, write_header(Concatenation(reference, len(parts), number)) + part


def fits(header_octets: int, octets: int, data_coding: int) -> bool:
    """Whether the air interface carries so many octets of text behind such a header (3GPP 23.040 §9.2.3.24)."""
    if data_coding in TURNED_TO_SEPTETS:
        return octets <= (MOST_OCTETS - header_octets) * 8 // 7
    return header_octets + octets <= MOST_OCTETS


def _cut(pieces: Sequence[bytes], most_octets: int) -> list[bytes]:
    """Pieces put together to parts; none is split."""
    parts, part = [], b""
    for piece in pieces:
        if len(part) + len(piece) > most_octets:
            parts.append(part)
            part = b""
        part += piece
    return [*parts, part]


_CHARACTERS = {code: SEPTETS[code] if code < len(SEPTETS) else "\ufffd" for code in range(256)}
_AFTER_ESCAPE = re.compile("\x1b(.?)", re.DOTALL)


def _decode_septets(octets: bytes) -> str:
    septets = octets.decode("latin-1")
    if ESCAPE not in septets:
        return septets.translate(_CHARACTERS)
    plain, *pairs = _AFTER_ESCAPE.split(septets)
    text = plain.translate(_CHARACTERS)
    for escaped, rest in zip(pairs[::2], pairs[1::2], strict=True):
        text += ESCAPED.get(ord(escaped), "\ufffd") if escaped else "\ufffd"
        text += rest.translate(_CHARACTERS)
    return text
