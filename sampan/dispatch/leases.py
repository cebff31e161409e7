"""Who owns an operator's links: a lease row with an epoch, renewed by its owner, taken over when it has run out.

The clock is the database's, so that gateways on several machines agree. A new owner has a new epoch; what the old one
still tries under its own is refused (`claims.attempt`), and its attempts without an answer are unknown (spec S76).
"""

from collections.abc import Sequence
from datetime import datetime

from sampan.database import Connection, array_of
from sampan.dispatch.tables import Attempt
from sampan.messages import status

LEASE_S = 10.0
RENEW_EVERY_S = 3.0

RENEW = """
    UPDATE operator_lease SET expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
     WHERE owner = %(owner)s RETURNING operator_id, epoch"""
TAKE = """
    INSERT INTO operator_lease (operator_id, owner, epoch, expires_at)
    VALUES (%(operator)s, %(owner)s, 1, clock_timestamp() + make_interval(secs => %(lease_s)s))
    ON CONFLICT (operator_id) DO UPDATE
       SET owner = excluded.owner, epoch = operator_lease.epoch + 1, expires_at = excluded.expires_at
     WHERE operator_lease.expires_at < clock_timestamp()
    RETURNING epoch"""
RELEASE = """
    UPDATE operator_lease SET expires_at = '-infinity', owner = ''
     WHERE owner = %(owner)s AND operator_id = ANY(%(operators)s::int4[])"""
FORSAKEN = f"""
    UPDATE attempt SET state = {Attempt.State.UNKNOWN.value}, state_at = %(now)s
     WHERE operator_id = %(operator)s AND state = {Attempt.State.SUBMITTING.value} AND epoch < %(epoch)s
    RETURNING message_id"""


def renew(conn: Connection, owner: str) -> dict[int, int]:
    """Extend all leases of this owner; gives operator id → epoch of those it still has."""
    rows = conn.execute(RENEW, {"owner": owner, "lease_s": LEASE_S})
    return dict(rows.fetchall())


def take(conn: Connection, owner: str, operator_id: int, now: datetime) -> int | None:
    """Own an operator whose lease is free, under a new epoch; None where somebody has it.

    What an earlier owner had written to the wire without an answer becomes unknown in the same transaction.
    """
    with conn.transaction():
        row = conn.execute(TAKE, {"owner": owner, "operator": operator_id, "lease_s": LEASE_S}).fetchone()
        if row is None:
            return None
        values = {"operator": operator_id, "epoch": row[0], "now": now}
        status.doubt(conn, [message_id for (message_id,) in conn.execute(FORSAKEN, values)])
    return int(row[0])


def release(conn: Connection, owner: str, operator_ids: Sequence[int]) -> None:
    """Let go at once, after the last answer was recorded."""
    conn.execute(RELEASE, {"owner": owner, "operators": array_of(operator_ids)})
