"""`sampan up`: the whole platform in one terminal, with its real programs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from sampan.messages.tables import Status
from sampan.ops.supervisor import is_alive
from tests.ops.heard import ROOT, Heard, until, wait_for_end

HELD_FOR_S = 2.0  # a message is handed over within some milliseconds
PORTS = range(6)


def free_base_port() -> int:
    """The first of six ports in a row that are free, below those that clients are given."""
    for base in range(21_000, 32_000, len(PORTS)):
        try:
            for port in PORTS:
                socket.create_server(("127.0.0.1", base + port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no six free ports in a row")


class Up:
    """One `sampan up` in a process group of its own."""

    def __init__(self, folder: Path, base_port: int, *more: str) -> None:
        self.folder = folder
        self.heard = Heard()
        without_tests_own = {name: value for name, value in os.environ.items() if not name.startswith("SAMPAN_")}
        argv = [sys.executable, "-m", "sampan", "up", "--data", str(folder), "--base-port", str(base_port)]
        argv += more
        self.process = subprocess.Popen(
            argv, cwd=ROOT, env=without_tests_own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, process_group=0
        )
        assert self.process.stdout
        self.heard.listen_to(self.process.stdout)

    def ready(self) -> dict[str, Any]:
        """ready.json, once it is there."""
        file = self.folder / "ready.json"
        until(lambda: file.exists() or self.process.poll() is not None)
        assert file.exists(), self.heard.text
        ready: dict[str, Any] = json.loads(file.read_text())
        return ready

    def pids(self) -> dict[str, list[int]]:
        """What ready.json says runs, by program."""
        numbers = self.ready()["pids"].items()
        return {name: pids if isinstance(pids, list) else [pids] for name, pids in numbers if pids}


@contextmanager
def up(folder: Path, base_port: int, *more: str) -> Iterator[Up]:
    """A platform that listens; it is stopped by Ctrl-C."""
    running = Up(folder, base_port, *more)
    try:
        running.ready()
        yield running
    finally:
        if running.process.poll() is None:
            os.killpg(running.process.pid, signal.SIGINT)
            running.process.wait(60)


def address(text: str) -> tuple[str, int]:
    host, port = text.removeprefix("http://").split("/")[0].split(":")
    return host, int(port)


@pytest.fixture(scope="module")
def base_port() -> int:
    return free_base_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of one platform; each test starts it, and stops it."""
    return tmp_path_factory.mktemp("up") / "var"


def test_it_tells_what_runs_keeps_its_place_and_stops_in_order(folder: Path, base_port: int, tmp_path: Path) -> None:
    with up(folder, base_port) as running:
        ready = running.ready()
        simulator = ready["simulator"]
        told = [ready["web"], ready["smpp"], ready["smtp"], simulator["smpp"], simulator["control"], ready["metrics"]]
        assert [address(text) for text in told] == [("127.0.0.1", base_port + port) for port in range(6)]
        for text in told:
            socket.create_connection(address(text), 5).close()
        assert set(running.pids()) == {"web", "smpp", "smtp", "gateway", "worker", "webhooks", "simulator", "postgres"}
        assert all(is_alive(pid) for pids in running.pids().values() for pid in pids)
        assert set(ready["demo"]) == {"customer", "trial", "staff", "support", "compliance", "finance"}
        assert_no_second(running, base_port, tmp_path)
        assert_ctrl_c_stops(running)


def assert_no_second(running: Up, base_port: int, elsewhere: Path) -> None:
    """On the same folder, or on the same ports."""
    same_folder, same_ports = Up(running.folder, base_port + 100), Up(elsewhere / "var", base_port)
    assert same_folder.process.wait(60) != 0
    assert same_ports.process.wait(60) != 0
    same_folder.heard.line(rf"Sampan already runs on .* \(process {running.process.pid}\)")
    same_ports.heard.line(rf"Port {base_port} on 127.0.0.1 is in use by another program")
    assert running.process.poll() is None
    assert running.pids()


def assert_ctrl_c_stops(running: Up) -> None:
    pids = [pid for pids in running.pids().values() for pid in pids]
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(60) == 0
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not (running.folder / "ready.json").exists()
    assert running.heard.line("database system is shut down")
    assert "Traceback" not in running.heard.text
    assert "killed" not in running.heard.text


def test_whatever_is_killed_comes_back_and_when_all_is_nothing_is_left(folder: Path, base_port: int) -> None:
    with up(folder, base_port) as running:
        before = running.pids()
        killed = {pids[0] for pids in before.values()}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        ready = until(partial(what_runs_instead, running, before, killed))
        for text in (ready["web"], ready["simulator"]["smpp"], ready["metrics"]):
            until(partial(listens, address(text)))
        assert what_runs_instead(running, before, killed), "and stays"
        left = [pid for pids in running.pids().values() for pid in pids]
        running.process.kill()
        running.process.wait()
        until(lambda: not (folder / "ready.json").exists())
        with up(folder, base_port) as next_one:  # which waits for the last of them
            assert not set(left) & {pid for pids in next_one.pids().values() for pid in pids}
            for pid in left:
                wait_for_end(pid)


def what_runs_instead(running: Up, before: dict[str, list[int]], killed: set[int]) -> dict[str, Any] | None:
    """ready.json, once as much runs as before and nothing that it names was killed."""
    now = running.pids()
    numbers = {pid for pids in now.values() for pid in pids}
    as_many = {name: len(pids) for name, pids in now.items()} == {name: len(pids) for name, pids in before.items()}
    return running.ready() if as_many and not killed & numbers and all(map(is_alive, numbers)) else None


def listens(where: tuple[str, int]) -> bool:
    try:
        socket.create_connection(where, 1).close()
    except OSError:
        return False
    return True


def test_after_a_restore_nothing_goes_out_until_somebody_says_so(folder: Path, base_port: int) -> None:
    def sampan(*words: str) -> dict[str, Any]:
        argv = [sys.executable, "-m", "sampan", *words, "--data", str(folder), "--json"]
        done = subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    with up(folder, base_port, "--after-restore") as running:
        running.heard.line("sending is HELD after the restore")
        ready = running.ready()
        login = ready["demo"]["customer"]
        asked = {"username": login["username"], "password": login["password"], "content": "Hi", "langeng": "1"}
        asked |= {"recipient": "85261234567", "dos": "now", "senderid": login["sender_id"]}
        answer = httpx.get(f"{ready['web']}/misweb/f_sendsms.aspx", params=asked).text
        message_id = answer.removeprefix("SMSDID:").strip()
        time.sleep(HELD_FOR_S)
        waiting = sampan("message", message_id)
        assert (waiting["status"], waiting["parts"]) == (Status.UPLOAD_SUCCESS, [])
        sampan("sending", "release")
        until(lambda: sampan("message", message_id)["status"] == Status.DELIVERED)
