"""The 10th working day of Hong Kong (spec S93)."""

from datetime import date, timedelta

import pytest

from sampan.compliance.working_days import is_working_day, listed_by


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2008, 1, 26), True),  # a Saturday
        (date(2008, 1, 27), False),  # a Sunday
        (date(2008, 2, 7), False),  # Lunar New Year
        (date(2026, 12, 25), False),
        (date(2026, 12, 28), True),
    ],
)
def test_saturdays_are_working_days_and_sundays_and_general_holidays_are_not(day: date, works: bool) -> None:
    assert is_working_day(day) is works


def test_listed_on_24_january_2008_is_filtered_from_5_february() -> None:
    """Spec S93's own example."""
    listed = date(2008, 1, 24)
    assert listed_by(date(2008, 2, 4), waits=True) < listed
    assert listed_by(date(2008, 2, 5), waits=True) == listed


def test_lunar_new_year_makes_the_wait_longer() -> None:
    """2, 4, 5, 6 and 11 to 16 February 2008 are the ten working days after the 1st; 7 to 9 were holidays."""
    assert listed_by(date(2008, 2, 15), waits=True) < date(2008, 2, 1)
    assert listed_by(date(2008, 2, 16), waits=True) == date(2008, 2, 1)


def test_without_the_wait_a_number_is_filtered_from_the_day_it_is_listed() -> None:
    assert listed_by(date(2008, 1, 24), waits=False) == date(2008, 1, 24)


def test_who_is_filtered_on_one_day_is_filtered_on_the_next() -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(730)]
    limits = [listed_by(day, waits=True) for day in days]
    assert limits == sorted(limits)
