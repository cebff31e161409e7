"""Customers' servers are told of low balances and of what staff decide of their sender IDs (spec S89, S60, S103)."""

import json
from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer, Person, SenderRequest
from sampan.billing import ledger
from sampan.billing.low_balance import change_alert
from sampan.billing.money import pips_of
from sampan.billing.tables import Transfer
from sampan.database import Connection, Snapshot
from sampan.messages.low_balance import tell_low_balances
from sampan.messages.platform import make_platform_account
from sampan.webhooks import sender_ids
from sampan.webhooks.tables import WebhookDelivery
from tests.webhooks.listening import make_endpoint
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff


@pytest.fixture
def harbour(database: Connection) -> Customer:
    Snapshot.forget_all()
    make_places()
    make_platform_account(NOW)
    harbour = make_customer(balance="1,000")
    make_endpoint(harbour, events=["balance.low", "sender_id.*"])
    make_endpoint(make_mallory(), events=["balance.low", "sender_id.*"])
    return harbour


def told(customer: Customer) -> list[tuple[str, object]]:
    assert set(WebhookDelivery.objects.values_list("customer_id", flat=True)) <= {customer.pk}
    return [(row.kind, json.loads(row.data)) for row in WebhookDelivery.objects.order_by("id")]


def test_a_low_balance_is_told_once(harbour: Customer, database: Connection) -> None:
    change_alert(harbour.pk, below_pips=pips_of("100"), email="wing@example.com", mobile=None)
    ledger.move(
        database, Transfer.Kind.SERVICE, customer_id=harbour.pk, amount_pips=pips_of("950.2875"), now=NOW, note=""
    )
    tell_low_balances(NOW)
    tell_low_balances(NOW + timedelta(hours=1))
    assert told(harbour) == [("balance.low", {"available_hkd": "49.7125", "below_hkd": "100.0000"})]


def asked(customer: Customer, text: str) -> SenderRequest:
    person = Person.objects.get(customer=customer)
    return SenderRequest.objects.create(
        customer=customer, text=text, grounds="own-number", verified_at=NOW, asked_by=person, asked_at=NOW
    )


def test_what_staff_decide_of_a_sender_id_is_told(harbour: Customer) -> None:
    staff = make_staff()
    first, second = asked(harbour, "85261230001"), asked(harbour, "85261230002")
    sender = sender_ids.grant(first.pk, by=staff, grounds="code", registered_on=None, now=NOW)
    sender_ids.send_back(second.pk, by=staff, words="Not your number.", now=NOW)
    sender_ids.withdraw(sender.pk, by=staff, why="Number ported away", now=NOW)
    assert told(harbour) == [
        ("sender_id.approved", {"sender": "85261230001", "words": ""}),
        ("sender_id.refused", {"sender": "85261230002", "words": "Not your number."}),
        ("sender_id.withdrawn", {"sender": "85261230001", "words": "Number ported away"}),
    ]
