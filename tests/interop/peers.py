"""Other people's programs, started and told what to do; and which of them are here, in which version."""

import contextlib
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = ROOT / ".venv/interop"
PYTHON = INSTALLED / "bin/python"
NODE_MODULES = INSTALLED / "npm/node_modules"
ANSWER_WITHIN_S = 20.0
ENDS_WITHIN_S = 15.0
SYSTEM_PATH = f"{os.environ['PATH']}:/usr/sbin"  # where Debian puts servers
TO_MEND = "`make interop` says above why; install that and run it again"


class Kind(Enum):
    """Where a peer comes from: how it is started (with which program), and how its version is found."""

    PYPI = str(PYTHON)
    NPM = "node"
    DEBIAN = sys.executable
    OURS = f"{sys.executable} "


class Program(NamedTuple):
    """A peer's program."""

    name: str  # as the table has it
    kind: Kind
    package: str  # whose version counts; of Debian's the command that tells it
    source: str  # a module, or a file of tests/interop/npm
    joins_parts: bool = False  # shows its user a long text as one, and one receipt for it

    def version(self) -> str:
        """What is installed; skips the test where nothing is."""
        found = {Kind.PYPI: self._pypi, Kind.NPM: self._npm, Kind.DEBIAN: self._debian}
        if self.kind is Kind.OURS:
            return "(ours)"
        return found[self.kind]() or pytest.skip(f"{self.name} is not installed: {TO_MEND}")

    @property
    def argv(self) -> list[str]:
        """How it is started."""
        if self.kind is Kind.NPM:
            return ["node", f"tests/interop/npm/{self.source}"]
        return [self.kind.value.strip(), "-m", self.source]

    def _pypi(self) -> str:
        found = next(INSTALLED.glob(f"lib/python*/site-packages/{self.package}-*.dist-info"), None)
        return found.name.removesuffix(".dist-info").rpartition("-")[2] if found else ""

    def _npm(self) -> str:
        found = NODE_MODULES / self.package / "package.json"
        return str(json.loads(found.read_text())["version"]) if found.exists() and shutil.which("node") else ""

    def _debian(self) -> str:
        command = shutil.which(self.package, path=SYSTEM_PATH)
        said = (
            subprocess.run([command, "--version"], capture_output=True, check=True, text=True).stdout if command else ""
        )
        return next(iter(re.findall(r"version `([^']+)'", said)), "")


class Peer:
    """A peer's program that runs."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name = name
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, name=name, daemon=True).start()

    def call(self, do: str, **arguments: Any) -> Any:
        """What it answers. Skips the test where its library has no way to do that; fails where it fails."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self._process.stdin.flush()
        try:
            answer = json.loads(self._lines.get(timeout=ANSWER_WITHIN_S) or '{"error": "it ended"}')
        except queue.Empty:
            pytest.fail(f"{self.name} does not answer {do} in {ANSWER_WITHIN_S} s")
        if "cannot" in answer:
            pytest.skip(f"{self.name} {answer['cannot']}")
        assert "error" not in answer, f"{self.name}, {do}: {answer['error']}"
        return answer

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")


@contextlib.contextmanager
def running(program: Program, log: Path) -> Iterator[Peer]:
    """The program from its start until it has ended."""
    environment = os.environ | {"NODE_PATH": str(NODE_MODULES)}
    pipe = subprocess.PIPE
    with (
        log.open("w") as output,
        subprocess.Popen(
            program.argv, cwd=ROOT, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=output
        ) as process,
    ):
        try:
            yield Peer(program.name, process)
        finally:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
