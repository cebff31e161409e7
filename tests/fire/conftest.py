"""One platform for all cases of a fault, and the table at the end: cases × invariants."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.fire.cases import INVARIANTS

if TYPE_CHECKING:
    from tests.fire.ground import Grounds

RESULTS = "FIRE_RESULTS"  # where the JSON goes
OUTCOME = "fire"  # the property of a test that holds what it found


@pytest.fixture(scope="session")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Grounds"]:
    """Platforms, one at a time."""
    from tests.fire.ground import Grounds  # by now Django is set up

    grounds = Grounds(tmp_path_factory.mktemp("fire"))
    yield grounds
    grounds.close()


def outcomes(reporter: Any) -> list[dict[str, Any]]:
    """What the cases of this session found, those of other processes too; a case that broke off has no counts."""
    found: list[dict[str, Any]] = []
    for reports in reporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == OUTCOME and report.when == "call":
                    found.append(json.loads(value))
    return sorted(found, key=lambda outcome: outcome["case"])


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """A line a fault, a column an invariant: in how many of the cases it held."""
    found = outcomes(terminalreporter)
    if not found:
        return
    write = terminalreporter.write_line
    troubles = list(dict.fromkeys(outcome["trouble"] for outcome in found))
    terminalreporter.section("fire: cases × invariants")
    write(f"{'':24}{'cases':>6}{'messages':>9}{'unknown':>8}  " + "  ".join(INVARIANTS))
    for trouble in [*troubles, ""]:
        cases = [outcome for outcome in found if trouble in ("", outcome["trouble"])]
        held = [
            sum(outcome["broken"] is not None and name not in outcome["broken"] for outcome in cases)
            for name in INVARIANTS
        ]
        messages, unknown = (sum(outcome.get(name, 0) for outcome in cases) for name in ("messages", "unknown"))
        figures = "  ".join(f"{count:>{len(name)}}" for count, name in zip(held, INVARIANTS, strict=True))
        write(f"{trouble or 'all':24}{len(cases):>6}{messages:>9}{unknown:>8}  {figures}")
    if path := os.environ.get(RESULTS):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(found, indent=1) + "\n")
        write(f"written to {path}")
