"""Customers' servers are told what becomes of messages, in the transaction that changes them (spec S103)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sampan.database import Connection, Snapshot
from sampan.messages import schedule
from sampan.messages.batches import cancel
from sampan.messages.finished import tell_finished
from sampan.messages.tables import BatchToTell
from sampan.messages.verifications.asking import Wanted, send_code
from sampan.webhooks.tables import WebhookDelivery
from tests.dispatch.steps import ENROUTE, UNDELIVERABLE, Owner
from tests.webhooks.listening import make_endpoint
from tests.world import NOW, SENDER, facts_of, make_customer, make_mallory, make_places, send, terms


@pytest.fixture(autouse=True)
def nobody_listens(database: Connection) -> Iterator[None]:
    Snapshot.forget_all()
    yield
    Snapshot.forget_all()


def told(message_id: int | None = None) -> list[tuple[str, dict[str, Any]]]:
    """The events of a message, in their order."""
    rows = WebhookDelivery.objects.order_by("id")
    if message_id is not None:
        rows = rows.filter(subject_id=message_id)
    return [(row.kind, json.loads(row.data)) for row in rows]


def test_each_change_of_a_message_is_told_once_and_in_order(database: Connection) -> None:
    """Also of a long text: its parts are no change of the message."""
    operator, harbour = make_places(errors={"027": 304}), make_customer()
    make_endpoint(harbour, events=["message.*"])
    (id_,) = send(database, harbour, text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, 1)
    owner.taken(id_, 2)
    owner.receipt(f"{id_}1", ENROUTE, "027")
    owner.receipt(f"{id_}1")
    owner.receipt(f"{id_}2")
    events = told(id_)
    assert [kind for kind, _ in events] == ["message.processing", "message.retry", "message.delivered"]
    assert [data["final"] for _, data in events] == [False, False, True]
    last = events[-1][1]
    assert last["id"] == str(id_)
    assert last["to"] == "85261234567"
    assert (last["status_code"], last["reason_code"], last["reason"]) == (22, 300, "None")
    assert last["begins"] == "花花花花花"
    assert last["charged_hkd"] == "0.5800"
    assert last["due_at"] == last["created_at"] == "2026-11-23T02:00:00.000000Z"


def test_how_a_code_begins_is_told_to_nobody(database: Connection) -> None:
    """Whoever can read what a customer's server is told could let themselves in with it."""
    operator, harbour = make_places(), make_customer()
    make_endpoint(harbour, events=["message.*"])
    wanted = Wanted(
        customer=facts_of(database, harbour),
        person_id=harbour.members.get().pk,
        number=85261234567,
        template="{code} opens the shop.",
        sender=SENDER,
        length=4,
    )
    sent = send_code(database, wanted, terms(database), NOW)
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(sent.message_id)
    ((kind, data),) = told()
    assert (kind, data["begins"]) == ("message.processing", "**** ")


def test_each_way_to_end_has_its_event(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    make_endpoint(harbour, events=["message.*"])
    recipients = ["85261230001", "85261230002", "85261230003", "8613800138000"]
    refused, delivered, unknown, without_receipts = send(database, harbour, recipients).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.refused(refused)
    owner.taken(delivered)
    owner.receipt(f"{delivered}1", recipient=85261230002)
    owner.unanswered(unknown)
    owner.taken(without_receipts, receipts=False)
    assert {id_: [kind for kind, _ in told(id_)] for id_ in (refused, delivered, unknown, without_receipts)} == {
        refused: ["message.undeliverable"],
        delivered: ["message.processing", "message.delivered"],
        unknown: ["message.processing"],
        without_receipts: ["message.sent"],
    }


def test_messages_that_are_refused_as_they_are_accepted_are_told(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    make_endpoint(harbour, events=["message.undeliverable"])
    accepted = send(database, harbour, ["85261234567", "79123456789"])
    ((kind, data),) = told()
    assert (kind, data["id"]) == ("message.undeliverable", str(accepted.message_ids[1]))
    assert (data["reason_code"], data["charged_hkd"]) == (306, "0.0000")


def test_a_scheduled_batch_that_ends_as_it_starts_is_told(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="1000")
    make_endpoint(harbour, events=["message.*"])
    due = NOW + timedelta(hours=2)
    send(database, harbour, ["85261234567"], scheduled_at=due)
    assert told() == []
    harbour.sender_ids.update(withdrawn_at=NOW)
    Snapshot.forget_all()
    schedule.start_one(database, terms(database), due)
    assert [(kind, data["reason_code"]) for kind, data in told()] == [("message.undeliverable", 312)]
    assert told()[0][1]["due_at"] == "2026-11-23T04:00:00.000000Z"


def test_nothing_is_told_to_others_and_nothing_of_what_was_rolled_back(database: Connection) -> None:
    make_places()
    harbour, mallory = make_customer(), make_mallory()
    make_endpoint(mallory, events=["message.*", "batch.finished"])
    accepted = send(database, harbour, ["79123456789", "85261234567"])
    cancel(database, accepted.batch_id, NOW)
    assert WebhookDelivery.objects.count() == BatchToTell.objects.count() == 0
    make_endpoint(harbour, events=["message.*"])
    second = send(database, harbour)
    with database.transaction(force_rollback=True):
        cancel(database, second.batch_id, NOW)
        assert len(told()) == 0
    assert told() == []


def test_a_charge_that_is_settled_after_the_end_is_told_again(database: Connection) -> None:
    """One part has failed before the other was answered (spec S82a)."""
    operator, harbour = make_places(errors={"001": 303}), make_customer()
    make_endpoint(harbour, events=["message.undeliverable"])
    (id_,) = send(database, harbour, text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, 1)
    owner.receipt(f"{id_}1", UNDELIVERABLE, "001")
    owner.taken(id_, 2)
    assert [(kind, data["charged_hkd"]) for kind, data in told(id_)] == [
        ("message.undeliverable", "0.0000"),
        ("message.undeliverable", "0.5800"),
    ]


def test_a_batch_is_finished_when_its_last_message_is_final_and_is_told_once(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    make_endpoint(harbour, events=["batch.finished"])
    accepted = send(database, harbour, ["85261234567", "85261234568", "79123456789"], name="Market")
    first, second, _ = accepted.message_ids
    assert tell_finished(database, NOW) == 1  # looked at, and not finished
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(first)
    owner.taken(second)
    owner.receipt(f"{first}1", recipient=85261234567)
    later = NOW + timedelta(minutes=2)
    tell_finished(database, later)
    assert told() == []
    owner.receipt(f"{second}1", recipient=85261234568)
    tell_finished(database, later + timedelta(minutes=2))
    tell_finished(database, later + timedelta(minutes=4))
    ((kind, data),) = told()
    assert kind == "batch.finished"
    assert data == {
        "id": str(accepted.batch_id),
        "name": "Market",
        "messages": 3,
        "sent": 0,
        "delivered": 2,
        "expired": 0,
        "undeliverable": 1,
        "charged_hkd": "0.5800",
        "finished_at": data["finished_at"],
    }
    assert BatchToTell.objects.count() == 0
