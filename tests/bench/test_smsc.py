"""The SMSC to measure with counts right, and is independent of what it measures."""

import contextlib
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WITHIN_S = 30


class Smsc:
    """An SMSC that runs."""

    def __init__(self, process: subprocess.Popen[str], port: str) -> None:
        self._process = process
        self.port = port

    def figures(self) -> Any:
        """What it has counted so far."""
        self._process.send_signal(signal.SIGUSR1)
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def reset(self) -> None:
        """Count anew."""
        self._process.send_signal(signal.SIGUSR2)

    def submit(self, *options: str) -> Any:
        """What a submitter measures."""
        argv = [sys.executable, "-m", "bench.smsc.submitter", "--port", self.port, *options]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=WITHIN_S, check=True)
        return json.loads(done.stdout)


@contextlib.contextmanager
def running(*options: str) -> Iterator[Smsc]:
    """An SMSC from listening to stopped."""
    argv = [sys.executable, "-m", "bench.smsc.smsc", "--port", "0", *options]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, text=True, stdout=pipe, stderr=pipe) as process:
        try:
            assert process.stderr is not None
            listening = re.fullmatch(r"SMSC on 127\.0\.0\.1:(\d+)\n", process.stderr.readline())
            assert listening
            yield Smsc(process, listening[1])
        finally:
            process.terminate()


@pytest.mark.parametrize("form", ["both", "text", "tlvs"])
def test_every_submit_is_answered_counted_and_receipted(form: str) -> None:
    with running("--dlr-delay", "0", "--dlr-form", form, "--track") as smsc:
        measured = smsc.submit("--count", "1000", "--conns", "2", "--dlr")
        assert (measured["ok"], measured["err"], measured["receipts"]) == (1000, 0, 1000)
        figures = smsc.figures()
        assert (figures["submits"], figures["binds"], figures["receipts"]) == (1000, 2, 1000)
        assert figures["distinct"] == 500, "both transceivers send to the same numbers"
        assert figures["duplicates"] == 500
        assert (figures["other"], figures["bad"], figures["throttled"]) == (0, 0, 0)
        smsc.reset()
        assert smsc.figures()["submits"] == 0


def test_beyond_its_rate_it_throttles() -> None:
    with running("--rate", "10") as smsc:
        measured = smsc.submit("--count", "100")
        assert measured["ok"] >= 1
        assert measured["err"] >= 80
        figures = smsc.figures()
        assert (figures["submits"], figures["throttled"]) == (measured["ok"], measured["err"])


def test_it_shares_no_code_with_what_it_measures() -> None:
    """A mistake that both made would not show."""
    sources = list((ROOT / "bench/smsc").glob("*.py"))
    assert len(sources) >= 3
    assert [path.name for path in sources if re.search(r"(?m)^\s*(?:from|import) sampan", path.read_text())] == []
