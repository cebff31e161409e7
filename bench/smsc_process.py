"""The independent SMSC as a process: started, asked for its figures, stopped."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO, Any

ANSWER_WITHIN_S = 10.0
RECEIPTS = ("--dlr-delay", "0.2")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class Smsc:
    """A running SMSC."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]", output: IO[bytes]) -> None:
        self.port = port
        self.pid = process.pid
        self._process = process
        self._output = output

    def figures(self) -> dict[str, Any]:
        """What it has counted since the last reset."""
        before = self._size()
        self._process.send_signal(signal.SIGUSR1)
        deadline = time.monotonic() + ANSWER_WITHIN_S
        while self._size() == before or not self._lines()[-1].endswith(b"}"):
            if time.monotonic() > deadline:
                raise TimeoutError("the SMSC does not tell its figures")
            time.sleep(0.01)
        found: dict[str, Any] = json.loads(self._lines()[-1])
        return found

    def reset(self) -> None:
        """Count anew; nobody submits meanwhile."""
        self._process.send_signal(signal.SIGUSR2)
        while self.figures()["submits"]:  # of two signals at once either may come first
            time.sleep(0.01)

    def _size(self) -> int:
        return self._output.seek(0, 2)

    def _lines(self) -> list[bytes]:
        self._output.seek(0)
        return self._output.read().strip().split(b"\n")


@contextlib.contextmanager
def running_smsc() -> Iterator[Smsc]:
    """An SMSC on a free port, that counts duplicates and sends receipts."""
    port = free_port()
    with tempfile.TemporaryFile() as output:
        argv = [sys.executable, "-m", "bench.smsc.smsc", "--port", str(port), "--track", *RECEIPTS]
        process = subprocess.Popen(argv, stdout=output, stderr=subprocess.DEVNULL)
        try:
            yield Smsc(port, process, output)
        finally:
            process.terminate()
            process.wait()
