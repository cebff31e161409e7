"""Who is calling: login name with password or API key → member and customer (http_api.md, spec S136)."""

import hashlib
from typing import NamedTuple

from django.contrib.auth.hashers import check_password, make_password

from sampan.accounts.tables import Person
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused

MOST_REMEMBERED = 20_000


class Caller(NamedTuple):
    """A member that has proven who they are, on behalf of their customer."""

    person_id: int
    customer_id: int


PERSON = """
    SELECT p.id, p.password, c.id, c.api_password_allowed, p.role
      FROM person p JOIN customer c ON c.id = p.customer_id
     WHERE lower(p.login_name) = lower(%s) AND p.is_active"""
KEY = "SELECT 1 FROM api_key WHERE customer_id = %s AND sha256 = %s AND revoked_at IS NULL"
MAY_CALL = {Person.Role.OWNER, Person.Role.SENDER}

_proven: Snapshot[dict[bytes, Caller]] = Snapshot(lambda _conn: {}, "person", "api_key", "customer")


def _mark(login_name: str, secret: str) -> bytes:
    return hashlib.sha256(f"{login_name.lower()}\0{secret}".encode("utf-8", "replace")).digest()


def remembered(conn: Connection, login_name: str, secret: str) -> Caller | None:
    """A caller that proved itself in this process since the accounts last changed: no Argon2 for each message."""
    return _proven.get(conn).get(_mark(login_name, secret))


def authenticate(conn: Connection, login_name: str, secret: str) -> Caller:
    """The caller with this login name and password or API key; takes an Argon2 check (about 50 ms) the first time.

    Raises Refused(BAD_CREDENTIALS), the same and as slowly whether the name or the secret is wrong.
    """
    if caller := remembered(conn, login_name, secret):
        return caller
    proven = _proven.get(conn)
    row = conn.execute(PERSON, [login_name]).fetchone()
    if row is None:
        check_password(secret, make_password("nobody"))
        raise Refused(Reason.BAD_CREDENTIALS, "username", login_name)
    person_id, password, customer_id, password_allowed, role = row
    key = conn.execute(KEY, [customer_id, hashlib.sha256(secret.encode()).digest()]).fetchone()
    if not key and not (check_password(secret, password) and password_allowed):
        raise Refused(Reason.BAD_CREDENTIALS, "password")
    if role not in MAY_CALL:
        raise Refused(Reason.BAD_CREDENTIALS, "username", login_name)
    if len(proven) >= MOST_REMEMBERED:
        proven.clear()
    caller = Caller(person_id, customer_id)
    proven[_mark(login_name, secret)] = caller
    return caller
