"""What waits for an operator that does not work goes by another that carries its route (spec S42).

Only whole messages of which nothing was ever handed over are moved; what has an attempt stays with its operator.
"""

from datetime import datetime, timedelta

from sampan.database import Connection, one_line
from sampan.messages.announcing import Place
from sampan.routing.tables import Operator

DOWN_AFTER = timedelta(seconds=30)
MOST_AT_ONCE = 5_000

# An operator is down when none of the links that may submit has been bound for a while.
WATCH = f"""
    WITH seen AS (
        SELECT o.id, bool_or(coalesce(s.bound, false)) AS bound, max(s.since) AS since
          FROM operator o JOIN link l ON l.operator_id = o.id AND l.bind <> 1
          LEFT JOIN link_state s ON s.link_id = l.id GROUP BY o.id)
    UPDATE operator o SET down_since = CASE WHEN NOT seen.bound THEN coalesce(seen.since, %(now)s) END
      FROM seen
     WHERE o.id = seen.id
       AND (o.down_since IS NULL AND NOT seen.bound AND coalesce(seen.since, '-infinity') < %(now)s - %(patience)s
            OR o.down_since IS NOT NULL AND seen.bound)
       AND o.state <> {Operator.State.PAUSED.value}
    RETURNING o.id"""


def watch_operators(conn: Connection, now: datetime) -> int:
    """Write down which operators are down, and which are back; gives how many have changed."""
    return conn.execute(WATCH, {"now": now, "patience": DOWN_AFTER}).rowcount


# Each stuck operator with a route that somebody else, who works, carries too: the best of them.
STUCK = f"""
    SELECT DISTINCT ON (c.operator_id, c.route_id) c.operator_id, c.route_id, other.operator_id
      FROM route_operator c JOIN operator o ON o.id = c.operator_id
      JOIN route_operator other ON other.route_id = c.route_id AND other.operator_id <> c.operator_id
      JOIN operator p ON p.id = other.operator_id
     WHERE (o.state = {Operator.State.PAUSED.value} OR o.down_since IS NOT NULL)
       AND p.state = {Operator.State.ACTIVE.value} AND p.down_since IS NULL
     ORDER BY c.operator_id, c.route_id, other.position, other.operator_id"""

MOVE = one_line("""
    WITH movable AS MATERIALIZED (
        SELECT q.ctid AS place FROM queued q JOIN message m ON m.id = q.message_id
         WHERE q.operator_id = %(stuck)s AND m.route_id = %(route)s AND m.answered_parts = 0 AND q.try_number = 1
           AND q.parts_left = (1 << m.parts) - 1
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.message_id = q.message_id)
         ORDER BY q.message_id LIMIT %(most)s FOR UPDATE OF q SKIP LOCKED),
    gone AS (
        DELETE FROM queued WHERE ctid = ANY (ARRAY(SELECT place FROM movable)) RETURNING *),
    moved AS (
        INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left, try_number)
        SELECT %(other)s, lane, customer_id, message_id, batch_id, send_by, parts_left, try_number FROM gone
        RETURNING lane, customer_id),
    renamed AS (UPDATE message SET operator_id = %(other)s WHERE id = ANY (ARRAY(SELECT message_id FROM gone)))
    SELECT lane, customer_id, count(*) FROM moved GROUP BY 1, 2""")


def fail_over(conn: Connection) -> tuple[int, set[Place]]:
    """Move what waits for operators that do not work; gives how many, and where they wait now."""
    count, places = 0, set[Place]()
    for stuck, route, other in conn.execute(STUCK).fetchall():
        values = {"stuck": stuck, "route": route, "other": other, "most": MOST_AT_ONCE}
        while rows := conn.execute(MOVE, values).fetchall():
            count += sum(moved for *_, moved in rows)
            places |= {(other, lane, customer_id) for lane, customer_id, _ in rows}
    return count, places
