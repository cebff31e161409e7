"""How operators and links are doing right now: who is bound, what waits, what flies (spec S42)."""

from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection
from sampan.dispatch.tables import Attempt
from sampan.routing.tables import Link, Operator

MOST_COUNTED = 100_000  # of what waits: beyond that the page says "more than"


class LinkPulse(NamedTuple):
    """One link."""

    id: int
    operator_id: int
    system_id: str
    address: str
    bind: Link.Bind
    window_size: int
    tls: bool
    bound: bool
    words: str  # why not
    since: datetime | None


class OperatorPulse(NamedTuple):
    """One operator, and what is with it."""

    id: int
    name: str
    state: Operator.State
    rate_parts_per_s: int
    down_since: datetime | None
    owner: str  # the process that holds its links; empty where none does
    routes: list[str]
    waiting: int
    oldest_send_by: datetime | None  # of what waits: until when it may go
    unanswered: int
    without_receipt: int
    unknown: int
    links: list[LinkPulse]

    @property
    def is_up(self) -> bool:
        """Whether one of its links is bound."""
        return any(link.bound for link in self.links)


LINKS = """
    SELECT l.id, l.operator_id, l.system_id, l.host || ':' || l.port, l.bind, l.window_size, l.tls,
           coalesce(s.bound, false), coalesce(s.words, ''), s.since
      FROM link l LEFT JOIN link_state s ON s.link_id = l.id ORDER BY l.id"""
OPERATORS = f"""
    SELECT o.id, o.name, o.state, o.rate_parts_per_s, o.down_since,
           coalesce((SELECT owner FROM operator_lease e WHERE e.operator_id = o.id AND e.expires_at > %(now)s), ''),
           ARRAY(SELECT r.code || CASE WHEN c.position > 1 THEN ' (' || c.position || ')' ELSE '' END
                   FROM route_operator c JOIN route r ON r.id = c.route_id
                  WHERE c.operator_id = o.id ORDER BY r.code),
           w.waiting, w.oldest, f.unanswered, f.taken, f.unknown
      FROM operator o
     CROSS JOIN LATERAL (
           SELECT count(*) AS waiting, min(send_by) AS oldest
             FROM (SELECT send_by FROM queued q WHERE q.operator_id = o.id LIMIT {MOST_COUNTED}) q) w
     CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE a.state = {Attempt.State.SUBMITTING.value}) AS unanswered,
                  count(*) FILTER (WHERE a.state IN ({Attempt.State.TAKEN.value}, {Attempt.State.RETRYING.value}))
                      AS taken,
                  count(*) FILTER (WHERE a.state = {Attempt.State.UNKNOWN.value}) AS unknown
             FROM (SELECT state FROM attempt a WHERE a.operator_id = o.id LIMIT {MOST_COUNTED}) a) f
     ORDER BY o.name"""


def pulses(conn: Connection, now: datetime) -> list[OperatorPulse]:
    """All operators with their links."""
    links: dict[int, list[LinkPulse]] = {}
    for row in conn.execute(LINKS):
        link = LinkPulse(*row)
        links.setdefault(link.operator_id, []).append(link._replace(bind=Link.Bind(link.bind)))
    return [
        OperatorPulse._make([id_, name, Operator.State(state), *rest, links.get(id_, [])])
        for id_, name, state, *rest in conn.execute(OPERATORS, {"now": now})
    ]


TROUBLED = f"""
    SELECT count(*), min(coalesce(o.down_since, s.since)) FROM operator o JOIN link l ON l.operator_id = o.id
      LEFT JOIN link_state s ON s.link_id = l.id
     WHERE o.state <> {Operator.State.PAUSED.value} AND s.bound IS NOT TRUE"""
"""SQL: how many links of operators that should work are not bound, and since when."""
