"""What the tests of processes listen with: output that can be waited for, scripts, the end of a process."""

import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from sampan.ops.supervisor import is_alive

T = TypeVar("T")
WITHIN_S = 60.0
ROOT = Path(__file__).parent.parent.parent


class Heard:
    """An output for a supervisor, or for what a script prints; `line` waits for it."""

    def __init__(self) -> None:
        self._new = threading.Condition()
        self.text = ""

    def write(self, octets: bytes, /) -> None:
        with self._new:
            self.text += octets.decode()
            self._new.notify_all()

    def flush(self) -> None:
        """All is shown at once."""

    def listen_to(self, stream: IO[bytes]) -> None:
        """Take all of the stream, in a thread."""

        def listen() -> None:
            for line in stream:
                self.write(line)

        threading.Thread(target=listen, daemon=True).start()

    def line(self, pattern: str, nth: int = 1) -> str:
        """The nth match (its group, if it has one); fails if it is not heard in time."""
        with self._new:
            self._new.wait_for(lambda: len(re.findall(pattern, self.text)) >= nth, WITHIN_S)
            found = re.findall(pattern, self.text)
            assert len(found) >= nth, f"heard no {pattern!r} in:\n{self.text}"
            return str(found[nth - 1])


@contextmanager
def script(source: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], Heard]]:
    """A Python program from its source, in a process group of its own, and what it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", source, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        process_group=0,
    )
    heard = Heard()
    assert process.stdout
    heard.listen_to(process.stdout)
    try:
        yield process, heard
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def until(what: Callable[[], T | None]) -> T:
    """What the question gives as soon as it is true; fails if it is not in time."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come true in time"
        select.select([], [], [], 0.01)
    return found


def wait_for_end(pid: int) -> None:
    """Wait for the end of a process that is not a child of ours."""
    until(lambda: not is_alive(pid))
