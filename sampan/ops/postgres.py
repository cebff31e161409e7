"""The embedded PostgreSQL: a cluster in a folder of ours, run as a child of the supervisor.

Run directly rather than through pg_ctl, so that its death is seen at once and nothing is left behind. It listens on a
Unix socket in a private folder and nowhere else; passwords are SCRAM's. Where we are root it runs as a system user, and
sees only its own folder: it is started *in* it and, on Linux, calls it by /proc/self/cwd, so the folders above may
stay closed to that user.
"""

import contextlib
import hashlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from sampan.ops import CannotStart, postgres_programs
from sampan.ops.private import read_or_make_secret
from sampan.ops.supervisor import Program, Supervisor, is_alive

SUPERUSER = "postgres"
APPLICATION = "sampan"  # the role that the platform connects as, and the database that it owns
SOCKET = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH_OCTETS = 103  # sun_path: 108 on Linux, 104 on macOS, with the zero at the end
ALIVE_WITHIN_S = 5.0  # a server that cannot start ends at once, again and again
READY_WITHIN_S = 600.0  # recovery after a crash reads the log since the last checkpoint
STOP_WITHIN_S = 60.0  # the checkpoint at the end writes what shared_buffers holds
QUIT_WITHIN_S = 10.0
LOOK_EVERY_S = 0.02

# Written into the new cluster's postgresql.conf, where an operator may change them (docs/operating/postgres.md).
TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "100",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "10min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_logical_replication_workers": "0",
    # The hot queue turns over many times a minute: look often, do not wait for a fifth of a large table to die.
    "autovacuum_naptime": "10s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Nothing personal in logs (spec S136): statements and the details of errors hold numbers and texts.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "64MB",
}


class EmbeddedPostgres:
    """The cluster of one folder. Whoever starts it holds the installation's lock: a server found running is stopped.

    `throwaway` is for tests: quick, and lost with the machine's power. Making the object makes no more than passwords.
    """

    def __init__(self, folder: Path, *, throwaway: bool = False) -> None:
        self.folder = folder.resolve()
        self._throwaway = throwaway
        self._cluster = self.folder / "data"
        self._socket_folder = _socket_folder(self.folder)

    def url(self, database: str = APPLICATION, role: str = APPLICATION) -> str:
        """The address of a database for libpq, with the password of the role in it."""
        return make_conninfo(host=str(self._socket_folder), user=role, password=self._password(role), dbname=database)

    def start(self, supervisor: Supervisor) -> None:
        """Make the cluster at the first start, run it, wait until it answers, and see to the role and its database.

        Raises CannotStart. From here on the supervisor keeps it running, and stops it.
        """
        account = postgres_programs.system_account()
        programs = postgres_programs.programs(account)
        self._make_folders(account)
        if not self._cluster.exists():
            self._make_cluster(programs, account)
        self._refuse_unusable(account)
        self._stop_stray()
        supervisor.start(self._program(programs, account))
        self._wait_until_ready()
        self._make_role_and_database()

    @property
    def pid(self) -> int | None:
        """The process number of the server that runs on this folder, whoever started it."""
        pid = self._recorded_pid()
        return pid if pid is not None and self._is_ours(pid) else None

    def is_ready(self) -> bool:
        """Whether the server runs and takes connections. It asks no server, so nothing is logged."""
        return self._recorded()[7:8] == ["ready"] and self.pid is not None

    def _password(self, role: str) -> str:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return read_or_make_secret(self.folder / f"{role}.password")

    def _make_folders(self, account: postgres_programs.Account | None) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account:
            self.folder.chmod(0o711)  # the account passes through to its two folders; the passwords stay ours
        _make_private_folder(self._socket_folder, account)

    def _make_cluster(self, programs: Path, account: postgres_programs.Account | None) -> None:
        unfinished = self._cluster.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)  # a start that was killed here
        _make_private_folder(unfinished, account)
        with tempfile.TemporaryFile() as password:
            password.write(self._password(SUPERUSER).encode())
            password.seek(0)
            if account:
                os.fchown(password.fileno(), account.user, account.group)
            arguments = [
                f"--pgdata={_seen_from_within(unfinished)}",
                f"--username={SUPERUSER}",
                f"--pwfile=/dev/fd/{password.fileno()}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",  # the same order of text on every machine
                "--builtin-locale=C.UTF-8",
                "--data-checksums",
                *(f"--set={name}={value}" for name, value in TUNING.items()),
            ]
            if self._throwaway:
                arguments.append("--no-sync")
            postgres_programs.run(
                programs / "initdb", *arguments, folder=unfinished, account=account, inherited=(password.fileno(),)
            )
        unfinished.rename(self._cluster)

    def _refuse_unusable(self, account: postgres_programs.Account | None) -> None:
        theirs = (self._cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        ours = postgres_programs.version().split(".")[0]
        if theirs != ours:
            raise CannotStart(
                f"The database in {self._cluster} was made by PostgreSQL {theirs}, and this Sampan runs {ours}."
                " Go back to the Sampan that made it, dump the database, move the folder away and restore into a new"
                " one (docs/operating/postgres.md says how)"
            )
        if self._cluster.stat().st_uid != (account.user if account else os.geteuid()):
            raise CannotStart(
                f"The database in {self._cluster} belongs to another user than PostgreSQL would run as now."
                " Start Sampan as the user who started it first"
            )

    def _program(self, programs: Path, account: postgres_programs.Account | None) -> Program:
        inside = self._socket_folder.parent == self.folder
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": f'"{f"../{self._socket_folder.name}" if inside else self._socket_folder}"',
            "unix_socket_permissions": "0700",  # that user, and root
            "cluster_name": APPLICATION,
            **(THROWAWAY if self._throwaway else {}),
        }
        wires = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Program(
            name="postgres",
            argv=[str(programs / "postgres"), "-D", _seen_from_within(self._cluster), *wires],
            environment=postgres_programs.ENVIRONMENT,
            folder=self._cluster,
            user=account.user if account else None,
            group=account.group if account else None,
            stop_signal=signal.SIGQUIT if self._throwaway else signal.SIGINT,  # "immediate", "fast"
            stop_within_s=STOP_WITHIN_S,
        )

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        while not self.is_ready():
            waited_s = time.monotonic() - began
            if waited_s > READY_WITHIN_S or (waited_s > ALIVE_WITHIN_S and self.pid is None):
                raise CannotStart(f"PostgreSQL is not ready after {waited_s:.0f} s. Its lines above say why")
            time.sleep(LOOK_EVERY_S)

    def _make_role_and_database(self) -> None:
        with psycopg.connect(self.url("postgres", SUPERUSER), autocommit=True) as conn:
            # Hashed here, so that the password is in no statement that a log could show.
            verifier = conn.pgconn.encrypt_password(
                self._password(APPLICATION).encode(), APPLICATION.encode(), b"scram-sha-256"
            ).decode()
            if not conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [APPLICATION]).rowcount:
                conn.execute(f"CREATE ROLE {APPLICATION} LOGIN")
            conn.execute(psycopg.sql.SQL(f"ALTER ROLE {APPLICATION} PASSWORD {{}}").format(verifier))
            if not conn.execute("SELECT FROM pg_database WHERE datname = %s", [APPLICATION]).rowcount:
                conn.execute(f"CREATE DATABASE {APPLICATION} OWNER {APPLICATION}")

    def _stop_stray(self) -> None:
        """Stop a server whose supervisor was killed, guard and all; forget a record that names another's process."""
        pid = self._recorded_pid()
        if pid is None or not is_alive(pid):
            return
        if not self._is_ours(pid):  # numbers come again after a restart of the machine; PostgreSQL would refuse
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
            return
        for number, within_s in ((signal.SIGINT, STOP_WITHIN_S), (signal.SIGQUIT, QUIT_WITHIN_S)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + within_s
            while self._is_ours(pid) and time.monotonic() < deadline:
                time.sleep(LOOK_EVERY_S)
        if self._is_ours(pid):
            raise CannotStart(f"A PostgreSQL (process {pid}) runs on {self._cluster} and does not stop. End it")

    def _recorded(self) -> list[str]:
        """The lines of postmaster.pid: number, folder, start, port, socket folder, address, memory, state."""
        with contextlib.suppress(FileNotFoundError):
            text = (self._cluster / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
            return [line.strip() for line in text.splitlines()]
        return []

    def _recorded_pid(self) -> int | None:
        with contextlib.suppress(ValueError, IndexError):
            return int(self._recorded()[0])
        return None

    def _is_ours(self, pid: int) -> bool:
        """Whether the process works in our folder, as a server on it does."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                return Path(f"/proc/{pid}/cwd").samefile(self._cluster)
            return False
        ping = psycopg.pq.PGconn.ping(self.url("postgres", SUPERUSER).encode())
        return ping in (psycopg.pq.Ping.OK, psycopg.pq.Ping.REJECT)


def _seen_from_within(folder: Path) -> str:
    """What a program that works in the folder calls it, whether or not it may pass the folders above."""
    return "/proc/self/cwd" if sys.platform == "linux" else str(folder)


def _socket_folder(folder: Path) -> Path:
    """Beside the cluster; for a path too long for the kernel, a folder that the path alone determines."""
    beside = folder / "run"
    if len(os.fsencode(beside / SOCKET)) <= LONGEST_SOCKET_PATH_OCTETS:
        return beside
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/run" if os.geteuid() == 0 else tempfile.gettempdir()) / f"sampan-{short}"


def _make_private_folder(folder: Path, account: postgres_programs.Account | None) -> None:
    """Make the folder, or check the one that is there, and give it to the account."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    owners = {os.geteuid(), account.user} if account else {os.geteuid()}
    found = folder.lstat()
    if found.st_uid not in owners or found.st_mode & 0o170077 != 0o040000:
        raise CannotStart(f"{folder} is not a private folder of this user (mode 0700). Move it away")
    if account:
        os.chown(folder, account.user, account.group, follow_symlinks=False)
