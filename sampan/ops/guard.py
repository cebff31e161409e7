"""The program beside every supervisor that leaves no orphan when the supervisor itself is killed.

It leads the process group that all children are in, so the kernel keeps the list of them. Its standard input is a pipe
that only the supervisor holds, its first argument a pipe that every child holds: the end of the one says that the
supervisor is gone, the end of the other that all children are. Further arguments are files that say what runs, and are
removed with the supervisor. It is run as a file, and imports nothing of Sampan.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# PostgreSQL takes SIGTERM as "once the last client has left" and SIGINT as "now"; SIGKILL takes the guard along.
SIGNALS_AND_SECONDS = ((signal.SIGTERM, 10.0), (signal.SIGINT, 60.0), (signal.SIGKILL, 0.0))


def guard(all_gone: int, files: Sequence[str]) -> None:
    """Wait for the end of the supervisor, then see to the end of its files and its children."""
    os.read(sys.stdin.fileno(), 1)
    for file in files:
        with contextlib.suppress(OSError):
            Path(file).unlink()
    within_s = 0.0
    for number, next_within_s in SIGNALS_AND_SECONDS:
        if select.select([all_gone], [], [], within_s)[0]:
            return
        os.killpg(os.getpgrp(), number)
        within_s = next_within_s


if __name__ == "__main__":
    assert os.getpgrp() == os.getpid(), "the guard leads a process group of its own"
    for ignored in IGNORED:
        signal.signal(ignored, signal.SIG_IGN)
    guard(int(sys.argv[1]), sys.argv[2:])
