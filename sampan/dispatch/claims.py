"""The only claimer of work: what waits for an operator, the attempts before the wire, and the way back to the queue.

An operator's queue is read by its one owner (`leases.py`) without locks. What makes a hand-over happen once is the
statement that deletes the queue rows and writes the attempts: it commits before the wire, only under the owner's
epoch, and whoever else deleted a row first (a cancelled batch) has it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sampan.compliance.footers import Footers
from sampan.database import Connection, array_of, array_of_times, one_line
from sampan.dispatch.tables import Attempt
from sampan.messages.tables import Batch


class Claimed(NamedTuple):
    """A queued message with all that its parts on the wire need."""

    message_id: int
    customer_id: int
    lane: int
    batch_id: int
    send_by: datetime
    parts_left: int  # bits
    try_number: int
    recipient: int
    destination_id: int
    route_id: int
    coding: int
    text: str
    sender: str
    signature: str
    footers: Footers
    validity_minutes: int


class Turn(NamedTuple):
    """Up to `limit` messages of one customer, with ids above `after`."""

    customer_id: int
    after: int
    limit: int


# By skipping from customer to customer: as many look-ups as customers, however many messages each has waiting.
WAITING = """
WITH RECURSIVE waiting AS (
    (SELECT customer_id FROM queued WHERE operator_id = %(operator)s AND lane = %(lane)s
      ORDER BY customer_id LIMIT 1)
    UNION ALL
    SELECT (SELECT customer_id FROM queued q
             WHERE q.operator_id = %(operator)s AND q.lane = %(lane)s AND q.customer_id > w.customer_id
             ORDER BY q.customer_id LIMIT 1)
      FROM waiting w WHERE w.customer_id IS NOT NULL)
SELECT customer_id FROM waiting WHERE customer_id IS NOT NULL"""


def waiting_customers(conn: Connection, operator_id: int, lane: int) -> list[int]:
    """Everybody who has something queued for this operator in this lane."""
    rows = conn.execute(WAITING, {"operator": operator_id, "lane": lane}, prepare=True)
    return [customer_id for (customer_id,) in rows]


CLAIM = one_line("""
SELECT q.message_id, q.customer_id, q.lane, q.batch_id, q.send_by, q.parts_left, q.try_number, m.recipient,
       m.destination_id, m.route_id, m.coding, coalesce(m.text, b.text), b.sender, b.signature,
       b.footers, b.validity_minutes
  FROM unnest(%(customers)s::int8[], %(afters)s::int8[], %(limits)s::int4[]) AS t (customer_id, after, most)
 CROSS JOIN LATERAL (
       SELECT * FROM queued WHERE operator_id = %(operator)s AND lane = %(lane)s AND customer_id = t.customer_id
          AND message_id > t.after AND (not_before IS NULL OR not_before <= %(now)s)
        ORDER BY message_id LIMIT t.most) q
 CROSS JOIN LATERAL (SELECT * FROM message WHERE id = q.message_id LIMIT 1) m
 CROSS JOIN LATERAL (SELECT * FROM batch WHERE id = q.batch_id LIMIT 1) b""")


def claim(conn: Connection, operator_id: int, lane: int, turns: Sequence[Turn], now: datetime) -> list[Claimed]:
    """What these customers have waiting, each customer's in order of id; nothing is marked or locked."""
    values = {
        "operator": operator_id,
        "lane": lane,
        "now": now,
        "customers": array_of(turn.customer_id for turn in turns),
        "afters": array_of(turn.after for turn in turns),
        "limits": array_of(turn.limit for turn in turns),
    }
    return [Claimed(*row) for row in conn.execute(CLAIM, values, prepare=True)]


class Handover(NamedTuple):
    """Parts of one message about to be written to one link, as consecutive submit_sm, or all of them as one."""

    claimed: Claimed
    parts: int  # bits
    as_one: bool
    link_id: int
    first_sequence_number: int
    deadline_at: datetime


class NotTheOwner(Exception):
    """Another process owns the operator by now; nothing may be handed over under this epoch."""


# What to change is found by its key for each given row (LATERAL), then named by where it lies (ctid). As a join with
# the given rows it may be planned while the statistics are those of an empty table, and then it reads the table once a
# row: measured, 80 times slower (docs/operating/performance.md).
ATTEMPT = one_line(f"""
WITH fence AS MATERIALIZED (
    SELECT 1 FROM operator_lease WHERE operator_id = %(operator)s AND epoch = %(epoch)s FOR SHARE),
found AS MATERIALIZED (
    SELECT g.*, q.place
      FROM unnest(%(lanes)s::int2[], %(customers)s::int8[], %(ids)s::int8[], %(parts)s::int2[], %(links)s::int4[],
                  %(sequences)s::int8[], %(recipients)s::int8[], %(tries)s::int2[], %(as_one)s::bool[],
                  %(deadlines)s::timestamptz[])
           AS g (lane, customer_id, message_id, parts, link_id, sequence_number, recipient, try_number, as_one,
                 deadline_at)
     CROSS JOIN LATERAL (
           SELECT ctid AS place FROM queued
            WHERE EXISTS (SELECT FROM fence) AND operator_id = %(operator)s AND lane = g.lane
              AND customer_id = g.customer_id AND message_id = g.message_id LIMIT 1) q),
gone AS MATERIALIZED (
    DELETE FROM queued WHERE ctid = ANY (ARRAY(SELECT place FROM found)) RETURNING message_id),
written AS (
    INSERT INTO attempt (message_id, part, try_number, carries, state, operator_id, link_id, sequence_number, epoch,
                         recipient, submitted_at, state_at, deadline_at)
    SELECT message_id, part, try_number, CASE WHEN as_one THEN parts ELSE 1 << part - 1 END,
           {Attempt.State.SUBMITTING.value}, %(operator)s, link_id,
           sequence_number + bit_count((parts & (1 << part - 1) - 1)::bit(32)), %(epoch)s, recipient,
           %(now)s, %(now)s, deadline_at
      FROM found CROSS JOIN generate_series(1, 8) AS part
     WHERE CASE WHEN as_one THEN part = 1 ELSE parts >> part - 1 & 1 = 1 END
       AND message_id = ANY (ARRAY(SELECT message_id FROM gone)))
SELECT (SELECT count(*) FROM fence), array_agg(message_id) FROM gone""")


def attempt(conn: Connection, operator_id: int, epoch: int, handovers: Sequence[Handover], now: datetime) -> set[int]:
    """Commit the attempts; gives the ids of the messages that may now be written to the wire, the others are gone.

    Raises NotTheOwner.
    """
    values = {
        "operator": operator_id,
        "epoch": epoch,
        "now": now,
        "lanes": array_of(h.claimed.lane for h in handovers),
        "customers": array_of(h.claimed.customer_id for h in handovers),
        "ids": array_of(h.claimed.message_id for h in handovers),
        "parts": array_of(h.parts for h in handovers),
        "links": array_of(h.link_id for h in handovers),
        "sequences": array_of(h.first_sequence_number for h in handovers),
        "recipients": array_of(h.claimed.recipient for h in handovers),
        "tries": array_of(h.claimed.try_number for h in handovers),
        "as_one": array_of(h.as_one for h in handovers),
        "deadlines": array_of_times(h.deadline_at for h in handovers),
    }
    row = conn.execute(ATTEMPT, values, prepare=True).fetchone()
    assert row is not None
    if not row[0]:
        raise NotTheOwner(operator_id)
    return set(row[1] or ())


class Waiting(NamedTuple):
    """Parts of a message that wait for their turn again: proven not to have been taken, or to be sent once more."""

    claimed: Claimed
    parts: int  # bits
    not_before: datetime | None


# A batch that is paused gets its messages back when it resumes. What is not sent any more, because its batch was
# cancelled or another part of it has ended the message, is told to the caller.
REQUEUE = one_line(f"""
WITH given AS MATERIALIZED (
    SELECT g.*, b.state, m.final_at IS NOT NULL AS is_final
      FROM unnest(%(lanes)s::int2[], %(customers)s::int8[], %(ids)s::int8[], %(batches)s::int8[],
                  %(send_by)s::timestamptz[], %(not_before)s::timestamptz[], %(parts)s::int2[], %(tries)s::int2[])
           AS g (lane, customer_id, message_id, batch_id, send_by, not_before, parts_left, try_number)
     CROSS JOIN LATERAL (SELECT final_at FROM message WHERE id = g.message_id LIMIT 1) m
     CROSS JOIN LATERAL (SELECT state FROM batch WHERE id = g.batch_id LIMIT 1 FOR SHARE) b),
back AS (
    INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, not_before, parts_left,
                        try_number)
    SELECT %(operator)s, lane, customer_id, message_id, batch_id, send_by, not_before, parts_left, try_number
      FROM given WHERE state = {Batch.State.RUNNING.value} AND NOT is_final
    ON CONFLICT (operator_id, lane, customer_id, message_id)
    DO UPDATE SET parts_left = queued.parts_left | excluded.parts_left, not_before = excluded.not_before,
                  try_number = greatest(queued.try_number, excluded.try_number))
SELECT message_id FROM given WHERE state = {Batch.State.CANCELLED.value} OR is_final""")


def requeue(conn: Connection, operator_id: int, waiting: Sequence[Waiting]) -> set[int]:
    """Back to the queue; gives the ids of messages that are not sent any more. Each message at most once in a call."""
    claimed = [each.claimed for each in waiting]
    values = {
        "operator": operator_id,
        "lanes": array_of(c.lane for c in claimed),
        "customers": array_of(c.customer_id for c in claimed),
        "ids": array_of(c.message_id for c in claimed),
        "batches": array_of(c.batch_id for c in claimed),
        "send_by": array_of_times(c.send_by for c in claimed),
        "not_before": array_of_times(each.not_before for each in waiting),
        "parts": array_of(each.parts for each in waiting),
        "tries": array_of(c.try_number for c in claimed),
    }
    return {message_id for (message_id,) in conn.execute(REQUEUE, values, prepare=True)}


WITHDRAW = """
DELETE FROM queued WHERE ctid = ANY (ARRAY(
    SELECT q.place FROM unnest(%(ids)s::int8[], %(customers)s::int8[], %(lanes)s::int2[])
           AS g (message_id, customer_id, lane)
     CROSS JOIN LATERAL (
           SELECT ctid AS place FROM queued WHERE operator_id = %(operator)s AND lane = g.lane
              AND customer_id = g.customer_id AND message_id = g.message_id LIMIT 1) q))
RETURNING message_id, parts_left"""


def withdraw(conn: Connection, operator_id: int, claimed: Iterable[Claimed]) -> dict[int, int]:
    """Take messages off the queue that are not to be sent any more; gives those that were there, with their parts."""
    rows = list(claimed)
    values = {
        "operator": operator_id,
        "ids": array_of(c.message_id for c in rows),
        "customers": array_of(c.customer_id for c in rows),
        "lanes": array_of(c.lane for c in rows),
    }
    return dict(conn.execute(WITHDRAW, values, prepare=True).fetchall())
