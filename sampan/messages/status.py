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


# Money: the whole price for all parts taken, some = price × taken ÷ parts rounded down, none = nothing; the rest goes
# back (spec S82a). A message that was never held (its price is 0) has nothing to settle.
SETTLE = one_line(
    f"""
WITH settled AS MATERIALIZED (
    SELECT g.id, m.customer_id, m.price_pips, m.answered_parts | g.answered AS answered,
           m.taken_parts | g.taken AS taken, g.status, g.reason, r.receipts,
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
UPDATE message m SET
       answered_parts = s.answered, taken_parts = s.taken,
       charged_pips = CASE WHEN s.complete AND s.held THEN s.charged ELSE m.charged_pips END,
       charge_id = CASE WHEN s.complete AND s.held AND s.charged > 0
                        THEN (ids.charges ->> m.customer_id::text)::int8 ELSE m.charge_id END,
       release_id = CASE WHEN s.complete AND s.held AND s.charged < s.price_pips
                         THEN (ids.releases ->> m.customer_id::text)::int8 ELSE m.release_id END,
       taken_at = CASE WHEN s.taken > 0 THEN coalesce(m.taken_at, %(now)s) END,
       status = CASE WHEN m.final_at IS NOT NULL THEN m.status WHEN s.status IS NOT NULL THEN s.status
                     WHEN m.status = {Status.RETRY.value} THEN m.status ELSE {Status.PROCESSING.value} END,
       reason = CASE WHEN m.final_at IS NOT NULL THEN m.reason WHEN s.status IS NOT NULL THEN s.reason
                     WHEN m.status = {Status.RETRY.value} THEN m.reason
                     WHEN s.complete AND NOT s.receipts THEN {Reason.ROUTE_WITHOUT_RECEIPTS.number}
                     WHEN NOT s.complete AND m.reason = {Reason.OUTCOME_UNKNOWN.number} THEN m.reason
                     ELSE {Reason.PROCESSING.number} END,
       final_at = CASE WHEN m.final_at IS NOT NULL THEN m.final_at
                       WHEN s.status IS NOT NULL OR s.complete AND NOT s.receipts THEN %(now)s::timestamptz END
  FROM settled s, ids WHERE m.id = s.id"""
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
# Row by row in the order given, that of their ids: so nothing needs to be locked before.
HEAR = one_line(
    f"""
UPDATE message m SET
       delivered_parts = m.delivered_parts | g.delivered,
       status = CASE WHEN m.final_at IS NOT NULL THEN m.status
                     WHEN g.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value}) THEN g.status
                     WHEN m.delivered_parts | g.delivered = (1 << m.parts) - 1 THEN {Status.DELIVERED.value}
                     ELSE coalesce(g.status, m.status) END,
       reason = CASE WHEN m.final_at IS NOT NULL THEN m.reason
                     WHEN g.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value}) THEN g.reason
                     WHEN m.delivered_parts | g.delivered = (1 << m.parts) - 1 THEN {Reason.NONE.number}
                     ELSE coalesce(g.reason, m.reason) END,
       final_at = CASE WHEN m.final_at IS NULL
                        AND (g.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value})
                             OR m.delivered_parts | g.delivered = (1 << m.parts) - 1) THEN %(now)s::timestamptz
                       ELSE m.final_at END
  FROM unnest(%(ids)s::int8[], %(delivered)s::int2[], %(status)s::int2[], %(reason)s::int2[])
       AS g (id, delivered, status, reason)
 WHERE m.id = g.id"""
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
UPDATE message m SET status = {Status.PROCESSING.value}, reason = {Reason.OUTCOME_UNKNOWN.number}
  FROM locked l WHERE m.id = l.id"""
)


def doubt(conn: Connection, message_ids: Iterable[int], now: datetime) -> None:
    """A part of each was written to the wire and got no answer: its outcome is unknown, its money stays held."""
    if ids := sorted(set(message_ids)):
        with told(conn, ids, now):
            conn.execute(DOUBT, {"ids": array_of(ids)}, prepare=True)
