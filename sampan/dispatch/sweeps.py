"""What time ends: messages not sent in time, receipts that never came, receipts that came again (spec S70, S75, S77).

The worker calls each of these again and again with a bounded number of rows; they need no owner.
"""

from datetime import datetime, timedelta

from sampan.database import Connection
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.status import Evidence, Settled
from sampan.messages.tables import Status
from sampan.reasons import Reason

MOST_A_SWEEP = 1_000
REPEATS_AFTER = timedelta(minutes=1)
REPEATED_WITHIN = timedelta(days=1)

# What was found is named by where it lies: a join with it may be planned, while the statistics are those of an empty
# table, as one search of the whole table for each of its rows.
LATE = """
    DELETE FROM queued WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM queued WHERE send_by <= %s ORDER BY message_id LIMIT %s FOR UPDATE SKIP LOCKED))
    RETURNING message_id, parts_left"""


def end_not_sent_in_time(conn: Connection, now: datetime) -> int:
    """What no operator took in time leaves the queue: EXPIRED, released. Gives how many."""
    with conn.transaction():
        late = conn.execute(LATE, [now, MOST_A_SWEEP]).fetchall()
        ending = Status.EXPIRED, Reason.NOT_SENT_IN_TIME
        status.settle(conn, [Settled(message_id, parts, 0, *ending) for message_id, parts in late], now)
    return len(late)


OVERDUE = f"""
    WITH gone AS (
        DELETE FROM attempt WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM attempt
             WHERE deadline_at <= %(now)s AND state <> {Attempt.State.SUBMITTING.value}
             ORDER BY message_id LIMIT %(most)s FOR UPDATE SKIP LOCKED))
        RETURNING *),
    kept AS (
        INSERT INTO message_part (message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at,
                                  answered_at, operator_ref, receipt_error)
        SELECT message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at, answered_at,
               operator_ref, receipt_error FROM gone)
    SELECT message_id, carries, state FROM gone"""


def end_without_receipt(conn: Connection, now: datetime) -> int:
    """Parts whose receipt never came end their messages: EXPIRED, reason 301 (spec S75). Gives how many parts.

    A part whose outcome is unknown is not charged: nothing says that the operator had it.
    """
    with conn.transaction():
        rows = conn.execute(OVERDUE, {"now": now, "most": MOST_A_SWEEP}).fetchall()
        doubtful: dict[int, int] = {}
        for message_id, carries, state in rows:
            if state == Attempt.State.UNKNOWN:
                doubtful[message_id] = doubtful.get(message_id, 0) | carries
        ending = Status.EXPIRED, Reason.NO_RECEIPT
        status.settle(conn, [Settled(message_id, parts, 0, *ending) for message_id, parts in doubtful.items()], now)
        waiting = {message_id for message_id, *_ in rows} - doubtful.keys()
        status.hear(conn, [Evidence(message_id, 0, *ending) for message_id in waiting], now)
    return len(rows)


REPEATED = """
    DELETE FROM inbox_receipt i USING message_part p
     WHERE NOT i.looked_for AND i.received_at < %(before)s AND i.operator_ref <> ''
       AND (p.receipt_at > %(since)s OR p.receipt_at IS NULL)
       AND p.operator_id = i.operator_id AND p.operator_ref = i.operator_ref"""
LOOKED_FOR = "UPDATE inbox_receipt SET looked_for = true WHERE NOT looked_for AND received_at < %(before)s"


def forget_repeated_receipts(conn: Connection, now: datetime) -> int:
    """A receipt that came again after its part had ended says nothing new. Gives how many were forgotten.

    No index leads from an id to its part, as each message would pay for it. So each is looked for once, among the parts
    that ended since a day before, all in one reading of those. What repeats an older one waits for staff.
    """
    before = now - REPEATS_AFTER
    oldest = "SELECT min(received_at) FROM inbox_receipt WHERE NOT looked_for AND received_at < %s"
    ((since,),) = conn.execute(oldest, [before]).fetchall()
    if since is None:
        return 0
    values = {"before": before, "since": since - REPEATED_WITHIN}
    with conn.transaction():
        # By keys, all of them would be read once for each receipt.
        conn.execute("SELECT set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true)")
        count = conn.execute(REPEATED, values).rowcount
        conn.execute(LOOKED_FOR, values)
    return count
