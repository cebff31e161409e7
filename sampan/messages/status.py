"""The only writer of a message's status after its acceptance, and of its money (spec S71–S75, S80, S82).

Everything works on many messages at once and in one order: messages by id, then the ledger. Final is final: later
evidence never changes a final status, and money is settled once, when every part is answered (spec S82a). Callers are
in a transaction; customers' servers are told in it (telling.py).
"""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from sampan.billing import ledger
from sampan.billing.tables import Transfer
from sampan.database import Connection, array_of, one_line
from sampan.messages.content_refusals import noting as content_refusals
from sampan.messages.tables import Status
from sampan.messages.telling import told
from sampan.reasons import Reason

_id = itemgetter(0)  # messages are locked in this order


class Settled(NamedTuple):
    """Parts of one message whose handing over is decided: `answered` and among them `taken`, as bits.

    `status` and `reason` end the message where a part that was not taken ends it (refused, cancelled, not in time).
    """

    message_id: int
    answered: int
    taken: int
    status: Status | None = None
    reason: Reason | None = None


class Evidence(NamedTuple):
    """What receipts say of one message: `delivered` parts as bits; `status` and `reason` where a part has failed or is
    being tried again (RETRY)."""

    message_id: int
    delivered: int
    status: Status | None = None
    reason: Reason | None = None


# What an insertion must have, were it one. It always finds its row, which is locked: an update that can only go by the
# key. As a join with the given rows it may be planned while the table's statistics are those of an empty one, and then
# reads the table once for each of them.
ROW = "id, batch_id, customer_id, created_at, recipient, price_pips, hold_id, destination_id, coding, units, parts"

# Money: the whole price for all parts taken, some = price × taken ÷ parts rounded down, none = nothing; the rest goes
# back (spec S82a). A message that was never held (its price is 0) has nothing to settle.
SETTLE = one_line(
    f"""
WITH settled AS MATERIALIZED (
    SELECT m.*, g.status AS ending, g.reason AS because, r.receipts,
           m.answered_parts | g.answered AS answered, m.taken_parts | g.taken AS taken,
           m.answered_parts | g.answered = (1 << m.parts) - 1 AS complete,
           m.hold_id IS NOT NULL AND m.charge_id IS NULL AND m.release_id IS NULL AS held,
           m.price_pips * bit_count((m.taken_parts | g.taken)::int4::bit(32)) / m.parts AS charged
      FROM unnest(%(ids)s::int8[], %(answered)s::int2[], %(taken)s::int2[], %(status)s::int2[], %(reason)s::int2[])
           AS g (id, answered, taken, status, reason)
     CROSS JOIN LATERAL (SELECT * FROM message WHERE id = g.id LIMIT 1 FOR NO KEY UPDATE) m
      LEFT JOIN route r ON r.id = m.route_id),
charges_wanted AS MATERIALIZED (
    SELECT customer_id, sum(charged)::int8 AS amount_pips FROM settled WHERE complete AND held GROUP BY 1),
releases_wanted AS MATERIALIZED (
    SELECT customer_id, sum(price_pips - charged)::int8 AS amount_pips FROM settled WHERE complete AND held GROUP BY 1),
charges AS ({ledger.transfers(Transfer.Kind.CHARGE, "charges_wanted")}),
releases AS ({ledger.transfers(Transfer.Kind.RELEASE, "releases_wanted")}),
ids AS (SELECT (SELECT jsonb_object_agg(customer_id, id) FROM charges) AS charges,
               (SELECT jsonb_object_agg(customer_id, id) FROM releases) AS releases)
INSERT INTO message ({ROW}, delivered_parts, answered_parts, taken_parts, charged_pips, charge_id, release_id, taken_at,
                     status, reason, final_at)
SELECT {ROW}, delivered_parts, answered, taken,
       CASE WHEN complete AND held THEN charged ELSE charged_pips END,
       CASE WHEN complete AND held AND charged > 0 THEN (ids.charges ->> customer_id::text)::int8 ELSE charge_id END,
       CASE WHEN complete AND held AND charged < price_pips THEN (ids.releases ->> customer_id::text)::int8
            ELSE release_id END,
       CASE WHEN taken > 0 THEN coalesce(taken_at, %(now)s) END,
       CASE WHEN final_at IS NOT NULL THEN status WHEN ending IS NOT NULL THEN ending
            WHEN status = {Status.RETRY.value} THEN status ELSE {Status.PROCESSING.value} END,
       CASE WHEN final_at IS NOT NULL THEN reason WHEN ending IS NOT NULL THEN because
            WHEN status = {Status.RETRY.value} THEN reason
            WHEN complete AND NOT receipts THEN {Reason.ROUTE_WITHOUT_RECEIPTS.number}
            WHEN NOT complete AND reason = {Reason.OUTCOME_UNKNOWN.number} THEN reason
            ELSE {Reason.PROCESSING.number} END,
       CASE WHEN final_at IS NOT NULL THEN final_at
            WHEN ending IS NOT NULL OR complete AND NOT receipts THEN %(now)s::timestamptz END
  FROM settled, ids
    ON CONFLICT (id) DO UPDATE
       SET answered_parts = excluded.answered_parts, taken_parts = excluded.taken_parts,
           charged_pips = excluded.charged_pips, charge_id = excluded.charge_id, release_id = excluded.release_id,
           taken_at = excluded.taken_at, status = excluded.status, reason = excluded.reason,
           final_at = excluded.final_at"""
)


def settle(conn: Connection, settled: Iterable[Settled], now: datetime) -> None:
    """Parts were taken by the operator, or will never be: status, charge and release of their messages.

    Each message at most once in a call.
    """
    rows = sorted(settled, key=_id)
    if not rows:
        return
    values = {
        "ids": array_of(row.message_id for row in rows),
        "answered": array_of(row.answered for row in rows),
        "taken": array_of(row.taken for row in rows),
        "status": array_of(row.status for row in rows),
        "reason": array_of(row.reason.number if row.reason else None for row in rows),
        "now": now,
    }
    with told(conn, [row.message_id for row in rows], now):
        conn.execute(SETTLE, values, prepare=True)
        content_refusals.note(conn, ((row.message_id, row.reason) for row in rows), now)


# A status never moves backwards: delivered parts only grow, a failure ends it, RETRY only follows the two before it.
HEAR = one_line(
    f"""
WITH heard AS MATERIALIZED (
    SELECT m.*, m.delivered_parts | g.delivered AS delivered, g.status AS heard_status, g.reason AS heard_reason,
           g.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value}) IS TRUE AS failed,
           m.delivered_parts | g.delivered = (1 << m.parts) - 1 AS all_delivered
      FROM unnest(%(ids)s::int8[], %(delivered)s::int2[], %(status)s::int2[], %(reason)s::int2[])
           AS g (id, delivered, status, reason)
     CROSS JOIN LATERAL (SELECT * FROM message WHERE id = g.id LIMIT 1 FOR NO KEY UPDATE) m)
INSERT INTO message ({ROW}, answered_parts, taken_parts, charged_pips, charge_id, release_id, delivered_parts,
                     status, reason, final_at)
SELECT {ROW}, answered_parts, taken_parts, charged_pips, charge_id, release_id, delivered,
       CASE WHEN final_at IS NOT NULL THEN status WHEN failed THEN heard_status
            WHEN all_delivered THEN {Status.DELIVERED.value} ELSE coalesce(heard_status, status) END,
       CASE WHEN final_at IS NOT NULL THEN reason WHEN failed THEN heard_reason
            WHEN all_delivered THEN {Reason.NONE.number} ELSE coalesce(heard_reason, reason) END,
       CASE WHEN final_at IS NULL AND (failed OR all_delivered) THEN %(now)s::timestamptz ELSE final_at END
  FROM heard
    ON CONFLICT (id) DO UPDATE
       SET delivered_parts = excluded.delivered_parts, status = excluded.status, reason = excluded.reason,
           final_at = excluded.final_at"""
)


def hear(conn: Connection, evidence: Iterable[Evidence], now: datetime) -> None:
    """Receipts have found their messages. Each message at most once in a call."""
    rows = sorted(evidence, key=_id)
    if not rows:
        return
    values = {
        "ids": array_of(row.message_id for row in rows),
        "delivered": array_of(row.delivered for row in rows),
        "status": array_of(row.status for row in rows),
        "reason": array_of(row.reason.number if row.reason else None for row in rows),
        "now": now,
    }
    with told(conn, [row.message_id for row in rows], now):
        conn.execute(HEAR, values, prepare=True)
        content_refusals.note(conn, ((row.message_id, row.reason) for row in rows), now)


DOUBT = one_line(
    f"""
WITH locked AS MATERIALIZED (
    SELECT m.id FROM unnest(%(ids)s::int8[]) AS g (id)
     CROSS JOIN LATERAL (SELECT id FROM message WHERE id = g.id AND final_at IS NULL LIMIT 1 FOR NO KEY UPDATE) m)
UPDATE message SET status = {Status.PROCESSING.value}, reason = {Reason.OUTCOME_UNKNOWN.number}
 WHERE id = ANY (ARRAY(SELECT id FROM locked))"""
)


def doubt(conn: Connection, message_ids: Iterable[int], now: datetime) -> None:
    """A part of each was written to the wire and got no answer: its outcome is unknown, its money stays held."""
    if ids := sorted(set(message_ids)):
        with told(conn, ids, now):
            conn.execute(DOUBT, {"ids": array_of(ids)}, prepare=True)
