"""PostgreSQL beneath Django: connections of our own for SQL that works on many rows at once.

Django's ORM serves the plain cases. The hot paths use psycopg directly, with prepared statements, in threads that each
own one connection (`DatabaseThreads`), so that asyncio loops can hand them whole batches.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg

P = ParamSpec("P")
R = TypeVar("R")
Connection = psycopg.Connection[tuple[Any, ...]]

CONNECT_TIMEOUT_S = 5
PREPARE_AFTER = 1


def connect(application: str) -> Connection:
    """A new connection in autocommit, that names itself and prepares what it runs twice."""
    return psycopg.connect(
        os.environ["SAMPAN_DATABASE_URL"],
        autocommit=True,
        prepare_threshold=PREPARE_AFTER,
        application_name=f"sampan {application}",
        connect_timeout=CONNECT_TIMEOUT_S,
        options="-c timezone=UTC",
    )


@contextmanager
def beneath_django() -> Iterator[Connection]:
    """The psycopg connection of this thread's Django connection, so that SQL and ORM share one transaction."""
    from django.db import connection

    connection.ensure_connection()
    yield connection.connection


class DatabaseThreads:
    """A few threads, each with a connection of its own, for work that blocks."""

    def __init__(self, threads: int, application: str) -> None:
        self._application = application
        self._here = threading.local()
        self._pool = ThreadPoolExecutor(threads, f"database-{application}")

    def _run(self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        conn: Connection | None = getattr(self._here, "conn", None)
        if conn is None or conn.closed or conn.broken:
            conn = self._here.conn = connect(self._application)
        try:
            return work(conn, *args, **kwargs)
        except psycopg.OperationalError:
            conn.close()
            raise

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
