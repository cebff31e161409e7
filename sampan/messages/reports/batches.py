"""Batches: how far one has come and what it cost; those being sent now, those of today, those to come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.compliance.footers import Footers
from sampan.database import Connection, array_of
from sampan.messages.reports.shown import HELD, NEVER_SENT, SHOWN, TO_HAND_OVER, Shown
from sampan.messages.tables import Batch, Purpose, Source, Status
from sampan.routing.tables import Destination

RATE_OVER = timedelta(seconds=10)


class BatchFacts(NamedTuple):
    """One batch as it was accepted."""

    id: int
    name: str
    created_at: datetime
    started_at: datetime | None
    scheduled_at: datetime | None
    state: Batch.State
    source: Source
    purpose: Purpose
    validity_minutes: int
    recipients: int
    price_pips: int
    sender: str
    signature: str
    footers: Footers
    text: str
    route: str
    held_for: Batch.HeldFor | None
    resumes_at: datetime | None  # paused for quiet hours until then
    recurrence_id: int | None
    resend_of: int | None
    person: str
    is_personal: bool  # its text is a template, and each message has its own (spec S4)


FACTS = """
    SELECT b.id, b.name, b.created_at, b.started_at, b.scheduled_at, b.state, b.source, b.purpose, b.validity_minutes,
           b.recipients, b.price_pips, b.sender, b.signature, b.footers, b.text, b.route, b.held_for, b.resumes_at,
           b.recurrence_id, b.resend_of, coalesce(nullif(p.name, ''), p.login_name, ''),
           coalesce((SELECT fields IS NOT NULL FROM message m WHERE m.customer_id = b.customer_id
                       AND m.created_at = b.created_at AND m.batch_id = b.id LIMIT 1), false)
      FROM batch b LEFT JOIN person p ON p.id = b.person_id"""


def batches(conn: Connection, customer_id: int, batch_ids: Sequence[int]) -> list[BatchFacts]:
    """Those of them that are this customer's, the newest first."""
    sql = f"{FACTS} WHERE b.id = ANY(%s::int8[]) AND b.customer_id = %s ORDER BY b.id DESC"
    return [_facts(BatchFacts(*row)) for row in conn.execute(sql, [array_of(batch_ids), customer_id])]


REGIONS = """
    SELECT DISTINCT d.region FROM message m JOIN destination d ON d.id = m.destination_id
     WHERE m.customer_id = %s AND m.created_at = %s AND m.batch_id = %s AND m.price_pips > 0"""


def regions(conn: Connection, customer_id: int, batch: BatchFacts) -> list[Destination.Region]:
    """Where those of its messages go that were to be sent."""
    rows = conn.execute(REGIONS, [customer_id, batch.created_at, batch.id])
    return [Destination.Region(region) for (region,) in rows]


def _facts(batch: BatchFacts) -> BatchFacts:
    return batch._replace(
        state=Batch.State(batch.state),
        source=Source(batch.source),
        purpose=Purpose(batch.purpose),
        held_for=Batch.HeldFor(batch.held_for) if batch.held_for else None,
    )


@dataclass(frozen=True)
class Progress:
    """How far a batch has come."""

    messages: Counter[Shown] = field(default_factory=Counter)
    held_at_first_pips: int = 0  # what was set aside when it was accepted, or came due
    charged_pips: int = 0
    held_pips: int = 0
    units: int = 0  # of those that were to be sent
    taken_lately: int = 0  # messages the operators took in RATE_OVER
    first_taken_at: datetime | None = None
    last_taken_at: datetime | None = None
    first_delivered_at: datetime | None = None
    last_final_at: datetime | None = None

    @property
    def to_send(self) -> int:
        """Messages that were not filtered."""
        return self.messages.total() - sum(self.messages[shown] for shown in NEVER_SENT)

    @property
    def waiting(self) -> int:
        """Messages that no operator has been given yet."""
        return sum(self.messages[shown] for shown in TO_HAND_OVER)

    @property
    def handed_over(self) -> int:
        """Messages of which an operator was given a part, or that ended before."""
        return self.to_send - self.waiting

    @property
    def released_pips(self) -> int:
        """What was set aside and has come back."""
        return self.held_at_first_pips - self.charged_pips - self.held_pips

    @property
    def a_second(self) -> float:
        """Messages the operators took each second, lately."""
        return self.taken_lately / RATE_OVER.total_seconds()

    @property
    def seconds_left(self) -> int | None:
        """About how long until the last is handed over, at this pace; None where nothing moves."""
        return round(self.waiting / self.a_second) if self.waiting and self.taken_lately else None


PROGRESS = f"""
    SELECT {SHOWN}, count(*), coalesce(sum(m.price_pips) FILTER (WHERE m.hold_id IS NOT NULL), 0)::int8,
           sum(m.charged_pips)::int8, sum({HELD})::int8,
           coalesce(sum(m.units) FILTER (WHERE m.price_pips > 0), 0)::int8,
           count(*) FILTER (WHERE m.taken_at > %(lately)s), min(m.taken_at), max(m.taken_at),
           min(m.final_at) FILTER (WHERE m.status = {Status.DELIVERED.value}), max(m.final_at)
      FROM message m
     WHERE m.customer_id = %(customer)s AND m.created_at = %(created_at)s AND m.batch_id = %(batch)s
     GROUP BY 1"""


def progress(conn: Connection, customer_id: int, batch: BatchFacts, now: datetime) -> Progress:
    """How far the batch has come; one read of its messages."""
    values = {"customer": customer_id, "created_at": batch.created_at, "batch": batch.id, "lately": now - RATE_OVER}
    rows = conn.execute(PROGRESS, values).fetchall()
    if not rows:  # its messages were deleted (spec S130)
        return Progress()
    shown, counts, accepted, charged, held, units, lately, first, last, delivered, ended = zip(*rows, strict=True)
    return Progress(
        Counter(dict(zip(map(Shown, shown), counts, strict=True))),
        sum(accepted),
        sum(charged),
        sum(held),
        sum(units),
        sum(lately),
        min(filter(None, first), default=None),
        max(filter(None, last), default=None),
        min(filter(None, delivered), default=None),
        max(filter(None, ended), default=None),
    )


# By operator and lane, as the queue's key begins with them.
BEING_SENT = """
    SELECT q.batch_id, count(*) OVER () FROM operator o CROSS JOIN (VALUES (1::smallint), (2)) AS lanes (lane)
      JOIN queued q ON q.operator_id = o.id AND q.lane = lanes.lane AND q.customer_id = %s
     GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %s"""


def being_sent(conn: Connection, customer_id: int, *, most: int) -> tuple[list[BatchFacts], int]:
    """The largest batches of which messages wait for an operator, the newest first; and how many there are in all."""
    rows = conn.execute(BEING_SENT, [customer_id, most]).fetchall()
    return batches(conn, customer_id, [batch_id for batch_id, _ in rows]), rows[0][1] if rows else 0


class Sent(NamedTuple):
    """A batch of the portal, or all that came by one of the APIs, since a moment."""

    batch_id: int | None
    name: str
    source: Source
    since: datetime
    messages: int
    delivered: int
    charged_pips: int


SENT = f"""
    SELECT CASE WHEN b.source = {Source.PORTAL.value} THEN b.id END,
           max(b.name) FILTER (WHERE b.source = {Source.PORTAL.value}), b.source, min(b.created_at), count(*),
           count(*) FILTER (WHERE m.status = {Status.DELIVERED.value}), sum(m.charged_pips)::int8
      FROM message m JOIN batch b ON b.id = m.batch_id AND b.customer_id = %(customer)s AND b.created_at >= %(since)s
     WHERE m.customer_id = %(customer)s AND m.created_at >= %(since)s AND b.started_at IS NOT NULL
     GROUP BY 1, 3 ORDER BY 4 DESC LIMIT %(most)s"""


def sent_since(conn: Connection, customer_id: int, since: datetime, *, most: int) -> list[Sent]:
    """What was sent since a moment, the newest first."""
    rows = conn.execute(SENT, {"customer": customer_id, "since": since, "most": most})
    return [Sent(id_, name or "", Source(source), *rest) for id_, name, source, *rest in rows]


class Scheduled(NamedTuple):
    """A batch that waits for its time."""

    id: int
    name: str
    scheduled_at: datetime
    recipients: int
    price_pips: int  # when it was accepted; it holds at the price in force when it comes due (spec S81)


class ComingUp(NamedTuple):
    """The next scheduled batches, and of all of them how many and what they cost."""

    batches: list[Scheduled]
    total: int
    price_pips: int
    last_at: datetime | None


COMING_UP = f"""
    SELECT id, name, scheduled_at, recipients, price_pips, count(*) OVER (), sum(price_pips) OVER ()::int8,
           max(scheduled_at) OVER ()
      FROM batch WHERE customer_id = %s AND state = {Batch.State.SCHEDULED.value} ORDER BY scheduled_at, id LIMIT %s"""


def coming_up(conn: Connection, customer_id: int, *, most: int) -> ComingUp:
    """What is scheduled."""
    rows = conn.execute(COMING_UP, [customer_id, most]).fetchall()
    if not rows:
        return ComingUp([], 0, 0, None)
    return ComingUp([Scheduled(*row[:5]) for row in rows], *rows[0][5:])


NEWEST = "SELECT id, name FROM batch WHERE customer_id = %s AND source = %s ORDER BY created_at DESC LIMIT %s"


def newest_of_portal(conn: Connection, customer_id: int, *, most: int) -> list[tuple[int, str]]:
    """Ids and names of the batches that members sent lately."""
    rows = conn.execute(NEWEST, [customer_id, Source.PORTAL.value, most])
    return [(id_, name) for id_, name in rows]


SENT_EVER = "SELECT EXISTS (SELECT FROM batch WHERE customer_id = %s)"


def has_sent(conn: Connection, customer_id: int) -> bool:
    """Whether the customer ever submitted anything."""
    row = conn.execute(SENT_EVER, [customer_id]).fetchone()
    return bool(row and row[0])


def newest(
    conn: Connection,
    customer_id: int,
    *,
    tests_only: bool = False,
    after: tuple[datetime, int] | None = None,
    most: int,
) -> list[BatchFacts]:
    """The customer's batches, the newest first; with `after` those that follow one of this creation and id."""
    sql = f"""{FACTS} WHERE b.customer_id = %(customer)s AND (NOT %(tests)s OR b.source = {Source.TEST.value})
        {"AND (b.created_at, b.id) < (%(at)s, %(id)s)" if after else ""}
        ORDER BY b.created_at DESC, b.id DESC LIMIT %(most)s"""
    at, id_ = after or (None, None)
    values = {"customer": customer_id, "tests": tests_only, "at": at, "id": id_, "most": most}
    return [_facts(BatchFacts(*row)) for row in conn.execute(sql, values)]
