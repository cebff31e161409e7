"""Addresses of numbers and names."""

import pytest

from sampan.smpp.addresses import Address, alphanumeric, international


def test_a_number_is_international_isdn() -> None:
    assert international("85251000000") == Address(1, 1, "85251000000")


@pytest.mark.parametrize("number", ["", "+85251000000", "8525100 0000", "8" * 16, "٨٥٢"])
def test_what_is_no_number_with_country_code_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="1 to 15 digits"):
        international(number)


def test_a_name_is_alphanumeric_without_a_plan() -> None:
    assert alphanumeric("HarbourFlor") == Address(5, 0, "HarbourFlor")


@pytest.mark.parametrize("name", ["", "HarbourFlori"])
def test_a_name_a_handset_could_not_show_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 11"):
        alphanumeric(name)
