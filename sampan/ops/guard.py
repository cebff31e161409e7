"""The program beside every supervisor that leaves no orphan when the supervisor itself is killed.

It leads the process group that all children are in, so the kernel keeps the list of them. Its standard input is a pipe
that only the supervisor holds, its argument a pipe that every child holds: the end of the first says that the
supervisor is gone, the end of the second that all children are. It is run as a file, and imports nothing of Sampan.
"""

import os
import select
import signal
import sys

IGNORED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# PostgreSQL takes SIGTERM as "once the last client has left" and SIGINT as "now"; SIGKILL takes the guard along.
SIGNALS_AND_SECONDS = ((signal.SIGTERM, 10.0), (signal.SIGINT, 60.0), (signal.SIGKILL, 0.0))


def guard(all_gone: int) -> None:
    """Wait for the end of the supervisor, then see to the end of its children."""
    os.read(sys.stdin.fileno(), 1)
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
    guard(int(sys.argv[1]))
