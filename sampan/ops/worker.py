"""What the worker process does, and how often. Several workers may run: each job takes only what no other has."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from django.contrib.sessions.models import Session
from django.db import connection

from sampan.accounts.codes import forget_proofs
from sampan.accounts.documents import sweep_orphans
from sampan.accounts.mail import send_mails
from sampan.accounts.sessions import forget_ended
from sampan.database import Connection, connect
from sampan.dispatch import sweeps
from sampan.dispatch.failover import fail_over, watch_operators
from sampan.inbound.forgetting import forget_replies
from sampan.inbound.rents import take_rents
from sampan.inbound.taking import take_replies
from sampan.interfaces.smtp_door import portions
from sampan.messages import recurring, stopping
from sampan.messages.announcing import announce
from sampan.messages.daily_check import check_books_daily
from sampan.messages.finished import tell_finished
from sampan.messages.holding import is_sending_held
from sampan.messages.low_balance import tell_low_balances
from sampan.messages.planning import THIS_PLATFORM, terms_in_force
from sampan.messages.retention import closing
from sampan.messages.schedule import start_one
from sampan.messages.tables import ComposeDraft
from sampan.messages.trying import end_tests
from sampan.messages.verifications.asking import mask_codes
from sampan.messages.withdrawn import end_withdrawn
from sampan.webhooks.log import forget_old_deliveries

REFERENCES_KEPT = timedelta(days=30)  # spec S8
DRAFTS_KEPT = timedelta(days=30)
MOST_AT_ONCE = 10_000
PARTITIONS_AHEAD = 2
DEAD_ROWS_WORTH_A_VACUUM = 5_000
AFTER_A_FAILURE_S = 1.0

log = structlog.get_logger()


@dataclass
class Job:
    """Something done every so often; it says how many rows it did something to."""

    name: str
    every_s: float
    work: Callable[[Connection, datetime], int]
    due_at_s: float = field(default=0.0)


def start_due_batches(conn: Connection, now: datetime) -> int:
    """Scheduled batches whose time has come; none while sending is held."""
    if is_sending_held(conn):
        return 0
    count = 0
    while (places := start_one(conn, terms_in_force(conn, THIS_PLATFORM), now)) is not None:
        announce(conn, places)
        count += 1
    return count


def hold_and_wake_batches(conn: Connection, now: datetime) -> int:
    """Batches that may not go on for now, and those that may again."""
    woken, places = stopping.wake(conn, terms_in_force(conn, THIS_PLATFORM), now)
    announce(conn, places)
    return woken + stopping.hold_suspended(conn, now) + stopping.keep_quiet_hours(conn, now)


def make_next_runs(conn: Connection, now: datetime) -> int:
    """The next run of what recurs."""
    return recurring.make_next_runs(conn, terms_in_force(conn, THIS_PLATFORM), now)


def move_what_is_stuck(conn: Connection, now: datetime) -> int:
    """What waits for operators that are down or paused goes by others."""
    watch_operators(conn, now)
    count, places = fail_over(conn)
    announce(conn, places)
    return count


def keep_partitions_ahead(conn: Connection, _now: datetime) -> int:
    """Partitions for ids that are still to come."""
    row = conn.execute("SELECT ensure_partitions(%s)", [PARTITIONS_AHEAD]).fetchone()
    return int(row[0]) if row else 0


DEAD = """
    SELECT relname FROM pg_stat_user_tables
     WHERE relname IN ('queued', 'attempt', 'inbox_receipt', 'account') AND n_dead_tup > %s"""


def vacuum_hot_tables(conn: Connection, _now: datetime) -> int:
    """Rows that came and went leave dead index entries, which every claim would step over until autovacuum comes."""
    tables = [name for (name,) in conn.execute(DEAD, [DEAD_ROWS_WORTH_A_VACUUM])]
    for name in tables:
        conn.execute(f"VACUUM (TRUNCATE false) {name}")
    return len(tables)


FORGET_REFERENCES = """
    DELETE FROM client_reference WHERE (customer_id, reference) IN (
        SELECT customer_id, reference FROM client_reference WHERE created_at < %s LIMIT %s)"""


def forget_old_things(conn: Connection, now: datetime) -> int:
    """Client references past their time, drafts that nobody came back to, sessions that have ended, files of nobody."""
    count = conn.execute(FORGET_REFERENCES, [now - REFERENCES_KEPT, MOST_AT_ONCE]).rowcount
    count += ComposeDraft.objects.filter(updated_at__lt=now - DRAFTS_KEPT).delete()[0]
    count += Session.objects.filter(expire_date__lt=now).delete()[0]
    count += forget_ended()
    count += forget_proofs(now) + portions.forget_old(conn, now)
    return count + sweep_orphans(now)


def take_waiting_replies(conn: Connection, now: datetime) -> int:
    """What handsets wrote comes to its customers; what that brings about goes out."""
    count, places = take_replies(THIS_PLATFORM, now)
    announce(conn, places)
    return count


def send_waiting_mails(_conn: Connection, now: datetime) -> int:
    """What was written to people goes out."""
    return send_mails(now)


def close_old_results(conn: Connection, now: datetime) -> int:
    """Delivery records past their time; partitions that this has emptied."""
    count = closing.close_due(conn, now) + closing.forget_decisions(conn, now)
    return count + closing.drop_emptied_partitions(conn, ahead=PARTITIONS_AHEAD)


JOBS = (
    ("start due batches", 1, start_due_batches),
    ("hold and wake batches", 2, hold_and_wake_batches),
    ("make next runs", 5, make_next_runs),
    ("move what is stuck", 5, move_what_is_stuck),
    ("end tests", 1, end_tests),
    ("mask codes", 30, mask_codes),
    ("end what was not sent in time", 5, sweeps.end_not_sent_in_time),
    ("end what got no receipt", 30, sweeps.end_without_receipt),
    ("forget repeated receipts", 60, sweeps.forget_repeated_receipts),
    ("vacuum hot tables", 15, vacuum_hot_tables),
    ("keep partitions ahead", 600, keep_partitions_ahead),
    ("end what a withdrawn sender ID has waiting", 1, end_withdrawn),
    ("tell of finished batches", 1, tell_finished),
    ("take replies", 1, take_waiting_replies),
    ("take rents", 60, lambda _conn, now: take_rents(now)),
    ("forget replies", 600, forget_replies),
    ("send mails", 1, send_waiting_mails),
    ("tell low balances", 30, lambda _conn, now: tell_low_balances(now)),
    ("check the books", 300, lambda _conn, now: check_books_daily(now)),
    ("forget old things", 3600, forget_old_things),
    ("forget old webhook deliveries", 60, forget_old_deliveries),
    ("close old results", 60, close_old_results),
)


def run_jobs(stop: threading.Event) -> None:
    """Do each job when it is due, until told to stop. One that fails is logged and done again later."""
    jobs = [Job(name, every_s, work) for name, every_s, work in JOBS]
    conn: Connection | None = None
    while not stop.is_set():
        job = min(jobs, key=lambda job: job.due_at_s)
        if stop.wait(max(0.0, job.due_at_s - time.monotonic())):
            break
        job.due_at_s = time.monotonic() + job.every_s
        try:
            if conn is None or conn.closed:
                conn = connect("worker", by_key=True)
            did = job.work(conn, datetime.now(UTC))
        except psycopg.OperationalError as error:
            log.warning("worker.database_away", job=job.name, error=str(error).strip())
            conn = None
            connection.close()
            job.due_at_s = time.monotonic() + AFTER_A_FAILURE_S
        except Exception as error:  # noqa: BLE001 - the loop's top
            log.error("worker.failed", job=job.name, error=repr(error))
            connection.close()  # Django's, which it does not make anew by itself where it has broken
        else:
            if did:
                log.info("worker.did", job=job.name, rows=did)
