"""Passwords, and the limit on guessing them (spec S125, S131)."""

from datetime import timedelta

import pytest

from sampan.accounts.sign_in import (
    MOST_FAILURES_OF_A_NAME,
    MOST_FAILURES_OF_AN_ADDRESS,
    MOST_FAILURES_OF_BOTH,
    WITHIN,
    TooManyFailures,
    prove,
)
from sampan.accounts.tables import Person, SignInFailure
from sampan.database import Connection
from tests.world import NOW, PASSWORD, make_customer

OFFICE, ABROAD, PROXY = "61.238.1.1", "8.8.8.8", "10.0.0.1"


@pytest.fixture(autouse=True)
def florist(database: Connection) -> None:
    make_customer()


def fail(name: str, address: str | None, seconds_ago: int = 0) -> None:
    SignInFailure.objects.create(login_name=name, address=address, at=NOW - timedelta(seconds=seconds_ago))


def test_the_right_password_proves_who_it_is() -> None:
    person = prove("HARBOUR", PASSWORD, address=OFFICE, now=NOW)
    assert person == Person.objects.get()


@pytest.mark.parametrize(("name", "password"), [("harbour", "x"), ("stranger", PASSWORD), ("x" * 200, "x" * 200)])
def test_what_does_not_match_is_counted(name: str, password: str) -> None:
    assert prove(name, password, address=None, now=NOW) is None
    assert SignInFailure.objects.get().login_name == name[:20]


@pytest.mark.parametrize(
    ("most", "name", "address"),
    [
        (MOST_FAILURES_OF_BOTH, "harbour", OFFICE),
        (MOST_FAILURES_OF_A_NAME, "harbour", "61.0.0.%s"),
        (MOST_FAILURES_OF_AN_ADDRESS, "stranger%s", OFFICE),
    ],
    ids=["one name from one address", "one name from anywhere", "any name from one address"],
)
def test_too_many_failures_refuse_even_the_right_password_until_they_are_old(
    most: int, name: str, address: str
) -> None:
    """spec S125"""
    for place in range(most):
        if place == most - 1:
            assert prove("harbour", PASSWORD, address="1.1.1.1", now=NOW)  # from elsewhere, and not refused so far
        fail(name.replace("%s", str(place)), address.replace("%s", str(place)), seconds_ago=place)
    with pytest.raises(TooManyFailures) as refused:
        prove("harbour", PASSWORD, address=OFFICE, now=NOW)
    assert refused.value.until == NOW - timedelta(seconds=most - 1) + WITHIN
    assert prove("harbour", PASSWORD, address=OFFICE, now=refused.value.until + timedelta(seconds=1))


def test_where_no_address_is_known_failures_count_together() -> None:
    for _ in range(MOST_FAILURES_OF_BOTH):
        prove("harbour", "wrong", address=None, now=NOW)
    with pytest.raises(TooManyFailures):
        prove("harbour", PASSWORD, address=None, now=NOW)


def test_a_stranger_cannot_lock_somebody_out_with_a_few_tries() -> None:
    """From another address they count for that address alone."""
    for _ in range(MOST_FAILURES_OF_BOTH):
        fail("harbour", ABROAD)
    assert prove("harbour", PASSWORD, address=OFFICE, now=NOW)


def test_a_proxy_of_ours_stands_for_many_and_is_not_refused() -> None:
    for place in range(MOST_FAILURES_OF_AN_ADDRESS):
        fail(f"stranger{place}", PROXY)
    assert prove("harbour", PASSWORD, address=PROXY, now=NOW)


def test_failures_are_forgotten_after_a_day() -> None:
    for _ in range(3):
        fail("harbour", OFFICE)
    prove("harbour", "wrong", address=OFFICE, now=NOW + timedelta(days=2))
    assert SignInFailure.objects.count() == 1
