"""API keys: made and shown once; what is kept proves one without telling it (spec S123, S136).

Two sorts. A key that stands for a password opens the HTTP API, SOAP, mail and SMPP together with its member's login
name; it is as short as those doors' clients need. A key of the JSON API says by itself whose it is: it begins with
`sk_live_` or `sk_test_` and has 238 bits. Nobody guesses either, so that a plain SHA-256 is all that need be
kept, and a key is found by it: a slow hash protects passwords that people choose, and there would be one of 50 ms for
every message.
"""

import hashlib
import secrets
import string
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network

import msgspec

from sampan.accounts.allow_lists import Network, is_allowed, read_network
from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.permissions import Permission, role_may
from sampan.accounts.tables import ApiKey, Person
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused

ALPHABET = string.ascii_letters + string.digits
CHARACTERS = 20  # as many as the HTTP API's `password` takes: 119 bits
SHORT_CHARACTERS = 8  # as many as SMPP 3.4 gives a password: 47 bits, for ESMEs that keep to it
JSON_CHARACTERS = 40  # after the beginning
BEGINNINGS = {ApiKey.Kind.LIVE: "sk_live_", ApiKey.Kind.TEST: "sk_test_"}
HINT_CHARACTERS = 12
LONGEST_KEY = 100
MOST_KEYS = 20  # of a customer
MOST_NETWORKS = 20  # of a key
MOST_REMEMBERED = 20_000
USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key of the JSON API may do; never more than the member it acts for."""

    SEND = "send"
    READ = "read"
    BALANCE = "balance"
    CONTACTS = "contacts"
    MANAGE = "manage"


# What the member's role must allow, too.
PERMISSIONS = {
    Scope.SEND: Permission.SEND,
    Scope.READ: Permission.SEE_RESULTS,
    Scope.BALANCE: Permission.SEE_MONEY,
    Scope.CONTACTS: Permission.WRITE_DRAFTS,
    Scope.MANAGE: Permission.MANAGE_ACCOUNT,
}

TEST_SCOPES = frozenset({Scope.SEND, Scope.READ, Scope.BALANCE})  # contacts, consents and webhooks are real ones


def digest(key: str) -> bytes:
    """What is kept of a key. No slow hash: nobody guesses 119 bits."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _characters(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))


def add_key(person: Person, *, name: str, now: datetime, characters: int = CHARACTERS) -> str:
    """A new key that stands for a member's password at the APIs; it cannot be shown again."""
    key = _characters(characters)
    assert person.customer is not None, "staff have no keys"
    ApiKey.objects.create(
        customer=person.customer, person=person, name=name, sha256=digest(key), hint=key[:2], created_at=now
    )
    return key


def add_json_key(
    person: Person,
    *,
    name: str,
    test: bool,
    scopes: Collection[Scope],
    now: datetime,
    networks: Collection[Network] = (),
    expires_at: datetime | None = None,
) -> str:
    """A new key of the JSON API; it cannot be shown again.

    Raises Refused: NO_CHOICE without a scope, NOT_FOR_TESTS, KEY_ENDS_BEFORE.
    """
    if not scopes:
        raise Refused(Reason.NO_CHOICE, "scopes")
    if test and (others := [scope for scope in scopes if scope not in TEST_SCOPES]):
        raise Refused(Reason.NOT_FOR_TESTS, "scopes", ", ".join(others))
    if expires_at is not None and expires_at <= now:
        raise Refused(Reason.KEY_ENDS_BEFORE, "expires")
    kind = ApiKey.Kind.TEST if test else ApiKey.Kind.LIVE
    key = BEGINNINGS[kind] + _characters(JSON_CHARACTERS)
    assert person.customer is not None, "staff have no keys"
    ApiKey.objects.create(
        customer=person.customer,
        person=person,
        name=name,
        kind=kind,
        sha256=digest(key),
        hint=key[:HINT_CHARACTERS],
        scopes=[scope.value for scope in Scope if scope in scopes],
        networks=[str(network) for network in networks],
        expires_at=expires_at,
        created_at=now,
    )
    return key


def networks_of(typed: str) -> list[Network]:
    """The addresses and networks in a text, apart by commas or white space.

    Raises Refused: NOT_A_NETWORK, TOO_MANY_NETWORKS.
    """
    found = [read_network(each) for each in typed.replace(",", " ").split()]
    if len(found) > MOST_NETWORKS:
        raise Refused(Reason.TOO_MANY_NETWORKS, "networks", str(MOST_NETWORKS))
    return found


class Holder(msgspec.Struct, frozen=True):
    """Who calls with a key of the JSON API, on whose behalf, and what they may do."""

    key_id: int
    person_id: int
    customer: CustomerFacts
    is_test: bool
    scopes: frozenset[Scope]
    networks: tuple[Network, ...]
    expires_at: datetime | None

    def let_in(self, address: str, now: datetime) -> bool:
        """Whether the key works from this address now."""
        if self.expires_at is not None and now >= self.expires_at:
            return False
        return is_allowed(self.networks, address)


KEY = f"""
    SELECT k.id, k.kind, k.scopes, k.networks, k.expires_at, p.id, p.role, p.may_send, k.customer_id
      FROM api_key k JOIN person p ON p.id = k.person_id AND p.customer_id = k.customer_id AND p.is_active
     WHERE k.sha256 = %s AND k.revoked_at IS NULL AND k.kind <> {ApiKey.Kind.PASSWORD.value}"""

_holders: Snapshot[dict[bytes, Holder]] = Snapshot(lambda _conn: {}, "person", "api_key", "customer", "sender_id")


def remembered_holder(key: str) -> Holder | None:
    """Whose key this is, where it was asked in this process since the accounts last changed; no database."""
    holders = _holders.current()
    return holders.get(digest(key)) if holders else None


def holder_of(conn: Connection, key: str) -> Holder:
    """Whose key of the JSON API this is. Raises Refused(BAD_CREDENTIALS) for one that is unknown or revoked."""
    holders = _holders.get(conn)
    row = conn.execute(KEY, [digest(key)]).fetchone() if len(key) <= LONGEST_KEY else None
    if row is None:
        raise Refused(Reason.BAD_CREDENTIALS, "authorization", key[:HINT_CHARACTERS])
    key_id, kind, scopes, networks, expires_at, person_id, role, may_send, customer_id = row
    allowed = {scope for scope, permission in PERMISSIONS.items() if role_may(role, permission, may_send=may_send)}
    if len(holders) >= MOST_REMEMBERED:
        holders.clear()
    holder = holders[digest(key)] = Holder(
        key_id=key_id,
        person_id=person_id,
        customer=customers(conn, {customer_id})[customer_id],
        is_test=kind == ApiKey.Kind.TEST,
        scopes=frozenset(allowed & {Scope(scope) for scope in scopes}),
        networks=tuple(ip_network(network) for network in networks),
        expires_at=expires_at,
    )
    return holder


NOTE_USE = """
    UPDATE api_key SET last_used_at = %(now)s
     WHERE id = %(key)s AND (last_used_at IS NULL OR last_used_at < %(before)s)"""


def note_use(conn: Connection, key_id: int, now: datetime) -> None:
    """The key was used; written at most once a minute."""
    conn.execute(NOTE_USE, {"key": key_id, "now": now, "before": now - USE_NOTED_EVERY})
