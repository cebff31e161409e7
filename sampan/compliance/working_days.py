"""Hong Kong's working days, by which the law lets senders follow the do-not-call register (spec S93)."""

from datetime import date, timedelta
from functools import lru_cache

import holidays

DAYS_TO_FOLLOW = 10  # working days after a number was listed
SUNDAY = 6
MOST_DAYS_KEPT = 64

_general_holidays = holidays.country_holidays("HK")


def is_working_day(day: date) -> bool:
    """Every day but Sundays and general holidays; Saturdays count."""
    return day.weekday() != SUNDAY and day not in _general_holidays


@lru_cache(MOST_DAYS_KEPT)
def listed_by(today: date, *, waits: bool) -> date:
    """The last day of listing that is followed today: today itself, or where one `waits` 10 working days ago.

    A number listed on Thursday 24 January 2008 is then filtered from Tuesday 5 February 2008.
    """
    if not waits:
        return today
    day, working_days = today, 0
    while True:
        working_days += is_working_day(day)
        day -= timedelta(days=1)
        if working_days == DAYS_TO_FOLLOW:
            return day
