"""The time format of SMPP 3.4 §7.1.1: `YYMMDDhhmmsstnnp`, absolute or relative to the SMSC's clock."""

import re
from datetime import UTC, datetime, timedelta, timezone

CENTURY = 2000
DAYS_OF_A_MONTH = 30  # in relative times; the standard leaves it to the SMSC
DAYS_OF_A_YEAR = 365
MOST_RELATIVE = timedelta(days=99 * DAYS_OF_A_YEAR)
MOST_QUARTERS = 48
FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)[-+R]", re.ASCII)


def format_relative(period: timedelta) -> str:
    """So long from when the SMSC takes the message: 120 minutes are `000000020000000R` (spec S70).

    Whole seconds. ValueError below zero or beyond 99 years.
    """
    if not timedelta(0) <= period <= MOST_RELATIVE:
        raise ValueError(f"{period} is not between 0 and 99 years")
    years, days = divmod(period.days, DAYS_OF_A_YEAR)
    months, days = divmod(days, DAYS_OF_A_MONTH)
    minutes, seconds = divmod(period.seconds, 60)
    return f"{years:02}{months:02}{days:02}{minutes // 60:02}{minutes % 60:02}{seconds:02}000R"


def format_absolute(at: datetime) -> str:
    """That moment, in UTC. ValueError before the year 2000 or after 2099, or without a zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    utc = at.astimezone(UTC)
    if not 0 <= utc.year - CENTURY <= 99:
        raise ValueError(f"{at} is not between 2000 and 2099")
    return f"{utc:%y%m%d%H%M%S}{utc.microsecond // 100_000}00+"


def parse(text: str, *, now: datetime) -> datetime | None:
    """The moment an absolute or relative time means; None where it is empty. ValueError where it has another form."""
    if not text:
        return None
    if not text.endswith("R"):
        return parse_absolute(text)
    year, month, day, hour, minute, second, *_ = _figures(text)
    days = year * DAYS_OF_A_YEAR + month * DAYS_OF_A_MONTH + day
    return now + timedelta(days=days, hours=hour, minutes=minute, seconds=second)


def parse_absolute(text: str) -> datetime:
    """The moment an absolute time means. ValueError where it has another form."""
    year, month, day, hour, minute, second, tenth, quarters = _figures(text)
    if text[-1] == "R":
        raise ValueError(f"{text!r} is a relative time")
    if quarters > MOST_QUARTERS:
        raise ValueError(f"{text!r} is {quarters} quarters of an hour from UTC; at most {MOST_QUARTERS} are allowed")
    offset = timedelta(minutes=15 * quarters if text[-1] == "+" else -15 * quarters)
    return datetime(CENTURY + year, month, day, hour, minute, second, tenth * 100_000, timezone(offset))


def _figures(text: str) -> list[int]:
    form = FORM.fullmatch(text)
    if form is None:
        raise ValueError(f"{text!r} is not of the form YYMMDDhhmmsstnnp")
    return [int(figures) for figures in form.groups()]
