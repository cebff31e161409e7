"""Kannel as it is measured: a bearerbox and a smsbox of our own, in a folder of their own, on the loopback alone."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from bench.load import CannotMeasure
from bench.sampan_up import SENDER, TEXT, WINDOW
from bench.smsc_process import Smsc, free_port

LISTENS_WITHIN_S, ENDS_WITHIN_S = 20.0, 10.0
PROGRAMS = "bearerbox", "smsbox"
SYSTEM_FOLDERS = "/usr/sbin"  # not in every user's PATH
DELIVERED_OR_FAILED = 3  # dlr-mask
STORES = {"memory": "", "spool": "store-type = spool\nstore-location = {folder}/spool"}
CONFIGURATION = """
group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = secret
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-level = 3
log-file = {folder}/bearerbox.log
dlr-storage = internal
{store}

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc}
transceiver-mode = true
smsc-username = {system_id}
smsc-password = secret
system-type = ""
interface-version = 34
max-pending-submits = {window}

group = smsbox
smsbox-id = bench
bearerbox-host = 127.0.0.1
sendsms-interface = 127.0.0.1
sendsms-port = {sendsms}
log-level = 3
log-file = {folder}/smsbox.log

group = sendsms-user
username = bench
password = secret
max-messages = 1
"""


class Kannel(NamedTuple):
    """A Kannel that runs."""

    url: str
    template: str  # of a request's path, with {to} in it
    pids: list[int]


def program(name: str) -> str:
    """Where a program of Kannel's is; says how to install it where it is not."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:{SYSTEM_FOLDERS}")
    if path is None:
        raise CannotMeasure("Kannel is not here (Debian, as root: apt-get install kannel)")
    return path


@contextlib.contextmanager
def running_kannel(smsc: Smsc, *, store: str, told: str = "") -> Iterator[Kannel]:
    """A Kannel bound to this SMSC, its messages in `memory` or in a `spool`; receipts, where there is `told`, a URL."""
    paths = [program(name) for name in PROGRAMS]
    admin, box, sendsms = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="kannel-bench-") as folder, contextlib.ExitStack() as stack:
        (Path(folder) / "spool").mkdir()
        configuration = Path(folder) / "kannel.conf"
        values = {"admin": admin, "box": box, "sendsms": sendsms, "smsc": smsc.port, "window": WINDOW, "folder": folder}
        values |= {"store": STORES[store].format(folder=folder), "system_id": store}
        configuration.write_text(CONFIGURATION.format(**values))
        before = smsc.figures()["sessions"]
        processes = []
        for path, port in zip(paths, (box, sendsms), strict=True):
            processes.append(stack.enter_context(_running(path, configuration)))
            _until_listens(port, processes[-1])
        _until_bound(smsc, before + 1)
        receipts = f"&dlr-mask={DELIVERED_OR_FAILED}&dlr-url={quote(told, safe='')}" if told else ""
        template = f"/cgi-bin/sendsms?username=bench&password=secret&from={SENDER}&to={{to}}&text={TEXT}{receipts}"
        yield Kannel(f"http://127.0.0.1:{sendsms}", template, [process.pid for process in processes])


@contextlib.contextmanager
def _running(path: str, configuration: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with (configuration.parent / f"{Path(path).name}.out").open("wb") as output:
        process = subprocess.Popen([path, str(configuration)], stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + LISTENS_WITHIN_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise CannotMeasure(f"Kannel does not start: nothing listens on its port {port}")
        time.sleep(0.05)


def _until_bound(smsc: Smsc, sessions: int) -> None:
    deadline = time.monotonic() + LISTENS_WITHIN_S
    while smsc.figures()["sessions"] < sessions:
        if time.monotonic() > deadline:
            raise CannotMeasure("Kannel does not bind to the SMSC")
        time.sleep(0.05)
