"""Who owns an operator's links: a lease row with an epoch, renewed by its owner, taken over when it has run out.

The clock is the database's, so that gateways on several machines agree. A new owner has a new epoch; what the old one
still tries under its own is refused (`claims.attempt`), and its attempts without an answer are unknown (spec S76).
"""

import contextlib
import os
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sampan.database import Connection, array_of
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.tables import Batch, Purpose

LEASE_S = 6.0
RENEW_EVERY_S = 2.0
PATIENCE_S = 3.0  # how long a lease must be seen run out: after the database was away, the owner gets to renew first


def new_owner() -> str:
    """A name for this process: where it runs, its number there, and something that no other process has."""
    return f"{_here()} {os.getpid()} {uuid.uuid4().hex[:12]}"


def _here() -> str:
    """This boot of this machine and this room of process numbers; "-" where that cannot be told."""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink().name}"
    return "-"


def is_dead(owner: str) -> bool:
    """Whether the owner was a process of this very machine that is no more. Of any other one cannot say."""
    here, _, rest = owner.partition(" ")
    number = rest.partition(" ")[0]
    if here in ("", "-") or here != _here() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


class Lease(NamedTuple):
    """An operator's lease as it stands; nobody's where there is no owner."""

    owner: str
    epoch: int
    has_expired: bool


LEASES = "SELECT operator_id, owner, epoch, expires_at < clock_timestamp() FROM operator_lease"
PRESENT = """
    WITH gone AS (DELETE FROM gateway_presence WHERE expires_at < clock_timestamp() - interval '1 hour')
    INSERT INTO gateway_presence (owner, expires_at)
    VALUES (%(owner)s, clock_timestamp() + make_interval(secs => %(lease_s)s))
    ON CONFLICT (owner) DO UPDATE SET expires_at = excluded.expires_at"""
LIVING = "SELECT count(*) FROM gateway_presence WHERE expires_at > clock_timestamp()"
RENEW = """
    UPDATE operator_lease SET expires_at = clock_timestamp() + make_interval(secs => %(lease_s)s)
     WHERE owner = %(owner)s RETURNING operator_id, epoch"""
TAKE = """
    INSERT INTO operator_lease (operator_id, owner, epoch, expires_at)
    VALUES (%(operator)s, %(owner)s, 1, clock_timestamp() + make_interval(secs => %(lease_s)s))
    ON CONFLICT (operator_id) DO UPDATE
       SET owner = excluded.owner, epoch = operator_lease.epoch + 1, expires_at = excluded.expires_at
     WHERE operator_lease.epoch = %(epoch)s
       AND (operator_lease.expires_at < clock_timestamp() OR operator_lease.owner = %(freed)s)
    RETURNING epoch"""
RELEASE = """
    UPDATE operator_lease SET expires_at = '-infinity', owner = ''
     WHERE owner = %(owner)s AND operator_id = ANY(%(operators)s::int4[])"""
LEAVE = "DELETE FROM gateway_presence WHERE owner = %s"
FORSAKEN = f"""
    UPDATE attempt SET state = {Attempt.State.UNKNOWN.value}, state_at = %(now)s
     WHERE operator_id = %(operator)s AND state = {Attempt.State.SUBMITTING.value} AND epoch < %(epoch)s
    RETURNING message_id, carries, try_number"""
# Codes go once more where their route lets them (spec S76), if there is still time.
AGAIN = f"""
    INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left, try_number)
    SELECT %(operator)s, b.purpose, m.customer_id, m.id, b.id,
           b.started_at + make_interval(mins => b.validity_minutes), bit_or(g.carries), 2
      FROM unnest(%(ids)s::int8[], %(carries)s::int2[]) AS g (id, carries)
      JOIN message m ON m.id = g.id JOIN batch b ON b.id = m.batch_id JOIN route r ON r.id = m.route_id
     WHERE r.resends_unknown AND b.purpose = {Purpose.TRANSACTIONAL.value} AND m.final_at IS NULL
       AND b.state = {Batch.State.RUNNING.value}
       AND b.started_at + make_interval(mins => b.validity_minutes) > %(now)s
     GROUP BY b.id, b.purpose, b.started_at, b.validity_minutes, m.id, m.customer_id
    ON CONFLICT (operator_id, lane, customer_id, message_id)
    DO UPDATE SET parts_left = queued.parts_left | excluded.parts_left, try_number = excluded.try_number"""


def renew(conn: Connection, owner: str) -> dict[int, int]:
    """Show that this owner lives, and extend its leases; gives operator id → epoch of those it still has."""
    values = {"owner": owner, "lease_s": LEASE_S}
    with conn.transaction():
        conn.execute(PRESENT, values)
        rows = conn.execute(RENEW, values).fetchall()
    return dict(rows)


def look(conn: Connection) -> tuple[dict[int, Lease], int]:
    """All leases by operator, and how many gateways live."""
    leases = {row[0]: Lease(*row[1:]) for row in conn.execute(LEASES)}
    row = conn.execute(LIVING).fetchone()
    return leases, int(row[0]) if row else 0


def take(conn: Connection, owner: str, operator_id: int, lease: Lease | None, now: datetime) -> int | None:
    """Own an operator under a new epoch, if its lease still stands as it was seen and is free; else None.

    Our own is free, too: whoever asks does not know that it has it, because the line broke at COMMIT.
    What an earlier owner had written to the wire without an answer becomes unknown in the same transaction.
    """
    held = lease.owner if lease and lease.owner else None
    freed = held if held and (held == owner or is_dead(held)) else None
    values = {"owner": owner, "operator": operator_id, "lease_s": LEASE_S, "freed": freed}
    with conn.transaction():
        row = conn.execute(TAKE, values | {"epoch": lease.epoch if lease else 0}).fetchone()
        if row is None:
            return None
        _doubt_forsaken(conn, operator_id, row[0], now)
    return int(row[0])


def _doubt_forsaken(conn: Connection, operator_id: int, epoch: int, now: datetime) -> None:
    values = {"operator": operator_id, "epoch": epoch, "now": now}
    rows = conn.execute(FORSAKEN, values).fetchall()
    status.doubt(conn, [message_id for message_id, *_ in rows], now)
    first = [(message_id, carries) for message_id, carries, try_number in rows if try_number == 1]
    if first:
        again = {"ids": array_of(id_ for id_, _ in first), "carries": array_of(carries for _, carries in first)}
        conn.execute(AGAIN, values | again)


def release(conn: Connection, owner: str, operator_ids: Sequence[int]) -> None:
    """Let go at once, after the last answer was recorded."""
    conn.execute(RELEASE, {"owner": owner, "operators": array_of(operator_ids)})


def leave(conn: Connection, owner: str) -> None:
    """This gateway is no more."""
    conn.execute(LEAVE, [owner])
