"""query_sm: what became of messages that have an operator's id and no receipt (spec S78).

Asked when the validity is over, and now and then again until the message ends by itself (spec S75). An answer counts as
a receipt does, and takes the same way.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of
from sampan.dispatch.inbox import Receipt
from sampan.dispatch.tables import Attempt
from sampan.smpp.addresses import Address
from sampan.smpp.pdu import MessageState, QuerySm, QuerySmResp

GRACE = timedelta(hours=24)  # after validity, without a receipt, a message ends (spec S75)
AFTER_VALIDITY = timedelta(minutes=10)
AGAIN_AFTER = timedelta(hours=2)
MOST_A_LOOK = 20
FINAL = {
    MessageState.DELIVERED,
    MessageState.EXPIRED,
    MessageState.DELETED,
    MessageState.UNDELIVERABLE,
    MessageState.REJECTED,
}


class Overdue(NamedTuple):
    """A part whose receipt should have come."""

    message_id: int
    part: int
    try_number: int
    link_id: int
    operator_ref: str
    recipient: int
    sender: str
    route_id: int
    destination_id: int


OVERDUE = f"""
    SELECT a.message_id, a.part, a.try_number, a.link_id, a.operator_ref, a.recipient, b.sender,
           m.route_id, m.destination_id
      FROM (SELECT * FROM attempt
             WHERE operator_id = %(operator)s AND state IN ({Attempt.State.TAKEN.value}, {Attempt.State.RETRYING.value})
               AND operator_ref <> '' AND deadline_at < %(deadline)s
               AND (queried_at IS NULL OR queried_at < %(before)s)
             ORDER BY message_id LIMIT {MOST_A_LOOK}) a
      JOIN message m ON m.id = a.message_id JOIN batch b ON b.id = m.batch_id"""
ASKED = """
    UPDATE attempt a SET queried_at = %(now)s FROM unnest(%(ids)s::int8[], %(parts)s::int2[], %(tries)s::int2[])
           AS g (message_id, part, try_number)
     WHERE a.message_id = g.message_id AND a.part = g.part AND a.try_number = g.try_number"""


def overdue(conn: Connection, operator_id: int, now: datetime) -> list[Overdue]:
    """Some of the parts to ask about now, marked as asked."""
    values = {"operator": operator_id, "deadline": now + GRACE - AFTER_VALIDITY, "before": now - AGAIN_AFTER}
    parts = [Overdue(*row) for row in conn.execute(OVERDUE, values)]
    if parts:
        asked = {
            "now": now,
            "ids": array_of(part.message_id for part in parts),
            "parts": array_of(part.part for part in parts),
            "tries": array_of(part.try_number for part in parts),
        }
        conn.execute(ASKED, asked)
    return parts


def question(part: Overdue, source: Address) -> QuerySm:
    """What to ask; the source address must be that of the submit_sm (SMPP 3.4 §4.8.1)."""
    return QuerySm(part.operator_ref, source.ton, source.npi, source.digits)


def as_receipt(part: Overdue, answer: QuerySmResp) -> Receipt | None:
    """What the answer says, as a receipt; None where the operator does not know either."""
    if answer.message_state not in FINAL:
        return None
    return Receipt(
        link_id=part.link_id,
        operator_ref=part.operator_ref,
        recipient=part.recipient,
        state=answer.message_state,
        error=str(answer.error_code) if answer.error_code else "",
        intermediate=False,
        text="query_sm",
    )
