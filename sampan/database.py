"""PostgreSQL beneath Django: connections of our own for SQL that works on many rows at once.

Django's ORM serves the plain cases. The hot paths use psycopg directly, with prepared statements, in threads that each
own one connection (`DatabaseThreads`), so that asyncio loops can hand them whole batches. What a process keeps in
memory (prices, routes, customers) is a `Snapshot`, made anew when the database tells of a change.
"""

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar

import msgspec
import psycopg
import structlog

P = ParamSpec("P")
R = TypeVar("R")
Connection = psycopg.Connection[tuple[Any, ...]]

LONGEST_REMEMBERED_SQL = 4096
CONNECT_TIMEOUT_S = 5
ALWAYS = "-c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off"
BY_KEY = " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
PREPARE_AFTER = 1
RECONNECT_AFTER_S = 0.5
STOP_WITHIN_S = 5.0
UNHEARD_SNAPSHOT_S = 1.0  # how old a snapshot may be while nobody listens for changes

log = structlog.get_logger()


def connect(application: str, *, by_key: bool = False, lock_timeout_ms: int = 0) -> Connection:
    """A new connection in autocommit, that names itself and prepares what it runs twice.

    `by_key` is for statements that only look rows up by key: they keep doing so while the statistics of a young table
    or partition still say that reading all of it is cheaper (measured: 20 to 200 times slower once it has grown).
    With `lock_timeout_ms` a statement that waits longer for another's lock raises psycopg.errors.LockNotAvailable.
    """
    return psycopg.connect(
        os.environ["SAMPAN_DATABASE_URL"],
        autocommit=True,
        prepare_threshold=PREPARE_AFTER,
        application_name=f"sampan {application}",
        connect_timeout=CONNECT_TIMEOUT_S,
        options=ALWAYS + (BY_KEY if by_key else "") + f" -c lock_timeout={lock_timeout_ms}",
    )


@contextmanager
def beneath_django() -> Iterator[Connection]:
    """The psycopg connection of this thread's Django connection, so that SQL and ORM share one transaction."""
    from django.db import connection

    connection.ensure_connection()
    yield connection.connection


def array_of(numbers: Iterable[int | bool | None]) -> str:
    """A PostgreSQL array of whole numbers or truths, as text: 40 times faster than psycopg adapts a list of 50,000."""
    return "{" + msgspec.json.encode([*numbers])[1:-1].decode() + "}"


def array_of_texts(texts: Iterable[str | None]) -> str:
    """The same of texts."""
    return "{" + ",".join(["NULL" if text is None else _quoted(text) for text in texts]) + "}"


def array_of_times(times: Iterable[datetime | None]) -> str:
    """The same of times with their zones."""
    return "{" + ",".join(["NULL" if time is None else f'"{time}"' for time in times]) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def one_line(sql: str) -> str:
    """A long statement without its indentation: psycopg remembers how to send one of up to 4,096 characters."""
    short = " ".join(sql.split())
    assert len(short) <= LONGEST_REMEMBERED_SQL, f"{len(short)} characters"
    return short


class OwnConnections:
    """A connection for each thread that asks: made when it first asks, and anew when its last one has died."""

    def __init__(self, application: str, *, by_key: bool = False, lock_timeout_ms: int = 0) -> None:
        self._connect = partial(connect, application, by_key=by_key, lock_timeout_ms=lock_timeout_ms)
        self._here = threading.local()

    @contextmanager
    def get(self, *, tried: bool = False) -> Iterator[Connection]:
        """This thread's connection. One on which an OperationalError happens is dropped.

        `tried` makes sure first that it has not died since it was last used, for work that is not simply done again.
        """
        conn: Connection | None = getattr(self._here, "conn", None)
        if conn is None or conn.closed or conn.broken or (tried and not _lives(conn)):
            conn = self._here.conn = self._connect()
        try:
            yield conn
        except psycopg.OperationalError:
            conn.close()
            raise


def _lives(conn: Connection) -> bool:
    try:
        conn.execute("")
    except psycopg.OperationalError:
        conn.close()
        return False
    return True


class DatabaseThreads:
    """A few threads, each with a connection of its own, for work that blocks."""

    def __init__(self, threads: int, application: str, *, by_key: bool = False, lock_timeout_ms: int = 0) -> None:
        self._connections = OwnConnections(application, by_key=by_key, lock_timeout_ms=lock_timeout_ms)
        self._pool = ThreadPoolExecutor(threads, f"database-{application}")

    def _run(self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self._connections.get() as conn:
            return work(conn, *args, **kwargs)

    async def run(self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """`work(connection, …)` in one of the threads. A dead connection is dropped; the next call makes a new one.

        Raises psycopg.OperationalError where the database is away: nothing of that transaction was committed, or
        (when the line broke at COMMIT itself) all of it.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self._run(work, *args, **kwargs))

    def close(self) -> None:
        """Wait for the work in hand and let the threads go; their connections close with them."""
        self._pool.shutdown(wait=True)


class Changes:
    """Listens for NOTIFY on some channels in a thread of its own, and tells of each (channel, payload).

    After the line was lost, and whenever it is made anew, `on_lost` tells that anything may have been missed.
    """

    def __init__(
        self,
        channels: Iterable[str],
        on_change: Callable[[str, str], None],
        on_lost: Callable[[], None],
        *,
        application: str,
    ) -> None:
        self._channels = tuple(channels)
        self._on_change = on_change
        self._on_lost = on_lost
        self._application = application
        self._stopping = threading.Event()
        self._line: Connection | None = None
        self.hearing = False
        self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                with connect(f"{self._application} changes") as conn:
                    self._line = conn
                    for channel in self._channels:
                        conn.execute(f'LISTEN "{channel}"')
                    self.hearing = True
                    self._on_lost()
                    for notification in conn.notifies():
                        self._on_change(notification.channel, notification.payload)
            except psycopg.OperationalError as error:
                self.hearing = False
                if not self._stopping.wait(RECONNECT_AFTER_S):
                    log.warning("changes.lost", error=str(error).strip())

    def stop(self) -> None:
        """Listen no more."""
        self._stopping.set()
        if self._line is not None and not self._line.closed:
            with socket.socket(fileno=os.dup(self._line.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)  # the thread sleeps in a read, which this ends
        self._thread.join(STOP_WITHIN_S)


class Snapshot(Generic[R]):
    """Something small read whole from the database and kept, until one of its tables changes.

    Where the process listens (`listen_for_changes`) it is as fresh as the last notification; else at most a second old.
    """

    _all: ClassVar[list["Snapshot[Any]"]] = []
    _changes: ClassVar[Changes | None] = None

    def __init__(self, load: Callable[[Connection], R], *tables: str) -> None:
        self._load = load
        self._tables = frozenset(tables)
        self._kept: R | None = None
        self._loaded_at = float("-inf")
        self._generation = 0
        self._loaded_generation = -1
        Snapshot._all.append(self)

    def get(self, conn: Connection) -> R:
        """The thing, read again on `conn` where it may have changed."""
        kept = self.current()
        if kept is None:
            generation, loaded_at = self._generation, time.monotonic()
            self._kept = kept = self._load(conn)
            self._loaded_generation, self._loaded_at = generation, loaded_at
        return kept

    def current(self) -> R | None:
        """The thing as kept, without a database at hand; None where it must be read again."""
        hearing = Snapshot._changes is not None and Snapshot._changes.hearing
        fresh = hearing or time.monotonic() - self._loaded_at < UNHEARD_SNAPSHOT_S
        return self._kept if fresh and self._loaded_generation == self._generation else None

    def forget(self) -> None:
        """Read again at the next `get`."""
        self._generation += 1

    @classmethod
    def forget_all(cls) -> None:
        """Every snapshot of this process is read again."""
        for snapshot in cls._all:
            snapshot.forget()

    @classmethod
    def listen_for_changes(cls, application: str) -> None:
        """Keep this process's snapshots fresh by the database's own word; once a process."""

        def on_change(_channel: str, table: str) -> None:
            for snapshot in cls._all:
                if table in snapshot._tables:
                    snapshot.forget()

        cls._changes = Changes(("changed",), on_change, cls.forget_all, application=application)

    @classmethod
    def stop_listening(cls) -> None:
        """Back to snapshots that are at most a second old."""
        if cls._changes is not None:
            cls._changes.stop()
            cls._changes = None
