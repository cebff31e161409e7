"""Addresses that guess passwords or keys at the doors of the APIs are let in nowhere for a while (spec S125).

So are those that go on being turned away because too much of them goes on at once. A door asks `blocks` before it looks
at a request (no database: the list is kept in memory), and tells `note_failure` of every wrong password or key. Only
public addresses are blocked: others are proxies of ours, that stand for many.
"""

from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.sign_in import KEPT_FOR, WITHIN
from sampan.accounts.tables import LONGEST_LOGIN_NAME, BlockedAddress, Person, SignInFailure
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused

MOST_FAILURES = 20  # from one address, in sign_in.WITHIN
BLOCKED_FOR = timedelta(minutes=30)
MOST_TURNED_AWAY = 1_000  # times from one address, in sign_in.WITHIN
CROWD_BLOCKED_FOR = timedelta(minutes=5)  # it may only be a customer's program that does not wait
MOST_LISTED = 10_000
MOST_REMEMBERED = 10_000
HOST_BITS = 64  # of IPv6

LIST = "SELECT host(address), until FROM blocked_address ORDER BY until DESC LIMIT %s"


@lru_cache(maxsize=MOST_REMEMBERED)
def caller_of(address: str) -> str | None:
    """The stranger that an address stands for; None where it stands for many, as proxies of ours do.

    Of IPv6 it is the first of its /64: that is the least that one house or machine is given, with 2⁶⁴ to call from.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found) >> HOST_BITS << HOST_BITS)
    return str(found) if found.is_global else None


class Blocks:
    """Who is let in nowhere now."""

    def __init__(self, until_of: dict[str, datetime]) -> None:
        self.until_of = until_of  # by caller

    def get(self, address: str) -> datetime | None:
        """Until when this address is let in nowhere; None where it is let in."""
        return self.until_of.get(caller_of(address) or address) if self.until_of else None


def _load(conn: Connection) -> Blocks:
    return Blocks(dict(conn.execute(LIST, [MOST_LISTED]).fetchall()))


blocks: Snapshot[Blocks] = Snapshot(_load, "blocked_address")

NOTE = """
    INSERT INTO sign_in_failure (login_name, door, address, at) VALUES (%(name)s, %(door)s, %(address)s, %(now)s)"""
COUNT = "SELECT count(*) FROM sign_in_failure WHERE address = %(address)s AND at > %(since)s"
FORGET = """
    WITH old AS (DELETE FROM sign_in_failure WHERE at < %(old)s) DELETE FROM blocked_address WHERE until < %(old)s"""
BLOCK = """
    INSERT INTO blocked_address (address, door, failures, is_crowd, login_name, since, until)
    VALUES (%(address)s, %(door)s, %(failures)s, %(is_crowd)s, %(name)s, %(now)s, %(until)s)
    ON CONFLICT (address) DO UPDATE SET door = excluded.door, failures = excluded.failures,
        is_crowd = excluded.is_crowd, login_name = excluded.login_name,
        until = greatest(blocked_address.until, excluded.until),
        since = CASE WHEN blocked_address.until > excluded.since THEN blocked_address.since ELSE excluded.since END"""


def note_failure(conn: Connection, login_name: str, door: str, address: str, now: datetime) -> bool:
    """A wrong password or key was tried; whether the caller is blocked by that."""
    caller = caller_of(address)
    values = {
        "name": login_name.lower()[:LONGEST_LOGIN_NAME].replace("\0", ""),
        "door": door,
        "address": caller or address,
        "now": now,
        "since": now - WITHIN,
        "old": now - KEPT_FOR,
        "until": now + BLOCKED_FOR,
    }
    conn.execute(NOTE, values)
    if caller is None:
        return False
    failures = (conn.execute(COUNT, values).fetchone() or [0])[0]
    if failures < MOST_FAILURES:
        return False
    conn.execute(BLOCK, values | {"failures": failures, "is_crowd": False})
    conn.execute(FORGET, values)
    return True


class Crowds:
    """How often each address was turned away because too much of it went on at once. Of one process and thread."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[datetime, int]] = {}  # since when, how often; who came last, last

    def note(self, address: str, now: datetime) -> bool:
        """Once more; whether it is to be blocked now, and counted anew."""
        since, count = self._of.pop(address, (now, 0))
        if now - since > WITHIN:
            since, count = now, 0
        if count + 1 >= MOST_TURNED_AWAY:
            return True
        self._of[address] = since, count + 1
        if len(self._of) > MOST_LISTED:
            del self._of[next(iter(self._of))]
        return False


def block_crowd(conn: Connection, door: str, address: str, now: datetime) -> None:
    """It was turned away too often, and is let in nowhere for a while."""
    until = now + CROWD_BLOCKED_FOR
    values = {"address": caller_of(address) or address, "door": door, "name": "", "now": now, "until": until}
    conn.execute(BLOCK, values | {"failures": MOST_TURNED_AWAY, "is_crowd": True})


@transaction.atomic
def unblock(address: str, *, by: Person, why: str, now: datetime) -> None:
    """Staff let an address in again; what it has tried is forgotten. Raises Refused where it is not blocked."""
    blocked = BlockedAddress.objects.select_for_update().filter(address=address).first()
    failures = SignInFailure.objects.filter(address=address)
    if blocked is None and not failures.exists():
        raise Refused(Reason.NOT_BLOCKED, "address", address)
    before = {"until": blocked.until.isoformat(), "door": blocked.door} if blocked else {"failures": failures.count()}
    record(Act.UNBLOCK_ADDRESS, by=by, subject=f"address {address}", before=before, why=why, now=now)
    failures.delete()
    if blocked:
        blocked.delete()


LOCKED = """
    SELECT host(address), count(*)::int, max(login_name), max(at) FROM sign_in_failure
     WHERE at > %s AND address IS NOT NULL AND door = 'pages' GROUP BY address HAVING count(*) >= %s
     ORDER BY max(at) DESC LIMIT 100"""


def guessing_at_pages(conn: Connection, least: int, now: datetime) -> list[tuple[str, int, str, datetime]]:
    """Addresses whose sign-ins at the pages wait now: address, failures, the last login name, the last time."""
    return [(address, count, name, at) for address, count, name, at in conn.execute(LOCKED, [now - WITHIN, least])]


WAITING = "SELECT count(*), min(since) FROM blocked_address WHERE until > %(now)s"
"""SQL: how many addresses are blocked now, and since when the first of them is."""
