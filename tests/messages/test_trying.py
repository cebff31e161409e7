"""Tests go to nobody, cost nothing, and end as their numbers say (spec S123)."""

from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.billing.tables import Transfer
from sampan.database import Connection
from sampan.dispatch.tables import Attempt
from sampan.messages import batches
from sampan.messages.lookup import shown_status
from sampan.messages.reconcile import discrepancies
from sampan.messages.reports.messages import message
from sampan.messages.reports.shown import Shown
from sampan.messages.schedule import start_one
from sampan.messages.tables import Message, MessagePart, Queued, Source, Status
from sampan.messages.trying import ENDINGS, end_tests
from sampan.reasons import Reason, Refused
from tests.world import NOW, draft_of, make_customer, make_places, plan_of, send, terms

SECOND = timedelta(seconds=1)
ORDINARY = 85261234567


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer(balance="0.0001")


def test_each_number_ends_as_it_says_and_nothing_is_charged(database: Connection, harbour: Customer) -> None:
    transfers = Transfer.objects.count()
    numbers = [ORDINARY, *ENDINGS]
    accepted = send(database, harbour, numbers, source=Source.TEST)
    assert set(Queued.objects.values_list("operator_id", flat=True)) == {0}
    assert discrepancies(database) == []
    assert end_tests(database, NOW + SECOND) == len(numbers)
    shown = [shown_status(database, harbour.pk, id_) for id_ in accepted.message_ids]
    assert shown[0] == (Status.DELIVERED, Reason.NONE)
    assert shown[1:] == [(ending.status, ending.reason) for ending in ENDINGS.values()]
    facts = [message(database, harbour.pk, id_) for id_ in accepted.message_ids]
    assert {each.shown for each in facts if each} == {Shown.DELIVERED, Shown.UNDELIVERABLE, Shown.EXPIRED}
    assert Transfer.objects.count() == transfers
    assert set(Message.objects.values_list("price_pips", "charged_pips", "hold_id")) == {(0, 0, None)}
    assert not Attempt.objects.exists()
    assert not MessagePart.objects.exists()
    assert discrepancies(database) == []
    assert end_tests(database, NOW + SECOND) == 0


def test_no_test_has_an_operator_even_where_it_starts_later(database: Connection, harbour: Customer) -> None:
    """Planned anew when it is due or resumed (spec S97), it is a test still."""
    due = NOW + timedelta(hours=1)
    accepted = send(database, harbour, source=Source.TEST, scheduled_at=due)
    start_one(database, terms(database), due)
    batches.pause(database, accepted.batch_id, due)
    assert end_tests(database, due) == 0
    batches.resume(database, accepted.batch_id, terms(database), due)
    assert set(Queued.objects.values_list("operator_id", flat=True)) == {0}
    assert set(Message.objects.values_list("operator_id", flat=True)) == {0}
    assert end_tests(database, due) == 1


def test_a_test_is_cancelled_like_any_other(database: Connection, harbour: Customer) -> None:
    accepted = send(database, harbour, source=Source.TEST)
    assert batches.cancel(database, accepted.batch_id, NOW) == 1
    assert end_tests(database, NOW) == 0
    assert shown_status(database, harbour.pk, accepted.message_ids[0]) == (Status.UNDELIVERABLE, Reason.CANCELLED)


def test_a_trial_account_tests_any_number(database: Connection) -> None:
    make_places()
    trial = make_customer(status=Customer.Status.TRIAL)
    accepted = send(database, trial, source=Source.TEST)
    end_tests(database, NOW + SECOND)
    assert shown_status(database, trial.pk, accepted.message_ids[0]) == (Status.DELIVERED, Reason.NONE)


def test_what_is_refused_live_is_refused_in_a_test(database: Connection, harbour: Customer) -> None:
    with pytest.raises(Refused):
        plan_of(database, draft_of(database, harbour, source=Source.TEST, sender="Mallory"))
