"""The only way in: plans → batches, messages, holds and queue rows, in one transaction (spec S6, S8, S80, S81).

Many plans go in one statement and one commit. The fast way assumes that everybody has the money and that no client
reference repeats; where the database says otherwise, the careful way locks the balances and takes each in its turn.
"""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

import msgspec
import psycopg
from msgspec.structs import replace
from psycopg.pq import TransactionStatus

from sampan.billing import ledger
from sampan.billing.money import in_cents
from sampan.billing.tables import Transfer
from sampan.compliance import screening
from sampan.compliance.screening import Decided
from sampan.database import Connection, array_of, array_of_texts, array_of_times, one_line
from sampan.messages.personal import personal_columns
from sampan.messages.planning import Kind, Plan
from sampan.messages.tables import Batch, Status
from sampan.messages.telling import tell_new, wants_new
from sampan.reasons import Reason, Refused


class Accepted(msgspec.Struct, frozen=True):
    """What became of an accepted draft: its batch, and one message id for each recipient as given."""

    batch_id: int
    message_ids: list[int]
    plan: Plan  # of this call
    is_repeat: bool = False  # the answer is that of an earlier call with the same client reference (spec S8)


Outcome = Accepted | Refused
BETWEEN_FOOTERS = "\x1f"  # chr(31): unnest knows no arrays of arrays

# One row a batch, one a kind of message, one a message: what they share is given once. The last SELECT divides by zero
# where a client reference was taken; the trigger on `transfer` fails where a balance is too low. Both undo everything.
SUBMIT = one_line(
    f"""
WITH batches AS MATERIALIZED (
    SELECT coalesce(given_id, nextval('batch_id')) AS id, b.*
      FROM unnest(%(b_id)s::int8[], %(b_customer)s::int8[], %(b_person)s::int8[], %(b_state)s::int2[],
                  %(b_source)s::int2[], %(b_purpose)s::int2[], %(b_validity)s::int2[], %(b_recipients)s::int4[],
                  %(b_price)s::int8[], %(b_filter)s::bool[], %(b_coding)s::int2[], %(b_route)s::text[],
                  %(b_scheduled)s::timestamptz[],
                  %(b_send_by)s::timestamptz[],
                  %(b_sender)s::text[], %(b_signature)s::text[], %(b_footers)s::text[], %(b_name)s::text[],
                  %(b_text)s::text[],
                  %(b_reference)s::text[], %(b_fingerprint)s::bytea[])
           WITH ORDINALITY AS b (given_id, customer_id, person_id, state, source, purpose, validity_minutes, recipients,
                  price_pips, register_filter, coding, route, scheduled_at, send_by, sender, signature, footers,
                  name, text, reference, fingerprint, place)),
kinds AS MATERIALIZED (
    SELECT * FROM unnest(%(k_batch)s::int4[], %(k_destination)s::int4[], %(k_route)s::int4[], %(k_operator)s::int4[],
                  %(k_status)s::int2[], %(k_reason)s::int2[], %(k_coding)s::int2[], %(k_units)s::int2[],
                  %(k_parts)s::int2[], %(k_price)s::int8[])
           WITH ORDINALITY AS k (batch_place, destination_id, route_id, operator_id, status, reason, coding, units,
                  parts, price_pips, place)),
rows AS MATERIALIZED (
    SELECT nextval('message_id') AS id, r.*
      FROM unnest(%(recipients)s::int8[], %(kind_places)s::int4[], %(texts)s::text[], %(fields)s::jsonb[])
           WITH ORDINALITY AS r (recipient, kind_place, text, fields, place)),
refs AS (
    INSERT INTO client_reference (customer_id, reference, fingerprint, batch_id, created_at)
    SELECT customer_id, reference, fingerprint, id, %(now)s FROM batches WHERE reference IS NOT NULL
    ON CONFLICT DO NOTHING RETURNING 1),
new_batches AS (
    INSERT INTO batch (id, customer_id, person_id, created_at, started_at, scheduled_at, price_pips, recipients, state,
                       source, purpose, validity_minutes, register_filter, coding, route, sender, signature,
                       footers, name, text)
    SELECT id, customer_id, person_id, %(now)s, CASE WHEN scheduled_at IS NULL THEN %(now)s END, scheduled_at,
           price_pips, recipients, state, source, purpose, validity_minutes, register_filter, coding, route,
           sender, signature, string_to_array(footers, chr(31)), name, text
      FROM batches),
wanted AS MATERIALIZED (
    SELECT b.customer_id, sum(b.price_pips)::int8 AS amount_pips FROM batches b
     WHERE b.state = {Batch.State.RUNNING.value} GROUP BY b.customer_id),
holds AS ({ledger.transfers(Transfer.Kind.HOLD, "wanted")}),
new_messages AS (
    INSERT INTO message (id, batch_id, customer_id, created_at, recipient, price_pips, hold_id, final_at,
                         destination_id, route_id, operator_id, status, reason, coding, units, parts, text,
                         fields)
    SELECT r.id, b.id, b.customer_id, %(now)s, r.recipient, k.price_pips,
           CASE WHEN k.price_pips > 0 THEN h.id END,
           CASE WHEN k.status = {Status.UNDELIVERABLE.value} THEN %(now)s END,
           k.destination_id, k.route_id, k.operator_id, k.status, k.reason, k.coding, k.units, k.parts,
           r.text, r.fields
      FROM rows r JOIN kinds k ON k.place = r.kind_place JOIN batches b ON b.place = k.batch_place
      LEFT JOIN holds h ON h.customer_id = b.customer_id AND b.state = {Batch.State.RUNNING.value}),
new_queued AS (
    INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left)
    SELECT k.operator_id, b.purpose, b.customer_id, r.id, b.id, b.send_by, (1 << k.parts) - 1
      FROM rows r JOIN kinds k ON k.place = r.kind_place JOIN batches b ON b.place = k.batch_place
     WHERE k.status = {Status.UPLOAD_SUCCESS.value})
SELECT b.id, m.ids, (SELECT 1 / (count(*) = (SELECT count(reference) FROM batches))::int FROM refs)
  FROM (SELECT k.batch_place, array_agg(r.id ORDER BY r.place) AS ids
          FROM rows r JOIN kinds k ON k.place = r.kind_place GROUP BY k.batch_place) m
  JOIN batches b ON b.place = m.batch_place ORDER BY b.place"""
)


def submit(conn: Connection, plans: Sequence[Plan], now: datetime) -> list[Outcome]:
    """Accept plans in order; each is accepted or refused by itself (BALANCE_TOO_LOW, REFERENCE_REUSED).

    When it returns, what it says is committed. A repeat of a client reference gives the first answer, and waits for it
    while another process is at it (spec S8). `conn` is in autocommit.
    """
    # In a caller's transaction a try that fails would end all that the caller does.
    is_alone = conn.info.transaction_status == TransactionStatus.IDLE
    if is_alone and all(plan.scheduled_at is None for plan in plans):
        try:
            return list(_written(conn, plans, [None] * len(plans), now, with_references=True))
        except (ledger.BalanceTooLow, psycopg.errors.DivisionByZero):
            pass
    with conn.transaction():
        return _one_by_one(conn, plans, now)


def _written(
    conn: Connection, plans: Sequence[Plan], batch_ids: Sequence[int | None], now: datetime, *, with_references: bool
) -> list[Accepted]:
    """All of them, in one statement. Raises BalanceTooLow, or DivisionByZero where a client reference is taken."""
    kinds = [(place, kind) for place, plan in enumerate(plans, 1) for kind in plan.kinds]
    kind_places: list[int] = []
    first = 1
    for plan in plans:
        kind_places += [first + place for place in plan.kind_of]
        first += len(plan.kinds)
    drafts = [plan.draft for plan in plans]
    references = [draft.client_reference if with_references else None for draft in drafts]
    values = {
        "now": now,
        "b_id": array_of(batch_ids),
        "b_customer": array_of(draft.customer.id for draft in drafts),
        "b_person": array_of(draft.person_id for draft in drafts),
        "b_state": array_of(_state(plan) for plan in plans),
        "b_source": array_of(draft.source for draft in drafts),
        "b_purpose": array_of(plan.purpose for plan in plans),
        "b_validity": array_of(plan.validity_minutes for plan in plans),
        "b_recipients": array_of(len(plan.recipients) for plan in plans),
        "b_price": array_of(plan.price_pips for plan in plans),
        "b_filter": array_of(draft.register_filter for draft in drafts),
        "b_coding": array_of(draft.coding for draft in drafts),
        "b_route": array_of_texts(draft.route for draft in drafts),
        "b_scheduled": array_of_times(plan.scheduled_at for plan in plans),
        "b_send_by": array_of_times(plan.send_by for plan in plans),
        "b_sender": array_of_texts(plan.sender for plan in plans),
        "b_signature": array_of_texts(plan.signature for plan in plans),
        "b_footers": array_of_texts(BETWEEN_FOOTERS.join(plan.footers) for plan in plans),
        "b_name": array_of_texts(draft.name for draft in drafts),
        "b_text": array_of_texts(draft.text for draft in drafts),
        "b_reference": array_of_texts(reference or None for reference in references),
        "b_fingerprint": array_of_texts(
            f"\\x{_fingerprint(plan).hex()}" if reference else None
            for plan, reference in zip(plans, references, strict=True)
        ),
        **_kind_columns(plans, kinds),
        "recipients": array_of(number for plan in plans for number in plan.recipients),
        "kind_places": array_of(kind_places),
        **personal_columns([(plan.own, len(plan.recipients)) for plan in plans]),
    }
    is_kept = any(plan.screened.is_kept for plan in plans)
    is_told = any(kind.reason for _, kind in kinds) and wants_new(conn, [draft.customer.id for draft in drafts])
    with conn.transaction() if is_kept or is_told else nullcontext(), ledger.covered():
        rows = conn.execute(SUBMIT, values, prepare=True).fetchall()
        if is_kept:
            ids = [batch_id for batch_id, _, _ in rows]
            screening.keep(conn, [_decided(plan, id_) for plan, id_ in zip(plans, ids, strict=True)], now)
        if is_told:
            tell_new(conn, _ended(plans, [ids for _, ids, _ in rows]), now)
    return [_accepted(plan, batch_id, ids) for plan, (batch_id, ids, _) in zip(plans, rows, strict=True)]


def _kind_columns(plans: Sequence[Plan], kinds: Sequence[tuple[int, Kind]]) -> dict[str, str]:
    """The kinds, each with the place of its plan."""
    return {
        "k_batch": array_of(place for place, _ in kinds),
        "k_destination": array_of(kind.destination_id for _, kind in kinds),
        "k_route": array_of(kind.route_id for _, kind in kinds),
        "k_operator": array_of(kind.operator_id for _, kind in kinds),
        "k_status": array_of(_status(plans[place - 1], kind) for place, kind in kinds),
        "k_reason": array_of((kind.reason or Reason.NONE).number for _, kind in kinds),
        "k_coding": array_of(kind.composed.coding for _, kind in kinds),
        "k_units": array_of(kind.units for _, kind in kinds),
        "k_parts": array_of(len(kind.composed.parts) for _, kind in kinds),
        "k_price": array_of(kind.price_pips for _, kind in kinds),
    }


def _ended(plans: Sequence[Plan], ids: Sequence[list[int]]) -> list[int]:
    """The messages that were refused as they were accepted, by the ids of each plan's."""
    return [
        id_
        for plan, own in zip(plans, ids, strict=True)
        for id_, kind in zip(own, plan.kind_of, strict=True)
        if plan.kinds[kind].reason is not None
    ]


def _decided(plan: Plan, batch_id: int) -> Decided:
    return Decided(batch_id, plan.draft.customer.id, plan.screened)


def _accepted(plan: Plan, batch_id: int, ids: list[int], *, is_repeat: bool = False) -> Accepted:
    given = ids if len(ids) == len(plan.repeats) else [ids[place] for place in plan.repeats]
    return Accepted(batch_id, given, plan, is_repeat)


def _again(outcome: Outcome) -> Outcome:
    return replace(outcome, is_repeat=True) if isinstance(outcome, Accepted) else outcome


def _state(plan: Plan) -> Batch.State:
    return Batch.State.SCHEDULED if plan.scheduled_at else Batch.State.RUNNING


def _status(plan: Plan, kind: Kind) -> Status:
    if kind.reason is not None:
        return Status.UNDELIVERABLE
    return Status.SCHEDULING if plan.scheduled_at else Status.UPLOAD_SUCCESS


def _fingerprint(plan: Plan) -> bytes:
    """Of all that the sender asked for; the same request again has the same (spec S8)."""
    draft = plan.draft
    asked = (
        draft.is_test,
        draft.text,
        draft.sender,
        draft.route,
        draft.purpose,
        draft.coding,
        draft.scheduled_at,
        draft.validity_minutes,
        draft.register_filter,
        plan.recipients,
        plan.own and plan.own.fields,
    )
    return hashlib.sha256(msgspec.json.encode(asked)).digest()


def _one_by_one(conn: Connection, plans: Sequence[Plan], now: datetime) -> list[Outcome]:
    """Within a transaction: repeats get their first answer, then in order who can pay is accepted."""
    batch_ids = [row[0] for row in conn.execute(BATCH_IDS, [len(plans)])]
    outcomes: dict[int, Outcome] = {}
    first_with = _take_references(conn, plans, batch_ids, now, outcomes)
    available = ledger.lock_available(conn, [plan.draft.customer.id for plan in plans])
    for place, plan in enumerate(plans):
        if place in outcomes or place in first_with:
            continue
        customer_id = plan.draft.customer.id
        if plan.price_pips > available.get(customer_id, 0) and not plan.draft.may_fall_short:
            outcomes[place] = Refused(Reason.BALANCE_TOO_LOW, "balance", in_cents(plan.price_pips))
        elif plan.scheduled_at is None:  # a scheduled one must fit, and holds nothing yet (spec S81)
            available[customer_id] -= plan.price_pips
    conn.execute(FORGET_REFERENCES, [array_of(batch_ids[place] for place in outcomes)])
    fit = [place for place in range(len(plans)) if place not in outcomes and place not in first_with]
    if fit:
        written = _written(
            conn, [plans[place] for place in fit], [batch_ids[place] for place in fit], now, with_references=False
        )
        outcomes.update(zip(fit, written, strict=True))
    outcomes.update({place: _again(outcomes[first]) for place, first in first_with.items()})
    return [outcomes[place] for place in range(len(plans))]


BATCH_IDS = "SELECT nextval('batch_id') FROM generate_series(1, %s)"
FORGET_REFERENCES = "DELETE FROM client_reference WHERE batch_id = ANY(%s::int8[])"
TAKE_REFERENCE = """
    INSERT INTO client_reference (customer_id, reference, fingerprint, batch_id, created_at)
    VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (customer_id, reference) DO UPDATE SET reference = excluded.reference
    RETURNING batch_id, fingerprint"""
MESSAGES_OF_BATCH = """
    SELECT m.id FROM batch b
      JOIN message m ON m.customer_id = b.customer_id AND m.created_at = b.created_at AND m.batch_id = b.id
     WHERE b.id = %s ORDER BY m.id"""


def _take_references(
    conn: Connection, plans: Sequence[Plan], batch_ids: Sequence[int], now: datetime, outcomes: dict[int, Outcome]
) -> dict[int, int]:
    """Mark each client reference as used, or find its first answer; writes `outcomes` of repeats and of misuse.

    Gives, for each repeat of a plan of this same call, the place of that plan.
    """
    first_with: dict[int, int] = {}
    seen: dict[tuple[int, str], int] = {}
    with_reference = [place for place, plan in enumerate(plans) if plan.draft.client_reference]
    for place in sorted(with_reference, key=lambda p: (plans[p].draft.customer.id, plans[p].draft.client_reference, p)):
        plan = plans[place]
        key = plan.draft.customer.id, plan.draft.client_reference
        fingerprint = _fingerprint(plan)
        row = conn.execute(TAKE_REFERENCE, [*key, fingerprint, batch_ids[place], now]).fetchone()
        assert row is not None
        if row[1] != fingerprint:
            outcomes[place] = Refused(Reason.REFERENCE_REUSED, "client_reference", key[1])
        elif key in seen:
            first_with[place] = seen[key]
        elif row[0] != batch_ids[place]:
            ids = [id_ for (id_,) in conn.execute(MESSAGES_OF_BATCH, [row[0]])]
            if len(ids) == len(plan.recipients):
                outcomes[place] = _accepted(plan, row[0], ids, is_repeat=True)
            else:  # its customer has erased them: never sent twice, and there is no answer left to give
                outcomes[place] = Refused(Reason.REFERENCE_REUSED, "client_reference", key[1])
        seen.setdefault(key, place)
    return first_with
