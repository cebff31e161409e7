"""Mail addresses that texts are sent from: proven by a code, one customer's at a time (spec S122)."""

from datetime import timedelta

import pytest

from sampan.accounts.mail_addresses import (
    MOST_ADDRESSES,
    VALID_FOR,
    Registered,
    ask,
    registered,
    remove,
    switch,
    wrong_code,
)
from sampan.accounts.proofs.tables import MailAddress
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_mallory, make_places

ADDRESS = "orders@harbour.example"
SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(minutes=3)


@pytest.fixture
def owner(database: Connection) -> Person:
    make_places()
    return Person.objects.get(customer=make_customer())


def register(owner: Person, address: str = ADDRESS) -> MailAddress:
    assert wrong_code(owner, address, ask(owner, address, now=NOW), now=SOON) is None
    return MailAddress.objects.get(address=address.lower(), customer=owner.customer, removed_at=None)


def test_an_address_acts_for_who_proved_it(database: Connection, owner: Person) -> None:
    register(owner, "Orders@Harbour.example")
    found = registered(database, "ORDERS@harbour.example")
    assert isinstance(found, Registered)
    assert (found.person_id, found.customer.id, found.language) == (owner.pk, owner.customer_id, "en")


def test_it_counts_only_once_its_code_has_come_back(database: Connection, owner: Person) -> None:
    ask(owner, ADDRESS, now=NOW)
    assert registered(database, ADDRESS) is None


def test_a_wrong_code_counts_and_five_of_them_void_it(owner: Person) -> None:
    code = ask(owner, ADDRESS, now=NOW)
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert reason(wrong_code(owner, ADDRESS, wrong, now=SOON)) == Reason.CODE_WRONG
    assert reason(wrong_code(owner, ADDRESS, code, now=SOON)) == Reason.CODE_EXPIRED


def test_a_code_counts_for_an_hour(owner: Person) -> None:
    code = ask(owner, ADDRESS, now=NOW)
    late = NOW + VALID_FOR + timedelta(seconds=1)
    assert reason(wrong_code(owner, ADDRESS, code, now=late)) == Reason.CODE_EXPIRED


def test_one_code_in_two_minutes_and_three_a_day_go_to_an_address_whoever_asks(owner: Person) -> None:
    """Nobody fills a stranger's mailbox by us."""
    mallory = Person.objects.get(customer=make_mallory())
    ask(mallory, ADDRESS, now=NOW)
    with pytest.raises(Refused) as refused:
        ask(owner, ADDRESS, now=SOON)
    assert refused.value.reason == Reason.CODE_TOO_SOON
    ask(owner, ADDRESS, now=LATER)
    ask(mallory, ADDRESS, now=LATER + timedelta(minutes=3))
    with pytest.raises(Refused) as refused:
        ask(owner, ADDRESS, now=LATER + timedelta(minutes=6))
    assert refused.value.reason == Reason.TOO_MANY_CODES


def test_a_customer_has_so_many_and_no_more(owner: Person) -> None:
    for number in range(MOST_ADDRESSES):
        at = NOW + number * timedelta(days=2)
        assert wrong_code(owner, f"{number}@a.example", ask(owner, f"{number}@a.example", now=at), now=at) is None
    with pytest.raises(Refused) as refused:
        ask(owner, ADDRESS, now=NOW + timedelta(days=100))
    assert refused.value.reason == Reason.TOO_MANY_MAIL_ADDRESSES


def test_mallory_cannot_take_over_what_is_registered_nor_guess_anothers_code(
    database: Connection, owner: Person
) -> None:
    mallory = Person.objects.get(customer=make_mallory())
    row = register(owner)
    code = ask(mallory, ADDRESS, now=LATER)
    assert reason(wrong_code(mallory, ADDRESS, code, now=LATER)) == Reason.MAIL_ADDRESS_TAKEN
    switch(mallory, row.pk, on=False)
    remove(mallory, row.pk, now=LATER)
    found = registered(database, ADDRESS)
    assert found is not None
    assert found.customer.id == owner.customer_id


def test_a_code_of_one_address_proves_no_other(owner: Person) -> None:
    code = ask(owner, ADDRESS, now=NOW)
    other = ask(owner, "other@harbour.example", now=NOW)
    by_chance = None if other == code else Reason.CODE_WRONG
    assert reason(wrong_code(owner, "other@harbour.example", code, now=SOON)) == by_chance
    assert reason(wrong_code(owner, "third@harbour.example", code, now=SOON)) == Reason.CODE_EXPIRED


def test_off_and_removed_it_sends_nothing_and_on_again_it_does(database: Connection, owner: Person) -> None:
    row = register(owner)
    switch(owner, row.pk, on=False)
    assert registered(database, ADDRESS) is None
    switch(owner, row.pk, on=True)
    assert registered(database, ADDRESS)
    remove(owner, row.pk, now=LATER)
    assert registered(database, ADDRESS) is None


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "viewer"}, {"role": "sender", "may_send": False}])
def test_it_sends_no_more_when_its_member_does_not(
    database: Connection, owner: Person, change: dict[str, object]
) -> None:
    register(owner)
    Person.objects.filter(pk=owner.pk).update(**change)
    assert registered(database, ADDRESS) is None


def reason(refused: Refused | None) -> Reason | None:
    return refused.reason if refused else None
