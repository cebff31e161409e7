"""What recipients said of promotional texts: consents and unsubscribes, with how and when (spec S94, S96).

Only ever added: to take an unsubscribe back is to record a consent, with its evidence. The latest wins (screening.py).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sampan.compliance.tables import LONGEST_EVIDENCE, Preference
from sampan.database import Connection, array_of
from sampan.reasons import Reason, Refused

MOST_AT_ONCE = 1_000_000
CONSENT_WAYS = (Preference.Way.WRITTEN, Preference.Way.VERBAL)

RECORD = """
    INSERT INTO preference (customer_id, number, kind, way, at, recorded_at, person_id, evidence)
    SELECT %(customer)s, number, %(kind)s, %(way)s, %(at)s, %(now)s, %(person_id)s, %(evidence)s
      FROM (SELECT DISTINCT unnest(%(numbers)s::int8[]) AS number) n"""


def record_consents(
    conn: Connection,
    customer_id: int,
    numbers: Sequence[int],
    *,
    way: Preference.Way,
    at: datetime,
    evidence: str,
    person_id: int | None,
    now: datetime,
) -> int:
    """These people agreed, `at` that time; gives how many. Raises Refused: NO_EVIDENCE, NOT_YET, BAD_WAY."""
    if way not in CONSENT_WAYS:
        raise Refused(Reason.BAD_WAY, "way", way)
    if not evidence.strip():
        raise Refused(Reason.NO_EVIDENCE, "evidence")
    said = _Said(Preference.Kind.CONSENT, way, at, evidence, person_id)
    return _record(conn, customer_id, numbers, said, now)


def unsubscribe(
    conn: Connection,
    customer_id: int,
    numbers: Sequence[int],
    *,
    way: Preference.Way,
    at: datetime,
    evidence: str,
    person_id: int | None = None,
    now: datetime,
) -> int:
    """These people want no more; in force at once. Gives how many. Raises Refused: NOT_YET, BAD_WAY."""
    if way in CONSENT_WAYS:
        raise Refused(Reason.BAD_WAY, "way", way)
    said = _Said(Preference.Kind.UNSUBSCRIBED, way, at, evidence, person_id)
    return _record(conn, customer_id, numbers, said, now)


class _Said(NamedTuple):
    kind: Preference.Kind
    way: Preference.Way
    at: datetime
    evidence: str
    person_id: int | None


def _record(conn: Connection, customer_id: int, numbers: Sequence[int], said: _Said, now: datetime) -> int:
    if not numbers:
        raise Refused(Reason.NO_RECIPIENT, "numbers")
    if len(numbers) > MOST_AT_ONCE:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, "numbers", f"{len(numbers):,}")
    if said.at > now:
        raise Refused(Reason.NOT_YET, "at")
    values = {
        **said._asdict(),
        "customer": customer_id,
        "numbers": array_of(numbers),
        "now": now,
        "evidence": said.evidence.strip()[:LONGEST_EVIDENCE],
    }
    return conn.execute(RECORD, values).rowcount


class Standing(NamedTuple):
    """What one number said last to one customer."""

    id: int
    number: int
    way: Preference.Way
    at: datetime
    recorded_at: datetime
    person: str  # who wrote it down; "" where it came by itself
    evidence: str


# The latest word of each number, and of those the ones of this kind; newest entry first.
STANDING = """
    SELECT p.id, p.number, p.way, p.at, p.recorded_at, coalesce(nullif(w.name, ''), w.login_name, ''), p.evidence
      FROM preference p LEFT JOIN person w ON w.id = p.person_id
     WHERE p.customer_id = %(customer)s AND p.kind = %(kind)s AND (%(before)s::int8 IS NULL OR p.id < %(before)s)
       AND (%(number)s::int8 IS NULL OR p.number = %(number)s)
       AND NOT EXISTS (SELECT FROM preference q WHERE q.number = p.number AND q.customer_id = p.customer_id
                          AND (q.at, q.kind, q.id) > (p.at, p.kind, p.id))
     ORDER BY p.id DESC LIMIT %(most)s"""
COUNT = """
    SELECT count(*) FROM (
        SELECT DISTINCT ON (number) kind FROM preference WHERE customer_id = %s
         ORDER BY number, at DESC, kind DESC, id DESC) AS latest
     WHERE kind = %s"""


def standing(
    conn: Connection,
    customer_id: int,
    kind: Preference.Kind,
    *,
    number: int | None = None,
    before: int | None = None,
    most: int,
) -> list[Standing]:
    """Numbers whose latest word to this customer is of that kind, the newest entry first, below id `before`."""
    values = {"customer": customer_id, "kind": kind, "number": number, "before": before, "most": most}
    return [
        Standing(id_, phone, Preference.Way(way), *rest) for id_, phone, way, *rest in conn.execute(STANDING, values)
    ]


def count(conn: Connection, customer_id: int, kind: Preference.Kind) -> int:
    """How many numbers' latest word to this customer is of that kind."""
    row = conn.execute(COUNT, [customer_id, kind]).fetchone()
    return int(row[0]) if row else 0
