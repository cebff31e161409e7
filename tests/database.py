"""The tests' PostgreSQL: an embedded one for the session, or the server that SAMPAN_TEST_DATABASE_URL names.

Tests that ask for `database` get it empty and migrated, with real commits: our code commits from several connections
and processes, so no transaction around the test could hide them. It starts when the first test asks (with pytest-xdist
before the workers do). Each process has a database of its own, a copy of one template. On a server of your own (a
superuser of PostgreSQL 15 or newer) they are dropped at the end.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django
import psycopg
import pytest
from django.db import connections
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.sql import SQL, Identifier

from sampan.database import Connection, OwnConnections, Snapshot
from sampan.ops.postgres import SUPERUSER, EmbeddedPostgres
from sampan.ops.supervisor import Supervisor

GIVEN = "SAMPAN_TEST_DATABASE_URL"
SHARED = "SAMPAN_TESTS_FOLDER"  # tells pytest-xdist's workers where the server of the session is
KEEP = (Path(__file__).parent / "database.sql").read_text()
PUT_BACK = "SELECT keeper.put_back()"
LOCK = 8_527_726  # any number: who holds it makes the template


class Server:
    """The session's PostgreSQL, as each process of the session sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._given = os.environ.get(GIVEN)
        self._embedded = EmbeddedPostgres(folder / "postgres", throwaway=True)
        self._running = ExitStack()
        self._session = folder.name.replace("-", "_")

    def start(self) -> None:
        """Start the embedded server; one that was given runs already."""
        if not self._given:
            log = self._running.enter_context((self.folder / "postgres.log").open("wb"))
            self._embedded.start(self._running.enter_context(Supervisor(output=log)))

    def stop(self) -> None:
        """Leave nothing behind."""
        if self._given:
            with self.administer("postgres") as conn:
                ours = conn.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self._session])
                for (name,) in ours.fetchall():
                    conn.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        self._running.close()

    def started(self) -> bool:
        """Whether there is a server to connect to."""
        return bool(self._given) or self._embedded.is_ready()

    def url(self, database: str) -> str:
        """Where the platform connects to."""
        return make_conninfo(self._given, dbname=database) if self._given else self._embedded.url(database)

    def administer(self, database: str) -> Connection:
        """A superuser's connection."""
        url = self.url(database) if self._given else self._embedded.url(database, SUPERUSER)
        return psycopg.connect(url, autocommit=True)

    def name(self, part: str) -> str:
        """The name of one of the session's databases."""
        return f"{self._session}_{part}"

    def copy_template(self, to: str) -> None:
        """Make a migrated database; the first to come makes the template."""
        template = self.name("template")
        with self.administer("postgres") as conn:
            conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            if not conn.execute("SELECT FROM pg_database WHERE datname = %s", [template]).rowcount:
                self._make_template(conn, template)
            self._create(conn, to, template)

    def _make_template(self, conn: Connection, template: str) -> None:
        unfinished = self.name("unfinished")
        self._create(conn, unfinished, "template0")
        migrate(unfinished)
        with self.administer(unfinished) as inside:
            inside.execute(KEEP.encode())
        conn.execute(SQL("ALTER DATABASE {} RENAME TO {}").format(Identifier(unfinished), Identifier(template)))

    def _create(self, conn: Connection, name: str, template: str) -> None:
        owner = str(conninfo_to_dict(self.url(name))["user"])
        statement = SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
        conn.execute(statement.format(Identifier(name), Identifier(owner), Identifier(template)))


def migrate(database: str) -> None:
    """Run all migrations on a database of the server that settings.py names."""
    from django.core.management import call_command
    from django.db import connection

    ours = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = database
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = ours


def pytest_configure(config: pytest.Config) -> None:
    """Say where the database will be, before anything imports the settings."""
    shared = os.environ.get(SHARED) if hasattr(config, "workerinput") else None
    server = Server(Path(shared or tempfile.mkdtemp(prefix="sampan-test-")))
    config.stash[SERVER] = server
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    os.environ["SAMPAN_DATABASE_URL"] = server.url(server.name(worker))
    os.environ["SAMPAN_DATA"] = str(server.folder / worker)
    os.environ["SAMPAN_SECRET"] = "the tests' secret"
    os.environ["DJANGO_SETTINGS_MODULE"] = "sampan.settings"
    django.setup()
    if not shared and config.getoption("numprocesses", None):
        os.environ[SHARED] = str(server.folder)
        server.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server, where this process is the session's first."""
    if not hasattr(config, "workerinput"):
        server = config.stash[SERVER]
        server.stop()
        shutil.rmtree(server.folder)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database, so that it can be run alone: `pytest -m database`."""
    for item in items:
        if "database" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


SERVER = pytest.StashKey[Server]()


@pytest.fixture(scope="session")
def migrated_database(pytestconfig: pytest.Config) -> Iterator[Connection]:
    """A superuser's connection to this process's database."""
    server = pytestconfig.stash[SERVER]
    if not server.started():
        server.start()
    name = server.name(os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    server.copy_template(name)
    with server.administer(name) as conn:
        yield conn


@pytest.fixture
def database(migrated_database: Connection) -> Iterator[Connection]:
    """An empty, migrated database, as the platform connects to it. What the test commits is gone before the next."""
    migrated_database.execute(PUT_BACK)
    for ours in connections.all(initialized_only=True):
        if ours.connection is not None and (ours.in_atomic_block or not ours.is_usable()):
            ours.connection.close()  # the last test left it in a transaction
            del connections[ours.alias]
    Snapshot.forget_all()
    with LINES.get(tried=True) as conn:
        yield conn
        if conn.info.transaction_status == TransactionStatus.IDLE:
            conn.execute(AS_NEW)
        else:
            conn.close()


LINES = OwnConnections("tests")
AS_NEW = "RESET ALL; UNLISTEN *; DISCARD TEMP; DISCARD SEQUENCES; SELECT pg_advisory_unlock_all()"
