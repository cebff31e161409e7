"""One message: what it was and what became of it. Its parts are told by dispatch/parts.py."""

from datetime import datetime
from typing import NamedTuple

from sampan.compliance.footers import Footers, with_footer
from sampan.database import Connection
from sampan.messages.reports.shown import HELD, SHOWN, Shown, as_shown
from sampan.messages.tables import Purpose, Source, Status
from sampan.reasons import Reason
from sampan.routing.tables import Destination


class MessageFacts(NamedTuple):
    """One message with what it shares with its batch."""

    id: int
    recipient: int
    shown: Shown
    status: Status
    reason: Reason
    created_at: datetime
    started_at: datetime | None
    scheduled_at: datetime | None
    taken_at: datetime | None
    final_at: datetime | None
    coding: int
    units: int
    parts: int
    taken_parts: int
    delivered_parts: int
    price_pips: int
    charged_pips: int
    held_pips: int
    is_held_or_settled: bool
    text: str  # as the recipient gets it, but for the signature
    batch_id: int
    batch_name: str
    sender: str
    signature: str
    footers: Footers
    source: Source
    purpose: Purpose
    validity_minutes: int
    destination: str
    region: Destination.Region | None
    route: str
    own_sender: bool
    receipts: bool


MESSAGE = f"""
    SELECT m.id, m.recipient, {SHOWN}, m.status, m.reason, m.created_at, b.started_at, b.scheduled_at, m.taken_at,
           m.final_at, m.coding, m.units, m.parts, m.taken_parts, m.delivered_parts, m.price_pips, m.charged_pips,
           {HELD}, m.hold_id IS NOT NULL, coalesce(m.text, b.text), b.id, b.name, b.sender, b.signature,
           b.footers, b.source, b.purpose, b.validity_minutes, coalesce(d.name, ''), d.region, coalesce(r.name, ''),
           coalesce(r.own_sender, false), coalesce(r.receipts, true)
      FROM message m JOIN batch b ON b.id = m.batch_id
      LEFT JOIN destination d ON d.id = m.destination_id LEFT JOIN route r ON r.id = m.route_id
     WHERE m.id = %s AND m.customer_id = %s"""


def message(conn: Connection, customer_id: int, message_id: int) -> MessageFacts | None:
    """One message; None where this customer has none with that id."""
    row = conn.execute(MESSAGE, [message_id, customer_id]).fetchone()
    if row is None:
        return None
    facts = MessageFacts(*row)
    shown, status, reason = as_shown(facts.shown, facts.status, row[MessageFacts._fields.index("reason")])
    region = Destination.Region(facts.region) if facts.region else None
    return facts._replace(
        text=with_footer(facts.text, facts.footers, region or Destination.Region.OVERSEAS, facts.id),
        shown=shown,
        status=status,
        reason=reason,
        source=Source(facts.source),
        purpose=Purpose(facts.purpose),
        region=region,
    )
