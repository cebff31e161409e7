"""Public pages: prices and coverage, for everybody; a member sees its own prices (spec S43, S138)."""

from datetime import UTC, datetime

import pytest

from sampan.accounts.tables import Customer
from sampan.billing.money import pips_of
from sampan.billing.tables import CustomerPrice, Price, VolumeTier
from sampan.database import Connection
from sampan.routing.tables import Destination, Route
from tests.interfaces.portal.pages import html, signed_in, visitor, words
from tests.world import make_customer, make_places

LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(autouse=True)
def places(database: Connection) -> None:
    make_places()
    VolumeTier.objects.all().delete()
    for tier, amount in ((1, "300"), (2, "10,000")):
        VolumeTier.objects.create(tier=tier, from_pips=pips_of(amount))
    destination, route = Destination.objects.get(name="Hong Kong"), Route.objects.get(code="hk-business")
    Price.objects.filter(tier__gt=1).delete()
    Price.objects.create(
        destination=destination, route=route, tier=2, effective_from=LONG_AGO, unit_pips=pips_of("0.27")
    )


def test_everybody_sees_the_prices_of_each_tier(database: Connection) -> None:
    said = words(visitor().get("/prices/"))
    assert "Tier 2 HK$10,000.00 or more in one top-up" in said
    assert "Hong Kong Hong Kong, business 0.2900 0.2700" in said
    assert "Macau Macau 0.3400 0.3400" in said
    assert "Your price" not in said


def test_a_member_sees_what_it_pays_and_nobody_else_does(database: Connection) -> None:
    harbour: Customer = make_customer()
    way = {"destination": Destination.objects.get(name="Hong Kong"), "route": Route.objects.get(code="hk-business")}
    CustomerPrice.objects.create(customer=harbour, effective_from=LONG_AGO, unit_pips=pips_of("0.2345"), **way)
    assert "Hong Kong Hong Kong, business 0.2345 0.2900 0.2700" in words(signed_in().get("/prices/"))
    assert "0.2345" not in html(visitor().get("/prices/"))
    make_customer("other", senders=())
    assert "0.2345" not in html(signed_in("other").get("/prices.csv"))


def test_the_list_is_a_file_too(database: Connection) -> None:
    lines = html(visitor().get("/prices.csv")).splitlines()
    assert lines[0].endswith("destination,route,tier_1_hkd,tier_2_hkd")
    assert "Hong Kong,hk-business,0.2900,0.2700" in lines


def test_coverage_says_what_each_route_does(database: Connection) -> None:
    said = words(visitor().get("/coverage/"))
    assert "Hong Kong Hong Kong, business Shown Yes 0.2900" in said
    assert "Hong Kong Hong Kong, economic The operator’s None 0.1800" in said


def test_a_route_that_nobody_carries_is_not_offered(database: Connection) -> None:
    Route.objects.get(code="macau").carriers.all().delete()
    from sampan.database import Snapshot

    Snapshot.forget_all()
    assert "Macau Macau" not in words(visitor().get("/prices/"))
