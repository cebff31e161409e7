"""Promotional texts go only outside the hours that a customer keeps quiet (spec S54)."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot
from sampan.messages import batches, stopping
from sampan.messages.schedule import start_one
from sampan.messages.tables import Batch, Purpose, Queued
from tests.dispatch.steps import Owner, money
from tests.world import NOW, draft_of, make_customer, make_places, plan_of, send, terms

EVENING = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)  # 22:30 in Hong Kong
MORNING = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00
PROMOTIONAL: dict[str, Any] = {"purpose": Purpose.PROMOTIONAL}


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    customer = make_customer()
    quiet()
    return customer


def quiet() -> None:
    Customer.objects.update(quiet_from=time(22), quiet_until=time(9))
    Snapshot.forget_all()


def test_one_sent_in_quiet_hours_is_scheduled_for_their_end_and_holds_nothing(
    database: Connection, harbour: Customer
) -> None:
    send(database, harbour, now=EVENING, **PROMOTIONAL)
    batch = Batch.objects.get()
    assert (batch.state, batch.scheduled_at) == (Batch.State.SCHEDULED, MORNING)
    assert money(database, harbour)["held"] == 0
    assert start_one(database, terms(database), MORNING) is not None
    assert Queued.objects.count() == 1


def test_one_scheduled_into_quiet_hours_moves_to_their_end(database: Connection, harbour: Customer) -> None:
    planned = plan_of(database, draft_of(database, harbour, scheduled_at=EVENING, **PROMOTIONAL))
    assert planned.scheduled_at == MORNING
    planned = plan_of(database, draft_of(database, harbour, scheduled_at=MORNING, **PROMOTIONAL))
    assert planned.scheduled_at == MORNING


def test_transactional_texts_go_at_any_hour(database: Connection, harbour: Customer) -> None:
    send(database, harbour, now=EVENING)
    assert Batch.objects.get().state == Batch.State.RUNNING


def test_one_that_comes_due_in_quiet_hours_set_since_waits_for_their_end(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    send(database, harbour, scheduled_at=EVENING, **PROMOTIONAL)
    quiet()
    assert start_one(database, terms(database), EVENING) == set()
    batch = Batch.objects.get()
    assert (batch.state, batch.scheduled_at) == (Batch.State.SCHEDULED, MORNING)


def test_what_is_still_being_sent_when_they_begin_sleeps_until_they_end(database: Connection) -> None:
    operator = make_places()
    harbour = make_customer()
    sent = send(database, harbour, [85261234567, 85261234568], now=EVENING - timedelta(hours=1), **PROMOTIONAL)
    quiet()
    assert stopping.keep_quiet_hours(database, EVENING - timedelta(hours=1)) == 0
    assert stopping.keep_quiet_hours(database, EVENING) == 1
    batch = Batch.objects.get()
    assert (batch.state, batch.resumes_at) == (Batch.State.PAUSED, MORNING)
    assert Owner(operator).claim(harbour, lane=2) == []
    assert stopping.wake(database, terms(database), MORNING - timedelta(seconds=1)) == (0, set())
    assert stopping.wake(database, terms(database), MORNING) == (1, {(operator.pk, 2, harbour.pk)})
    assert set(Queued.objects.values_list("message_id", flat=True)) == set(sent.message_ids)
    assert Batch.objects.get().resumes_at is None


def test_a_member_who_resumes_in_quiet_hours_resumes_for_their_end(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    sent = send(database, harbour, **PROMOTIONAL)
    batches.pause(database, sent.batch_id, NOW)
    quiet()
    assert batches.resume(database, sent.batch_id, terms(database), EVENING) == set()
    batch = Batch.objects.get()
    assert (batch.state, batch.resumes_at) == (Batch.State.PAUSED, MORNING)


def test_a_suspended_customers_sleeping_batch_is_held_when_it_would_wake(database: Connection) -> None:
    """Spec S97."""
    make_places()
    harbour = make_customer()
    send(database, harbour, **PROMOTIONAL)
    quiet()
    stopping.keep_quiet_hours(database, EVENING)
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    Snapshot.forget_all()
    assert stopping.wake(database, terms(database), MORNING) == (1, set())
    assert Batch.objects.get().held_for == Batch.HeldFor.SUSPENDED
