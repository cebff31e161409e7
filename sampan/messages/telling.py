"""Customers' servers are told what becomes of messages: what a statement changed, in its own transaction (spec S103).

Nothing is asked of the database for customers who do not listen (webhooks/events.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from sampan.database import Connection, array_of, one_line
from sampan.messages.tables import Source, Status
from sampan.reasons import Reason
from sampan.webhooks.events import EVENTS, MESSAGE_EVENTS, emitting, listening

BATCH_EVENT = "batch.finished"
assert BATCH_EVENT in EVENTS

KIND = f"""
    CASE m.status WHEN {Status.PROCESSING.value}
              THEN CASE WHEN m.final_at IS NULL THEN 'message.processing' ELSE 'message.sent' END
         WHEN {Status.RETRY.value} THEN 'message.retry'
         WHEN {Status.EXPIRED.value} THEN 'message.expired'
         WHEN {Status.UNDELIVERABLE.value} THEN 'message.undeliverable'
         WHEN {Status.DELIVERED.value} THEN 'message.delivered' END"""


def _quoted(words: str) -> str:
    assert "%" not in words
    return "'" + words.replace("'", "''") + "'"


REASONS = ", ".join(
    f"({reason.number}, {reason.shown}, {_quoted(reason.words)})" for reason in Reason if reason.shown is not None
)
HK_DOLLARS = "to_char({} / 10000.0, 'FM99999999990.0000')"
TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

BEFORE = one_line("""
SELECT m.id, m.status, m.final_at IS NOT NULL, m.charged_pips FROM unnest(%(ids)s::int8[]) AS g (id)
 CROSS JOIN LATERAL (SELECT * FROM message WHERE id = g.id AND customer_id = ANY(%(customers)s::int8[]) LIMIT 1
                        FOR NO KEY UPDATE) m
 ORDER BY m.id""")
# Of a code that nobody else should read the beginning is told without it.
# What was final is told once more where its charge was only settled after its end (spec S82a).
CHANGED = """
      FROM unnest(%(ids)s::int8[], %(status)s::int2[], %(final)s::bool[], %(charged)s::int8[])
           AS w (id, status, final, charged_pips)
     CROSS JOIN LATERAL (SELECT * FROM message WHERE id = w.id LIMIT 1) m"""
TELL = one_line(
    emitting(f"""
    SELECT m.customer_id, m.id AS subject_id, {KIND} AS kind, json_build_object(
               'id', m.id::text, 'batch_id', m.batch_id::text, 'to', m.recipient::text, 'sender', b.sender,
               'status_code', m.status, 'reason_code', r.shown, 'reason', r.words, 'final', m.final_at IS NOT NULL,
               'charged_hkd', {HK_DOLLARS.format("m.charged_pips")}, 'units', m.units,
               'begins', left(coalesce(m.text, v.masked_text, b.text), 5), 'created_at', {TIME.format("m.created_at")},
               'due_at', {TIME.format("coalesce(b.scheduled_at, b.created_at)")},
               'final_at', {TIME.format("m.final_at")}, 'test', b.source = {Source.TEST.value})::text AS data
      {CHANGED}
     CROSS JOIN LATERAL (SELECT * FROM batch WHERE id = m.batch_id LIMIT 1) b
      LEFT JOIN verification v ON v.customer_id = m.customer_id AND v.number = m.recipient AND v.batch_id = m.batch_id
      JOIN (VALUES {REASONS}) AS r (number, shown, words) ON r.number = m.reason
     WHERE w.status IS DISTINCT FROM m.status OR w.final <> (m.final_at IS NOT NULL)
        OR w.final AND w.charged_pips <> m.charged_pips""")
)
WATCH = f"""
    INSERT INTO batch_to_tell (batch_id, customer_id, created_at, look_at)
    SELECT DISTINCT m.batch_id, m.customer_id, m.created_at, %(now)s
      {CHANGED}
     WHERE m.final_at IS NOT NULL AND NOT w.final AND m.customer_id = ANY(%(customers)s::int8[])"""

Before = tuple[int, int | None, bool, int]  # id, status, whether it was final, what was charged


@contextmanager
def told(conn: Connection, message_ids: Sequence[int], now: datetime) -> Iterator[None]:
    """What is done to these messages within is told to the servers that want to know. In a transaction."""
    customers = listening(conn, [*MESSAGE_EVENTS, BATCH_EVENT])
    if not customers:
        yield
        return
    before = conn.execute(BEFORE, {"ids": array_of(message_ids), "customers": array_of(customers)}).fetchall()
    yield
    _tell(conn, before, now)


def wants_new(conn: Connection, customer_ids: Iterable[int]) -> bool:
    """Whether some of these customers' servers are told of messages that are refused as they are accepted."""
    return not set(listening(conn, ["message.undeliverable", BATCH_EVENT])).isdisjoint(customer_ids)


def tell_new(conn: Connection, message_ids: Iterable[int], now: datetime) -> None:
    """These were written just now, as final (spec S72). In a transaction."""
    _tell(conn, [(message_id, None, False, 0) for message_id in message_ids], now)


def _tell(conn: Connection, before: Sequence[Before], now: datetime) -> None:
    if not before:
        return
    values = {
        "ids": array_of(row[0] for row in before),
        "status": array_of(row[1] for row in before),
        "final": [row[2] for row in before],
        "charged": array_of(row[3] for row in before),
        "now": now,
    }
    conn.execute(TELL, values)
    if watching := listening(conn, [BATCH_EVENT]):
        conn.execute(WATCH, values | {"customers": array_of(watching)})
