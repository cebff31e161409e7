"""`make bench`: measure Sampan, print a table, write JSON.

python -m bench [--runs 3] [--list] [NAME ...]
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from bench.load import CannotMeasure
from bench.measures import MEASURES, Measure, Result

RESULTS = Path(__file__).with_name("results")


def row(measure: Measure, results: list[Result]) -> str:
    """One line of the table: min / median / max, floor and aim, and what was seen beside it."""
    figures = [each.figure for each in results]
    digits = 0 if max(figures) >= 100 else 2
    shown = "/".join(f"{value:,.{digits}f}" for value in (min(figures), statistics.median(figures), max(figures)))
    median = statistics.median(figures)
    verdict = (
        "aim"
        if measure.reaches(median, measure.aim)
        else "floor"
        if measure.reaches(median, measure.floor)
        else "MISSED"
    )
    beside = {name: value for name, value in results[-1].beside.items() if name != "noise_before"}
    return (
        f"| {measure.what} | {shown} {measure.unit} | {measure.floor:g} | {measure.aim:g} | {verdict} |"
        f" {json.dumps(beside)} |"
    )


def main() -> int:
    """Run the measures asked for; 1 where a floor was missed."""
    arguments = argparse.ArgumentParser("bench", description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("names", nargs="*")
    asked = arguments.parse_args()
    if asked.list:
        print("\n".join(f"{measure.name:12} {measure.what}" for measure in MEASURES))
        return 0
    chosen = [
        measure
        for measure in MEASURES
        if measure.name in asked.names or (not asked.names and not measure.only_when_named)
    ]
    found: dict[str, Any] = {}
    print("| measure | min/median/max | floor | aim | reached | of the last run |\n|---|---|---|---|---|---|")
    missed = False
    for measure in chosen:
        try:
            results = measure.run(asked.runs)
        except CannotMeasure as error:
            print(f"| {measure.what} | {error} | | | | |")
            return 3
        print(row(measure, results), flush=True)
        found[measure.name] = [{"figure": each.figure, **each.beside} for each in results]
        missed |= not measure.reaches(statistics.median(each.figure for each in results), measure.floor)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    path.write_text(json.dumps(found, indent=2) + "\n")
    print(f"\nwritten to {path.relative_to(Path.cwd())}", file=sys.stderr)
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
