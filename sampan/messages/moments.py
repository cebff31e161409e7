"""When a submission starts: now, at its time, or when quiet hours end (spec S50, S54)."""

from datetime import datetime

from sampan.accounts.customers import CustomerFacts
from sampan.messages.tables import Purpose
from sampan.reasons import Reason, Refused

FURTHEST_AHEAD_YEARS = 5  # spec S50


def start_of(
    scheduled_at: datetime | None, customer: CustomerFacts, purpose: Purpose, now: datetime
) -> datetime | None:
    """None for now. Raises Refused (TOO_FAR_AHEAD).

    A time that has passed means now (spec S50); a promotional text that would start in quiet hours starts when they
    end (spec S54).
    """
    chosen = scheduled_at if scheduled_at is not None and scheduled_at > now else None
    if chosen is not None and chosen > latest_schedule(now):
        raise Refused(Reason.TOO_FAR_AHEAD, "scheduled_at", chosen.isoformat())
    if purpose != Purpose.PROMOTIONAL or customer.quiet_hours is None:
        return chosen
    return customer.quiet_hours.end_after(chosen or now) or chosen


def latest_schedule(now: datetime) -> datetime:
    """The furthest ahead that something may be scheduled (spec S50)."""
    try:
        return now.replace(year=now.year + FURTHEST_AHEAD_YEARS)
    except ValueError:  # 29 February
        return now.replace(year=now.year + FURTHEST_AHEAD_YEARS, day=28)
