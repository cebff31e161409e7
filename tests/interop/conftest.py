"""The fixtures of `make interop`, and its table."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.interop.simulator import Simulator, running_simulator
from tests.interop.table import FAILED, PASSED, SKIPPED, Row, Table

TABLE = pytest.StashKey[Table]()
HEAD = """# Other people's programs

What `make interop` tried, and what came of it. The run writes this file; do not edit it.
"""


def pytest_configure(config: pytest.Config) -> None:
    """An empty table."""
    config.stash[TABLE] = Table()


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The row of the test's peer, which `PEER` and `DIRECTION` of its module name, or the parameter `program`."""
    module = request.module
    callspec = getattr(request.node, "callspec", None)
    program = callspec.params.get("program") if callspec else None
    peer = program.name if program else module.PEER
    return request.config.stash[TABLE].row(peer, module.DIRECTION)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Note each test's end in its row."""
    report = yield
    marker, row = item.get_closest_marker("interop"), getattr(item, "funcargs", {}).get("row")
    if marker and marker.args and row and (report.when == "call" or not report.passed):
        outcome = PASSED if report.passed else SKIPPED if report.skipped else FAILED
        why = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
        row.note(marker.args[0], outcome, why)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table; write it where SAMPAN_INTEROP_TABLE says, if everybody was there."""
    table = config.stash[TABLE]
    if not table.rows:
        return
    terminalreporter.write_sep("=", "interop")
    terminalreporter.write_line(table.as_markdown())
    if not (path := os.environ.get("SAMPAN_INTEROP_TABLE")):
        return
    if table.missing:
        terminalreporter.write_line(f"NOT TESTED: {', '.join(table.missing)}. {path} stays as it was.")
    else:
        Path(path).write_text(f"{HEAD}\n{table.as_markdown()}")


@pytest.fixture(scope="session")
def _simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator") / "log") as simulator:
        yield simulator


@pytest.fixture
def simulator(_simulator: Simulator) -> Simulator:
    """Our server side: `sampan simulator`, as new."""
    _simulator.reset()
    return _simulator


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """For a program's files; gone when it has ended."""
    yield tmp_path
    shutil.rmtree(tmp_path)
