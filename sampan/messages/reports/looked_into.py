"""One message as staff look into it: whose it is, where it stands, what the operator said; no number, no text."""

from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection


class Outline(NamedTuple):
    """Whose message it is and where it leads."""

    id: int
    customer_id: int
    batch_id: int
    operator: str
    operator_state: int | None


class Trace(NamedTuple):
    """One part with one operator: what the wire and the operator said, in their own words (spec S72)."""

    part: int
    try_number: int
    operator: str
    link_id: int
    sequence_number: int
    submitted_at: datetime
    answered_at: datetime | None
    command_status: int | None
    operator_ref: str
    receipt_at: datetime | None
    receipt_state: int | None
    receipt_error: str
    state: str  # of an open attempt; empty where it has ended


OUTLINE = """
    SELECT m.id, m.customer_id, m.batch_id, coalesce(o.name, ''), o.state
      FROM message m LEFT JOIN operator o ON o.id = m.operator_id WHERE m.id = %s"""
TRACES = """
    SELECT p.part, p.try_number, o.name, p.link_id, p.sequence_number, p.submitted_at, p.answered_at, p.command_status,
           coalesce(p.operator_ref, ''), p.receipt_at, p.receipt_state, coalesce(p.receipt_error, ''), p.state
      FROM (SELECT part, try_number, operator_id, link_id, sequence_number, submitted_at, answered_at, command_status,
                   operator_ref, receipt_at, receipt_state, receipt_error, '' AS state
              FROM message_part WHERE message_id = %(id)s
            UNION ALL
            SELECT part, try_number, operator_id, link_id, sequence_number, submitted_at, answered_at, NULL,
                   operator_ref, NULL, NULL, receipt_error,
                   (ARRAY['submitting', 'taken', 'retrying', 'unknown'])[state]
              FROM attempt WHERE message_id = %(id)s) p
      JOIN operator o ON o.id = p.operator_id ORDER BY p.part, p.try_number"""


def outline(conn: Connection, message_id: int) -> Outline | None:
    """Whose it is; None where there is no such message."""
    row = conn.execute(OUTLINE, [message_id]).fetchone()
    return Outline(*row) if row else None


def traces(conn: Connection, message_id: int) -> list[Trace]:
    """All that links and operators said of its parts."""
    return [Trace(*row) for row in conn.execute(TRACES, {"id": message_id})]
