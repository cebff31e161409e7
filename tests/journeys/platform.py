"""The platform as its user starts it: `sampan up` in a folder of its own, with all its processes."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg

READY_WITHIN_S = 180.0  # on a machine that has much else to do
STOPPED_WITHIN_S = 40.0
LOOK_EVERY_S = 0.1
PORTS = 6
BASE_PORTS = range(21_000, 32_000, 10)  # below those that the system gives to whoever calls out


def free_base_port() -> int:
    """The first of some ports in a row that nobody listens on; drawn, for tests run beside each other."""
    for base in random.sample(BASE_PORTS, len(BASE_PORTS)):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(base, base + PORTS):
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return base
    raise OSError("no free ports")


def eventually(condition: Callable[[], Any], within_s: float) -> Any:
    """What the condition gives once it is true."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(LOOK_EVERY_S)
    return found


class Platform:
    """A platform that runs."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self.folder = folder
        self._process = process

    @property
    def ready(self) -> dict[str, Any]:
        """What ready.json says."""
        found: dict[str, Any] = json.loads((self.folder / "ready.json").read_text())
        return found

    def pids(self, name: str) -> list[int]:
        """The process numbers of one program, or of postgres."""
        pids = self.ready["pids"].get(name) or []
        return pids if isinstance(pids, list) else [pids]

    def kill(self, name: str) -> None:
        """`kill -9` all processes of one program; returns when others are there in their place and listen."""
        before = self.pids(name)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: len(set(self.pids(name)) - set(before)) == len(before), READY_WITHIN_S)
        if name == "postgres":
            eventually(self._database_answers, READY_WITHIN_S)
        if name == "web":
            eventually(self._web_answers, READY_WITHIN_S)

    @contextlib.contextmanager
    def away(self, name: str, how: str) -> Iterator[None]:
        """Within, a program is `killed` (and nobody starts it again) or `frozen`; after it, it is back."""
        pids = [pid for first in self.pids(name) for pid in (first, *_children(first))]
        frozen = [self._process.pid] if how == "killed" else pids
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            if how == "killed":
                os.kill(pids[0], signal.SIGKILL)
            yield
        finally:
            for pid in frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        if how == "killed":
            eventually(lambda: self.pids(name) and self.pids(name)[0] != pids[0], READY_WITHIN_S)
        if name == "postgres":
            eventually(self._database_answers, READY_WITHIN_S)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The platform's database."""
        return psycopg.connect((self.folder / "database-url").read_text().strip(), autocommit=True)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the platform's database."""
        with self.connect() as conn:
            return conn.execute(sql.encode()).fetchall()

    def stats(self) -> dict[str, int]:
        """What the simulator has counted."""
        found: dict[str, int] = httpx.get(self.ready["simulator"]["control"] + "/stats").json()
        return found

    def sampan(self, *arguments: str) -> str:
        """A verb on this platform; its output."""
        argv = [sys.executable, "-m", "sampan", *arguments, "--data", str(self.folder)]
        return subprocess.run(argv, check=True, capture_output=True, text=True, env=clean_environment()).stdout

    def _database_answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.query("SELECT 1"))
        return False

    def _web_answers(self) -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.ready["web"] + "/misweb/f_getuserbalance.aspx").status_code == 200
        return False


def _children(pid: int) -> list[int]:
    """The processes that one has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def clean_environment() -> dict[str, str]:
    """The environment of a user's terminal: nothing of the tests' own platform in it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SAMPAN_", "DJANGO_"))}


@contextlib.contextmanager
def running_platform(folder: Path, *options: str) -> Iterator[Platform]:
    """`sampan up` from ready to stopped."""
    argv = [sys.executable, "-m", "sampan", "up", "--data", str(folder), "--base-port", str(free_base_port()), *options]
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, env=clean_environment())
    try:
        eventually(lambda: (folder / "ready.json").exists() or process.poll() is not None, READY_WITHIN_S)
        assert process.poll() is None, log.read_text()
        yield Platform(folder, process)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(STOPPED_WITHIN_S) == 0, log.read_text()[-3000:]
