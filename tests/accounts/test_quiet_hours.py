"""When quiet hours end, over midnight and over the days on which clocks change (spec S54)."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from sampan.accounts.quiet_hours import QuietHours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


NIGHT = QuietHours(time(22), time(9), ZoneInfo("Asia/Hong_Kong"))
NOON = QuietHours(time(12), time(14), ZoneInfo("Asia/Hong_Kong"))
LONDON = QuietHours(time(22), time(1, 30), ZoneInfo("Europe/London"))


@pytest.mark.parametrize(
    ("hours", "moment", "end"),
    [
        (NIGHT, "2026-11-23T21:59:59+08:00", None),
        (NIGHT, "2026-11-23T22:00:00+08:00", "2026-11-24T09:00:00+08:00"),
        (NIGHT, "2026-11-24T03:00:00+08:00", "2026-11-24T09:00:00+08:00"),
        (NIGHT, "2026-11-24T09:00:00+08:00", None),
        (NIGHT, "2026-12-31T23:00:00+08:00", "2027-01-01T09:00:00+08:00"),
        (NOON, "2026-11-24T12:00:00+08:00", "2026-11-24T14:00:00+08:00"),
        (NOON, "2026-11-24T14:00:00+08:00", None),
        (NOON, "2026-11-24T03:00:00+00:00", None),  # 11:00 in Hong Kong
        (LONDON, "2026-03-28T23:00:00+00:00", "2026-03-29T01:30:00+00:00"),  # clocks skip 01:30: an hour later
        (LONDON, "2026-10-24T23:30:00+01:00", "2026-10-25T01:30:00+01:00"),
        (LONDON, "2026-10-25T01:10:00+00:00", "2026-10-25T01:30:00+00:00"),  # 01:10 for the second time
    ],
)
def test_they_end_by_the_customers_own_clock(hours: QuietHours, moment: str, end: str | None) -> None:
    found = hours.end_after(at(moment))
    assert found == (at(end) if end else None)
    assert found is None or found.tzinfo is UTC
