"""The standard's times (SMPP 3.4 §7.1.1)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.smpp.time_format import MOST_RELATIVE, format_absolute, format_relative, parse

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
HONG_KONG = timezone(timedelta(hours=8))


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (10, "000000001000000R"),
        (120, "000000020000000R"),  # spec S70
        (1380, "000000230000000R"),
        (24 * 60, "000001000000000R"),
        (31 * 24 * 60 + 61, "000101010100000R"),
        (400 * 24 * 60, "010105000000000R"),
    ],
)
def test_a_validity_is_written_in_relative_form(minutes: int, text: str) -> None:
    assert format_relative(timedelta(minutes=minutes)) == text
    assert parse(text, now=NOW) == NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("", None),
        ("261122153000000+", NOW),
        ("261122233000032+", NOW),
        ("261122113000016-", NOW),
        ("261122153000500+", NOW + timedelta(seconds=0.5)),
        ("000000000000000R", NOW),
    ],
)
def test_a_time_is_read_in_either_form(text: str, moment: datetime | None) -> None:
    assert parse(text, now=NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2",
        "26112215300000+",
        "261122153000000*",
        "261122153000000+ ",
        "261322153000000+",
        "261122153000049+",
        "26112215300000٣+",
        "xx1122153000000R",
    ],
)
def test_what_is_no_time_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not of the form|must be in|at most 48"):
        parse(text, now=NOW)


@pytest.mark.parametrize("period", [timedelta(seconds=-1), MOST_RELATIVE + timedelta(seconds=1)])
def test_a_period_that_has_no_form_is_refused(period: timedelta) -> None:
    with pytest.raises(ValueError, match="99 years"):
        format_relative(period)


@pytest.mark.parametrize(
    ("at", "words"),
    [(datetime(1999, 12, 31, tzinfo=UTC), "2000"), (NOW.replace(tzinfo=None), "no time zone")],
)
def test_a_moment_that_has_no_form_is_refused(at: datetime, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        format_absolute(at)


@given(st.timedeltas(timedelta(0), MOST_RELATIVE))
def test_a_period_comes_back_to_the_second(period: timedelta) -> None:
    assert parse(format_relative(period), now=NOW) == NOW + timedelta(days=period.days, seconds=period.seconds)


@given(st.floats(0, 99 * 365 * 86400), st.sampled_from([UTC, HONG_KONG]))
def test_a_moment_comes_back_to_the_tenth_of_a_second(seconds: float, zone: timezone) -> None:
    at = (datetime(2000, 1, 2, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(zone)
    assert parse(format_absolute(at), now=NOW) == at.replace(microsecond=at.microsecond // 100_000 * 100_000)
