"""The alphabets of SMS: the GSM 7-bit default alphabet with its extension table, UCS-2, and 7-bit packing.

Source: 3GPP 23.038 §6.1.2 (packing), §6.2.1 (default alphabet), §6.2.1.1 (extension table).
"""

import codecs
import re
from collections import Counter
from enum import IntEnum

ESCAPE = 0x1B
CARRIAGE_RETURN = 0x0D
SEPTET_BITS = 7


class Coding(IntEnum):
    """How a text's characters become octets; the value is SMPP's data_coding (SMPP 3.4 §5.2.19)."""

    GSM7 = 0
    UCS2 = 8


# In the order of their codes, 0x00 to 0x7F, sixteen a line; ESC keeps its place (§6.2.1).
_DEFAULT = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
_EXTENSION = {
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
EXTENSION_CHARACTERS = "".join(_EXTENSION)
"""Each goes on the wire as an escape and a septet, and so counts two (spec S21)."""

_ALL = re.escape(_DEFAULT.replace(chr(ESCAPE), "") + EXTENSION_CHARACTERS)
_INSIDE = re.compile(f"[{_ALL}]*")
_OUTSIDE = re.compile(f"[^{_ALL}]")
_EXTENDED = re.compile(f"[{re.escape(EXTENSION_CHARACTERS)}]")
_ESCAPED = re.compile(f"{chr(ESCAPE)}(.?)", re.DOTALL)

_TO_SEPTETS = {
    **{ord(character): chr(code) for code, character in enumerate(_DEFAULT) if code != ESCAPE},
    **{ord(character): chr(ESCAPE) + chr(code) for character, code in _EXTENSION.items()},
}
_AFTER_ESCAPE = {
    **{_DEFAULT[code]: character for character, code in _EXTENSION.items()},
    chr(ESCAPE): " ",  # kept for a further table: a space until there is one
    "": " ",  # an escape that escapes nothing
}
_BITS = [f"{septet:07b}" for septet in range(1 << SEPTET_BITS)]
_SEPTET = {bits: septet for septet, bits in enumerate(_BITS)}


def is_gsm(text: str) -> bool:
    """Can GSM 7-bit carry the whole text?"""
    return _INSIDE.fullmatch(text) is not None


def septets(text: str) -> int:
    """Length in septets of a text that GSM 7-bit can carry (spec S21)."""
    return len(text) + len(_EXTENDED.findall(text))


def outside_gsm(text: str) -> dict[str, int]:
    """The characters that GSM 7-bit cannot carry and how often each stands there, in order of first use."""
    return dict(Counter(_OUTSIDE.findall(text)))


def encode(text: str, coding: Coding) -> bytes:
    """The octets of a short message's text, without a user data header.

    GSM 7-bit gives unpacked septets, as SMPP carries them (spec S78); UCS-2 gives UTF-16BE. Raises ValueError where
    the coding cannot carry the text; what `parts.compose` gave always fits its coding.
    """
    return encode_gsm(text) if coding is Coding.GSM7 else text.encode("utf-16-be")


def encode_gsm(text: str) -> bytes:
    """Unpacked septets, one an octet; an extension character takes two. Raises ValueError for any other character."""
    if not is_gsm(text):
        raise ValueError(f"outside the GSM alphabet: {''.join(outside_gsm(text))!a}")
    return text.translate(_TO_SEPTETS).encode("latin-1")


def decode_gsm(octets: bytes) -> str:
    """The text of unpacked septets from a network. Never raises.

    An escape before a septet that the extension table lacks shows that septet of the default alphabet; an escape
    before an escape, or at the end, shows a space (§6.2.1 note 1, §6.2.1.1). An octet above 0x7F is no septet and
    gives U+FFFD.
    """
    text, _ = codecs.charmap_decode(octets, "replace", _DEFAULT)
    if chr(ESCAPE) not in text:
        return text
    return _ESCAPED.sub(lambda pair: _AFTER_ESCAPE.get(pair[1], pair[1]), text)


def pack_septets(octets: bytes, fill_bits: int = 0) -> bytes:
    """Septets, one an octet, packed 8 into 7 octets, after `fill_bits` zero bits (1 after a 6-octet header).

    Seven bits left over would read as `@`, so CR fills them (§6.1.2.3.1). Raises ValueError for an octet above 0x7F.
    """
    if max(octets, default=0) >> SEPTET_BITS:
        raise ValueError("an octet above 0x7F is no septet")
    if -(fill_bits + SEPTET_BITS * len(octets)) % 8 == SEPTET_BITS:
        octets += bytes([CARRIAGE_RETURN])
    bits = "".join(map(_BITS.__getitem__, reversed(octets))) + "0" * fill_bits
    return int(bits or "0", 2).to_bytes(-(-len(bits) // 8), "little")


def unpack_septets(octets: bytes, fill_bits: int = 0) -> bytes:
    """The septets, one an octet, that `pack_septets` packed; never raises.

    A CR that ends exactly with the last octet is taken for filling. A text whose own last septet is such a CR loses
    it; 3GPP 23.038 §6.1.2.3.1 would double it instead, which does not fit into a full part.
    """
    spare_bits = 8 * len(octets) - fill_bits
    count = max(0, spare_bits) // SEPTET_BITS
    bits = f"{int.from_bytes(octets, 'little') >> fill_bits:b}".zfill(SEPTET_BITS * count)
    ends = range(len(bits), len(bits) - SEPTET_BITS * count, -SEPTET_BITS)
    unpacked = bytes(_SEPTET[bits[end - SEPTET_BITS : end]] for end in ends)
    if spare_bits == SEPTET_BITS * count and unpacked.endswith(bytes([CARRIAGE_RETURN])):
        return unpacked[:-1]
    return unpacked
