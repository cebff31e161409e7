"""The embedded PostgreSQL: private, quick to start, hard to lose."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from sampan.ops import CannotStart
from sampan.ops.postgres import SUPERUSER, EmbeddedPostgres
from sampan.ops.supervisor import Supervisor
from tests.ops.heard import Heard, script, until, wait_for_end

SERVES = """
import sys
from pathlib import Path
from sampan.ops.postgres import EmbeddedPostgres
from sampan.ops.supervisor import Supervisor, stopped_by_signals
with stopped_by_signals(), Supervisor() as supervisor:
    EmbeddedPostgres(Path(sys.argv[1]), throwaway=True).start(supervisor)
    print("serving", flush=True)
    supervisor.wait()
"""


@contextmanager
def started(folder: Path, output: Heard | None = None, *, lasting: bool = False) -> Iterator[EmbeddedPostgres]:
    """A running server; a `lasting` one keeps what is committed, as the platform's does, and is slower to remove."""
    postgres = EmbeddedPostgres(folder, throwaway=not lasting)
    with Supervisor(output=output or Heard()) as supervisor:
        postgres.start(supervisor)
        yield postgres


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with started(tmp_path_factory.mktemp("shared") / "postgres", lasting=True) as postgres:
        yield postgres


def one(postgres: EmbeddedPostgres, sql: str, **role: str) -> object:
    with psycopg.connect(postgres.url(**role)) as conn:
        row = conn.execute(sql.encode()).fetchone()
        assert row
        return row[0]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_platform_connects_as_a_plain_role_that_owns_its_database(postgres: EmbeddedPostgres) -> None:
    sql = "SELECT (rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls)::text FROM pg_roles"
    assert one(postgres, f"{sql} WHERE rolname = current_user") == "(f,f,f,f,f)"
    sql = "SELECT pg_get_userbyid(datdba) || ' owns ' || datname FROM pg_database WHERE datname = current_database()"
    assert one(postgres, sql) == "sampan owns sampan"


def test_text_is_utf8_in_the_same_order_on_every_machine_and_pages_have_checksums(postgres: EmbeddedPostgres) -> None:
    sql = """SELECT concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datlocale,
                              current_setting('data_checksums'))
             FROM pg_database WHERE datname = current_database()"""
    assert one(postgres, sql) == "UTF8 b C.UTF-8 on"


def test_what_is_committed_is_on_the_disk(postgres: EmbeddedPostgres) -> None:
    sql = "SELECT string_agg(setting, ' ') FROM pg_settings WHERE name IN"
    assert one(postgres, f"{sql} ('fsync', 'full_page_writes', 'synchronous_commit')") == "on on on"


def test_it_listens_on_a_private_socket_alone_and_wants_a_password(postgres: EmbeddedPostgres) -> None:
    assert one(postgres, "SELECT current_setting('listen_addresses')") == ""
    assert mode(postgres.folder / "run") == 0o700
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(), password="guessed")
    sql = "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"
    assert one(postgres, sql, role=SUPERUSER) == 0


def test_its_files_are_private(postgres: EmbeddedPostgres) -> None:
    private = {"data": 0o700, "run": 0o700, "postgres.password": 0o600, "sampan.password": 0o600}
    assert {path.name: mode(path) for path in postgres.folder.iterdir()} == private


def test_its_log_holds_no_statement_and_no_value(tmp_path: Path) -> None:
    """spec S136: nothing personal in logs."""
    heard = Heard()
    with started(tmp_path / "postgres", heard) as postgres:
        with psycopg.connect(postgres.url(), autocommit=True) as conn:
            conn.execute("CREATE TABLE number (number text PRIMARY KEY)")
            conn.execute("INSERT INTO number VALUES ('85261234567')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                conn.execute("INSERT INTO number VALUES ('85261234567')")
            with pytest.raises(psycopg.DataError), conn.cursor().copy("COPY number FROM STDIN") as copy:
                copy.write("85261234567\t85261234568\n")
        heard.line("duplicate key value violates unique constraint")
        heard.line("extra data after last expected column")
    assert "8526123456" not in heard.text


def test_a_second_start_keeps_the_data(tmp_path: Path) -> None:
    with started(tmp_path / "postgres", lasting=True) as postgres:
        with psycopg.connect(postgres.url()) as conn:
            conn.execute("CREATE TABLE kept AS SELECT 7 AS number")
    assert not postgres.is_ready()
    assert postgres.pid is None
    with started(tmp_path / "postgres", lasting=True) as postgres:
        assert one(postgres, "SELECT number FROM kept") == 7


def test_a_killed_server_comes_back_by_itself_with_all_that_was_committed(tmp_path: Path) -> None:
    with (
        started(tmp_path / "postgres", lasting=True) as postgres,
        psycopg.connect(postgres.url(), autocommit=True) as busy,
    ):
        busy.execute("CREATE TABLE kept AS SELECT 7 AS number")
        first = postgres.pid
        assert first
        os.kill(first, signal.SIGKILL)
        until(lambda: postgres.pid != first and postgres.is_ready())
        assert one(postgres, "SELECT number FROM kept") == 7
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT 1")


def test_no_server_is_left_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    with script(SERVES, str(tmp_path / "postgres")) as (process, heard):
        heard.line("serving")
        pid = EmbeddedPostgres(tmp_path / "postgres").pid
        assert pid
        process.kill()
        wait_for_end(pid)


def test_a_server_left_running_is_stopped_in_order_before_a_new_one_starts(tmp_path: Path) -> None:
    """Only where the guard against orphans was killed along with the supervisor."""
    with script(SERVES, str(tmp_path / "postgres")) as (process, heard):
        heard.line("serving")
        left = EmbeddedPostgres(tmp_path / "postgres")
        left_pid = left.pid
        assert left_pid
        process.send_signal(signal.SIGSTOP)  # so that it does not notice
        os.kill(os.getpgid(left_pid), signal.SIGKILL)
        process.kill()
        process.wait()
        with psycopg.connect(left.url()) as conn:
            conn.execute("CREATE TABLE kept AS SELECT 7 AS number")
        heard_later = Heard()
        with started(tmp_path / "postgres", heard_later) as postgres:
            assert postgres.pid != left_pid
            assert one(postgres, "SELECT number FROM kept") == 7
        assert "database system was shut down at" in heard_later.text, "no recovery was needed"


def test_a_record_that_names_another_process_does_not_hold_up_the_start(tmp_path: Path) -> None:
    """After a restart of the machine, or of a container, process numbers come again."""
    with started(tmp_path / "postgres") as postgres:
        record = (postgres.folder / "data" / "postmaster.pid").read_text()
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stale = postgres.folder / "data" / "postmaster.pid"
    stale.write_text("\n".join([str(other.pid), *record.split("\n")[1:]]))
    shutil.chown(stale, (postgres.folder / "data").stat().st_uid)
    with started(tmp_path / "postgres") as postgres:
        assert one(postgres, "SELECT 1") == 1
    assert other.poll() is None, "and that process is left alone"
    other.communicate(b"\n")


def test_a_first_start_that_was_killed_halfway_begins_again(tmp_path: Path) -> None:
    halfway = tmp_path / "postgres" / "data.unfinished"
    halfway.mkdir(parents=True)
    (halfway / "PG_VERSION").write_text("18\n")
    with started(tmp_path / "postgres") as postgres:
        assert one(postgres, "SELECT 1") == 1
    assert not halfway.exists()


def test_a_cluster_of_another_major_version_is_refused_with_the_mend(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(CannotStart, match=r"made by PostgreSQL 17, and this Sampan runs 18\. .* dump the database"):
        with started(tmp_path / "postgres"):
            pytest.fail("it started")
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"], "and left as it is"


def test_a_server_that_cannot_start_is_given_up(tmp_path: Path) -> None:
    heard = Heard()
    with started(tmp_path / "postgres") as postgres:
        settings = postgres.folder / "data" / "postgresql.conf"
    with settings.open("a") as file:
        file.write("shared_buffers = 'plenty'\n")
    with pytest.raises(CannotStart, match=r"not ready after \d+ s\. Its lines above say why"):
        with started(tmp_path / "postgres", heard):
            pytest.fail("it started")
    heard.line('invalid value for parameter "shared_buffers"')


@pytest.mark.parametrize("name", ["a folder's $HOME `名` %s", "far-" * 40], ids=["odd name", "long path"])
def test_the_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    with started(tmp_path / name / "postgres") as postgres:
        assert one(postgres, "SELECT 1") == 1
        assert EmbeddedPostgres(postgres.folder).url() == postgres.url()
        socket_folder = Path(str(conninfo_to_dict(postgres.url())["host"]))
    shutil.rmtree(socket_folder)  # a long path's is outside the test's folder


def test_a_folder_for_the_socket_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "run").mkdir(parents=True, mode=0o755)
    with pytest.raises(CannotStart, match=r"postgres/run is not a private folder of this user"):
        with started(tmp_path / "postgres"):
            pytest.fail("it started")


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's server runs as that user")
def test_under_root_it_runs_as_a_system_user_and_the_folders_above_stay_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with started(closed / "var" / "postgres") as postgres:
        status = Path(f"/proc/{postgres.pid}/status").read_text().splitlines()
        numbers = {
            line.split()[0]: set(line.split()[1:]) for line in status if line.startswith(("Uid", "Gid", "Groups"))
        }
        owner = (postgres.folder / "data").stat()
        assert numbers == {"Uid:": {str(owner.st_uid)}, "Gid:": {str(owner.st_gid)}, "Groups:": set()}
        assert owner.st_uid != 0
    assert [mode(path) for path in (closed, closed / "var")] == [0o700, 0o755]
    assert (mode(postgres.folder), postgres.folder.stat().st_uid) == (0o711, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_cluster_of_another_user_is_refused_with_the_mend(tmp_path: Path) -> None:
    cluster = tmp_path / "postgres" / "data"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("18\n")
    shutil.chown(cluster, "nobody")
    with pytest.raises(CannotStart, match=r"belongs to another user .* Start Sampan as the user who started it first"):
        with started(tmp_path / "postgres"):
            pytest.fail("it started")
