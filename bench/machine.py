"""What processes use of the machine."""

import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
QUIET_SHARE = 0.15  # of a core, by everybody else
MIB = 1_024


def cpu_s(pid: int) -> float:
    """Seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def peak_mb(pid: int) -> int:
    """The most memory a process has held at once."""
    match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(match[1]) // MIB if match else 0


def descendants(pid: int) -> list[int]:
    """A process and all below it, such as PostgreSQL's backends."""
    found = [pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children")
        if children.exists():
            found += [int(child) for child in children.read_text(encoding="ascii").split()]
    return found


def used_s(groups: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """CPU seconds by group; a process that is gone counts nothing."""
    used = {}
    for name, pids in groups.items():
        total = 0.0
        for pid in pids:
            try:
                total += cpu_s(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
        used[name] = total
    return used


def _busy_s() -> float:
    values = [int(x) / TICKS_PER_S for x in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]
    return sum(values) - values[3] - values[4]


def wait_quiet(within_s: float) -> float:
    """Wait until the machine does little else; gives the share of a core that was still used."""
    deadline = time.monotonic() + within_s
    while True:
        before = _busy_s()
        time.sleep(1)
        share = _busy_s() - before
        if share < QUIET_SHARE or time.monotonic() > deadline:
            return round(share, 2)
