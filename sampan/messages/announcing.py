"""The bell between those who queue messages and those who send them: NOTIFY, after the commit, at most now and then.

It only wakes: a bell that is lost costs a dispatcher's next look, a second later. It is rung outside the transaction
that queued, because PostgreSQL lets one transaction that notifies commit at a time.
"""

from collections.abc import Iterable

from sampan.database import Connection
from sampan.messages.planning import Plan

CHANNEL = "queued"
MOST_PAYLOAD_OCTETS = 7_900

Place = tuple[int, int, int]  # operator id, lane, customer id: where something waits now


def places_of(plans: Iterable[Plan]) -> set[Place]:
    """Where accepted plans have queued messages."""
    return {
        (kind.operator_id, plan.purpose.value, plan.draft.customer.id)
        for plan in plans
        if plan.scheduled_at is None
        for kind in plan.kinds
        if kind.reason is None and kind.operator_id is not None
    }


def announce(conn: Connection, places: set[Place]) -> None:
    """Ring for these places; for so many that they do not fit, ring for all."""
    payload = " ".join(f"{operator}:{lane}:{customer}" for operator, lane, customer in places)
    if places:
        conn.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload if len(payload) <= MOST_PAYLOAD_OCTETS else ""])


def announced(payload: str) -> set[Place]:
    """The places of a bell; empty: look everywhere."""
    return {tuple(map(int, place.split(":"))) for place in payload.split()}  # type: ignore[misc]
