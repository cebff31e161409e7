"""Addresses as SMPP and GSM write them: type of number, numbering plan, digits or letters (SMPP 3.4 §5.2.5 to 8)."""

from typing import NamedTuple

from sampan.smpp.pdu import Npi, Ton

MOST_DIGITS = 15  # ITU-T E.164 §6
MOST_NAME_CHARACTERS = 11  # 3GPP 23.040 §9.1.2.5: ten octets of septets


class Address(NamedTuple):
    """What fills the three fields of an address."""

    ton: int
    npi: int
    digits: str


def international(number: str) -> Address:
    """A number with its country code, digits only. ValueError for anything else."""
    if not (number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS):
        raise ValueError(f"{number!r} is not a number of 1 to {MOST_DIGITS} digits with its country code")
    return Address(Ton.INTERNATIONAL, Npi.ISDN, number)


def alphanumeric(name: str) -> Address:
    """A name as sender, such as `HarbourFlor`. ValueError where a handset could not show it."""
    if not 1 <= len(name) <= MOST_NAME_CHARACTERS:
        raise ValueError(f"{name!r} has {len(name)} characters; a sender's name has 1 to {MOST_NAME_CHARACTERS}")
    return Address(Ton.ALPHANUMERIC, Npi.UNKNOWN, name)
