"""What customers' servers can be told, and the one call that tells it (spec S103).

An event is written in the transaction of what happened, one row for each endpoint that wants it, and nowhere else: so
none is told that was not committed, none is lost that was. Where nobody listens nothing is asked of the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from sampan.database import Connection, Snapshot, array_of, array_of_texts
from sampan.webhooks.tables import WebhookDelivery

# docs/api/webhooks.md says what each carries.
FINAL_MESSAGE_EVENTS = ("message.sent", "message.delivered", "message.expired", "message.undeliverable")
MESSAGE_EVENTS = ("message.processing", "message.retry", *FINAL_MESSAGE_EVENTS)
EVENTS = (
    *MESSAGE_EVENTS,
    "batch.finished",
    "reply.received",
    "balance.low",
    "sender_id.approved",
    "sender_id.refused",
    "sender_id.withdrawn",
)
GROUPS = ("message.*", "sender_id.*")
TEST = "webhook.test"  # sent to one endpoint when a member asks for it


class Event(NamedTuple):
    """Something that happened to a customer's `subject_id`. `data` is what JSON can say of it."""

    kind: str
    customer_id: int
    subject_id: int
    data: Mapping[str, Any]


def group_of(kind: str) -> str:
    """The name that stands for all of its kind: `message.*` for `message.delivered`."""
    return f"{kind.partition('.')[0]}.*"


def _load(conn: Connection) -> dict[int, frozenset[str]]:
    """Customer → what any of its endpoints asks for: names of events and of groups."""
    wanted: dict[int, set[str]] = {}
    for customer_id, events in conn.execute(LISTENERS):
        wanted.setdefault(customer_id, set()).update(events)
    return {customer_id: frozenset(events) for customer_id, events in wanted.items()}


LISTENERS = "SELECT customer_id, events FROM webhook_endpoint WHERE off_since IS NULL AND removed_at IS NULL"
listeners: Snapshot[dict[int, frozenset[str]]] = Snapshot(_load, "webhook_endpoint")


def listening(conn: Connection, kinds: Iterable[str]) -> list[int]:
    """The customers of whom some endpoint wants some of these events."""
    asked = frozenset(kinds) | {group_of(kind) for kind in kinds}
    return [customer_id for customer_id, wanted in listeners.get(conn).items() if not wanted.isdisjoint(asked)]


def emitting(select: str) -> str:
    """The statement that tells what `select` finds to all who want it: customer_id, subject_id, kind, data (as text).

    It takes the time of the events as %(now)s.
    """
    return f"""
    INSERT INTO webhook_delivery (endpoint_id, customer_id, subject_id, kind, data, at, begun_at, next_at, state, tries,
                                  answer)
    SELECT e.id, n.customer_id, n.subject_id, n.kind, n.data, %(now)s, %(now)s, %(now)s,
           {WebhookDelivery.State.WAITING.value}, 0, ''
      FROM ({select}) n
      JOIN webhook_endpoint e ON e.customer_id = n.customer_id AND e.off_since IS NULL AND e.removed_at IS NULL
       AND e.events && ARRAY[n.kind, split_part(n.kind, '.', 1) || '.*']::varchar[]
     ORDER BY n.subject_id"""


EMIT = emitting(
    """SELECT * FROM unnest(%(customers)s::int8[], %(subjects)s::int8[], %(kinds)s::text[], %(data)s::text[])
           AS g (customer_id, subject_id, kind, data)"""
)


def emit(conn: Connection, events: Sequence[Event], *, now: datetime) -> int:
    """These happened; gives how many deliveries that makes. Call it in the transaction of what happened.

    Where no endpoint wants any of them nothing is written, and nothing asked of the database.
    """
    wanted = listeners.get(conn)
    told = [
        event
        for event in events
        if not wanted.get(event.customer_id, NOTHING).isdisjoint((event.kind, group_of(event.kind)))
    ]
    if not told:
        return 0
    values = {
        "customers": array_of(event.customer_id for event in told),
        "subjects": array_of(event.subject_id for event in told),
        "kinds": array_of_texts(event.kind for event in told),
        "data": array_of_texts(msgspec.json.encode(event.data).decode() for event in told),
        "now": now,
    }
    return conn.execute(EMIT, values).rowcount


NOTHING: frozenset[str] = frozenset()
