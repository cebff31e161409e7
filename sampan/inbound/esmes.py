"""Replies that are told to customers' SMPP sessions: kept until one of them acknowledges, for a week (spec S124)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line

LEASE = timedelta(seconds=60)  # longer than a session waits for a deliver_sm_resp
KEPT = timedelta(days=7)  # for an ESME that does not bind; the inbox has them longer


class Untold(NamedTuple):
    """A reply to be told."""

    id: int
    customer_id: int
    handset: str
    number: str
    text: str


TAKE = one_line("""
WITH due AS MATERIALIZED (
    SELECT r.id FROM unnest(%(customers)s::int8[], %(rooms)s::int4[]) AS c (customer_id, room) CROSS JOIN LATERAL (
        SELECT id FROM reply WHERE customer_id = c.customer_id AND tell_at <= %(now)s
         ORDER BY id LIMIT c.room FOR UPDATE SKIP LOCKED) r),
taken AS (
    UPDATE reply r SET tell_at = %(now)s + %(lease)s FROM due d WHERE r.id = d.id
    RETURNING r.id, r.customer_id, r.handset, r.number, r.text)
SELECT * FROM taken ORDER BY id""")


def take_untold(conn: Connection, rooms: Mapping[int, int], now: datetime) -> list[Untold]:
    """The oldest replies that nobody has acknowledged, of each of these customers at most so many.

    They come again when the lease is over.
    """
    values = {"customers": array_of(rooms), "rooms": array_of(rooms.values()), "now": now, "lease": LEASE}
    return [Untold(*row) for row in conn.execute(TAKE, values)]


def told(conn: Connection, ids: Sequence[int]) -> None:
    """These were acknowledged."""
    if ids:
        conn.execute("UPDATE reply SET tell_at = NULL WHERE id = ANY(%s::int8[])", [array_of(ids)])


def give_back(conn: Connection, ids: Sequence[int], at: datetime) -> None:
    """These were not: they come again, not before `at`."""
    if ids:
        conn.execute(
            "UPDATE reply SET tell_at = %s WHERE id = ANY(%s::int8[]) AND tell_at IS NOT NULL", [at, array_of(ids)]
        )


def give_up(conn: Connection, now: datetime) -> int:
    """Nobody came for these in time."""
    sql = "UPDATE reply SET tell_at = NULL WHERE tell_at IS NOT NULL AND received_at < %s"
    return conn.execute(sql, [now - KEPT]).rowcount
