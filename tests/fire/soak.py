"""`make soak`: load, faults and kills at random, for as long as you like; at the end everything must hold.

What happens and when is drawn from the seed, which is printed first; how far the platform has come by then is not.
"""

import argparse
import json
import os
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import django

from tests.fire.cases import TROUBLES, VICTIMS, Case, Victim
from tests.journeys.platform import Platform, eventually

if TYPE_CHECKING:
    from tests.fire.ground import Ground

MEMORY_CEILING_OCTETS = 200 * 1024 * 1024  # of each process of ours, whatever the backlog
LOOK_EVERY_S = 1.0
MESSAGES_A_S = 50.0
CALL_MESSAGES = 40
PARTS = (1, 1, 1, 3)
BETWEEN_S = (4.0, 15.0)  # from one mischief to the next
KILLS = 0.4  # of the mischief; the rest are faults
SETTLED_WITHIN_S = 180.0
BALANCE = "1000000"
CASE = Case("receipts-of-strangers", 1, "simulator")  # whose SMSC may forget


class Memory:
    """The most that each program has had, by what the kernel calls Pss: shared pages count once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.peak_octets: Counter[str] = Counter()

    def look(self) -> None:
        """Look at every process that runs now; one that has just died has none."""
        for name, pids in self._platform.ready["pids"].items():
            if name == "postgres":  # its memory is its operator's to set (shared_buffers)
                continue
            for pid in pids:
                try:
                    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                except OSError:
                    continue
                octets = next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
                self.peak_octets[name] = max(self.peak_octets[name], octets)


class Soak:
    """One run on one platform."""

    def __init__(self, ground: "Ground", minutes: float, seed: int) -> None:
        self._ground = ground
        self._chance, self._lengths = Random(seed), Random(seed)
        self._ends_at_s = time.monotonic() + minutes * 60
        self._memory = Memory(ground.platform)
        self.ids: list[int] = []
        self.kills: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self._failed: list[Exception] = []

    def run(self) -> dict[str, Any]:
        """The report."""
        self._ground.begin(CASE)
        threads = [threading.Thread(target=self._guarded, args=(work,)) for work in (self._send, self._watch)]
        for thread in threads:
            thread.start()
        self._guarded(self._mischief)
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]
        return self._report()

    @property
    def _goes_on(self) -> bool:
        return time.monotonic() < self._ends_at_s and not self._failed

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a thread's top: the run ends, and says so
            self._failed.append(error)

    def _send(self) -> None:
        """At a bounded rate; what was held up by an outage is not made up for."""
        while self._goes_on:
            began_s = time.monotonic()
            self.ids += self._ground.customer.send(CALL_MESSAGES, self._lengths.choice(PARTS))
            _wait(CALL_MESSAGES / MESSAGES_A_S - (time.monotonic() - began_s))

    def _watch(self) -> None:
        while self._goes_on:
            self._memory.look()
            _wait(LOOK_EVERY_S)

    def _mischief(self) -> None:
        """One after the other: a fault, or a kill of something while the last fault stands."""
        while self._goes_on:
            _wait(min(self._chance.uniform(*BETWEEN_S), self._ends_at_s - time.monotonic()))
            if self._chance.random() < KILLS:
                victim: Victim = self._chance.choice(VICTIMS)
                self._ground.platform.kill(victim)
                self.kills[victim] += 1
            else:
                name = self._chance.choice(list(TROUBLES))
                trouble = TROUBLES[name]
                self._ground.control("PUT", "/faults", {"faults": trouble.faults, "seed": self._chance.getrandbits(32)})
                if trouble.restarts and not self._ground.stats()["down"]:
                    self._ground.control("POST", "/restart", dict(trouble.restarts))
                self.faults[name] += 1

    def _report(self) -> dict[str, Any]:
        from tests.fire import invariants

        self._ground.control("DELETE", "/faults")
        eventually(lambda: self._ground.is_settled(CASE, self.ids), SETTLED_WITHIN_S)
        stats = self._ground.stats()
        with self._ground.platform.connect() as conn:
            statuses = conn.execute(STATUSES, [self.ids]).fetchall()
            counted = invariants.counts(conn, self.ids)
            broken = invariants.broken(conn, self.ids, len(self.ids), stats, receipts_may_be_lost=True)
        peaks = {name: round(octets / 2**20) for name, octets in self._memory.peak_octets.items()}
        for name, octets in self._memory.peak_octets.items():
            if octets > MEMORY_CEILING_OCTETS:
                broken["memory"] = f"{name} has had {octets} octets"
        return {
            "messages": len(self.ids),
            "submits taken": stats["taken"],
            "duplicates": stats["duplicates"],
            "faults": dict(sorted(self.faults.items())),
            "kills": dict(sorted(self.kills.items())),
            "statuses": {f"{status}/{reason}": count for status, reason, count in statuses},
            "unknown": counted.unknown,
            "with operator": counted.with_operator,
            "books": broken.get("books", "they balance"),
            "peak memory, MiB": peaks,
            "broken": broken,
        }


STATUSES = """
    SELECT status, CASE WHEN reason < 1000 THEN reason ELSE reason / 10 END, count(*) FROM message
     WHERE id = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2"""


def _wait(seconds: float) -> None:
    time.sleep(max(0.0, seconds))


def soak(folder: Path, minutes: float, seed: int) -> dict[str, Any]:
    """What a run in this folder found."""
    os.environ |= {  # of this process alone, which only reads tables of the platform in that folder
        "DJANGO_SETTINGS_MODULE": "sampan.settings",
        "SAMPAN_DATABASE_URL": "dbname=nowhere",
        "SAMPAN_DATA": str(folder),
        "SAMPAN_SECRET": "of the soak",
    }
    django.setup()
    from tests.fire.ground import burning_ground

    with burning_ground(folder) as ground:
        ground.platform.sampan("customer", "top-up", "harbour", BALANCE, "--note", "to soak")
        return Soak(ground, minutes, seed).run()


def main(argv: Sequence[str] | None = None) -> int:
    """0 where everything held."""
    parser = argparse.ArgumentParser("soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--results", default="var/soak.json", metavar="FILE")
    arguments = parser.parse_args(argv)
    sys.stdout.write(f"soak: {arguments.minutes:g} minutes, seed {arguments.seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="sampan-soak-") as folder:
        report = {"seed": arguments.seed, "minutes": arguments.minutes}
        report |= soak(Path(folder) / "data", arguments.minutes, arguments.seed)
    path = Path(arguments.results)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")
    for name, value in report.items():
        sys.stdout.write(f"{name:18} {value}\n")
    return 1 if report["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
