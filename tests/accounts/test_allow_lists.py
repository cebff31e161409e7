"""The networks that an account's APIs may be called from (spec S125)."""

import asyncio
from datetime import timedelta
from ipaddress import ip_network

import pytest

from sampan.accounts.allow_lists import (
    MOST_NETWORKS,
    MOST_SHOWN,
    admit,
    allow,
    disallow,
    is_allowed,
    note_refused,
    read_network,
)
from sampan.accounts.tables import AllowedNetwork, Customer, Person, RefusedAddress
from sampan.database import Connection, DatabaseThreads, Snapshot
from sampan.reasons import Reason, Refused
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.world import NOW, facts_of, make_customer, make_mallory

OFFICE, HOME = "203.0.113.7", "198.51.100.9"


def owner_of(customer: Customer) -> Person:
    return Person.objects.get(customer=customer)


@pytest.mark.parametrize(
    ("networks", "address", "allowed"),
    [
        ([], OFFICE, True),
        ([], "", True),
        (["203.0.113.0/24"], OFFICE, True),
        (["203.0.113.0/24"], HOME, False),
        (["203.0.113.7/32", "198.51.100.0/25"], HOME, True),
        (["203.0.113.0/24"], "::ffff:203.0.113.7", True),
        (["203.0.113.0/24"], "2001:db8::7", False),
        (["2001:db8::/32"], "2001:db8::7", True),
        (["2001:db8::/32"], OFFICE, False),
        (["203.0.113.0/24"], "", False),
        (["203.0.113.0/24"], "unix:", False),
    ],
)
def test_an_address_is_allowed_where_a_network_has_it_or_none_is_named(
    networks: list[str], address: str, allowed: bool
) -> None:
    assert is_allowed(tuple(map(ip_network, networks)), address) == allowed


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 203.0.113.7 ", "203.0.113.7/32"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        ("2001:DB8:0:0::/64", "2001:db8::/64"),
    ],
)
def test_a_network_is_kept_as_its_standard_writes_it(typed: str, kept: str) -> None:
    assert str(read_network(typed)) == kept


@pytest.mark.parametrize("typed", ["", "harbour.hk", "203.0.113", "203.0.113.7/33", "0.0.0.0/0", "::/0", "1.2.3.4,5"])
def test_what_is_no_network_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        read_network(typed)
    assert refused.value.reason == Reason.NOT_A_NETWORK


def test_an_account_has_so_many_networks_and_one_of_them_once(database: Connection) -> None:
    owner = owner_of(make_customer())
    for number in range(MOST_NETWORKS):
        allow(owner, f"10.0.{number}.0/24", note="", now=NOW)
    allow(owner, "10.0.0.5/24", note="the shop", now=NOW)
    assert AllowedNetwork.objects.count() == MOST_NETWORKS
    with pytest.raises(Refused) as refused:
        allow(owner, OFFICE, note="", now=NOW)
    assert refused.value.reason == Reason.TOO_MANY_NETWORKS


def test_mallory_takes_no_network_off_anothers_list(database: Connection) -> None:
    row = allow(owner_of(make_customer()), OFFICE, note="", now=NOW)
    disallow(owner_of(make_mallory()), row.pk)
    assert AllowedNetwork.objects.get() == row


def test_who_is_turned_away_is_noted_once_a_minute_and_forgotten_when_allowed(database: Connection) -> None:
    harbour = make_customer()
    owner = owner_of(harbour)
    row = allow(owner, OFFICE, note="", now=NOW)
    facts = facts_of(database, harbour)

    async def scenario() -> None:
        threads = DatabaseThreads(1, "tests")
        await admit(threads, facts, door="HTTP", address=OFFICE, now=NOW)
        for seconds in (0, 30, 61):
            with pytest.raises(Refused) as refused:
                await admit(threads, facts, door="HTTP", address=HOME, now=NOW + timedelta(seconds=seconds))
            assert (refused.value.reason, refused.value.value) == (Reason.ADDRESS_NOT_ALLOWED, HOME)
        threads.close()

    asyncio.run(scenario())
    found = RefusedAddress.objects.get()
    assert (found.customer_id, found.door, found.address) == (harbour.pk, "HTTP", HOME)
    assert (found.first_at, found.last_at) == (NOW, NOW + timedelta(seconds=61))
    disallow(owner, row.pk)
    allow(owner, "198.51.100.0/24", note="", now=NOW)
    assert not RefusedAddress.objects.exists()
    Snapshot.forget_all()
    assert facts_of(database, harbour).networks == (ip_network("198.51.100.0/24"),)


def test_the_latest_addresses_of_a_customer_are_kept(database: Connection) -> None:
    harbour, mallory = make_customer(), make_mallory()
    note_refused(database, mallory.pk, "HTTP", HOME, NOW - timedelta(days=1))
    for number in range(MOST_SHOWN + 3):
        note_refused(database, harbour.pk, "SMPP", f"10.0.0.{number}", NOW + timedelta(seconds=number))
    kept = RefusedAddress.objects.filter(customer=harbour)
    assert (kept.count(), min(row.last_at for row in kept)) == (MOST_SHOWN, NOW + timedelta(seconds=3))
    assert RefusedAddress.objects.filter(customer=mallory).exists()
