"""Batches that may not go on for now: those of suspended customers, and promotional ones in quiet hours.

What these batches have in the queue is taken off it; their holds stay (spec S10, S54, S97).
"""

from datetime import datetime

from sampan.accounts.customers import customers
from sampan.accounts.tables import Customer
from sampan.database import Connection, array_of
from sampan.messages.announcing import Place
from sampan.messages.batches import UNQUEUE, resume, sleep
from sampan.messages.planning import Terms
from sampan.messages.schedule import hold
from sampan.messages.stored import lock
from sampan.messages.tables import Batch, Lane, Purpose
from sampan.reasons import Reason, Refused

MOST_AT_ONCE = 100

SUSPENDED = f"""
    SELECT id FROM customer WHERE status IN ({Customer.Status.SUSPENDED.value}, {Customer.Status.CLOSED.value})"""
WITH_QUIET_HOURS = "SELECT id FROM customer WHERE quiet_from IS NOT NULL"
# By operator and lane, as the queue's key begins with them.
QUEUED = """
    SELECT DISTINCT q.batch_id FROM operator o CROSS JOIN unnest(%s::int2[]) AS lanes (lane)
     CROSS JOIN unnest(%s::int8[]) AS c (id)
      JOIN queued q ON q.operator_id = o.id AND q.lane = lanes.lane AND q.customer_id = c.id
     ORDER BY 1 LIMIT %s"""
RESUMING = "SELECT id FROM batch WHERE resumes_at <= %s ORDER BY resumes_at LIMIT %s"


def hold_suspended(conn: Connection, now: datetime) -> int:
    """Hold what suspended and closed customers have in the queue; gives how many batches."""
    ids = {customer_id for (customer_id,) in conn.execute(SUSPENDED)}
    return sum(_hold(conn, batch_id, now) for batch_id in _queued(conn, ids, Lane.TRANSACTIONAL, Lane.PROMOTIONAL))


def _hold(conn: Connection, batch_id: int, now: datetime) -> bool:
    with conn.transaction():
        batch = lock(conn, batch_id, None)
        facts = customers(conn, {batch.customer_id})[batch.customer_id]
        if batch.state != Batch.State.RUNNING or facts.status not in (
            Customer.Status.SUSPENDED,
            Customer.Status.CLOSED,
        ):
            return False
        conn.execute(UNQUEUE, batch.key)
        hold(conn, batch, Batch.HeldFor.SUSPENDED, now)
    return True


def keep_quiet_hours(conn: Connection, now: datetime) -> int:
    """Pause what promotional batches have in the queue in their customers' quiet hours; gives how many batches."""
    ids = {customer_id for (customer_id,) in conn.execute(WITH_QUIET_HOURS)}
    facts = customers(conn, ids) if ids else {}
    quiet = {id_: hours.end_after(now) for id_ in ids if (hours := facts[id_].quiet_hours)}
    sleeping = {id_: until for id_, until in quiet.items() if until is not None}
    count = 0
    for batch_id in _queued(conn, set(sleeping), Lane.PROMOTIONAL):
        with conn.transaction():
            batch = lock(conn, batch_id, None)
            if batch.state == Batch.State.RUNNING and batch.purpose == Purpose.PROMOTIONAL:
                sleep(conn, batch, sleeping[batch.customer_id], now)
                count += 1
    return count


def _queued(conn: Connection, customer_ids: set[int], *lanes: Lane) -> list[int]:
    if not customer_ids:
        return []
    rows = conn.execute(QUEUED, [array_of(lanes), array_of(customer_ids), MOST_AT_ONCE]).fetchall()
    return [batch_id for (batch_id,) in rows]


WAKE_ALL = "UPDATE batch SET resumes_at = %s WHERE customer_id = %s AND resumes_at > %s"


def quiet_hours_changed(conn: Connection, customer_id: int, now: datetime) -> None:
    """What sleeps wakes at once, and sleeps on where the new hours say so."""
    conn.execute(WAKE_ALL, [now, customer_id, now])


def wake(conn: Connection, terms: Terms, now: datetime) -> tuple[int, set[Place]]:
    """Batches whose quiet hours have ended go on; gives how many, and where they wait."""
    count = 0
    places: set[Place] = set()
    for (batch_id,) in conn.execute(RESUMING, [now, MOST_AT_ONCE]).fetchall():
        try:
            places |= resume(conn, batch_id, terms, now)
        except Refused as refused:
            if refused.reason != Reason.ACCOUNT_DISABLED:  # somebody else was faster
                continue
            with conn.transaction():
                batch = lock(conn, batch_id, None)
                if batch.state == Batch.State.PAUSED:
                    hold(conn, batch, Batch.HeldFor.SUSPENDED, now)
        count += 1
    return count, places
