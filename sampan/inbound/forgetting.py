"""When replies go: with their customer's messages of that age, and unmatched ones after 30 days (spec S130)."""

from datetime import datetime, timedelta

from sampan.database import Connection
from sampan.inbound import esmes, parts

UNMATCHED_KEPT = timedelta(days=30)
MOST_UNMATCHED = 10_000  # beyond them the oldest go: whoever floods a number of ours fills no disk
MOST_AT_ONCE = 5_000

FORGET_OLD = """
    DELETE FROM reply WHERE id IN (
        SELECT r.id FROM reply r JOIN customer c ON c.id = r.customer_id
         WHERE r.received_at < %(now)s - interval '1 month'
           AND r.received_at < %(now)s - make_interval(months => c.results_kept_months) LIMIT %(most)s)"""
FORGET_UNMATCHED = """
    DELETE FROM reply WHERE customer_id IS NULL AND (
        received_at < %(before)s
        OR id <= (SELECT id FROM reply WHERE customer_id IS NULL ORDER BY id DESC OFFSET %(most)s LIMIT 1))"""


def forget_replies(conn: Connection, now: datetime) -> int:
    """What is past its time; how many rows that was. STOP words live on in the unsubscribes (spec S96)."""
    count = parts.forget(conn, now) + esmes.give_up(conn, now)
    count += conn.execute(FORGET_UNMATCHED, {"before": now - UNMATCHED_KEPT, "most": MOST_UNMATCHED}).rowcount
    return count + conn.execute(FORGET_OLD, {"now": now, "most": MOST_AT_ONCE}).rowcount
