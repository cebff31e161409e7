"""Batches that recur: their days, their clocks, and one run that stands ahead (spec S54)."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from sampan.accounts.tables import Customer, Person, SenderId
from sampan.database import Connection, Snapshot, connect
from sampan.messages import batches, drafts, recurring
from sampan.messages.planning import plan
from sampan.messages.recurring import Clock, Every, make_next_runs
from sampan.messages.schedule import start_one
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Batch, ComposeDraft, Message, Purpose, Recurrence
from sampan.reasons import Reason, Refused
from tests.world import NOW, SENDER, draft_of, facts_of, make_customer, make_mallory, make_places, plan_of, terms

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
FIRST = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Hong Kong
ONE_DAY = timedelta(days=1)


def days(every: Every, first_on: date, *, count: int, until: date | None = None) -> list[str]:
    clock = Clock(every, first_on, time(10), HONG_KONG, until)
    return [f"{run.astimezone(HONG_KONG):%Y-%m-%d}" for run in islice(clock.runs(), count)]


def test_a_month_without_the_day_has_its_last_and_the_next_has_it_again() -> None:
    found = days(Every.MONTH, date(2027, 12, 31), count=4)
    assert found == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"]


def test_weeks_and_days_follow_each_other_up_to_the_last_day() -> None:
    assert days(Every.WEEK, date(2026, 12, 28), count=9, until=date(2027, 1, 11)) == [
        "2026-12-28",
        "2027-01-04",
        "2027-01-11",
    ]
    assert days(Every.DAY, date(2026, 12, 31), count=2) == ["2026-12-31", "2027-01-01"]


@pytest.mark.parametrize(
    ("at", "utc"),
    [
        (time(9), ["09:00", "08:00", "08:00"]),  # nine by the clock of London, winter and summer
        (time(1, 30), ["01:30", "01:30", "00:30"]),  # skipped on 28 March: an hour later, 02:30
    ],
)
def test_a_run_keeps_the_time_of_its_own_clock_where_clocks_change(at: time, utc: list[str]) -> None:
    clock = Clock(Every.DAY, date(2027, 3, 27), at, ZoneInfo("Europe/London"), None)
    assert [f"{run:%H:%M}" for run in islice(clock.runs(), 3)] == utc


def test_of_a_time_that_comes_twice_it_is_the_first() -> None:
    clock = Clock(Every.DAY, date(2027, 10, 31), time(1, 30), ZoneInfo("Europe/London"), None)
    assert next(clock.runs()) == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


def begin(conn: Connection, harbour: Customer, every: Every = Every.DAY, until: date | None = None) -> Recurrence:
    """As the portal begins a series: a draft that repeats, sent."""
    owner = Person.objects.get(customer=harbour)
    draft = drafts.new_draft(owner, NOW)
    drafts.set_typed(draft, "6123 4567\n6123 4568")
    draft.source, draft.text, draft.sender = ComposeDraft.Source.TYPED, "Fresh today", SENDER
    draft.purpose, draft.scheduled_at = Purpose.TRANSACTIONAL, FIRST
    draft.every, draft.repeat_until = every, until
    draft.save()
    numbers = drafts.numbers_of(draft)
    planned = plan(drafts.as_submitted(draft, facts_of(conn, harbour), numbers), terms(conn), NOW)
    first = drafts.send(conn, draft, planned, NOW)
    assert drafts.send(conn, draft, planned, NOW) == first  # pressed twice
    return Recurrence.objects.get()


def next_run(conn: Connection, now: datetime) -> Batch | None:
    """Start what is due and make what comes next; gives the run that stands ahead."""
    Snapshot.forget_all()
    start_one(conn, terms(conn), now)
    make_next_runs(conn, terms(conn), now)
    make_next_runs(conn, terms(conn), now)
    return Batch.objects.filter(state=Batch.State.SCHEDULED).first()


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def test_the_next_run_is_made_when_one_starts_and_once(database: Connection, harbour: Customer) -> None:
    series = begin(database, harbour)
    assert Batch.objects.get().recurrence_id == series.pk
    assert make_next_runs(database, terms(database), NOW) == 0
    second = next_run(database, FIRST)
    assert second is not None
    assert second.scheduled_at == FIRST + ONE_DAY
    assert (second.text, second.sender, second.recurrence_id) == ("Fresh today", SENDER, series.pk)
    assert Message.objects.filter(batch_id=second.pk).count() == 2
    third = next_run(database, FIRST + ONE_DAY)
    assert third is not None
    assert third.scheduled_at == FIRST + 2 * ONE_DAY
    assert Batch.objects.count() == 3


def test_two_workers_make_one_next_run(database: Connection, harbour: Customer) -> None:
    begin(database, harbour)
    start_one(database, terms(database), FIRST)
    with connect("another worker") as other, database.transaction():
        assert make_next_runs(database, terms(database), FIRST) == 1
        assert make_next_runs(other, terms(database), FIRST) == 0
    assert make_next_runs(database, terms(database), FIRST) == 0
    assert Batch.objects.count() == 2


def test_a_run_that_was_moved_earlier_does_not_come_twice(database: Connection, harbour: Customer) -> None:
    begin(database, harbour)
    Batch.objects.update(scheduled_at=FIRST - timedelta(hours=12))
    following = next_run(database, FIRST - timedelta(hours=12))
    assert following is not None
    assert following.scheduled_at == FIRST + ONE_DAY


def test_a_run_that_was_deleted_is_left_out_and_the_next_is_made(database: Connection, harbour: Customer) -> None:
    series = begin(database, harbour)
    assert series.batch_id is not None
    batches.delete(database, series.batch_id, NOW, customer_id=harbour.pk, person_id=None)
    following = next_run(database, NOW)
    assert following is not None
    assert following.scheduled_at == FIRST + ONE_DAY


def test_runs_missed_while_the_platform_was_down_are_left_out(database: Connection, harbour: Customer) -> None:
    """Spec S53: the one that stood ahead is held; those after it that have passed are not made."""
    series = begin(database, harbour)
    following = next_run(database, FIRST + timedelta(days=3, hours=2))
    assert Batch.objects.get(pk=series.batch_id or 0).state == Batch.State.HELD
    assert following is not None
    assert following.scheduled_at == FIRST + 4 * ONE_DAY


def test_a_series_ends_with_its_last_day(database: Connection, harbour: Customer) -> None:
    begin(database, harbour, until=date(2026, 11, 25))
    assert next_run(database, FIRST) is not None
    assert next_run(database, FIRST + ONE_DAY) is None
    series = Recurrence.objects.get()
    assert (series.ended_at, series.reason) == (FIRST + ONE_DAY, None)


def test_a_run_need_not_fit_the_balance_when_it_is_made(database: Connection) -> None:
    """Spec S81: what is short when it comes due ends 308."""
    make_places()
    harbour = make_customer(balance="0.60")
    begin(database, harbour)
    second = next_run(database, FIRST)
    assert second is not None
    start_one(database, terms(database), FIRST + ONE_DAY)
    assert set(Message.objects.filter(batch_id=second.pk).values_list("reason", flat=True)) == {308}


def test_a_suspended_customers_series_waits_and_goes_on(database: Connection, harbour: Customer) -> None:
    begin(database, harbour)
    start_one(database, terms(database), FIRST)
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    assert next_run(database, FIRST) is None
    assert Recurrence.objects.get().ended_at is None
    Customer.objects.update(status=Customer.Status.NORMAL)
    following = next_run(database, FIRST + 2 * ONE_DAY)
    assert following is not None
    assert following.scheduled_at == FIRST + 3 * ONE_DAY


def test_a_series_whose_sender_was_withdrawn_ends_and_says_why(database: Connection, harbour: Customer) -> None:
    begin(database, harbour)
    start_one(database, terms(database), FIRST)
    SenderId.objects.update(withdrawn_at=FIRST)
    assert next_run(database, FIRST) is None
    assert Recurrence.objects.get().reason == Reason.SENDER_NOT_YOURS.number


def test_who_stops_a_series_stops_the_run_that_stands_ahead(database: Connection, harbour: Customer) -> None:
    series = begin(database, harbour)
    assert recurring.end(database, series.pk, NOW, customer_id=harbour.pk, person_id=None) is None
    assert Batch.objects.get().state == Batch.State.CANCELLED
    assert next_run(database, NOW) is None
    with pytest.raises(Refused):
        recurring.end(database, series.pk, NOW, customer_id=harbour.pk, person_id=None)


def test_a_run_that_is_due_within_the_hour_stays_and_is_named(database: Connection, harbour: Customer) -> None:
    """Spec S51."""
    series = begin(database, harbour)
    soon = FIRST - timedelta(minutes=30)
    assert recurring.end(database, series.pk, soon, customer_id=harbour.pk, person_id=None) == series.batch_id
    assert Batch.objects.get().state == Batch.State.SCHEDULED
    assert next_run(database, FIRST) is None


def test_anothers_series_is_as_if_it_were_not(database: Connection, harbour: Customer) -> None:
    series = begin(database, harbour)
    mallory = make_mallory()
    with pytest.raises(Refused):
        recurring.end(database, series.pk, NOW, customer_id=mallory.pk, person_id=None)
    assert Recurrence.objects.get().ended_at is None


def test_each_run_fills_the_texts_in_from_the_fields_of_the_first(database: Connection, harbour: Customer) -> None:
    """Spec S4."""
    rows = [{"name": "Amy"}, {"name": "Ben"}]
    numbers = [85261234567, 85261234568]
    facts = {"text": "Dear {name}", "fields": rows, "scheduled_at": FIRST}
    planned = plan_of(database, draft_of(database, harbour, numbers, person_id=harbour.members.get().pk, **facts))
    (accepted,) = submit(database, [planned], NOW)
    assert isinstance(accepted, Accepted)
    recurring.begin(database, planned, accepted.batch_id, every=Every.DAY, until=None, now=NOW)
    start_one(database, terms(database), FIRST)
    assert make_next_runs(database, terms(database), FIRST) == 1
    messages = Message.objects.order_by("id").values_list("text", "fields")
    assert list(messages) == [("Dear Amy", rows[0]), ("Dear Ben", rows[1])] * 2
