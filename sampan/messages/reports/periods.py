"""Messages of a period: totals by status and hour, rows page by page, and all of them one after the other."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sampan.database import Connection, array_of, connect
from sampan.messages.reports.shown import HELD, SHOWN, Shown, as_shown
from sampan.messages.tables import Source, Status
from sampan.reasons import Reason

ROWS_AT_ONCE = 2_000  # of an export


@dataclass(frozen=True, kw_only=True)
class Search:
    """Which messages of one customer: accepted from `since` on and before `until`, and all that else is given."""

    customer_id: int
    since: datetime
    until: datetime
    shown: Shown | None = None
    reasons: frozenset[Reason] | None = None
    batch_id: int | None = None
    recipient: int | None = None  # with message_id: either of them
    message_id: int | None = None
    route_id: int | None = None
    sender: str | None = None
    source: Source | None = None

    @property
    def conditions(self) -> str:
        """SQL for a WHERE, of a message `m` and its batch `b`."""
        given = {
            f"{SHOWN} = %(shown)s": self.shown,
            "m.reason = ANY(%(reasons)s::int2[])": self.reasons,
            "m.batch_id = %(batch_id)s": self.batch_id,
            "m.route_id = %(route_id)s": self.route_id,
            "b.sender = %(sender)s": self.sender,
            "b.source = %(source)s": self.source,
        }
        either = {"m.recipient = %(recipient)s": self.recipient, "m.id = %(message_id)s": self.message_id}
        numbers = " OR ".join(condition for condition, value in either.items() if value is not None)
        conditions = [condition for condition, value in given.items() if value is not None]
        return " AND ".join([PERIOD, *conditions, *([f"({numbers})"] if numbers else [])])

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of `conditions`."""
        reasons = array_of(reason.number for reason in self.reasons or ())
        return {**vars(self), "reasons": reasons, "shown": self.shown and self.shown.value}


PERIOD = "m.customer_id = %(customer_id)s AND m.created_at >= %(since)s AND m.created_at < %(until)s"
# The batch's period is that of its messages: so it is found by one read of them too, not one for each message.
WITH_BATCH = """
    message m JOIN batch b ON b.id = m.batch_id AND b.customer_id = %(customer_id)s
                          AND b.created_at >= %(since)s AND b.created_at < %(until)s"""


class Hour(NamedTuple):
    """Messages accepted in one hour of the day, Hong Kong time, over all days of the period."""

    hour: int
    messages: Counter[Shown]


@dataclass(frozen=True)
class Totals:
    """Of all messages of a search."""

    messages: Counter[Shown]
    hours: list[Hour]  # 24
    charged_pips: int
    charged_units: int
    held_pips: int

    @property
    def count(self) -> int:
        """All messages, filtered ones too."""
        return self.messages.total()


TOTALS = f"""
    SELECT extract(hour FROM m.created_at AT TIME ZONE 'Asia/Hong_Kong')::int, {SHOWN}, count(*),
           sum(m.charged_pips)::int8, coalesce(sum(m.units) FILTER (WHERE m.charge_id IS NOT NULL), 0)::int8,
           sum({HELD})::int8"""


def totals(conn: Connection, search: Search) -> Totals:
    """Totals of a period; one read of its messages."""
    joined = WITH_BATCH if search.sender is not None or search.source is not None else "message m"
    rows = conn.execute(f"{TOTALS} FROM {joined} WHERE {search.conditions} GROUP BY 1, 2", search.values).fetchall()
    hours = [Hour(hour, Counter()) for hour in range(24)]
    messages: Counter[Shown] = Counter()
    for hour, shown, count, *_ in rows:
        hours[hour].messages[Shown(shown)] += count
        messages[Shown(shown)] += count
    charged, units, held = (sum(row[place] for row in rows) for place in (3, 4, 5))
    return Totals(messages, hours, charged, units, held)


class Place(NamedTuple):
    """Where a page of rows ends, and the next begins."""

    created_at: datetime
    id: int


class Row(NamedTuple):
    """One message of a list."""

    id: int
    created_at: datetime
    recipient: int
    shown: Shown
    status: Status
    reason: Reason
    changed_at: datetime | None  # when it was taken, or ended
    units: int
    price_pips: int
    charged_pips: int
    held_pips: int
    batch_id: int
    sender: str
    source: Source

    @property
    def place(self) -> Place:
        """To go on after it."""
        return Place(self.created_at, self.id)


ROWS = f"""
    SELECT m.id, m.created_at, m.recipient, {SHOWN}, m.status, m.reason, coalesce(m.final_at, m.taken_at), m.units,
           m.price_pips, m.charged_pips, {HELD}, m.batch_id, b.sender, b.source"""


def rows(
    conn: Connection, search: Search, *, most: int, after: Place | None = None, newest_first: bool = True
) -> list[Row]:
    """The newest messages (or the oldest), `most` of them; with `after` those that follow an earlier page."""
    before, direction = ("<", "DESC") if newest_first else (">", "ASC")
    following = f"AND (m.created_at, m.id) {before} (%(after_at)s, %(after_id)s)" if after else ""
    values = search.values | {"most": most}
    if after:
        values |= {"after_at": after.created_at, "after_id": after.id}
    sql = f"""{ROWS} FROM {WITH_BATCH} WHERE {search.conditions} {following}
        ORDER BY m.created_at {direction}, m.id {direction} LIMIT %(most)s"""
    return [_row(row) for row in conn.execute(sql, values)]


def _row(values: tuple[Any, ...]) -> Row:
    row = Row(*values[: len(Row._fields)])
    shown, status, reason = as_shown(row.shown, row.status, values[REASON_PLACE])
    return row._replace(shown=shown, status=status, reason=reason, source=Source(row.source))


REASON_PLACE = Row._fields.index("reason")


class ExportedRow(NamedTuple):
    """One message of an export, with what its batch, route and destination say."""

    row: Row
    batch_name: str
    destination: str
    route: str
    parts: int
    taken_at: datetime | None
    final_at: datetime | None
    text: str


EXPORTED = """, b.name, coalesce(d.name, ''), coalesce(r.name, ''), m.parts, m.taken_at, m.final_at,
    coalesce(m.text, b.text)"""
NAMED = "LEFT JOIN destination d ON d.id = m.destination_id LEFT JOIN route r ON r.id = m.route_id"


def exported(search: Search) -> Iterator[ExportedRow]:
    """All messages of a search, newest first, read as they are asked for; over a connection of its own.

    To be used and closed on one thread.
    """
    sql = f"""{ROWS}{EXPORTED} FROM {WITH_BATCH} {NAMED} WHERE {search.conditions}
        ORDER BY m.created_at DESC, m.id DESC"""
    with connect("export") as conn, conn.transaction(), conn.cursor("export") as cursor:
        cursor.itersize = ROWS_AT_ONCE
        for values in cursor.execute(sql, search.values):
            yield ExportedRow(_row(values), *values[len(Row._fields) :])
