"""Batches that wait for their time, and what is asked again when it comes (spec S50, S81, S97)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer, SenderId
from sampan.billing import ledger
from sampan.billing.tables import Account, Price, Transfer
from sampan.database import Connection, Snapshot
from sampan.messages.schedule import start_one
from sampan.messages.submit import Accepted
from sampan.messages.tables import Batch, Message, Queued, Status
from sampan.reasons import BY_NUMBER, Reason
from sampan.routing.tables import Destination, Route
from tests.world import NOW, make_customer, make_places, send, terms

DUE = NOW + timedelta(hours=3)
HONG_KONG, LONDON, SHENZHEN = 85261234567, 447911123456, 8613812345678


def scheduled(conn: Connection, customer: Customer, recipients: list[int], **changes: Any) -> Accepted:
    return send(conn, customer, recipients, scheduled_at=DUE, **changes)


def start(conn: Connection, now: datetime = DUE) -> Any:
    Snapshot.forget_all()
    return start_one(conn, terms(conn), now)


def ends(batch_id: int) -> list[tuple[int, Reason]]:
    return [(m.status, BY_NUMBER[m.reason]) for m in Message.objects.filter(batch_id=batch_id).order_by("id")]


def available_and_held(conn: Connection, customer: Customer) -> tuple[int, int]:
    found = ledger.balances(conn, [customer.pk])
    return found[customer.pk, Account.Kind.AVAILABLE], found[customer.pk, Account.Kind.HELD]


def test_nothing_starts_before_its_time_and_everything_once_after_it(database: Connection) -> None:
    operator, harbour = make_places(), make_customer(balance="10")
    accepted = scheduled(database, harbour, [HONG_KONG, LONDON], text="花" * 80)
    assert start(database, DUE - timedelta(seconds=1)) is None
    assert start(database) == {(operator.pk, 1, harbour.pk)}
    assert start(database) is None
    assert ends(accepted.batch_id) == [(2, Reason.NONE), (2, Reason.NONE)]
    queued = list(Queued.objects.order_by("message_id"))
    assert [(q.message_id, q.parts_left) for q in queued] == [(id_, 3) for id_ in accepted.message_ids]
    assert queued[0].send_by == DUE + timedelta(minutes=120)  # the waiting does not count
    price = 2 * (2_900 + 3_700)
    assert available_and_held(database, harbour) == (100_000 - price, price)
    assert {m.hold_id for m in Message.objects.all()} == {Transfer.objects.get(kind=Transfer.Kind.HOLD).pk}
    batch = Batch.objects.get()
    assert (batch.state, batch.started_at) == (Batch.State.RUNNING, DUE)


def test_the_price_is_the_one_then_in_force(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="10")
    accepted = scheduled(database, harbour, [HONG_KONG])
    Price.objects.create(
        destination=Destination.objects.get(name="Hong Kong"),
        route=Route.objects.get(code="hk-business"),
        effective_from=DUE - timedelta(hours=1),
        unit_pips=5_000,
    )
    start(database)
    assert Message.objects.get(pk=accepted.message_ids[0]).price_pips == 5_000
    assert available_and_held(database, harbour) == (95_000, 5_000)


def test_where_the_money_is_short_the_first_that_does_not_fit_and_all_after_it_end(database: Connection) -> None:
    """Spec S81: also a cheaper one after it, that would fit. Nothing of it is charged."""
    make_places()
    harbour = make_customer(balance="1.31")
    accepted = scheduled(database, harbour, [HONG_KONG, SHENZHEN, LONDON, HONG_KONG + 1])  # 0.29, 0.36, 0.37, 0.29
    other = send(database, harbour, [LONDON])  # spends 0.37 meanwhile
    start(database)
    assert ends(accepted.batch_id) == [
        (Status.UPLOAD_SUCCESS, Reason.NONE),
        (Status.UPLOAD_SUCCESS, Reason.NONE),
        (Status.UNDELIVERABLE, Reason.BALANCE_TOO_LOW),
        (Status.UNDELIVERABLE, Reason.BALANCE_TOO_LOW),
    ]
    assert available_and_held(database, harbour) == (2_900, 3_700 + 6_500)
    short = Message.objects.filter(reason=Reason.BALANCE_TOO_LOW.number)
    assert {(m.price_pips, m.hold_id, m.final_at) for m in short} == {(0, None, DUE)}
    assert Queued.objects.exclude(message_id__in=other.message_ids).count() == 2


def test_a_suspended_customers_batch_is_held(database: Connection) -> None:
    """Spec S97."""
    make_places()
    harbour = make_customer()
    accepted = scheduled(database, harbour, [HONG_KONG])
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    assert start(database) == set()
    assert Batch.objects.get().state == Batch.State.HELD
    assert ends(accepted.batch_id) == [(Status.SCHEDULING, Reason.NONE)]
    assert start(database) is None


def test_a_withdrawn_sender_ends_its_batch_uncharged(database: Connection) -> None:
    """Spec S60, S97: 312."""
    make_places()
    harbour = make_customer()
    accepted = scheduled(database, harbour, [HONG_KONG, LONDON])
    SenderId.objects.update(withdrawn_at=DUE)
    start(database)
    assert ends(accepted.batch_id) == [(Status.UNDELIVERABLE, Reason.SENDER_WITHDRAWN)] * 2
    assert available_and_held(database, harbour)[1] == 0
    assert start(database) is None


@pytest.mark.parametrize("change", ["limit", "price"])
def test_limit_and_routes_are_asked_again(database: Connection, change: str) -> None:
    make_places()
    harbour = make_customer()
    accepted = scheduled(database, harbour, [HONG_KONG, LONDON])
    if change == "limit":
        Customer.objects.update(message_limit_pips=3_000)
        reason = Reason.OVER_MESSAGE_LIMIT
    else:
        Price.objects.filter(destination__name="United Kingdom").delete()
        reason = Reason.NO_ROUTE
    start(database)
    assert ends(accepted.batch_id) == [(2, Reason.NONE), (Status.UNDELIVERABLE, reason)]
    assert available_and_held(database, harbour)[1] == 2_900


def test_what_was_filtered_when_it_was_accepted_stays_as_it_ended(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    accepted = scheduled(database, harbour, [2348031234567, HONG_KONG])
    start(database)
    assert ends(accepted.batch_id) == [(Status.UNDELIVERABLE, Reason.NO_ROUTE), (2, Reason.NONE)]


def test_a_large_batch_starts_in_one_go(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="2000")
    scheduled(database, harbour, [85261000000 + n for n in range(5_000)])
    start(database)
    assert Queued.objects.count() == 5_000
    assert available_and_held(database, harbour)[1] == 5_000 * 2_900
