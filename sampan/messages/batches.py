"""What a customer or staff do to a batch: pause, resume, cancel, delete, release (spec S10, S51, S53, S97).

Each locks the batch first, so that two who act at once act one after the other. What an operator has, or may have, is
not called back. A paused batch keeps its hold and does not age: its send-by begins anew when it resumes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Customer, Person
from sampan.compliance import screening
from sampan.compliance.screening import Decided
from sampan.database import Connection, array_of, beneath_django, one_line
from sampan.messages import status
from sampan.messages.announcing import Place
from sampan.messages.planning import Terms, longest_wait, plan
from sampan.messages.schedule import ending_of
from sampan.messages.status import Settled
from sampan.messages.stored import Recipient, Stored, lock, note, set_state
from sampan.messages.tables import Batch, BatchAct, Status
from sampan.reasons import Reason, Refused

CHANGES_END = timedelta(hours=1)  # before a batch is due its customer may no longer delete or change it (spec S51, S52)

# By where the rows lie, in that order, as a gateway takes them: so neither waits for the other (dispatch/claims.py).
UNQUEUE = """
    DELETE FROM queued WHERE ctid = ANY (ARRAY(
        SELECT q.place FROM (
               SELECT DISTINCT operator_id FROM message
                WHERE customer_id = %(customer)s AND created_at = %(created)s AND batch_id = %(batch)s
                  AND operator_id IS NOT NULL) o
         CROSS JOIN LATERAL (
               SELECT ctid AS place FROM queued
                WHERE operator_id = o.operator_id AND lane = %(lane)s AND customer_id = %(customer)s
                  AND batch_id = %(batch)s OFFSET 0) q))
    RETURNING message_id, parts_left"""


def pause(
    conn: Connection, batch_id: int, now: datetime, *, customer_id: int | None = None, person_id: int | None = None
) -> int:
    """Nothing more of it is handed over; gives how many messages wait. A batch that does not run is refused."""
    with conn.transaction():
        batch = lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.RUNNING:
            raise Refused(Reason.BATCH_NOT_RUNNING, "batch", str(batch_id))
        set_state(conn, batch, Batch.State.PAUSED)
        note(conn, batch, BatchAct.Kind.PAUSED, now, person_id)
        return conn.execute(UNQUEUE, batch.key).rowcount


# Parts that are neither answered nor with a link. One in doubt was attempted, so it is not among them.
OPEN = """
    SELECT m.id, m.recipient, m.fields, m.parts, ((1 << m.parts) - 1) & ~m.answered_parts
           & ~coalesce((SELECT bit_or(carries) FROM attempt a WHERE a.message_id = m.id), 0) AS parts_left
      FROM message m
     WHERE m.customer_id = %(customer)s AND m.created_at = %(created)s AND m.batch_id = %(batch)s
       AND m.final_at IS NULL"""
WAITING = f"""
    SELECT id, recipient, fields::text, parts_left, parts_left = (1 << parts) - 1
      FROM ({OPEN}) o WHERE parts_left <> 0 ORDER BY id"""
REQUEUE = one_line("""
    WITH back AS (
        INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left)
        SELECT m.operator_id, %(lane)s, %(customer)s, m.id, %(batch)s, %(send_by)s, r.parts
          FROM unnest(%(ids)s::int8[], %(parts)s::int2[]) AS r (id, parts)
          JOIN message m ON m.id = r.id AND m.final_at IS NULL
        RETURNING operator_id)
    SELECT DISTINCT operator_id FROM back""")


class _Waiting(NamedTuple):
    message_id: int
    recipient: int
    fields: str | None
    parts: int  # bits
    is_whole: bool


def resume(
    conn: Connection,
    batch_id: int,
    terms: Terms,
    now: datetime,
    *,
    customer_id: int | None = None,
    person_id: int | None = None,
) -> set[Place]:
    """A paused batch goes on, with everything asked again (spec S97); gives where it waits.

    In quiet hours it goes on when they end (spec S54).
    """
    with conn.transaction():
        batch = lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.PAUSED:
            raise Refused(Reason.BATCH_NOT_PAUSED, "batch", str(batch_id))
        note(conn, batch, BatchAct.Kind.RESUMED, now, person_id)
        return _go_on(conn, batch, terms, now)


def _go_on(conn: Connection, batch: Stored, terms: Terms, now: datetime) -> set[Place]:
    """What waits goes to the queue, but for what is refused now: that ends, and its money comes back.

    A message of which a part has gone already is finished, and what is held for it keeps its price. Raises Refused
    where the customer may not send at all.
    """
    waiting = [_Waiting(*row) for row in conn.execute(WAITING, batch.key)]
    whole = [each for each in waiting if each.is_whole]
    reasons: Sequence[Reason | None]
    try:
        planned = plan(batch.draft(conn, [Recipient.read(each.recipient, each.fields) for each in whole]), terms, now)
    except Refused as refused:
        if refused.reason == Reason.ACCOUNT_DISABLED:
            raise
        reasons = [ending_of(refused)] * len(whole)
    else:
        if planned.scheduled_at is not None:
            sleep(conn, batch, planned.scheduled_at, now)
            return set()
        reasons = [planned.kinds[place].reason for place in planned.kind_of]
        screening.keep(conn, [Decided(batch.id, batch.customer_id, planned.screened)], now)
    ends = {each.message_id: reason for each, reason in zip(whole, reasons, strict=True) if reason is not None}
    left = [each for each in waiting if each.message_id not in ends]
    values = batch.key | {
        "ids": array_of(each.message_id for each in left),
        "parts": array_of(each.parts for each in left),
        "send_by": now + longest_wait(batch.purpose, batch.validity_minutes),
    }
    set_state(conn, batch, Batch.State.RUNNING)
    operators = conn.execute(REQUEUE, values).fetchall()
    gone = [each for each in whole if each.message_id in ends]
    status.settle(
        conn,
        [Settled(each.message_id, each.parts, 0, Status.UNDELIVERABLE, ends[each.message_id]) for each in gone],
        now,
    )
    return {(operator_id, batch.purpose.value, batch.customer_id) for (operator_id,) in operators}


def sleep(conn: Connection, batch: Stored, until: datetime, now: datetime) -> None:
    """Nothing more of a promotional batch is handed over until its customer's quiet hours end."""
    set_state(conn, batch, Batch.State.PAUSED, resumes_at=until)
    conn.execute(UNQUEUE, batch.key)
    note(conn, batch, BatchAct.Kind.QUIET, now)


RELEASE_HELD = f"""
    UPDATE batch SET state = {Batch.State.SCHEDULED.value}, held_for = NULL, scheduled_at = %(now)s
     WHERE id = %(batch)s"""
STATUS = "SELECT status FROM customer WHERE id = %s"


def release(
    conn: Connection,
    batch_id: int,
    terms: Terms,
    now: datetime,
    *,
    customer_id: int | None = None,
    person_id: int | None = None,
) -> set[Place]:
    """A batch that is held starts or goes on now, with everything asked again (spec S53, S97); gives where it waits.

    Refused while its customer is suspended.
    """
    with conn.transaction():
        batch = lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.HELD:
            raise Refused(Reason.BATCH_NOT_HELD, "batch", str(batch_id))
        row = conn.execute(STATUS, [batch.customer_id]).fetchone()
        if row and row[0] in (Customer.Status.SUSPENDED, Customer.Status.CLOSED):
            raise Refused(Reason.ACCOUNT_DISABLED, "customer")
        note(conn, batch, BatchAct.Kind.RELEASED, now, person_id)
        if batch.started_at is not None:
            return _go_on(conn, batch, terms, now)
        conn.execute(RELEASE_HELD, {"now": now, "batch": batch_id})
        return set()


def cancel(
    conn: Connection, batch_id: int, now: datetime, *, customer_id: int | None = None, person_id: int | None = None
) -> int:
    """What of it was not handed over never is: 21/300, released (spec S10). Gives how many messages that ended.

    One that waits for its time is stopped so within its last hour too, with no promise: it may have just started.
    """
    with conn.transaction():
        batch = lock(conn, batch_id, customer_id)
        if batch.state == Batch.State.CANCELLED:
            raise Refused(Reason.BATCH_CANCELLED, "batch", str(batch_id))
        return _end(conn, batch, now, person_id)


def _end(conn: Connection, batch: Stored, now: datetime, person_id: int | None) -> int:
    if batch.state == Batch.State.RUNNING:
        waiting: Sequence[tuple[int, int]] = conn.execute(UNQUEUE, batch.key).fetchall()
    else:
        waiting = [
            (each.message_id, each.parts) for each in (_Waiting(*row) for row in conn.execute(WAITING, batch.key))
        ]
    set_state(conn, batch, Batch.State.CANCELLED)
    note(conn, batch, BatchAct.Kind.CANCELLED if batch.started_at else BatchAct.Kind.DELETED, now, person_id)
    ending = Status.UNDELIVERABLE, Reason.CANCELLED
    status.settle(conn, [Settled(message_id, parts, 0, *ending) for message_id, parts in waiting], now)
    return len(waiting)


def require_changeable(batch: Stored, now: datetime) -> None:
    """Raises Refused where the batch does not wait for its time, or for less than an hour (spec S51, S52)."""
    if batch.state != Batch.State.SCHEDULED or batch.scheduled_at is None:
        raise Refused(Reason.BATCH_NOT_SCHEDULED, "batch", str(batch.id))
    if batch.scheduled_at - now <= CHANGES_END:
        raise Refused(Reason.BATCH_DUE_SOON, "batch", str(batch.id))


def delete(conn: Connection, batch_id: int, now: datetime, *, customer_id: int, person_id: int | None) -> int:
    """A member deletes what is due in more than an hour, or is held before its start: 21/300 (spec S51)."""
    with conn.transaction():
        batch = lock(conn, batch_id, customer_id)
        if batch.state != Batch.State.HELD or batch.started_at is not None:
            require_changeable(batch, now)
        return _end(conn, batch, now, person_id)


# What staff do for a customer


def delete_late(batch_id: int, *, by: Person, why: str, now: datetime) -> int:
    """Staff delete a batch until it starts, also in its last hour, with no promise (spec S51). Raises NotAllowed."""
    with transaction.atomic(), beneath_django() as conn:
        batch = lock(conn, batch_id, None)
        if batch.started_at is not None or batch.state == Batch.State.CANCELLED:
            raise Refused(Reason.BATCH_NOT_SCHEDULED, "batch", str(batch_id))
        count = _end(conn, batch, now, by.pk)
        _record(Act.DELETE_SCHEDULE, batch, by=by, why=why, now=now)
    return count


def release_held(batch_id: int, terms: Terms, *, by: Person, why: str, now: datetime) -> set[Place]:
    """Staff release a batch that is held (spec S53); gives where it waits. Raises NotAllowed."""
    with transaction.atomic(), beneath_django() as conn:
        batch = lock(conn, batch_id, None)
        places = release(conn, batch_id, terms, now, person_id=by.pk)
        _record(Act.RELEASE_SCHEDULE, batch, by=by, why=why, now=now)
    return places


def _record(act: Act, batch: Stored, *, by: Person, why: str, now: datetime) -> None:
    due = batch.scheduled_at.isoformat() if batch.scheduled_at else ""
    record(
        act,
        by=by,
        subject=f"batch {batch.id}",
        customer_id=batch.customer_id,
        before={"state": batch.state.name, "scheduled_at": due},
        why=why,
        now=now,
    )
