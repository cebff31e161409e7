"""An event is written for those who want it, in the transaction of what happened (spec S103)."""

import pytest

from sampan.database import Connection
from sampan.messages.telling import told, wants_new
from sampan.webhooks.events import Event, emit, listeners
from sampan.webhooks.tables import WebhookDelivery
from tests.webhooks.listening import make_endpoint
from tests.world import NOW, make_customer, make_mallory


@pytest.fixture(autouse=True)
def nobody_listens(database: Connection) -> None:
    listeners.forget()


def low(customer_id: int) -> Event:
    return Event("balance.low", customer_id, customer_id, {"available": "12.50"})


def test_an_event_is_written_for_each_endpoint_that_wants_it_by_its_name_or_its_group(database: Connection) -> None:
    harbour = make_customer()
    by_name = make_endpoint(harbour, events=["balance.low"])
    make_endpoint(harbour, events=["reply.received"])
    by_group = make_endpoint(harbour, events=["sender_id.*"])
    assert emit(database, [low(harbour.pk)], now=NOW) == 1
    assert emit(database, [Event("sender_id.approved", harbour.pk, 5, {"sender": "HarbourFlo"})], now=NOW) == 1
    first, second = WebhookDelivery.objects.order_by("id")
    assert (first.endpoint, first.kind, first.data) == (by_name, "balance.low", '{"available":"12.50"}')
    assert (second.endpoint, second.kind, second.subject_id) == (by_group, "sender_id.approved", 5)
    assert first.at == first.begun_at == first.next_at == NOW


def test_nobody_is_told_of_what_happened_to_another_customer(database: Connection) -> None:
    harbour, mallory = make_customer(), make_mallory()
    make_endpoint(mallory, events=["balance.low", "message.*", "sender_id.*"])
    assert emit(database, [low(harbour.pk)], now=NOW) == 0
    assert WebhookDelivery.objects.count() == 0


def test_nothing_is_written_for_an_endpoint_that_is_off_or_was_removed(database: Connection) -> None:
    harbour = make_customer()
    off, removed = (make_endpoint(harbour, events=["balance.low"]) for _ in range(2))
    off.off_since, off.off_why, removed.removed_at = NOW, off.Off.BY_MEMBER, NOW
    off.save()
    removed.save()
    listeners.forget()
    assert emit(database, [low(harbour.pk)], now=NOW) == 0


def test_an_event_goes_with_the_transaction_that_it_was_written_in(database: Connection) -> None:
    harbour = make_customer()
    make_endpoint(harbour, events=["balance.low"])
    with database.transaction(force_rollback=True):
        assert emit(database, [low(harbour.pk)], now=NOW) == 1
    assert WebhookDelivery.objects.count() == 0


def test_text_of_any_kind_survives(database: Connection) -> None:
    harbour = make_customer()
    make_endpoint(harbour, events=["reply.received"])
    emit(database, [Event("reply.received", harbour.pk, 1, {"text": 'a "quote", \\ {braces} 你好 NULL'})], now=NOW)
    assert WebhookDelivery.objects.get().data == '{"text":"a \\"quote\\", \\\\ {braces} 你好 NULL"}'


def test_where_nobody_listens_nothing_is_asked_of_the_database(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The way of every message: its connection is not touched."""
    monkeypatch.setattr("sampan.database.UNHEARD_SNAPSHOT_S", 60)
    harbour = make_customer()
    assert listeners.get(database) == {}
    database.close()
    assert emit(database, [low(harbour.pk)], now=NOW) == 0
    with told(database, [100001], NOW):
        pass
    assert not wants_new(database, [harbour.pk])
