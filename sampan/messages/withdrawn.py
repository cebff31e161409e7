"""A sender ID that staff withdraw stops at once: what waits with it ends 21/312, uncharged (spec S60, S72).

What is paused, held or scheduled is asked again when it goes on (S97), and ends alike.
"""

from datetime import datetime, timedelta

from sampan.database import Connection, array_of
from sampan.messages import status
from sampan.messages.batches import UNQUEUE
from sampan.messages.status import Settled
from sampan.messages.stored import lock
from sampan.messages.tables import Batch, Lane, Status
from sampan.reasons import Reason

LOOKED_BACK = timedelta(days=2)  # longer than anything waits in the queue
MOST_AT_ONCE = 100

WITHDRAWN = """
    SELECT w.customer_id, w.text FROM sender_id w
     WHERE w.withdrawn_at > %s AND NOT EXISTS (
        SELECT FROM sender_id s WHERE s.customer_id = w.customer_id AND s.text = w.text AND s.withdrawn_at IS NULL)"""
# By operator and lane, as the queue's key begins with them.
QUEUED = """
    SELECT DISTINCT q.batch_id FROM operator o CROSS JOIN unnest(%s::int2[]) AS lanes (lane)
     CROSS JOIN unnest(%s::int8[], %s::text[]) AS c (id, sender)
      JOIN queued q ON q.operator_id = o.id AND q.lane = lanes.lane AND q.customer_id = c.id
      JOIN batch b ON b.id = q.batch_id AND b.sender = c.sender
     ORDER BY 1 LIMIT %s"""


def end_withdrawn(conn: Connection, now: datetime) -> int:
    """End what waits in the queue with sender IDs that were withdrawn lately; gives how many messages."""
    withdrawn = conn.execute(WITHDRAWN, [now - LOOKED_BACK]).fetchall()
    if not withdrawn:
        return 0
    customers, senders = array_of(row[0] for row in withdrawn), [row[1] for row in withdrawn]
    found = conn.execute(QUEUED, [array_of(Lane.values), customers, senders, MOST_AT_ONCE]).fetchall()
    return sum(_end(conn, batch_id, now) for (batch_id,) in found)


def _end(conn: Connection, batch_id: int, now: datetime) -> int:
    with conn.transaction():
        batch = lock(conn, batch_id, None)
        if batch.state != Batch.State.RUNNING:
            return 0
        waiting = conn.execute(UNQUEUE, batch.key).fetchall()
        ending = Status.UNDELIVERABLE, Reason.SENDER_WITHDRAWN
        status.settle(conn, [Settled(message_id, parts, 0, *ending) for message_id, parts in waiting], now)
    return len(waiting)
