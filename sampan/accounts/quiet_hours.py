"""The hours in which a customer sends no promotional texts (spec S54)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sampan.accounts.tables import Customer

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of the day to another by the clock of a zone; over midnight where the second is the earlier."""

    begin: time
    end: time
    zone: ZoneInfo

    def end_after(self, moment: datetime) -> datetime | None:
        """When the quiet hours end in which this moment falls; None where it falls in none."""
        local = moment.astimezone(self.zone)
        clock, day = local.time(), local.date()
        if self.begin > self.end:
            is_quiet = clock >= self.begin or clock < self.end
            day += ONE_DAY * (clock >= self.begin)
        else:
            is_quiet = self.begin <= clock < self.end
        # In the hour that a clock goes through twice, the second time ends in its own.
        end = datetime.combine(day, self.end, self.zone).replace(fold=local.fold)
        return end.astimezone(UTC) if is_quiet else None


def set_quiet_hours(customer_id: int, hours: tuple[time, time] | None) -> None:
    """From when until when the customer is quiet from now on; None for never. The two times differ."""
    begin, end = hours or (None, None)
    Customer.objects.filter(pk=customer_id).update(quiet_from=begin, quiet_until=end)
