"""Final messages past their time are deleted, and what they came to is added to totals that stay (spec S130).

Deleting and closing are one statement, so that open + closed = ledger at every moment (`reconcile.py`). A message goes
once it is final, its money is settled and no part of it is with an operator any more; its batch goes with its last one.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.messages.tables import Purpose

MOST_AT_ONCE = 5_000
MOST_ROUNDS = 20  # in one go of the job, so that others have their turn
DECISIONS_KEPT = timedelta(days=3 * 366)  # spec S130
UNSUBSCRIBED_WITHIN = timedelta(days=30)  # the link in a text works so long, by its message (spec S95)
PARTITIONS_KEPT = 2  # behind the newest, whatever is in them
LOCK_WITHIN = "2s"
OF_A_NUMBERED_PARTITION = 5  # digits, as ensure_partitions names them

FINISHED = """
       m.final_at IS NOT NULL AND (m.hold_id IS NULL OR m.charge_id IS NOT NULL OR m.release_id IS NOT NULL)
   AND NOT EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id)"""
DUE = f"""
    SELECT d.id, d.batch_id FROM (
        SELECT id AS customer_id, least(%(now)s::timestamptz - make_interval(months => results_kept_months),
                                        %(links)s::timestamptz) AS before
          FROM customer) k
     CROSS JOIN LATERAL (
        SELECT m.id, m.batch_id FROM message m
         WHERE m.customer_id = k.customer_id AND m.created_at < k.before AND m.final_at < k.before AND {FINISHED}
         ORDER BY m.created_at, m.id LIMIT %(most)s FOR UPDATE SKIP LOCKED) d
     LIMIT %(most)s"""
OF_ONE = f"""
    SELECT m.id, m.batch_id FROM message m
     WHERE m.customer_id = %(customer)s AND {FINISHED}
       AND (m.final_at < %(links)s OR NOT EXISTS (
            SELECT FROM batch b WHERE b.id = m.batch_id AND b.purpose = {Purpose.PROMOTIONAL.value}))
     ORDER BY m.created_at, m.id LIMIT %(most)s FOR UPDATE"""

CLOSE = one_line("""
WITH gone AS (DELETE FROM message WHERE id = ANY(%(ids)s::int8[]) RETURNING *),
parts AS (DELETE FROM message_part WHERE message_id = ANY(%(ids)s::int8[])),
totals AS (
    INSERT INTO closed_total (customer_id, day, source, purpose, destination_id, route_id, status, reason, messages,
                              units, charged_pips)
    SELECT g.customer_id, (g.created_at AT TIME ZONE 'Asia/Hong_Kong')::date, b.source, b.purpose, g.destination_id,
           coalesce(g.route_id, 0), g.status, g.reason, count(*),
           coalesce(sum(g.units) FILTER (WHERE g.charge_id IS NOT NULL), 0), sum(g.charged_pips)
      FROM gone g JOIN batch b ON b.id = g.batch_id GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
    ON CONFLICT (customer_id, day, source, purpose, destination_id, route_id, status, reason) DO UPDATE
       SET messages = closed_total.messages + excluded.messages, units = closed_total.units + excluded.units,
           charged_pips = closed_total.charged_pips + excluded.charged_pips),
shares AS (
    INSERT INTO closed_share (transfer_id, amount_pips)
    SELECT s.id, sum(s.pips) FROM gone g CROSS JOIN LATERAL (VALUES
           (g.hold_id, g.price_pips), (g.charge_id, g.charged_pips), (g.release_id, g.price_pips - g.charged_pips))
           AS s (id, pips)
     WHERE s.id IS NOT NULL GROUP BY 1 ORDER BY 1
    ON CONFLICT (transfer_id) DO UPDATE SET amount_pips = closed_share.amount_pips + excluded.amount_pips)
SELECT count(*) FROM gone""")

FORGET_BATCHES = """
    DELETE FROM batch b WHERE b.id = ANY(%(batches)s::int8[]) AND NOT EXISTS (
        SELECT FROM message m WHERE m.customer_id = b.customer_id AND m.created_at = b.created_at AND m.batch_id = b.id)
    RETURNING b.id"""
FORGET_OF_BATCHES = (
    "DELETE FROM batch_act WHERE batch_id = ANY(%s::int8[])",
    "DELETE FROM content_refusal WHERE batch_id = ANY(%s::int8[])",
)


def close_due(conn: Connection, now: datetime) -> int:
    """Delete what is due, in bounded steps; gives how many messages."""
    count = 0
    for _ in range(MOST_ROUNDS):
        with conn.transaction():
            closed = _close(conn, DUE, {"now": now, "links": now - UNSUBSCRIBED_WITHIN, "most": MOST_AT_ONCE})
        count += closed
        if closed < MOST_AT_ONCE:
            break
    return count


def close_all_of(conn: Connection, customer_id: int, now: datetime) -> int:
    """Delete the messages of one customer that are finished, whatever their age; gives how many.

    Promotional ones stay for as long as one can unsubscribe from them.
    """
    values = {"customer": customer_id, "links": now - UNSUBSCRIBED_WITHIN, "most": MOST_AT_ONCE}
    count = 0
    while True:
        with conn.transaction():
            closed = _close(conn, OF_ONE, values)
        count += closed
        if closed < MOST_AT_ONCE:
            return count


def _close(conn: Connection, which: str, values: dict[str, object]) -> int:
    rows = conn.execute(which, values).fetchall()
    if not rows:
        return 0
    conn.execute(CLOSE, {"ids": array_of(id_ for id_, _ in rows)})
    gone = conn.execute(FORGET_BATCHES, {"batches": array_of({batch_id for _, batch_id in rows})}).fetchall()
    for sql in FORGET_OF_BATCHES:
        conn.execute(sql, [array_of(id_ for (id_,) in gone)])
    return len(rows)


FORGET_DECISIONS = """
    DELETE FROM {0} WHERE id IN (SELECT id FROM {0} WHERE at < %s ORDER BY at LIMIT %s)"""


def forget_decisions(conn: Connection, now: datetime) -> int:
    """Screenings and filter decisions after 3 years; they name no number, only its keyed hash."""
    values = [now - DECISIONS_KEPT, MOST_AT_ONCE * MOST_ROUNDS]
    return sum(
        conn.execute(FORGET_DECISIONS.format(table), values).rowcount for table in ("screening", "filter_decision")
    )


EMPTIED = f"""
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = ANY('{{batch,message,message_part}}'::regclass[]) AND c.relname ~ '_[0-9]+$'
       AND right(c.relname, {OF_A_NUMBERED_PARTITION})::int8 < (
           SELECT max(right(d.relname, {OF_A_NUMBERED_PARTITION})::int8) FROM pg_inherits j
             JOIN pg_class d ON d.oid = j.inhrelid WHERE j.inhparent = i.inhparent) - %s - %s
     ORDER BY 1"""


def drop_emptied_partitions(conn: Connection, *, ahead: int) -> int:
    """Partitions that no id will come to any more, and that nothing is left in; `ahead` stand ready for new ids."""
    count = 0
    for (name,) in conn.execute(EMPTIED, [ahead, PARTITIONS_KEPT]).fetchall():
        with conn.transaction():
            conn.execute(f"SET LOCAL lock_timeout = '{LOCK_WITHIN}'")
            if not conn.execute(f"SELECT FROM {name} LIMIT 1").rowcount:
                conn.execute(f"DROP TABLE {name}")
                count += 1
    return count


class Month(NamedTuple):
    """What the deleted messages of one customer, accepted in one month of Hong Kong, came to."""

    month: datetime
    messages: int
    delivered: int
    units: int
    charged_pips: int


MONTHS = """
    SELECT date_trunc('month', day), sum(messages)::int8, coalesce(sum(messages) FILTER (WHERE status = 22), 0)::int8,
           sum(units)::int8, sum(charged_pips)::int8
      FROM closed_total WHERE customer_id = %s GROUP BY 1 ORDER BY 1 DESC LIMIT %s"""


def closed_months(conn: Connection, customer_id: int, *, most: int) -> list[Month]:
    """The newest first."""
    return [Month(*row) for row in conn.execute(MONTHS, [customer_id, most])]
