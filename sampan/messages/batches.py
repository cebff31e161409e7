"""What a customer or staff do to a batch: pause, resume, cancel, release (spec S10, S51, S53).

Each locks the batch first, so that two who act at once act one after the other. What an operator has, or may have, is
not called back. A paused batch keeps its hold and does not age: its send-by begins anew when it resumes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, one_line
from sampan.messages import status
from sampan.messages.announcing import Place
from sampan.messages.planning import PROMOTIONAL_SEND_BY
from sampan.messages.status import Settled
from sampan.messages.tables import Batch, Purpose, Status
from sampan.reasons import Reason, Refused

LOCK = """
    SELECT state, customer_id, created_at, scheduled_at, purpose, validity_minutes FROM batch
     WHERE id = %s AND (%s::int8 IS NULL OR customer_id = %s) FOR NO KEY UPDATE"""


class _Batch(NamedTuple):
    state: Batch.State
    customer_id: int
    created_at: datetime
    scheduled_at: datetime | None
    purpose: Purpose
    validity_minutes: int


def _lock(conn: Connection, batch_id: int, customer_id: int | None) -> _Batch:
    """The batch, for us alone until the transaction ends. Refused where that customer has none with this id."""
    row = conn.execute(LOCK, [batch_id, customer_id, customer_id]).fetchone()
    if row is None:
        raise Refused(Reason.NO_SUCH_BATCH, "batch", str(batch_id))
    state, customer, created_at, scheduled_at, purpose, validity = row
    return _Batch(Batch.State(state), customer, created_at, scheduled_at, Purpose(purpose), validity)


SET_STATE = "UPDATE batch SET state = %(state)s WHERE id = %(batch)s"
UNQUEUE = """
    DELETE FROM queued q USING (SELECT DISTINCT operator_id FROM message
           WHERE customer_id = %(customer)s AND created_at = %(created)s AND batch_id = %(batch)s
             AND operator_id IS NOT NULL) o
     WHERE q.operator_id = o.operator_id AND q.lane = %(lane)s AND q.customer_id = %(customer)s
       AND q.batch_id = %(batch)s
    RETURNING q.message_id, q.parts_left"""


def _values(batch_id: int, batch: _Batch) -> dict[str, object]:
    return {
        "batch": batch_id,
        "customer": batch.customer_id,
        "created": batch.created_at,
        "lane": batch.purpose.value,
    }


def pause(conn: Connection, batch_id: int, *, customer_id: int | None = None) -> int:
    """Nothing more of it is handed over; gives how many messages wait. A batch that does not run is refused."""
    with conn.transaction():
        batch = _lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.RUNNING:
            raise Refused(Reason.BATCH_NOT_RUNNING, "batch", str(batch_id))
        values = _values(batch_id, batch)
        conn.execute(SET_STATE, values | {"state": Batch.State.PAUSED})
        return conn.execute(UNQUEUE, values).rowcount


# Parts that are neither answered nor with a link. One in doubt was attempted, so it is not among them.
OPEN = """
    SELECT m.id, m.operator_id, ((1 << m.parts) - 1) & ~m.answered_parts
           & ~coalesce((SELECT bit_or(carries) FROM attempt a WHERE a.message_id = m.id), 0) AS parts
      FROM message m
     WHERE m.customer_id = %(customer)s AND m.created_at = %(created)s AND m.batch_id = %(batch)s
       AND m.final_at IS NULL"""
REQUEUE = one_line(f"""
    WITH open AS ({OPEN}),
    back AS (
        INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left)
        SELECT operator_id, %(lane)s, %(customer)s, id, %(batch)s, %(send_by)s, parts FROM open WHERE parts <> 0
        RETURNING operator_id)
    SELECT operator_id, count(*) FROM back GROUP BY 1""")


def resume(conn: Connection, batch_id: int, now: datetime, *, customer_id: int | None = None) -> set[Place]:
    """A paused batch goes on; gives where it waits."""
    with conn.transaction():
        batch = _lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.PAUSED:
            raise Refused(Reason.BATCH_NOT_PAUSED, "batch", str(batch_id))
        wait = (
            timedelta(minutes=batch.validity_minutes) if batch.purpose == Purpose.TRANSACTIONAL else PROMOTIONAL_SEND_BY
        )
        values = _values(batch_id, batch) | {"send_by": now + wait}
        conn.execute(SET_STATE, values | {"state": Batch.State.RUNNING})
        rows = conn.execute(REQUEUE, values).fetchall()
    return {(operator_id, batch.purpose.value, batch.customer_id) for operator_id, _ in rows}


RELEASE_HELD = f"""
    UPDATE batch SET state = {Batch.State.SCHEDULED.value}, scheduled_at = %(now)s WHERE id = %(batch)s"""


def release(conn: Connection, batch_id: int, now: datetime, *, customer_id: int | None = None) -> None:
    """A batch that was held because it came due too late starts now, with everything asked again (spec S53, S97)."""
    with conn.transaction():
        batch = _lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.HELD:
            raise Refused(Reason.BATCH_NOT_HELD, "batch", str(batch_id))
        conn.execute(RELEASE_HELD, {"now": now, "batch": batch_id})


WAITING = f"SELECT id, parts FROM ({OPEN}) o WHERE parts <> 0"


def cancel(conn: Connection, batch_id: int, now: datetime, *, customer_id: int | None = None) -> int:
    """What of it was not handed over never is: 21/300, released (spec S10). Gives how many messages that ended."""
    with conn.transaction():
        batch = _lock(conn, batch_id, customer_id)
        if batch.state == Batch.State.CANCELLED:
            raise Refused(Reason.BATCH_CANCELLED, "batch", str(batch_id))
        values = _values(batch_id, batch)
        running = batch.state == Batch.State.RUNNING
        waiting: Sequence[tuple[int, int]] = conn.execute(UNQUEUE if running else WAITING, values).fetchall()
        conn.execute(SET_STATE, values | {"state": Batch.State.CANCELLED})
        ending = Status.UNDELIVERABLE, Reason.CANCELLED
        status.settle(conn, [Settled(message_id, parts, 0, *ending) for message_id, parts in waiting], now)
    return len(waiting)
