"""Deliveries of handsets, kept before they are answered; those of one text found again together (spec S111).

An operator that got no answer sends again: what came before is known by its digest and kept once. The gateway that
owns the operator writes here, the worker reads; after a kill each goes on where the other had committed.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.inbound.reading import ReceivedPart, joined
from sampan.inbound.tables import LONGEST_ADDRESS

REPEATED_WITHIN = timedelta(minutes=10)  # the same words once more, later, are meant
PART_REPEATED_WITHIN = timedelta(days=1)  # of a long text its reference tells, too
REST_WITHIN = timedelta(minutes=10)  # then a long text is shown without the parts that did not come
MOST_TEXTS_A_LOOK = 200
DIGEST_OCTETS = 16
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=10), timedelta(hours=1)

# Two owners of one operator may overlap for a moment (a lease that passes on): they go one after the other.
LOCK = "SELECT pg_advisory_xact_lock(hashtext('replies'), %s)"
KEEP = one_line("""
INSERT INTO reply_part (operator_id, received_at, handset, number, data_coding, octets, reference, total, part, digest,
                        look_at, tries)
SELECT %(operator)s, %(now)s, g.handset, g.number, g.data_coding, g.octets, g.reference, g.total, g.part, g.digest,
       %(now)s, 0
  FROM unnest(%(handsets)s::text[], %(numbers)s::text[], %(codings)s::int2[], %(octets)s::bytea[],
              %(references)s::int4[], %(totals)s::int2[], %(parts)s::int2[], %(digests)s::bytea[])
       WITH ORDINALITY AS g (handset, number, data_coding, octets, reference, total, part, digest, place)
 WHERE NOT EXISTS (SELECT FROM reply_part p WHERE p.digest = g.digest AND p.received_at >
                          CASE WHEN g.total = 1 THEN %(short_since)s ELSE %(long_since)s END::timestamptz)
 ORDER BY g.place""")


def keep(conn: Connection, operator_id: int, received: Sequence[ReceivedPart], now: datetime) -> int:
    """Into the database; once this returns they may be answered. Gives how many were no repeats."""
    fresh = list({_digest(operator_id, part): part for part in received}.items())
    values = {
        "operator": operator_id,
        "now": now,
        "short_since": now - REPEATED_WITHIN,
        "long_since": now - PART_REPEATED_WITHIN,
        "handsets": [part.handset[:LONGEST_ADDRESS] for _, part in fresh],
        "numbers": [part.number[:LONGEST_ADDRESS] for _, part in fresh],
        "codings": array_of(part.data_coding for _, part in fresh),
        "octets": [part.octets for _, part in fresh],
        "references": array_of(part.reference for _, part in fresh),
        "totals": array_of(part.total for _, part in fresh),
        "parts": array_of(part.part for _, part in fresh),
        "digests": [digest for digest, _ in fresh],
    }
    with conn.transaction():
        conn.execute(LOCK, [operator_id])
        return conn.execute(KEEP, values).rowcount


def _digest(operator_id: int, part: ReceivedPart) -> bytes:
    words = f"{operator_id} {part.handset!r} {part.number!r} {part.data_coding} {part[4:]} "
    return hashlib.sha256(words.encode() + part.octets).digest()[:DIGEST_OCTETS]


class ReceivedText(NamedTuple):
    """What a handset wrote, put together from the parts that came."""

    ids: tuple[int, ...]  # of all rows that are read with it, repeats of a part too
    operator_id: int
    received_at: datetime
    handset: str
    number: str
    text: str
    parts: int
    parts_missing: int


# A long text is whole when each of its parts is there, or when the others have had their time.
WAITING = """
    SELECT array_agg(id ORDER BY part, id), operator_id, min(received_at), handset, number,
           array_agg(part ORDER BY part, id), array_agg(data_coding ORDER BY part, id),
           array_agg(octets ORDER BY part, id), reference, total
      FROM reply_part WHERE look_at IS NOT NULL
     GROUP BY operator_id, handset, number, reference, total, CASE WHEN total = 1 THEN id END
    HAVING max(look_at) <= %(now)s AND (count(DISTINCT part) = total OR max(received_at) <= %(waited)s)
     ORDER BY min(id) LIMIT %(most)s"""


def waiting(conn: Connection, now: datetime) -> list[ReceivedText]:
    """Texts to bring to their customers, the oldest first."""
    values = {"now": now, "waited": now - REST_WITHIN, "most": MOST_TEXTS_A_LOOK}
    texts = []
    for ids, operator_id, received_at, handset, number, places, codings, octets, reference, total in conn.execute(
        WAITING, values
    ):
        # Where one part came in two forms (a reference used again), the later one is that of this text.
        latest = {
            place: ReceivedPart(handset, number, coding, bytes(each), reference, total, place)
            for place, coding, each in zip(places, codings, octets, strict=True)
        }
        text = joined(list(latest.values()))
        missing = total - len(latest)
        texts.append(ReceivedText(tuple(ids), operator_id, received_at, handset, number, text, total, missing))
    return texts


READ = "UPDATE reply_part SET look_at = NULL WHERE id = ANY(%s::int8[]) AND look_at IS NOT NULL"
POSTPONE = """
    UPDATE reply_part SET tries = tries + 1,
           look_at = %(now)s + least(%(longest)s::interval, %(first)s::interval * power(2, least(tries, 10)))
     WHERE id = ANY(%(ids)s::int8[])"""
FORGET = "DELETE FROM reply_part WHERE look_at IS NULL AND received_at < %s"


def read(conn: Connection, ids: Sequence[int]) -> bool:
    """These have become a reply, in the caller's transaction; False where somebody else was quicker."""
    return conn.execute(READ, [array_of(ids)]).rowcount == len(ids)


def postpone(conn: Connection, ids: Iterable[int], now: datetime) -> None:
    """Something went wrong with these: they are tried again, ever more seldom, and do not hold up the others."""
    conn.execute(POSTPONE, {"now": now, "ids": array_of(ids), "first": FIRST_WAIT, "longest": LONGEST_WAIT})


def forget(conn: Connection, now: datetime) -> int:
    """Parts that have been read, once no repeat of them is to be expected."""
    return conn.execute(FORGET, [now - PART_REPEATED_WITHIN]).rowcount
