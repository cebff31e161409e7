"""`sampan message SMSDID`: everything known of one message, for whoever looks into a complaint."""

import argparse
from typing import Any

from psycopg.rows import dict_row

from sampan.billing.money import in_pips
from sampan.database import beneath_django
from sampan.messages.tables import Source, Status
from sampan.ops.cli import Answer, VerbRefused
from sampan.reasons import BY_NUMBER

MESSAGE = """
    SELECT m.*, b.text AS batch_text, b.sender, b.source, b.scheduled_at, b.validity_minutes, c.name AS customer,
           d.name AS destination, r.code AS route, o.name AS operator
      FROM message m JOIN batch b ON b.id = m.batch_id JOIN customer c ON c.id = m.customer_id
      LEFT JOIN destination d ON d.id = m.destination_id LEFT JOIN route r ON r.id = m.route_id
      LEFT JOIN operator o ON o.id = m.operator_id
     WHERE m.id = %s"""
PARTS = """
    SELECT part, submitted_at, answered_at, command_status, operator_ref, link_id, sequence_number,
           receipt_at, receipt_state, receipt_error, 'settled' AS state
      FROM message_part WHERE message_id = %(id)s
    UNION ALL
    SELECT part, submitted_at, answered_at, NULL, operator_ref, link_id, sequence_number,
           NULL, NULL, receipt_error, (ARRAY['submitting', 'taken', 'retrying', 'unknown'])[state]
      FROM attempt WHERE message_id = %(id)s
     ORDER BY part"""
QUEUED = "SELECT operator_id, lane, send_by, not_before FROM queued WHERE message_id = %s"
TRANSFERS = "SELECT id, kind, at, amount_pips FROM transfer WHERE id = ANY(%s)"


def show(arguments: argparse.Namespace) -> Answer:
    """The message, its parts, where it waits, and its money."""
    with beneath_django() as conn, conn.cursor(row_factory=dict_row) as cursor:
        message = cursor.execute(MESSAGE, [arguments.smsdid]).fetchone()
        if message is None:
            raise VerbRefused(f"there is no message {arguments.smsdid}")
        parts = cursor.execute(PARTS, {"id": arguments.smsdid}).fetchall()
        queued = cursor.execute(QUEUED, [arguments.smsdid]).fetchone()
        money = [message[name] for name in ("hold_id", "charge_id", "release_id") if message[name]]
        transfers = cursor.execute(TRANSFERS, [money]).fetchall()
    facts = _facts(message) | {"parts": parts, "queued": queued, "transfers": transfers}
    return Answer(facts, _lines(facts))


def _facts(message: dict[str, Any]) -> dict[str, Any]:
    reason = BY_NUMBER[message["reason"]]
    return {
        "smsdid": message["id"],
        "batch": message["batch_id"],
        "customer": message["customer"],
        "source": Source(message["source"]).label,
        "recipient": str(message["recipient"]),
        "sender": message["sender"],
        "text": message["text"] or message["batch_text"],
        "status": message["status"],
        "status_words": Status(message["status"]).label,
        "reason": reason.shown,
        "reason_words": reason.words,
        "destination": message["destination"],
        "route": message["route"],
        "operator": message["operator"],
        "units": message["units"],
        "price": in_pips(message["price_pips"]),
        "charged": in_pips(message["charged_pips"]),
        "accepted_at": message["created_at"],
        "scheduled_at": message["scheduled_at"],
        "taken_at": message["taken_at"],
        "final_at": message["final_at"],
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [f"{name.replace('_', ' '):<14} {value}" for name, value in facts.items() if not isinstance(value, list)]
    for part in facts["parts"]:
        lines.append(f"part {part['part']:<9} " + ", ".join(f"{k} {v}" for k, v in part.items() if v is not None))
    for transfer in facts["transfers"]:
        lines.append(
            f"transfer       {transfer['id']}, {in_pips(transfer['amount_pips'])} of which this message has a share"
        )
    return lines
