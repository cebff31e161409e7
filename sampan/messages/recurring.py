"""Batches that are sent every day, week or month (spec S54).

Of each series one run stands ahead as a scheduled batch, which can be changed, moved or deleted by itself; when it
starts, or was deleted, the next is made. A run need not fit the balance when it is made: what is short when it comes
due ends 21/308, as in any scheduled batch (spec S81).
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sampan.accounts.customers import customers
from sampan.database import Connection
from sampan.messages import batches
from sampan.messages.personal import Fields, read_all_fields
from sampan.messages.planning import Draft, Plan, Terms, plan
from sampan.messages.submit import submit
from sampan.messages.tables import Batch, Purpose, Recurrence, Source
from sampan.reasons import Reason, Refused

MOST_AT_ONCE = 100
MOST_RUNS_LOOKED_AT = 10_000  # of one series, for the next that is to come
MONTHS_OF_A_YEAR = 12
Every = Recurrence.Every


@dataclass(frozen=True, slots=True)
class Clock:
    """When a series runs: on a first day and every so often from then on, at one time of the day in one zone."""

    every: Recurrence.Every
    first_on: date
    at: time
    zone: ZoneInfo
    until: date | None

    def day(self, number: int) -> date:
        """The day of a run; 0 is the first. Where a month has no such day it is its last."""
        if self.every == Every.DAY:
            return self.first_on + timedelta(days=number)
        if self.every == Every.WEEK:
            return self.first_on + timedelta(weeks=number)
        years, month = divmod(self.first_on.month - 1 + number, MONTHS_OF_A_YEAR)
        year = self.first_on.year + years
        return date(year, month + 1, min(self.first_on.day, monthrange(year, month + 1)[1]))

    def runs(self) -> Iterator[datetime]:
        """Their moments. A time that the clocks skip is that much later; of one that comes twice it is the first."""
        for number in count():
            day = self.day(number)
            if self.until is not None and day > self.until:
                return
            yield datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Those after a moment."""
        return (run for run in islice(self.runs(), MOST_RUNS_LOOKED_AT) if run > moment)


COLUMNS = """
    r.id, r.customer_id, r.person_id, r.every, r.first_on, r.at, r.time_zone, r.until, r.run_at, r.name, r.text,
    r.sender, r.route, r.purpose, r.validity_minutes, r.numbers, r.fields::text"""


@dataclass(frozen=True, slots=True)
class Series:
    """What a run of a series is made from."""

    id: int
    customer_id: int
    person_id: int
    clock: Clock
    run_at: datetime
    name: str
    text: str
    sender: str
    route: str
    purpose: Purpose
    validity_minutes: int
    numbers: list[int]
    fields: Sequence[Fields] | None  # of personal texts (spec S4)


def _series(row: tuple[Any, ...]) -> Series:
    id_, customer_id, person_id, every, first_on, at, zone, until, run_at, *rest = row
    name, text, sender, route, purpose, validity, numbers, fields = rest
    own = read_all_fields(fields) if fields is not None else None
    clock = Clock(Every(every), first_on, at, ZoneInfo(zone), until)
    return Series(
        id_, customer_id, person_id, clock, run_at, name, text, sender, route, Purpose(purpose), validity, numbers, own
    )


BEGUN = "SELECT recurrence_id IS NOT NULL FROM batch WHERE id = %s FOR NO KEY UPDATE"
BEGIN = """
    INSERT INTO recurrence (customer_id, person_id, created_at, every, first_on, at, time_zone, until, batch_id, run_at,
                            name, text, sender, route, purpose, validity_minutes, numbers, fields)
    VALUES (%(customer)s, %(person)s, %(now)s, %(every)s, %(first_on)s, %(at)s, %(zone)s, %(until)s, %(batch)s,
            %(run_at)s, %(name)s, %(text)s, %(sender)s, %(route)s, %(purpose)s, %(validity)s, %(numbers)s,
            %(fields)s::jsonb)
    RETURNING id"""
IS_RUN = "UPDATE batch SET recurrence_id = %s WHERE id = %s"


def clock_of(first_at: datetime, every: Recurrence.Every, until: date | None, zone: ZoneInfo) -> Clock:
    """The clock of a series that begins at a moment."""
    local = first_at.astimezone(zone)
    return Clock(every, local.date(), local.time().replace(second=0, microsecond=0), zone, until)


def begin(
    conn: Connection, planned: Plan, batch_id: int, *, every: Recurrence.Every, until: date | None, now: datetime
) -> None:
    """The batch is the first run of a new series. In the caller's transaction; once, however often it is called."""
    row = conn.execute(BEGUN, [batch_id]).fetchone()
    if row is None or row[0]:
        return
    draft = planned.draft
    first_at = draft.scheduled_at or now  # not as quiet hours moved it
    clock = clock_of(first_at, every, until, draft.customer.zone)
    values = {
        "customer": draft.customer.id,
        "person": draft.person_id,
        "now": now,
        "every": every,
        "first_on": clock.first_on,
        "at": clock.at,
        "zone": clock.zone.key,
        "until": until,
        "batch": batch_id,
        "run_at": first_at,
        "name": draft.name,
        "text": draft.text,
        "sender": draft.sender,
        "route": draft.route,
        "purpose": planned.purpose,
        "validity": planned.validity_minutes,
        "numbers": planned.recipients,
        "fields": msgspec.json.encode(planned.own.fields).decode() if planned.own else None,
    }
    found = conn.execute(BEGIN, values).fetchone()
    assert found is not None
    conn.execute(IS_RUN, [found[0], batch_id])


RUN_IS_OVER = f"r.ended_at IS NULL AND b.state <> {Batch.State.SCHEDULED.value}"
WITHOUT_NEXT = f"SELECT r.id FROM recurrence r JOIN batch b ON b.id = r.batch_id WHERE {RUN_IS_OVER} LIMIT %s"
TAKE = f"""
    SELECT {COLUMNS} FROM recurrence r JOIN batch b ON b.id = r.batch_id
     WHERE r.id = %s AND {RUN_IS_OVER} FOR NO KEY UPDATE OF r SKIP LOCKED"""
NEXT = "UPDATE recurrence SET batch_id = %s, run_at = %s WHERE id = %s"
END = "UPDATE recurrence SET ended_at = %s, ended_by_id = %s, reason = %s WHERE id = %s"


def make_next_runs(conn: Connection, terms: Terms, now: datetime) -> int:
    """The next run of each series whose last one has started or was deleted; gives how many it made."""
    ids = conn.execute(WITHOUT_NEXT, [MOST_AT_ONCE]).fetchall()
    return sum(_make_next(conn, id_, terms, now) for (id_,) in ids)


def _make_next(conn: Connection, recurrence_id: int, terms: Terms, now: datetime) -> bool:
    with conn.transaction():
        row = conn.execute(TAKE, [recurrence_id]).fetchone()
        if row is None:  # another worker has it
            return False
        series = _series(row)
        run_at = next(series.clock.after(max(now, series.run_at)), None)
        if run_at is None:
            conn.execute(END, [now, None, None, series.id])
            return False
        try:
            batch_id = _submit(conn, series, run_at, terms, now)
        except Refused as refused:
            if refused.reason != Reason.ACCOUNT_DISABLED:  # a suspended customer's series waits
                conn.execute(END, [now, None, refused.reason.number, series.id])
            return False
        conn.execute(NEXT, [batch_id, run_at, series.id])
        conn.execute(IS_RUN, [series.id, batch_id])
        return True


def _submit(conn: Connection, series: Series, run_at: datetime, terms: Terms, now: datetime) -> int:
    """The run as a scheduled batch; its client reference makes that happen once."""
    draft = Draft(
        customer=customers(conn, {series.customer_id})[series.customer_id],
        source=Source.PORTAL,
        recipients=series.numbers,
        text=series.text,
        fields=series.fields,
        sender=series.sender,
        person_id=series.person_id,
        purpose=series.purpose,
        route=series.route,
        scheduled_at=run_at,
        validity_minutes=series.validity_minutes,
        client_reference=f"recurrence:{series.id}:{run_at:%Y-%m-%dT%H:%M}",
        name=series.name,
        may_fall_short=True,
    )
    (outcome,) = submit(conn, [plan(draft, terms, now)], now)
    if isinstance(outcome, Refused):
        raise outcome
    return outcome.batch_id


LOCK = "SELECT batch_id FROM recurrence WHERE id = %s AND customer_id = %s AND ended_at IS NULL FOR NO KEY UPDATE"


def end(conn: Connection, recurrence_id: int, now: datetime, *, customer_id: int, person_id: int | None) -> int | None:
    """No further runs. The run that stands ahead is deleted, or where it is due within the hour its id is given.

    Refused where the customer has no such series, or it has ended.
    """
    with conn.transaction():
        row = conn.execute(LOCK, [recurrence_id, customer_id]).fetchone()
        if row is None:
            raise Refused(Reason.NO_SUCH_BATCH, "recurrence", str(recurrence_id))
        conn.execute(END, [now, person_id, None, recurrence_id])
        try:
            batches.delete(conn, row[0], now, customer_id=customer_id, person_id=person_id)
        except Refused as refused:
            return int(row[0]) if refused.reason == Reason.BATCH_DUE_SOON else None
    return None
