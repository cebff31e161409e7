"""Who may bind: login name with password or API key, so many sessions of a login, and nobody who guesses."""

from collections import OrderedDict
from collections.abc import Collection
from typing import NamedTuple

from sampan.accounts.access import authenticate
from sampan.accounts.allow_lists import is_allowed
from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.keys import digest
from sampan.accounts.tables import Customer
from sampan.database import Connection, array_of

MOST_FAILURES = 5  # of one address within a minute: the door's own short list, before that of accounts/blocking.py
FAILURES_COUNT_S = 60.0
MOST_ADDRESSES = 10_000


class Login(NamedTuple):
    """A member that has proven who they are; `key` is the digest of the API key, where it was one."""

    person_id: int
    customer_id: int
    key: bytes | None


KEY = "SELECT FROM api_key WHERE customer_id = %s AND sha256 = %s AND revoked_at IS NULL"


def prove(conn: Connection, login_name: str, secret: str) -> tuple[Login, CustomerFacts]:
    """The login of a bind, and its customer. Raises Refused(BAD_CREDENTIALS)."""
    caller = authenticate(conn, login_name, secret)
    by_key = conn.execute(KEY, [caller.customer.id, digest(secret)]).fetchone() is not None
    return Login(caller.person_id, caller.customer.id, digest(secret) if by_key else None), caller.customer


STILL = """
    SELECT p.id, c.api_password_allowed,
           ARRAY(SELECT sha256 FROM api_key k
                  WHERE k.customer_id = c.id AND k.sha256 = ANY(%(keys)s) AND k.revoked_at IS NULL)
      FROM person p JOIN customer c ON c.id = p.customer_id
     WHERE p.id = ANY(%(persons)s::int8[]) AND p.is_active AND c.status <> %(closed)s"""


def still_allowed(conn: Connection, bound: Collection[tuple[Login, str]]) -> set[tuple[Login, str]]:
    """Those among them, each with its address, whose account, key and network are still good."""
    logins = {login for login, _ in bound}
    values = {
        "persons": array_of({login.person_id for login in logins}),
        "keys": [login.key for login in logins if login.key],
        "closed": Customer.Status.CLOSED.value,
    }
    good: set[tuple[int, bytes | None]] = set()
    for person_id, password_allowed, keys in conn.execute(STILL, values):
        good |= {(person_id, bytes(key)) for key in keys} | ({(person_id, None)} if password_allowed else set())
    known = customers(conn, {login.customer_id for login in logins})
    return {
        (login, address)
        for login, address in bound
        if (login.person_id, login.key) in good and is_allowed(known[login.customer_id].networks, address)
    }


class Failures:
    """Wrong passwords of late, by address; in memory, as the door is one process. Times are of a steady clock."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, list[float]] = OrderedDict()

    def are_too_many(self, address: str, now_s: float) -> bool:
        """Whether nobody is let in from there for now."""
        return len(self._lately(address, now_s)) >= MOST_FAILURES

    def note(self, address: str, now_s: float) -> None:
        """One more."""
        self._of[address] = [*self._lately(address, now_s), now_s]
        self._of.move_to_end(address)
        if len(self._of) > MOST_ADDRESSES:
            self._of.popitem(last=False)

    def _lately(self, address: str, now_s: float) -> list[float]:
        return [at for at in self._of.get(address, ()) if now_s - at < FAILURES_COUNT_S]
