"""Parts of a long text that come one by one are kept, answered, until the last is there (spec S124).

Each part is answered when it is committed, for many ESMEs send the next one only then. The text is submitted, priced
and sent as one message when all parts are there. What is refused then, or whose parts do not all come in time, was
never sent and costs nothing; who asked for receipts of its parts is told so by them. The ids that parts were answered
with lead to the message afterwards, too.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple

from sampan.database import Connection, array_of
from sampan.interfaces.smpp_door.logins import Login
from sampan.interfaces.smpp_door.reading import Submitted, decode
from sampan.reasons import Reason, Refused

ALL_PARTS_WITHIN = timedelta(minutes=5)
SUBMITTED_WITHIN = timedelta(seconds=60)  # once all parts are there
MOST_PARTS_OF_A_LOGIN = 10_000  # that wait for others
KNOWN_FOR = timedelta(days=7)  # an id of a part leads to its message


class Part(NamedTuple):
    """A part as it is kept."""

    id: int
    number: int
    octets: bytes
    data_coding: int
    registered: int
    source_ton_npi: int
    scheduled_at: datetime | None
    validity_minutes: int | None


class Whole(NamedTuple):
    """A long text of which all parts are there, in order."""

    login: Login
    source: str
    destination: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Put together; each part may have a coding of its own (3GPP 23.040 §9.2.3.24.1). Raises Refused(BAD_TEXT)."""
        pieces = groupby(self.parts, key=lambda part: part.data_coding)
        return "".join([decode(b"".join(part.octets for part in parts), coding) for coding, parts in pieces])

    @property
    def reference(self) -> str:
        """So that it is submitted once, also where a process dies before it could note that it was (spec S8)."""
        return f"smpp-{self.parts[0].id}"


# The lock makes parts that come by several sessions see each other: one of them is the last.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"
COUNT = "SELECT count(*) FROM smpp_part WHERE person_id = %s AND message_id IS NULL"
KEEP = """
    INSERT INTO smpp_part (id, person_id, customer_id, received_at, source, destination, reference, total, number,
                           registered, source_ton_npi, scheduled_at, validity_minutes, data_coding, octets)
    VALUES (nextval('message_id'), %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (person_id, source, destination, reference, total, number) WHERE message_id IS NULL DO NOTHING"""
PARTS = """
    SELECT id, number, octets, data_coding, registered, source_ton_npi, scheduled_at, validity_minutes FROM smpp_part
     WHERE person_id = %s AND source = %s AND destination = %s AND reference = %s AND total = %s AND message_id IS NULL
     ORDER BY number"""


def keep_part(
    conn: Connection, login: Login, submitted: Submitted, destination: str, now: datetime
) -> tuple[int, Whole | None]:
    """The part's id, committed; and the whole text where it was the last that was missing.

    The same part again has the same id. Raises Refused(REFERENCE_REUSED) for another part under the same number, and
    OVERLOADED where too many parts wait for others.
    """
    part = submitted.part
    assert part is not None
    text = login.person_id, submitted.sender, destination, part.reference, part.total
    with conn.transaction():
        conn.execute(LOCK, [f"{submitted.sender} {destination}", login.person_id])
        count = conn.execute(COUNT, [login.person_id]).fetchone()
        if count and count[0] >= MOST_PARTS_OF_A_LOGIN:
            raise Refused(Reason.OVERLOADED)
        facts = part.number, submitted.registered, submitted.source_ton_npi
        conn.execute(
            KEEP, [login.person_id, login.customer_id, now, *text[1:], *facts, *submitted.times, *submitted.coded]
        )
        parts = _parts(conn, text)
    (mine,) = [each for each in parts if each.number == part.number]
    if mine.octets != submitted.octets:
        raise Refused(Reason.REFERENCE_REUSED, "sar_msg_ref_num", str(part.reference))
    whole = Whole(login, submitted.sender, destination, parts)
    return mine.id, whole if len(parts) == part.total else None


def _parts(conn: Connection, text: tuple[object, ...]) -> tuple[Part, ...]:
    rows = conn.execute(PARTS, text).fetchall()
    return tuple(Part(id_, number, bytes(octets), *rest) for id_, number, octets, *rest in rows)


def forget_parts(conn: Connection, ids: Iterable[int]) -> None:
    """Their text is refused, and receipts are asked for."""
    conn.execute("DELETE FROM smpp_part WHERE id = ANY(%s::int8[])", [array_of(ids)])


BECAME = "UPDATE smpp_part SET message_id = %s, octets = '' WHERE id = ANY(%s::int8[])"


def note_message(conn: Connection, ids: Iterable[int], message_id: int) -> None:
    """Their text is submitted: what asks by the ids of its parts means this message."""
    conn.execute(BECAME, [message_id, array_of(ids)])


MESSAGE_OF = "SELECT message_id FROM smpp_part WHERE id = %s AND customer_id = %s"


def message_of(conn: Connection, customer_id: int, told_id: int) -> int | None:
    """The SMSD ID of what an ESME was told an id of: the same, but for parts. None: other parts are missing."""
    row = conn.execute(MESSAGE_OF, [told_id, customer_id]).fetchone()
    return row[0] if row else told_id


def forget_old(conn: Connection, now: datetime) -> None:
    """Nobody asks by the ids of these any more."""
    conn.execute("DELETE FROM smpp_part WHERE received_at < %s AND message_id IS NOT NULL", [now - KNOWN_FOR])


WAITING = """
    SELECT person_id, source, destination, reference, total, min(customer_id), count(*) = total FROM smpp_part
     WHERE message_id IS NULL
     GROUP BY person_id, source, destination, reference, total
    HAVING min(received_at) < %s OR count(*) = total AND max(received_at) < %s LIMIT 1000"""


def waiting_too_long(conn: Connection, now: datetime) -> tuple[list[Whole], list[Whole]]:
    """Texts all of whose parts are there, which a process that died left; and texts whose parts did not all come."""
    whole: list[Whole] = []
    lost: list[Whole] = []
    for person_id, source, destination, reference, total, customer_id, is_whole in conn.execute(
        WAITING, [now - ALL_PARTS_WITHIN, now - SUBMITTED_WITHIN]
    ).fetchall():
        parts = _parts(conn, (person_id, source, destination, reference, total))
        text = Whole(Login(person_id, customer_id, None), source, destination, parts)
        (whole if is_whole else lost).append(text)
    return whole, lost
