"""`make bench-peers`: Sampan and Kannel by turns, by the same generator to the same SMSC; print a table, write JSON.

python -m bench.peers [--runs 3] [--connections 32,128]

Sampan does in every run all that it does: it checks, prices and holds, commits before it answers, and tracks receipts.
Kannel keeps its messages in memory and asks for no receipts, or keeps them in a spool of files (without fsync), asks
for receipts and tells them by HTTP, as that is all that it does with them.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx

from bench.__main__ import RESULTS
from bench.callbacks import running_receiver
from bench.kannel import Kannel, program, running_kannel
from bench.load import CannotMeasure, load
from bench.machine import wait_quiet
from bench.measures import QUIET_WITHIN_S, SECONDS, once_end_to_end
from bench.sampan_up import Measured, sampan_with
from bench.smsc_process import Smsc, running_smsc

NOTHING_MOVES_S = 3.0
SETTLED_WITHIN_S = 180.0
WEB_PROCESSES = {32: 1, 128: 2}  # as `make bench` measures Sampan
SAMPAN = "Sampan"


class Seen(NamedTuple):
    """What one run of one gateway came to."""

    gateway: str
    accepted_per_s: float
    end_to_end_per_s: float
    p50_ms: float
    p99_ms: float
    lost: int = 0  # accepted, and never at the SMSC, or without a receipt that was told
    duplicates: int = 0


def of_sampan(measured: Measured, smsc: Smsc, connections: int) -> Seen:
    """A run of Sampan; nothing is lost or sent twice, or it ends here."""
    result = once_end_to_end(measured, smsc, connections)
    beside = result.beside
    return Seen(SAMPAN, beside["accepted_per_s"], result.figure, beside["p50_ms"], beside["p99_ms"])


def of_kannel(kannel: Kannel, smsc: Smsc, connections: int, gateway: str, told: str) -> Seen:
    """A run of Kannel, until all has arrived, and is told where `told` is asked for it, or nothing moves any more."""
    smsc.reset()
    before = _told(told)
    wait_quiet(QUIET_WITHIN_S)
    began = time.time()
    seen = load(kannel.url, kannel.template, connections=connections, seconds=SECONDS)
    accepted = seen.requests - seen.errors

    def arrived() -> int:
        return _told(told) - before if told else int(smsc.figures()["submits"])

    count, ended = _until_still(arrived)
    return Seen(
        gateway,
        seen.per_s,
        count / (ended - began),
        seen.p50_ms,
        seen.p99_ms,
        lost=max(0, accepted - count),
        duplicates=smsc.figures()["duplicates"],
    )


def _told(url: str) -> int:
    return int(httpx.get(f"{url}figures").json()["requests"]) if url else 0


def _until_still(arrived: Callable[[], int]) -> tuple[int, float]:
    """How much arrived, and when the last of it was seen. It may be more than wrk has counted, which stops at once."""
    count, moved = arrived(), time.time()
    deadline = moved + SETTLED_WITHIN_S
    while time.time() < deadline and time.time() - moved < NOTHING_MOVES_S:
        time.sleep(0.05)
        now = arrived()
        if now != count:
            count, moved = now, time.time()
    return count, moved


def compared(connections: int, runs: int) -> list[list[Seen]]:
    """Each run: Sampan, then Kannel in both ways, with all of them up; who has no turn does nothing."""
    with (
        running_smsc() as smsc,
        running_receiver() as told,
        sampan_with(smsc, web_processes=WEB_PROCESSES.get(connections, 2)) as measured,
        running_kannel(smsc, store="memory") as memory,
        running_kannel(smsc, store="spool", told=f"{told}receipt") as spool,
    ):
        return [
            [
                of_sampan(measured, smsc, connections),
                of_kannel(memory, smsc, connections, "Kannel, memory, no receipts", ""),
                of_kannel(spool, smsc, connections, "Kannel, spool, receipts", told),
            ]
            for _ in range(runs)
        ]


def rows(connections: int, seen: list[list[Seen]]) -> list[str]:
    """The table's lines: each run, and Sampan's figures as so many times the other's; then the medians of these."""
    lines = []
    ratios: dict[str, list[tuple[float, float]]] = {}
    for number, run in enumerate(seen, 1):
        ours = run[0]
        for each in run:
            beside = f"{each.lost} lost, {each.duplicates} twice"
            ratio = ""
            if each is not ours:
                both = ours.accepted_per_s / each.accepted_per_s, ours.end_to_end_per_s / each.end_to_end_per_s
                ratios.setdefault(each.gateway, []).append(both)
                ratio = "{:.2f} / {:.2f}".format(*both)
            lines.append(
                f"| {connections} | {number} | {each.gateway} | {each.accepted_per_s:,.0f} |"
                f" {each.end_to_end_per_s:,.0f} | {each.p50_ms:.1f} / {each.p99_ms:.1f} | {beside} | {ratio} |"
            )
    for gateway, pairs in ratios.items():
        medians = [statistics.median(pair[place] for pair in pairs) for place in (0, 1)]
        lines.append(f"| {connections} | median | {gateway} | | | | | {medians[0]:.2f} / {medians[1]:.2f} |")
    return lines


def main() -> int:
    """Compare, and say what was seen."""
    arguments = argparse.ArgumentParser("bench.peers", description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--connections", default="32,128", help="how many at once, each in its turn")
    asked = arguments.parse_args()
    found: dict[str, Any] = {}
    try:
        program("bearerbox")
        print(
            "| connections | run | gateway | accepted/s | end to end/s | p50 / p99 ms | what became of it |"
            " Sampan ÷ Kannel: accepted / end to end |\n|---|---|---|---|---|---|---|---|"
        )
        for connections in map(int, asked.connections.split(",")):
            seen = compared(connections, asked.runs)
            print("\n".join(rows(connections, seen)), flush=True)
            found[str(connections)] = [[each._asdict() for each in run] for run in seen]
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 3
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"peers-{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nwritten to {path}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
