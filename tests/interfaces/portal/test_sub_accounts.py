"""Sub accounts: the primary's owner moves money, both see it, and nobody else sees anything (spec S88)."""

import pytest
from django.utils import timezone

from sampan.accounts.tables import Customer, Person
from sampan.billing import groups, ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Account
from sampan.database import Connection
from tests.interfaces.portal.pages import errors_of, location, signed_in, words
from tests.world import make_customer, make_mallory, make_staff

PAGE = "/money/sub-accounts/"


@pytest.fixture
def group(database: Connection) -> tuple[Customer, Customer]:
    """Harbour Florist and its sub account."""
    harbour, macau = make_customer(), make_customer("macau", name="Florist Macau", senders=(), balance="0")
    fanny = make_staff("fanny", role=Person.StaffRole.FINANCE)
    groups.link(macau.pk, harbour.pk, why="one registration", by=fanny, now=timezone.now())
    return harbour, macau


def move(origin: Customer, target: Customer, amount: str = "300") -> dict[str, object]:
    return {"origin": origin.pk, "target": target.pk, "amount": amount}


def available(conn: Connection, customer: Customer) -> int:
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


def test_the_owner_moves_money_and_both_see_it(database: Connection, group: tuple[Customer, Customer]) -> None:
    harbour, macau = group
    client = signed_in()
    assert "Florist Macau 0.0000 0.0000" in words(client.get(PAGE))
    page = words(client.get(location(client.post(PAGE, move(harbour, macau)))))
    assert "The money is there." in page
    assert "Sent to Florist Macau Harbour Florist 300.0000" in page
    assert available(database, macau) == pips_of("300")
    assert "Received from Harbour Florist" in words(signed_in("macau").get("/money/"))
    assert "Sent to Florist Macau" in words(client.get("/money/statement/"))


@pytest.mark.parametrize(("amount", "field"), [("1,000.0001", "amount"), ("0", "amount"), ("x", "amount")])
def test_what_cannot_be_moved_is_said_beside_its_field(
    database: Connection, group: tuple[Customer, Customer], amount: str, field: str
) -> None:
    response = signed_in().post(PAGE, move(*group, amount))
    assert (response.status_code, list(errors_of(response))) == (422, [field])
    assert available(database, group[1]) == 0


def test_a_sub_account_and_a_stranger_have_no_such_page(database: Connection, group: tuple[Customer, Customer]) -> None:
    make_mallory()
    for name in ("macau", "mallory"):
        client = signed_in(name)
        assert client.get(PAGE).status_code == 404
        assert client.post(PAGE, move(*group)).status_code == 404
    assert available(database, group[1]) == 0


def test_money_goes_to_no_account_outside_the_group(database: Connection, group: tuple[Customer, Customer]) -> None:
    mallory = make_mallory()
    for given in (move(group[0], mallory), move(mallory, group[0])):
        assert signed_in().post(PAGE, given).status_code == 422
    assert available(database, mallory) == pips_of("1000")


def test_finance_of_the_primary_sees_the_page_and_moves_nothing(
    database: Connection, group: tuple[Customer, Customer]
) -> None:
    Person.objects.create(login_name="yan", customer=group[0], role=Person.Role.FINANCE, created_at=timezone.now())
    yan = signed_in("yan")
    assert "Move money" not in words(yan.get(PAGE))
    yan.post(PAGE, move(*group))
    assert available(database, group[1]) == 0
