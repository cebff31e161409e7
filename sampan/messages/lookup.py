"""What is known of messages, as their customer may see it: never another's (spec S6, S71)."""

from collections.abc import Iterable
from typing import NamedTuple

from sampan.database import Connection, array_of
from sampan.messages.tables import Status
from sampan.reasons import BY_NUMBER, Reason


class Shown(NamedTuple):
    """A message's status and reason."""

    status: Status
    reason: Reason


# A message whose part is being handed over right now is PROCESSING, though its row says so only with the answer.
STATUS = f"""
    SELECT CASE WHEN m.status = {Status.UPLOAD_SUCCESS.value} AND EXISTS (SELECT FROM attempt WHERE message_id = m.id)
                THEN {Status.PROCESSING.value} ELSE m.status END,
           m.status, m.reason
      FROM message m WHERE m.id = %s AND m.customer_id = %s"""


def shown_status(conn: Connection, customer_id: int, message_id: int) -> Shown | None:
    """Of one message; None where this customer has none with that id."""
    row = conn.execute(STATUS, [message_id, customer_id]).fetchone()
    if row is None:
        return None
    shown, stored, reason = row
    return Shown(Status(shown), Reason.PROCESSING if shown != stored else BY_NUMBER[reason])


class Told(NamedTuple):
    """A message as its customer is told of it, with its money in pips."""

    id: int
    recipient: int
    status: Status
    reason: Reason
    units: int
    price_pips: int  # what it costs once it is taken
    charged_pips: int


TOLD = f"""
    SELECT m.id, m.recipient,
           CASE WHEN m.status = {Status.UPLOAD_SUCCESS.value} AND EXISTS (SELECT FROM attempt WHERE message_id = m.id)
                THEN {Status.PROCESSING.value} ELSE m.status END,
           m.status, m.reason, m.units, m.price_pips, m.charged_pips
      FROM message m WHERE m.id = ANY(%s::int8[]) AND m.customer_id = %s"""


def told(conn: Connection, customer_id: int, message_ids: Iterable[int]) -> dict[int, Told]:
    """Those of these messages that are this customer's, by id."""
    found = {}
    for id_, recipient, shown, stored, reason, *figures in conn.execute(TOLD, [array_of(message_ids), customer_id]):
        told_reason = Reason.PROCESSING if shown != stored else BY_NUMBER[reason]
        found[id_] = Told(id_, recipient, Status(shown), told_reason, *figures)
    return found


PRICE = "SELECT price_pips FROM batch WHERE id = %s AND customer_id = %s"


def price_of(conn: Connection, customer_id: int, batch_id: int) -> int:
    """What a batch of this customer cost when it was accepted, in pips; 0 where it has none with that id."""
    row = conn.execute(PRICE, [batch_id, customer_id]).fetchone()
    return int(row[0]) if row else 0


class Party(NamedTuple):
    """To whom a message went, and from which customer."""

    customer_id: int
    customer: str
    recipient: int


PARTY = """
    SELECT c.id, c.name, m.recipient FROM message m JOIN customer c ON c.id = m.customer_id WHERE m.id = %s"""


def party_of(conn: Connection, message_id: int) -> Party | None:
    """Of one message, for its recipient; None where it was deleted (spec S130)."""
    row = conn.execute(PARTY, [message_id]).fetchone()
    return Party(*row) if row else None


QUEUE_LENGTH = """
    SELECT count(*) FROM operator o CROSS JOIN (VALUES (1::smallint), (2)) AS lanes (lane)
      JOIN queued q ON q.operator_id = o.id AND q.lane = lanes.lane AND q.customer_id = %s"""


def queue_length(conn: Connection, customer_id: int) -> int:
    """How many of this customer's messages wait their turn."""
    row = conn.execute(QUEUE_LENGTH, [customer_id]).fetchone()
    return int(row[0]) if row else 0
