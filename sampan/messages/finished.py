"""Tells customers' servers that a batch is finished: its last message is final (spec S103).

Two that end the last two messages at once cannot see each other's, so nobody notices while it happens: telling.py notes
the batches, and the worker looks at them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sampan.billing.money import in_pips
from sampan.database import Connection, array_of
from sampan.messages.tables import Status
from sampan.messages.telling import BATCH_EVENT
from sampan.webhooks.events import Event, emit

MOST_AT_ONCE = 1_000
LEAST_WAIT, MOST_WAIT, WAIT_OF_AGE = timedelta(seconds=1), timedelta(minutes=1), 0.1
ONE_AT_A_TIME = 8_527_103  # any number: the worker that holds it looks

Noted = tuple[int, int, datetime]  # batch, customer, created_at

DUE = """
    DELETE FROM batch_to_tell WHERE id IN (SELECT id FROM batch_to_tell WHERE look_at <= %s ORDER BY look_at LIMIT %s)
    RETURNING batch_id, customer_id, created_at"""
UNFINISHED = """
    SELECT w.batch_id FROM unnest(%(batches)s::int8[], %(customers)s::int8[], %(created)s::timestamptz[])
           AS w (batch_id, customer_id, created_at)
     WHERE EXISTS (SELECT FROM message m WHERE m.customer_id = w.customer_id AND m.created_at = w.created_at
                      AND m.batch_id = w.batch_id AND m.final_at IS NULL)"""
LATER = """
    INSERT INTO batch_to_tell (batch_id, customer_id, created_at, look_at)
    SELECT * FROM unnest(%s::int8[], %s::int8[], %s::timestamptz[], %s::timestamptz[])"""
FORGET = "DELETE FROM batch_to_tell WHERE batch_id = ANY(%s::int8[])"
TOTALS = """
    SELECT b.id, b.customer_id, b.name, m.status, count(*), sum(m.charged_pips)::int8, max(m.final_at)
      FROM batch b JOIN message m ON m.customer_id = b.customer_id AND m.created_at = b.created_at AND m.batch_id = b.id
     WHERE b.id = ANY(%s::int8[]) GROUP BY b.id, b.customer_id, b.name, m.status ORDER BY b.id, m.status"""
WORDS = {
    Status.PROCESSING: "sent",
    Status.DELIVERED: "delivered",
    Status.EXPIRED: "expired",
    Status.UNDELIVERABLE: "undeliverable",
}


def tell_finished(conn: Connection, now: datetime) -> int:
    """Tell of the batches that are finished; how many were looked at."""
    with conn.transaction():
        mine = conn.execute("SELECT pg_try_advisory_xact_lock(%s)", [ONE_AT_A_TIME]).fetchone()
        if mine != (True,):
            return 0
        noted: list[Noted] = sorted(set(conn.execute(DUE, [now, MOST_AT_ONCE]).fetchall()))
        if not noted:
            return 0
        batches, customers, created = zip(*noted, strict=True)
        values = {"batches": array_of(batches), "customers": array_of(customers), "created": list(created)}
        unfinished = {batch_id for (batch_id,) in conn.execute(UNFINISHED, values)}
        _look_later(conn, [each for each in noted if each[0] in unfinished], now)
        finished = array_of(batch_id for batch_id in batches if batch_id not in unfinished)
        # Whoever ended their last messages has committed, and noted them once more: seen only now.
        conn.execute(FORGET, [finished])
        emit(conn, _events(conn, finished), now=now)
    return len(noted)


def _look_later(conn: Connection, noted: Sequence[Noted], now: datetime) -> None:
    if noted:
        waits = [min(max((now - created) * WAIT_OF_AGE, LEAST_WAIT), MOST_WAIT) for _, _, created in noted]
        conn.execute(LATER, [*map(list, zip(*noted, strict=True)), [now + wait for wait in waits]])


def _events(conn: Connection, finished: str) -> list[Event]:
    rows = conn.execute(TOTALS, [finished]).fetchall()
    by_batch: dict[int, list[tuple[int, int, int, datetime]]] = {}
    named = {}
    for batch_id, customer_id, name, *totals in rows:
        named[batch_id] = customer_id, name
        by_batch.setdefault(batch_id, []).append(tuple(totals))
    return [
        Event(
            BATCH_EVENT,
            named[batch_id][0],
            batch_id,
            {
                "id": str(batch_id),
                "name": named[batch_id][1],
                "messages": sum(count for _, count, _, _ in totals),
                **dict.fromkeys(WORDS.values(), 0),
                **{WORDS[Status(status)]: count for status, count, _, _ in totals},
                "charged_hkd": in_pips(sum(pips for _, _, pips, _ in totals)).replace(",", ""),
                "finished_at": max(at for *_, at in totals),
            },
        )
        for batch_id, totals in by_batch.items()
    ]
