"""Batches that wait for their time or for somebody's word, and what was done to a batch."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection
from sampan.messages.tables import Batch, BatchAct, Purpose

LATE_STATES = f"state = {Batch.State.HELD.value} AND started_at IS NULL"


class WaitingBatch(NamedTuple):
    """A batch that has not started."""

    id: int
    name: str
    sender: str
    purpose: Purpose
    scheduled_at: datetime
    recipients: int
    price_pips: int  # when it was accepted or changed; it holds at the price in force when it comes due (spec S81)
    state: Batch.State
    held_for: Batch.HeldFor | None
    recurrence_id: int | None


WAITING = f"""
    SELECT id, name, sender, purpose, scheduled_at, recipients, price_pips, state, held_for, recurrence_id
      FROM batch
     WHERE customer_id = %s AND (state = {Batch.State.SCHEDULED.value} OR {LATE_STATES})
     ORDER BY scheduled_at, id LIMIT %s"""


def waiting(conn: Connection, customer_id: int, *, most: int) -> list[WaitingBatch]:
    """A customer's batches that have not started, in the order in which they come due."""
    rows = [WaitingBatch(*row) for row in conn.execute(WAITING, [customer_id, most])]
    return [
        row._replace(
            purpose=Purpose(row.purpose),
            state=Batch.State(row.state),
            held_for=Batch.HeldFor(row.held_for) if row.held_for else None,
        )
        for row in rows
    ]


class LateBatch(NamedTuple):
    """A batch that is held, or due so soon that its customer can no longer delete it. Its text is not for staff."""

    id: int
    customer_id: int
    customer: str
    scheduled_at: datetime
    recipients: int
    held_for: Batch.HeldFor | None  # None: it is due
    has_started: bool


LATE = f"""
    SELECT b.id, b.customer_id, c.name, coalesce(b.scheduled_at, b.created_at), b.recipients, b.held_for,
           b.started_at IS NOT NULL
      FROM batch b JOIN customer c ON c.id = b.customer_id
     WHERE b.state = {Batch.State.HELD.value}
        OR b.state = {Batch.State.SCHEDULED.value} AND b.scheduled_at <= %(until)s
     ORDER BY b.held_for IS NULL, 4, b.id LIMIT %(most)s"""
HELD_WAITING = f"""
    SELECT count(*)::int, min(scheduled_at) FROM batch
     WHERE state = {Batch.State.HELD.value} AND held_for = {Batch.HeldFor.LATE.value}"""


def late(conn: Connection, now: datetime, *, within: timedelta, most: int) -> list[LateBatch]:
    """Of all customers, held ones first."""
    rows = [LateBatch(*row) for row in conn.execute(LATE, {"until": now + within, "most": most})]
    return [row._replace(held_for=Batch.HeldFor(row.held_for) if row.held_for else None) for row in rows]


class Done(NamedTuple):
    """Something that was done to a batch after it was accepted; by the platform where nobody is named."""

    at: datetime
    kind: BatchAct.Kind
    person: str
    by_staff: bool


DONE = """
    SELECT a.at, a.kind, coalesce(nullif(p.name, ''), p.login_name, ''), coalesce(p.staff_role, '') <> ''
      FROM batch_act a LEFT JOIN person p ON p.id = a.person_id
     WHERE a.batch_id = %s AND a.customer_id = %s ORDER BY a.at, a.id"""


def done(conn: Connection, customer_id: int, batch_id: int) -> list[Done]:
    """What was done to it, in order."""
    rows = [Done(*row) for row in conn.execute(DONE, [batch_id, customer_id])]
    return [row._replace(kind=BatchAct.Kind(row.kind)) for row in rows]
