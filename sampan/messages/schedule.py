"""Batches that wait for their time: started when it comes, with everything asked again (spec S50, S81, S97).

A scheduled batch holds nothing. When it comes due it is planned anew at the prices then in force and holds what it
costs; where the money is short, in upload order, the first message that does not fit and all after it end 21/308.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sampan.billing import ledger
from sampan.billing.tables import Transfer
from sampan.compliance import screening
from sampan.compliance.screening import Decided
from sampan.database import Connection, array_of, one_line
from sampan.messages import stored
from sampan.messages.announcing import Place
from sampan.messages.planning import Plan, Terms, plan
from sampan.messages.stored import Recipient, Stored
from sampan.messages.tables import Batch, BatchAct, Status
from sampan.messages.telling import told
from sampan.reasons import Reason, Refused
from sampan.settings import STALE_AFTER_MINUTES

STALE_AFTER = timedelta(minutes=STALE_AFTER_MINUTES)  # a batch that starts later waits for somebody's word (spec S53)
# Why a batch that was accepted cannot go when it comes due, as its messages end.
ENDINGS = {Reason.SENDER_NOT_YOURS: Reason.SENDER_WITHDRAWN}

DUE = f"""
    SELECT {stored.COLUMNS} FROM batch WHERE state = {Batch.State.SCHEDULED.value} AND scheduled_at <= %(now)s
     ORDER BY scheduled_at LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED"""
MESSAGES = f"""
    SELECT id, recipient, fields::text FROM message
     WHERE customer_id = %s AND created_at = %s AND batch_id = %s AND status = {Status.SCHEDULING.value} ORDER BY id"""

START = one_line(f"""
WITH kinds AS MATERIALIZED (
    SELECT * FROM unnest(%(k_destination)s::int4[], %(k_route)s::int4[], %(k_operator)s::int4[], %(k_status)s::int2[],
                         %(k_reason)s::int2[], %(k_coding)s::int2[], %(k_units)s::int2[],
                         %(k_parts)s::int2[], %(k_price)s::int8[])
           WITH ORDINALITY
           AS k (destination_id, route_id, operator_id, status, reason, coding, units, parts, price_pips, place)),
rows AS MATERIALIZED (
    SELECT * FROM unnest(%(ids)s::int8[], %(kind_places)s::int4[]) AS r (id, kind_place)),
wanted AS MATERIALIZED (
    SELECT %(customer)s::int8 AS customer_id, coalesce(sum(k.price_pips), 0)::int8 AS amount_pips
      FROM rows r JOIN kinds k ON k.place = r.kind_place),
holds AS ({ledger.transfers(Transfer.Kind.HOLD, "wanted")}),
queue AS (
    INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left)
    SELECT k.operator_id, %(lane)s, %(customer)s, r.id, %(batch)s, %(send_by)s, (1 << k.parts) - 1
      FROM rows r JOIN kinds k ON k.place = r.kind_place WHERE k.status = {Status.UPLOAD_SUCCESS.value}),
started AS (
    UPDATE batch SET state = {Batch.State.RUNNING.value}, started_at = %(now)s, signature = %(signature)s,
           footers = %(footers)s::text[]
     WHERE id = %(batch)s)
UPDATE message m SET status = k.status, reason = k.reason, price_pips = k.price_pips, coding = k.coding,
       units = k.units, parts = k.parts, destination_id = k.destination_id, route_id = k.route_id,
       operator_id = k.operator_id,
       hold_id = CASE WHEN k.price_pips > 0 THEN (SELECT id FROM holds) END,
       final_at = CASE WHEN k.status = {Status.UNDELIVERABLE.value} THEN %(now)s::timestamptz END
  FROM rows r JOIN kinds k ON k.place = r.kind_place WHERE m.id = r.id""")

POSTPONE = "UPDATE batch SET scheduled_at = %s WHERE id = %s"
END_ALL = f"""
    WITH started AS (UPDATE batch SET state = {Batch.State.RUNNING.value}, started_at = %(now)s WHERE id = %(batch)s)
    UPDATE message SET status = {Status.UNDELIVERABLE.value}, reason = %(reason)s, price_pips = 0, final_at = %(now)s
     WHERE id = ANY(%(ids)s::int8[])"""


def start_one(conn: Connection, terms: Terms, now: datetime) -> set[Place] | None:
    """Start the batch that has been due longest, in one transaction; gives where it waits now.

    None where no batch is due. Several workers may call this at once; each gets another batch.
    """
    with conn.transaction():
        row = conn.execute(DUE, {"now": now}).fetchone()
        if row is None:
            return None
        batch = stored.stored(row)
        assert batch.scheduled_at is not None
        if now - batch.scheduled_at > STALE_AFTER:
            hold(conn, batch, Batch.HeldFor.LATE, now)
            return set()
        messages = conn.execute(MESSAGES, [batch.customer_id, batch.created_at, batch.id]).fetchall()
        ids = [id_ for id_, *_ in messages]
        try:
            planned = plan(batch.draft(conn, [Recipient.read(*rest) for _, *rest in messages]), terms, now)
        except Refused as refused:
            _refuse(conn, batch, ids, refused, now)
            return set()
        if planned.scheduled_at is not None:  # it came due in quiet hours (spec S54)
            conn.execute(POSTPONE, [planned.scheduled_at, batch.id])
            return set()
        return _start(conn, batch.id, ids, planned, now)


def hold(conn: Connection, batch: Stored, held_for: Batch.HeldFor, now: datetime) -> None:
    """It waits until somebody releases it."""
    stored.set_state(conn, batch, Batch.State.HELD, held_for=held_for)
    stored.note(conn, batch, BatchAct.Kind.HELD, now)


def ending_of(refused: Refused) -> Reason:
    """Why messages of a batch that was accepted end, where the whole of it is refused later."""
    fits_a_message = refused.reason.shown is not None
    return ENDINGS.get(refused.reason, refused.reason if fits_a_message else Reason.OPERATOR_FAULT)


def _refuse(conn: Connection, batch: Stored, ids: Sequence[int], refused: Refused, now: datetime) -> None:
    """A suspended customer's batch is held; what else stands against the whole ends its messages (spec S97)."""
    if refused.reason == Reason.ACCOUNT_DISABLED:
        hold(conn, batch, Batch.HeldFor.SUSPENDED, now)
        return
    reason = ending_of(refused)
    with told(conn, ids, now):
        conn.execute(END_ALL, {"batch": batch.id, "ids": array_of(ids), "reason": reason.number, "now": now})


def _start(conn: Connection, batch_id: int, ids: Sequence[int], planned: Plan, now: datetime) -> set[Place]:
    """Hold what fits and queue it; the rest ends with its reason."""
    customer_id = planned.draft.customer.id
    left = ledger.lock_available(conn, [customer_id]).get(customer_id, 0)
    kinds = planned.kinds
    short = len(kinds)  # the place of a kind for what does not fit
    kind_places: list[int] = []
    is_short = False
    for place in planned.kind_of:
        price = kinds[place].price_pips
        is_short = is_short or price > left
        sendable = kinds[place].reason is None
        left -= 0 if is_short else price
        kind_places.append(short + place if is_short and sendable else place)
    # Every kind stands twice: as planned, and for those the balance did not reach.
    unpaid = [(k, Status.UNDELIVERABLE, Reason.BALANCE_TOO_LOW, 0) for k in kinds]
    rows = [(k, k.status, k.reason or Reason.NONE, k.price_pips) for k in kinds] + unpaid
    values = {
        "now": now,
        "batch": batch_id,
        "customer": customer_id,
        "lane": planned.purpose,
        "send_by": planned.send_by,
        "signature": planned.signature,
        "footers": list(planned.footers),
        "ids": array_of(ids),
        "kind_places": array_of(place + 1 for place in kind_places),
        "k_destination": array_of(kind.destination_id for kind, *_ in rows),
        "k_route": array_of(kind.route_id for kind, *_ in rows),
        "k_operator": array_of(kind.operator_id for kind, *_ in rows),
        "k_status": array_of(status for _, status, _, _ in rows),
        "k_reason": array_of(reason.number for *_, reason, _ in rows),
        "k_coding": array_of(kind.composed.coding for kind, *_ in rows),
        "k_units": array_of(kind.units for kind, *_ in rows),
        "k_parts": array_of(len(kind.composed.parts) for kind, *_ in rows),
        "k_price": array_of(price for *_, price in rows),
    }
    with ledger.covered(), told(conn, ids, now):
        conn.execute(START, values)
    screening.keep(conn, [Decided(batch_id, customer_id, planned.screened)], now)
    queued = {kinds[place].operator_id for place in kind_places if place < short and kinds[place].reason is None}
    return {(operator_id, planned.purpose.value, customer_id) for operator_id in queued if operator_id is not None}
