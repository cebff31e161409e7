"""What can refuse is asked again when a held or paused batch starts or goes on (spec S97)."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from sampan.accounts.tables import Customer, SenderId
from sampan.billing.tables import Price
from sampan.compliance import china_numbers, preferences, words
from sampan.compliance.tables import ChinaNumber, Preference, RegisteredNumber
from sampan.database import Connection, Snapshot
from sampan.messages import batches, stopping
from sampan.messages.planning import PROMOTIONAL_SEND_BY, longest_wait
from sampan.messages.schedule import STALE_AFTER, start_one
from sampan.messages.tables import Batch, BatchAct, Message, Purpose, Queued, Status
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import Owner, money, shown
from tests.world import NOW, make_customer, make_places, make_staff, send, terms

HONG_KONG, LONDON, CHINA = 85261234567, 447911123456, 8613812345678
TWO_PARTS = "花" * 80


def resume(conn: Connection, batch_id: int) -> object:
    Snapshot.forget_all()
    return batches.resume(conn, batch_id, terms(conn), NOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("sender", Reason.SENDER_WITHDRAWN),
        ("limit", Reason.OVER_MESSAGE_LIMIT),
        ("route", Reason.NO_ROUTE),
    ],
)
def test_a_paused_batch_is_asked_again_and_what_is_refused_ends_and_is_given_back(
    database: Connection, change: str, reason: Reason
) -> None:
    make_places()
    harbour = make_customer()
    sent = send(database, harbour, [HONG_KONG, LONDON])
    batches.pause(database, sent.batch_id, NOW)
    if change == "sender":
        SenderId.objects.update(withdrawn_at=NOW)
    elif change == "limit":
        Customer.objects.update(message_limit_pips=3_000)
    else:
        Price.objects.filter(destination__name="United Kingdom").delete()
    resume(database, sent.batch_id)
    assert shown(sent.message_ids[1]) == (Status.UNDELIVERABLE, reason, True)
    left = 0 if change == "sender" else 1
    assert Queued.objects.count() == left
    assert money(database, harbour) == {"held": left * 2_900, "charged": 0}


def list_on_the_register(_conn: Connection, _harbour: Customer) -> None:
    RegisteredNumber.objects.create(number=HONG_KONG, listed_on=date(2020, 1, 1))


def unsubscribe(conn: Connection, harbour: Customer) -> None:
    way = Preference.Way.HAND
    preferences.unsubscribe(conn, harbour.pk, [HONG_KONG], way=way, at=NOW, evidence="rang", now=NOW)


def bar_the_word(_conn: Connection, _harbour: Customer) -> None:
    words.add_words(["发票"], by=make_staff(), now=NOW, why="the operator refused it")


def block_in_china(_conn: Connection, _harbour: Customer) -> None:
    china_numbers.list_numbers([str(CHINA)], ChinaNumber.Kind.BLOCK, grounds="complained", by=make_staff(), now=NOW)


@pytest.mark.parametrize("start", ["due", "resumed", "released"])
@pytest.mark.parametrize(
    ("change", "recipient", "reason"),
    [
        (list_on_the_register, HONG_KONG, Reason.DO_NOT_CALL),
        (unsubscribe, HONG_KONG, Reason.UNSUBSCRIBED),
        (bar_the_word, CHINA, Reason.ILLEGAL_WORD),
        (block_in_china, CHINA, Reason.BLOCKED),
    ],
    ids=lambda each: each.name if isinstance(each, Reason) else None,
)
def test_the_law_is_asked_again_however_a_batch_goes_on(
    database: Connection,
    start: str,
    change: Callable[[Connection, Customer], None],
    recipient: int,
    reason: Reason,
) -> None:
    """Spec S97: what became forbidden while it waited ends uncharged, and the others go."""
    make_places()
    harbour = make_customer()
    due = NOW + timedelta(hours=2)
    sent = send(
        database,
        harbour,
        [recipient, LONDON],
        text="代開發.票",
        purpose=Purpose.PROMOTIONAL,
        scheduled_at=None if start == "resumed" else due,
    )
    if start == "resumed":
        batches.pause(database, sent.batch_id, NOW)
    change(database, harbour)
    Snapshot.forget_all()
    if start == "resumed":
        batches.resume(database, sent.batch_id, terms(database), NOW)
    elif start == "due":
        start_one(database, terms(database), due)
    else:
        late = due + STALE_AFTER + timedelta(minutes=1)
        start_one(database, terms(database), late)
        batches.release(database, sent.batch_id, terms(database), late)
        start_one(database, terms(database), late)
    assert shown(sent.message_ids[0]) == (Status.UNDELIVERABLE, reason, True)
    assert list(Queued.objects.values_list("message_id", flat=True)) == [sent.message_ids[1]]
    assert money(database, harbour) == {"held": 3_700, "charged": 0}


def test_a_message_of_which_a_part_has_gone_is_finished(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, text=TWO_PARTS)
    owner = Owner(operator)
    owner.hand_over(harbour)
    batches.pause(database, sent.batch_id, NOW)
    owner.taken(sent.message_ids[0], 1)
    owner.unsent(sent.message_ids[0], 2)
    SenderId.objects.update(withdrawn_at=NOW)
    resume(database, sent.batch_id)
    assert Queued.objects.get().parts_left == 2


def test_what_a_paused_batch_holds_keeps_its_price(database: Connection) -> None:
    """Spec S10, S86."""
    make_places()
    harbour = make_customer(balance="0.29")
    sent = send(database, harbour)
    batches.pause(database, sent.batch_id, NOW)
    Price.objects.update(unit_pips=9_900)
    resume(database, sent.batch_id)
    assert Queued.objects.count() == 1
    assert money(database, harbour)["held"] == 2_900


def test_a_suspended_customers_running_batch_is_held_and_goes_on_when_released(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, [HONG_KONG, LONDON])
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    Snapshot.forget_all()
    assert stopping.hold_suspended(database, NOW) == 1
    assert stopping.hold_suspended(database, NOW) == 0
    batch = Batch.objects.get()
    assert (batch.state, batch.held_for) == (Batch.State.HELD, Batch.HeldFor.SUSPENDED)
    assert not Queued.objects.exists()
    assert money(database, harbour)["held"] == 2_900 + 3_700
    with pytest.raises(Refused) as caught:
        batches.release(database, sent.batch_id, terms(database), NOW)
    assert caught.value.reason == Reason.ACCOUNT_DISABLED
    Customer.objects.update(status=Customer.Status.NORMAL)
    Snapshot.forget_all()
    assert batches.release(database, sent.batch_id, terms(database), NOW) == {(operator.pk, 1, harbour.pk)}
    assert set(Queued.objects.values_list("message_id", flat=True)) == set(sent.message_ids)
    assert list(BatchAct.objects.order_by("pk").values_list("kind", flat=True)) == [
        BatchAct.Kind.HELD,
        BatchAct.Kind.RELEASED,
    ]


def test_nothing_waits_for_an_operator_longer_than_a_day_without_being_asked_again() -> None:
    """Register and unsubscribes again after 24 h: a message that is free to go has left, or ended, by then."""
    assert longest_wait(Purpose.PROMOTIONAL, 1380) == PROMOTIONAL_SEND_BY <= timedelta(hours=24)
    assert longest_wait(Purpose.TRANSACTIONAL, 1380) <= timedelta(hours=24)


def test_a_resumed_batch_of_a_suspended_customer_stays_paused(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    sent = send(database, harbour)
    batches.pause(database, sent.batch_id, NOW)
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    with pytest.raises(Refused) as caught:
        resume(database, sent.batch_id)
    assert caught.value.reason == Reason.ACCOUNT_DISABLED
    assert Batch.objects.get().state == Batch.State.PAUSED
    assert Message.objects.get().final_at is None
