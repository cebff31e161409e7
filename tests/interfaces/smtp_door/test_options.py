"""What a subject's brackets say (docs/api/smtp.md)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from sampan.interfaces.smtp_door.options import Options, read_options
from sampan.messages.tables import Purpose
from sampan.reasons import Reason, Refused

ZONE = ZoneInfo("Asia/Hong_Kong")


def test_all_of_them_in_any_order_and_what_is_left_is_the_subject() -> None:
    subject = (
        "[Sender=HarbourFlo] Roses [at=2026-12-01 09:00][route=hk-business] ready"
        " [purpose=promotional] [dncr=0] [validity=60]"
    )
    assert read_options(subject, ZONE) == Options(
        rest="Roses ready",
        sender="HarbourFlo",
        route="hk-business",
        purpose=Purpose.PROMOTIONAL,
        register_filter=False,
        validity_minutes=60,
        scheduled_at=datetime(2026, 12, 1, 1, tzinfo=UTC),
    )


def test_brackets_without_an_equals_sign_are_words() -> None:
    assert read_options("Re: [Ticket 7] = [urgent] roses", ZONE) == Options(rest="Re: [Ticket 7] = [urgent] roses")


@pytest.mark.parametrize(
    ("subject", "reason"),
    [
        ("[sende=HarbourFlo]", Reason.BAD_OPTION),
        ("[dncr=0] [dncr=1]", Reason.BAD_OPTION),
        ("[sender=]", Reason.BAD_OPTION),
        ("[dncr=yes]", Reason.BAD_OPTION),
        ("[purpose=fun]", Reason.BAD_OPTION),
        ("[validity=1h]", Reason.BAD_OPTION),
        ("[validity=99999999999999]", Reason.BAD_OPTION),
        ("[at=tomorrow]", Reason.BAD_TIME),
        ("[at=2026-02-30 09:00]", Reason.BAD_TIME),
        ("[at=0001-01-01 00:00]", Reason.BAD_TIME),
    ],
)
def test_a_slip_is_refused(subject: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        read_options(subject, ZONE)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("now", None),
        ("2026-12-01T09:00+00:00", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01T09:00Z", datetime(2026, 12, 1, 9, tzinfo=UTC)),
        ("2026-12-01 09:00:30", datetime(2026, 12, 1, 1, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_are_of_the_accounts_zone_unless_they_say_otherwise(value: str, at: datetime | None) -> None:
    """spec S50"""
    assert read_options(f"[at={value}]", ZONE).scheduled_at == at
