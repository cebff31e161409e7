"""Who is calling: login name with password or API key → member and customer (http_api.md, spec S136)."""

import hashlib
from typing import NamedTuple

from django.contrib.auth.hashers import check_password, make_password

from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.keys import digest
from sampan.accounts.permissions import Permission, role_may
from sampan.accounts.tables import ApiKey
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused

MOST_REMEMBERED = 20_000


class Caller(NamedTuple):
    """A member that has proven who they are, and the customer on whose behalf."""

    person_id: int
    customer: CustomerFacts


PERSON = """
    SELECT p.id, p.password, p.role, p.may_send, c.id, c.api_password_allowed
      FROM person p JOIN customer c ON c.id = p.customer_id
     WHERE lower(p.login_name) = lower(%s) AND p.is_active"""
KEY = f"""
    SELECT 1 FROM api_key
     WHERE person_id = %s AND sha256 = %s AND revoked_at IS NULL AND kind = {ApiKey.Kind.PASSWORD.value}"""

_proven: Snapshot[dict[bytes, Caller]] = Snapshot(
    lambda _conn: {}, "person", "api_key", "customer", "sender_id", "allowed_network"
)


def _mark(login_name: str, secret: str) -> bytes:
    return hashlib.sha256(f"{login_name.lower()}\0{secret}".encode("utf-8", "replace")).digest()


def remembered(login_name: str, secret: str) -> Caller | None:
    """A caller that proved itself in this process since the accounts last changed: no Argon2 for each message."""
    proven = _proven.current()
    return proven.get(_mark(login_name, secret)) if proven else None


def authenticate(conn: Connection, login_name: str, secret: str) -> Caller:
    """The caller with this login name and password or API key; takes an Argon2 check (about 50 ms).

    Raises Refused(BAD_CREDENTIALS), the same and as slowly whether the name or the secret is wrong.
    """
    proven = _proven.get(conn)
    row = conn.execute(PERSON, [login_name]).fetchone()
    if row is None:
        make_password(secret)  # as slow as a check
        raise Refused(Reason.BAD_CREDENTIALS, "username", login_name)
    person_id, password, role, may_send, customer_id, password_allowed = row
    by_key = conn.execute(KEY, [person_id, digest(secret)]).fetchone()
    by_password = not by_key and check_password(secret, password) and password_allowed
    if not (by_key or by_password) or not role_may(role, Permission.SEND, may_send=may_send):
        raise Refused(Reason.BAD_CREDENTIALS, "username", login_name)
    if len(proven) >= MOST_REMEMBERED:
        proven.clear()
    caller = proven[_mark(login_name, secret)] = Caller(person_id, customers(conn, {customer_id})[customer_id])
    return caller
