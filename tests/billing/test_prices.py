"""What a charge unit costs: by tier, from a day on, or a customer's own; in the review, the hold and memory (S83)."""

from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.billing.money import pips_of
from sampan.billing.prices import price_list
from sampan.billing.tables import CustomerPrice, Price
from sampan.database import Connection, Snapshot
from sampan.routing.tables import Destination, Route
from tests.world import NOW, draft_of, make_customer, make_places, plan_of

LATER = NOW + timedelta(days=10)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def hong_kong() -> tuple[Destination, Route]:
    destination = Destination.objects.get(name="Hong Kong")
    return destination, destination.route


def priced(conn: Connection, customer: Customer, moment: object = NOW) -> int | None:
    Snapshot.forget_all()
    destination, route = hong_kong()
    customer.refresh_from_db()
    assert moment is NOW or moment is LATER
    at = NOW if moment is NOW else LATER
    return price_list.get(conn).unit_pips(destination.pk, route.pk, customer.tier, at, customer_id=customer.pk)


def list_price(tier: int, amount: str, effective_from: object = NOW) -> None:
    destination, route = hong_kong()
    values = {"effective_from": effective_from, "unit_pips": pips_of(amount)}
    Price.objects.create(destination=destination, route=route, tier=tier, **values)


def own_price(customer: Customer, amount: str | None, effective_from: object = NOW) -> None:
    destination, route = hong_kong()
    values = {"effective_from": effective_from, "unit_pips": amount and pips_of(amount)}
    CustomerPrice.objects.create(customer=customer, destination=destination, route=route, **values)


def test_a_price_counts_from_its_moment_on(database: Connection, harbour: Customer) -> None:
    list_price(1, "0.31", LATER)
    assert priced(database, harbour) == pips_of("0.29")
    assert priced(database, harbour, LATER) == pips_of("0.31")


@pytest.mark.parametrize(("tier", "amount"), [(1, "0.29"), (2, "0.27"), (3, "0.27"), (4, "0.25")])
def test_a_tier_without_a_price_has_that_of_the_next_lower_one(
    database: Connection, harbour: Customer, tier: int, amount: str
) -> None:
    list_price(2, "0.27")
    list_price(4, "0.25")
    Customer.objects.filter(pk=harbour.pk).update(tier=tier)
    assert priced(database, harbour) == pips_of(amount)


def test_a_customers_own_price_comes_first_until_it_ends(database: Connection, harbour: Customer) -> None:
    own_price(harbour, "0.2")
    own_price(harbour, None, LATER)
    assert priced(database, harbour) == pips_of("0.2")
    assert priced(database, harbour, LATER) == pips_of("0.29")
    assert priced(database, make_customer("other", senders=())) == pips_of("0.29")


def test_the_plan_and_so_the_review_and_the_hold_are_by_the_customers_own_price(
    database: Connection, harbour: Customer
) -> None:
    own_price(harbour, "0.2")
    Snapshot.forget_all()
    assert plan_of(database, draft_of(database, harbour)).price_pips == pips_of("0.2")


def test_a_scheduled_batch_is_planned_at_the_price_of_its_time(database: Connection, harbour: Customer) -> None:
    list_price(1, "0.31", LATER)
    Snapshot.forget_all()
    assert plan_of(database, draft_of(database, harbour, scheduled_at=LATER)).price_pips == pips_of("0.31")
