"""Pips (HK$0.0001) shown as HK$; every amount in the code is a whole number of pips (spec S80)."""

import re

PIPS_PER_DOLLAR = 10_000
PIPS_PER_CENT = 100
_AMOUNT = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,4}))?", re.ASCII)


def in_cents(pips: int) -> str:
    """HK$ with two decimals, rounded down (towards less for the customer): 62_401_899 → '6,240.18'."""
    sign, cents = ("-", -(pips // PIPS_PER_CENT)) if pips < 0 else ("", pips // PIPS_PER_CENT)
    return f"{sign}{cents // 100:,}.{cents % 100:02d}"


def in_pips(pips: int) -> str:
    """HK$ with four decimals: 2_875 → '0.2875'."""
    sign = "-" if pips < 0 else ""
    return f"{sign}{abs(pips) // PIPS_PER_DOLLAR:,}.{abs(pips) % PIPS_PER_DOLLAR:04d}"


def pips_of(amount: str) -> int:
    """The pips of an amount as people write it: '1,000', '0.2875', '-3.5'.

    Raises ValueError where it is no amount, or finer than a pip.
    """
    match = _AMOUNT.fullmatch(amount.replace(",", "").strip())
    if not match:
        raise ValueError(f"{amount!r} is no amount of HK$ with at most 4 decimals")
    sign, dollars, fraction = match.groups()
    pips = int(dollars) * PIPS_PER_DOLLAR + int((fraction or "").ljust(4, "0"))
    return -pips if sign else pips
