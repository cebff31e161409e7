"""A batch as it is stored: locked by who is about to change it, and as the draft it was, to be asked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sampan.accounts.customers import customers
from sampan.composing.alphabet import Coding
from sampan.database import Connection
from sampan.messages.personal import Fields, read_fields
from sampan.messages.planning import Draft
from sampan.messages.tables import Batch, BatchAct, Purpose, Source
from sampan.reasons import Reason, Refused

COLUMNS = """
    id, customer_id, person_id, created_at, started_at, scheduled_at, state, source, purpose, validity_minutes,
    register_filter, coding, route, sender, name, text"""
LOCK = f"""
    SELECT {COLUMNS} FROM batch
     WHERE id = %s AND (%s::int8 IS NULL OR customer_id = %s) FOR NO KEY UPDATE"""


class Recipient(NamedTuple):
    """Whom a message of it goes to, and what its own text is filled in from (spec S4)."""

    number: int
    fields: Fields | None

    @classmethod
    def read(cls, number: int, fields: str | None) -> "Recipient":
        """From a row, its fields as text: Django's connections and ours would read JSON differently."""
        return cls(number, read_fields(fields) if fields is not None else None)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch's row says."""

    id: int
    customer_id: int
    person_id: int | None
    created_at: datetime
    started_at: datetime | None
    scheduled_at: datetime | None
    state: Batch.State
    source: Source
    purpose: Purpose
    validity_minutes: int
    register_filter: bool | None
    coding: Coding | None
    route: str
    sender: str
    name: str
    text: str

    def draft(self, conn: Connection, recipients: Sequence[Recipient], **changes: Any) -> Draft:
        """As it was submitted, for these of its recipients, and to go now; with what is to be changed."""
        fields = [each.fields for each in recipients if each.fields is not None]
        values: dict[str, Any] = {
            "customer": customers(conn, {self.customer_id})[self.customer_id],
            "person_id": self.person_id,
            "source": self.source,
            "recipients": [each.number for each in recipients],
            "text": self.text,
            "fields": fields or None,  # all of a batch have them, or none has
            "sender": self.sender,
            "purpose": self.purpose,
            "route": self.route,
            "coding": self.coding,
            "validity_minutes": self.validity_minutes,
            "register_filter": self.register_filter,
            "name": self.name,
        }
        return Draft(**(values | changes))

    @property
    def key(self) -> dict[str, object]:
        """Parameters that find its messages and its places in the queue."""
        return {
            "batch": self.id,
            "customer": self.customer_id,
            "created": self.created_at,
            "lane": self.purpose.value,
        }


def stored(row: tuple[Any, ...]) -> Stored:
    """From a row of COLUMNS."""
    id_, customer_id, person_id, created_at, started_at, scheduled_at, state, source, purpose, *rest = row
    validity_minutes, register_filter, coding, route, sender, name, text = rest
    return Stored(
        id=id_,
        customer_id=customer_id,
        person_id=person_id,
        created_at=created_at,
        started_at=started_at,
        scheduled_at=scheduled_at,
        state=Batch.State(state),
        source=Source(source),
        purpose=Purpose(purpose),
        validity_minutes=validity_minutes,
        register_filter=register_filter,
        coding=None if coding is None else Coding(coding),
        route=route,
        sender=sender,
        name=name,
        text=text,
    )


def lock(conn: Connection, batch_id: int, customer_id: int | None) -> Stored:
    """The batch, for us alone until the transaction ends. Refused where that customer has none with this id."""
    row = conn.execute(LOCK, [batch_id, customer_id, customer_id]).fetchone()
    if row is None:
        raise Refused(Reason.NO_SUCH_BATCH, "batch", str(batch_id))
    return stored(row)


SET_STATE = """
    UPDATE batch SET state = %(state)s, held_for = %(held_for)s, resumes_at = %(resumes_at)s WHERE id = %(batch)s"""
NOTE = "INSERT INTO batch_act (batch_id, customer_id, at, kind, person_id) VALUES (%s, %s, %s, %s, %s)"


def set_state(
    conn: Connection,
    batch: Stored,
    state: Batch.State,
    *,
    held_for: Batch.HeldFor | None = None,
    resumes_at: datetime | None = None,
) -> None:
    """Where the batch is from now on."""
    conn.execute(SET_STATE, {"batch": batch.id, "state": state, "held_for": held_for, "resumes_at": resumes_at})


def note(conn: Connection, batch: Stored, kind: BatchAct.Kind, now: datetime, person_id: int | None = None) -> None:
    """Keep what was done, for the batch's page; by the platform where nobody is named."""
    conn.execute(NOTE, [batch.id, batch.customer_id, now, kind, person_id])
