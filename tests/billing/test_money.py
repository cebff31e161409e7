"""Pips as HK$ and back."""

import pytest

from sampan.billing.money import in_cents, in_pips, pips_of


@pytest.mark.parametrize(
    ("pips", "cents", "fine"),
    [
        (0, "0.00", "0.0000"),
        (1, "0.00", "0.0001"),
        (2_900, "0.29", "0.2900"),
        (2_875, "0.28", "0.2875"),
        (62_401_899, "6,240.18", "6,240.1899"),
        (10_000_000_0000, "10,000,000.00", "10,000,000.0000"),
        (-1, "-0.01", "-0.0001"),
        (-15_000, "-1.50", "-1.5000"),
    ],
)
def test_amounts_are_shown_rounded_down_to_the_cent_or_to_the_pip(pips: int, cents: str, fine: str) -> None:
    assert in_cents(pips) == cents
    assert in_pips(pips) == fine


@pytest.mark.parametrize(
    ("typed", "pips"), [("1,000", 10_000_000), ("0.2875", 2_875), (" 3.5 ", 35_000), ("-2", -20_000)]
)
def test_amounts_are_read_as_people_write_them(typed: str, pips: int) -> None:
    assert pips_of(typed) == pips


@pytest.mark.parametrize("typed", ["", "a", "1.00001", "1e3", "1.2.3", "$5", "٣"])
def test_what_is_no_amount_or_finer_than_a_pip_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        pips_of(typed)
