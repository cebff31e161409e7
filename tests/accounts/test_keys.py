"""Keys of the JSON API: whose they are, what they may, from where and until when (spec S123, S125, S136)."""

from datetime import timedelta

import pytest

from sampan.accounts.access import authenticate
from sampan.accounts.keys import (
    Scope,
    add_json_key,
    add_key,
    digest,
    holder_of,
    networks_of,
    note_use,
    remembered_holder,
)
from sampan.accounts.tables import ApiKey, Customer, Person
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def owner(database: Connection) -> Person:
    make_customer()
    return Person.objects.get(login_name="harbour")


def test_a_key_says_whose_it_is_and_only_its_digest_is_kept(database: Connection, owner: Person) -> None:
    """spec S136"""
    key = add_json_key(owner, name="Shop", test=False, scopes=[Scope.SEND, Scope.READ], now=NOW)
    assert key.startswith("sk_live_")
    assert remembered_holder(key) is None
    holder = holder_of(database, key)
    assert (holder.person_id, holder.customer.id) == (owner.pk, owner.customer_id)
    assert holder.scopes == {Scope.SEND, Scope.READ}
    assert not holder.is_test
    assert remembered_holder(key) == holder
    row = ApiKey.objects.get()
    assert bytes(row.sha256) == digest(key)
    assert row.hint == key[:12]
    assert key not in str(ApiKey.objects.values())


def test_a_test_key_says_so(database: Connection, owner: Person) -> None:
    key = add_json_key(owner, name="Shop", test=True, scopes=[Scope.SEND], now=NOW)
    assert key.startswith("sk_test_")
    assert holder_of(database, key).is_test


def test_one_sort_of_key_does_not_open_the_doors_of_the_other(database: Connection, owner: Person) -> None:
    """A test key, or one that may only read, would send at the HTTP API."""
    json_key = add_json_key(owner, name="Shop", test=True, scopes=[Scope.READ], now=NOW)
    password = add_key(owner, name="Till", now=NOW)
    with pytest.raises(Refused):
        authenticate(database, "harbour", json_key)
    with pytest.raises(Refused):
        holder_of(database, password)
    assert authenticate(database, "harbour", password)


def test_a_key_never_may_more_than_its_member(database: Connection, owner: Person) -> None:
    key = add_json_key(owner, name="Shop", test=False, scopes=list(Scope), now=NOW)
    assert holder_of(database, key).scopes == set(Scope)
    Person.objects.filter(pk=owner.pk).update(role=Person.Role.VIEWER)
    Snapshot.forget_all()
    assert holder_of(database, key).scopes == {Scope.READ}


@pytest.mark.parametrize("what", ["revoked", "a member no more", "unknown", "empty", "endless"])
def test_a_key_that_counts_no_more_is_refused(database: Connection, owner: Person, what: str) -> None:
    key = add_json_key(owner, name="Shop", test=False, scopes=[Scope.READ], now=NOW)
    holder_of(database, key)
    if what == "revoked":
        ApiKey.objects.update(revoked_at=NOW)
    elif what == "a member no more":
        Person.objects.filter(pk=owner.pk).update(is_active=False)
    else:
        key = {"unknown": "sk_live_" + "x" * 40, "empty": "", "endless": key * 100}[what]
    Snapshot.forget_all()
    with pytest.raises(Refused) as refused:
        holder_of(database, key)
    assert refused.value.reason == Reason.BAD_CREDENTIALS


def test_a_key_has_an_end_and_its_places(database: Connection, owner: Person) -> None:
    key = add_json_key(
        owner,
        name="Shop",
        test=False,
        scopes=[Scope.READ],
        now=NOW,
        networks=networks_of("203.0.113.7, 2001:db8::/32"),
        expires_at=NOW + MINUTE,
    )
    holder = holder_of(database, key)
    assert holder.let_in("203.0.113.7", NOW)
    assert holder.let_in("2001:db8::1", NOW)
    assert not holder.let_in("203.0.113.8", NOW)
    assert not holder.let_in("203.0.113.7", NOW + MINUTE)


def test_a_key_for_nothing_or_that_ended_is_not_made(owner: Person) -> None:
    with pytest.raises(Refused) as refused:
        add_json_key(owner, name="Shop", test=False, scopes=[], now=NOW)
    assert refused.value.reason == Reason.NO_CHOICE
    with pytest.raises(Refused) as refused:
        add_json_key(owner, name="Shop", test=False, scopes=[Scope.READ], expires_at=NOW, now=NOW)
    assert refused.value.reason == Reason.KEY_ENDS_BEFORE
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(
    ("typed", "reason"), [("here", Reason.NOT_A_NETWORK), ("10.0.0.1 " * 21, Reason.TOO_MANY_NETWORKS)]
)
def test_what_is_no_network_is_named(typed: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        networks_of(typed)
    assert refused.value.reason == reason


def test_the_last_use_is_written_at_most_once_a_minute_and_tells_nobody(database: Connection, owner: Person) -> None:
    """A notification would make every process prove every caller anew."""
    key = add_json_key(owner, name="Shop", test=False, scopes=[Scope.READ], now=NOW)
    holder = holder_of(database, key)
    database.execute("LISTEN changed")
    for seconds, expected in ((0, 0), (59, 0), (61, 61)):
        note_use(database, holder.key_id, NOW + timedelta(seconds=seconds))
        assert ApiKey.objects.get().last_used_at == NOW + timedelta(seconds=expected)
    assert list(database.notifies(timeout=0.0)) == []
    assert Customer.objects.count() == 1


def test_a_test_key_never_changes_what_is_real(owner: Person) -> None:
    """Contacts, consents and webhooks of tests would be those of the account."""
    with pytest.raises(Refused) as refused:
        add_json_key(owner, name="Shop", test=True, scopes=[Scope.SEND, Scope.CONTACTS], now=NOW)
    assert (refused.value.reason, refused.value.value) == (Reason.NOT_FOR_TESTS, "contacts")
