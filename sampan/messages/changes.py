"""A scheduled batch is changed or moved until an hour before it is due; its recipients stay (spec S52)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sampan.billing import ledger
from sampan.billing.money import in_cents
from sampan.billing.tables import Account
from sampan.database import Connection, array_of, one_line
from sampan.messages import stored
from sampan.messages.batches import require_changeable
from sampan.messages.personal import personal_columns
from sampan.messages.planning import Plan, Terms, plan
from sampan.messages.schedule import MESSAGES
from sampan.messages.stored import Recipient, Stored
from sampan.messages.tables import BatchAct
from sampan.reasons import Reason, Refused


@dataclass(frozen=True, slots=True)
class Changes:
    """What a member wants a scheduled batch to be."""

    name: str
    text: str
    sender: str
    validity_minutes: int
    scheduled_at: datetime  # one that has passed means now (spec S50)


# The fields of personal texts stay, also where the text names them no more: it may once again.
# They wait on; what would be refused now is asked again when the batch starts, and costs nothing until then.
UPDATE_MESSAGES = one_line("""
    WITH kinds AS MATERIALIZED (
        SELECT * FROM unnest(%(k_destination)s::int4[], %(k_route)s::int4[], %(k_operator)s::int4[],
                             %(k_coding)s::int2[], %(k_units)s::int2[], %(k_parts)s::int2[], %(k_price)s::int8[])
               WITH ORDINALITY AS k (destination_id, route_id, operator_id, coding, units, parts, price_pips, place))
    UPDATE message m SET destination_id = k.destination_id, route_id = k.route_id, operator_id = k.operator_id,
           coding = k.coding, units = k.units, parts = k.parts, price_pips = k.price_pips, text = r.text
      FROM unnest(%(ids)s::int8[], %(kind_places)s::int4[], %(texts)s::text[]) AS r (id, kind_place, text)
      JOIN kinds k ON k.place = r.kind_place
     WHERE m.id = r.id""")
UPDATE_BATCH = """
    UPDATE batch SET name = %(name)s, text = %(text)s, sender = %(sender)s, signature = %(signature)s,
           footers = %(footers)s, coding = %(coding)s, validity_minutes = %(validity)s,
           scheduled_at = %(scheduled_at)s, price_pips = %(price)s
     WHERE id = %(batch)s"""


def preview(
    conn: Connection, batch_id: int, changes: Changes, terms: Terms, now: datetime, *, customer_id: int
) -> Plan:
    """What the batch would be with these changes; nothing is written. Raises Refused as `change` does."""
    with conn.transaction():
        return _planned(conn, stored.lock(conn, batch_id, customer_id), changes, terms, now)[1]


def change(
    conn: Connection,
    batch_id: int,
    changes: Changes,
    terms: Terms,
    now: datetime,
    *,
    customer_id: int,
    person_id: int | None,
) -> None:
    """Write the changes. Raises Refused as submitting does, and where it is too late (spec S52, S81)."""
    with conn.transaction():
        batch = stored.lock(conn, batch_id, customer_id)
        ids, planned = _planned(conn, batch, changes, terms, now)
        balances = ledger.balances(conn, [batch.customer_id])
        if planned.price_pips > balances.get((batch.customer_id, Account.Kind.AVAILABLE), 0):
            raise Refused(Reason.BALANCE_TOO_LOW, "balance", in_cents(planned.price_pips))
        conn.execute(UPDATE_MESSAGES, _rows(ids, planned))
        values = {
            "batch": batch.id,
            "name": changes.name,
            "text": changes.text,
            "sender": planned.sender,
            "signature": planned.signature,
            "footers": list(planned.footers),
            "coding": planned.draft.coding,
            "validity": planned.validity_minutes,
            "scheduled_at": planned.scheduled_at or now,
            "price": planned.price_pips,
        }
        conn.execute(UPDATE_BATCH, values)
        stored.note(conn, batch, BatchAct.Kind.CHANGED, now, person_id)


def _planned(
    conn: Connection, batch: Stored, changes: Changes, terms: Terms, now: datetime
) -> tuple[Sequence[int], Plan]:
    """The ids of the messages that wait, and their plan."""
    require_changeable(batch, now)
    messages = conn.execute(MESSAGES, [batch.customer_id, batch.created_at, batch.id]).fetchall()
    draft = batch.draft(
        conn,
        [Recipient.read(*rest) for _, *rest in messages],
        text=changes.text,
        sender=changes.sender,
        coding=batch.coding if changes.text == batch.text else None,  # an API forced it for another text
        validity_minutes=changes.validity_minutes,
        scheduled_at=changes.scheduled_at,
        name=changes.name,
    )
    return [id_ for id_, *_ in messages], plan(draft, terms, now)


def _rows(ids: Sequence[int], planned: Plan) -> dict[str, object]:
    kinds = planned.kinds
    return {
        "ids": array_of(ids),
        "kind_places": array_of(place + 1 for place in planned.kind_of),
        "texts": personal_columns([(planned.own, len(ids))])["texts"],
        "k_destination": array_of(kind.destination_id for kind in kinds),
        "k_route": array_of(kind.route_id for kind in kinds),
        "k_operator": array_of(kind.operator_id for kind in kinds),
        "k_coding": array_of(kind.composed.coding for kind in kinds),
        "k_units": array_of(kind.units for kind in kinds),
        "k_parts": array_of(len(kind.composed.parts) for kind in kinds),
        "k_price": array_of(kind.price_pips for kind in kinds),
    }
