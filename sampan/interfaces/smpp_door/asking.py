"""What became of a message, and calling one back: query_sm, cancel_sm."""

from datetime import datetime

from sampan.database import Connection
from sampan.interfaces.smpp_door.joining import message_of
from sampan.interfaces.smpp_door.logins import Login
from sampan.interfaces.smpp_door.words import state_of
from sampan.messages.batches import cancel as cancel_batch
from sampan.messages.tables import Source, Status
from sampan.reasons import BY_NUMBER, Reason, Refused
from sampan.smpp import time_format
from sampan.smpp.pdu import CancelSm, MessageState, QuerySm, QuerySmResp

MOST_DIGITS = 18
MESSAGE = """
    SELECT m.batch_id, b.source, m.status, m.reason, m.final_at FROM message m JOIN batch b ON b.id = m.batch_id
     WHERE m.id = %s AND m.customer_id = %s"""


def query(conn: Connection, login: Login, body: QuerySm) -> QuerySmResp:
    """The state of a message, or of a part of a long text. Raises Refused(UNKNOWN_MESSAGE)."""
    message_id = message_of(conn, login.customer_id, _id(body.message_id))
    if message_id is None:
        return QuerySmResp(body.message_id, "", MessageState.ENROUTE)
    _, _, status, reason, final_at = _message(conn, login, message_id)
    state = state_of(Status(status), BY_NUMBER[reason], is_final=final_at is not None)
    error = (BY_NUMBER[reason].shown or Reason.NONE.number) - Reason.NONE.number  # an octet: 302 is 2
    return QuerySmResp(body.message_id, time_format.format_absolute(final_at) if final_at else "", state, error)


def cancel(conn: Connection, login: Login, body: CancelSm, now: datetime) -> None:
    """Call a message back. Raises Refused where there is none, or where nothing of it waits any more.

    What came by another door may be one of thousands; those are called back there.
    """
    message_id = message_of(conn, login.customer_id, _id(body.message_id))
    if message_id is None:
        raise Refused(Reason.BATCH_NOT_RUNNING, "message_id", body.message_id)
    batch_id, source, *_ = _message(conn, login, message_id)
    with conn.transaction():
        if source != Source.SMPP or not cancel_batch(
            conn, batch_id, now, customer_id=login.customer_id, person_id=login.person_id
        ):
            raise Refused(Reason.BATCH_NOT_RUNNING, "message_id", body.message_id)


def _id(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > MOST_DIGITS:
        raise Refused(Reason.UNKNOWN_MESSAGE, "message_id", text)
    return int(text)


def _message(conn: Connection, login: Login, message_id: int) -> tuple[int, int, int, int, datetime | None]:
    row = conn.execute(MESSAGE, [message_id, login.customer_id]).fetchone()
    if row is None:
        raise Refused(Reason.UNKNOWN_MESSAGE, "message_id", str(message_id))
    return row
