"""The supervisor keeps programs running, shows what they print, and stops them in order."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sampan.ops.supervisor import (
    FIRST_PAUSE_S,
    LONGEST_LINE_OCTETS,
    LONGEST_PAUSE_S,
    STABLE_S,
    Pids,
    Program,
    Supervisor,
    how_it_ended,
    next_pause_s,
)
from tests.ops.heard import Heard, script, until, wait_for_end

WAITS = "import os, signal; print('ready', os.getpid(), flush=True); signal.pause()"
SAYS_ITS_END = """
import os, signal, sys
def end(number, frame):
    os.write(1, f"got {signal.Signals(number).name}\\n".encode())
    sys.exit()
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGINT, end)
os.write(1, b"ready\\n")
signal.pause()
"""
IGNORES_SIGTERM = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True)\n" + (
    "while True: signal.pause()"
)
SUPERVISES = """
import sys
from pathlib import Path
from sampan.ops.supervisor import Program, Supervisor, stopped_by_signals
def program(name, source, **more):
    return Program(name=name, argv=[sys.executable, "-c", source], environment={}, **more)
with stopped_by_signals(), Supervisor(removed=[Path(path) for path in sys.argv[2:]]) as supervisor:
    supervisor.start(program("first", sys.argv[1]))
    supervisor.start(program("second", sys.argv[1], copies=2))
    supervisor.wait()
"""


def program(name: str, source: str, *, copies: int = 1, stop_within_s: float = 10) -> Program:
    argv = [sys.executable, "-I", "-S", "-c", source]
    return Program(name=name, argv=argv, environment={}, copies=copies, stop_within_s=stop_within_s)


@contextmanager
def supervised(*programs: Program) -> Iterator[tuple[Supervisor, Heard]]:
    heard = Heard()
    with Supervisor(output=heard) as supervisor:
        supervisor.start(*programs)
        yield supervisor, heard


def test_each_line_comes_whole_behind_the_name_of_who_printed_it() -> None:
    source = "import os, signal; os.write(1, b'one\\n'); os.write(2, b'two\\nthree'); signal.pause()"
    with supervised(program("web", source, copies=2)) as (_, heard):
        for name in ("web-1", "web-2"):
            for word in ("one", "two"):
                heard.line(rf"(?m)^{name} {{5}} \| {word}$")
    assert len(re.findall(r"(?m)^web-\d {5} \| three$", heard.text)) == 2, "what has no line end comes at the end"


def test_nothing_printed_is_lost_however_much_it_is() -> None:
    lines, octets = 20_000, 3 * LONGEST_LINE_OCTETS
    source = f"print('\\n'.join(f'line {{n}}' for n in range({lines}))); print('x' * {octets}); print('done')"
    source += "; import sys, signal; sys.stdout.flush(); signal.pause()"
    with supervised(program("talker", source, copies=2)) as (_, heard):
        heard.line("done", nth=2)
    for name in ("talker-1", "talker-2"):
        mine = re.findall(rf"(?m)^{name} +\| (.*)$", heard.text)
        assert mine[:lines] == [f"line {n}" for n in range(lines)]
        assert "".join(mine[lines:]) == "x" * octets + "done"


def test_it_prints_lines_of_its_own_between_them() -> None:
    with supervised() as (supervisor, heard):
        supervisor.say("Pages: http://127.0.0.1:8000\nCtrl-C stops all")
        heard.line(r"(?m)^sampan {5}\| Pages: http://127\.0\.0\.1:8000\nsampan {5}\| Ctrl-C stops all$")


def test_what_is_killed_starts_again_and_its_new_number_is_told() -> None:
    heard = Heard()
    told: list[Pids] = []
    with Supervisor(output=heard, on_change=told.append) as supervisor:
        supervisor.start(program("worker", WAITS), program("other", WAITS))
        first = int(heard.line(r"worker +\| ready (\d+)"))
        os.kill(first, signal.SIGKILL)
        second = int(heard.line(r"worker +\| ready (\d+)", nth=2))
        assert supervisor.pids()["worker"] == [second]
        assert supervisor.pids()["other"] == [int(heard.line(r"other +\| ready (\d+)"))]
    assert f"worker was ended by SIGKILL; it starts again in {FIRST_PAUSE_S} s" in heard.text
    numbers = [pids.get("worker") for pids in told]
    assert numbers.index([first]) < numbers.index(None, numbers.index([first])) < numbers.index([second])
    assert told[-1] == {}


@pytest.mark.parametrize(
    ("last_pause_s", "ran_s", "pause_s"),
    [
        (0, 0, FIRST_PAUSE_S),
        (FIRST_PAUSE_S, 0, 2 * FIRST_PAUSE_S),
        (LONGEST_PAUSE_S, 1, LONGEST_PAUSE_S),
        (LONGEST_PAUSE_S / 2 + 1, 1, LONGEST_PAUSE_S),
        (LONGEST_PAUSE_S, STABLE_S, FIRST_PAUSE_S),
    ],
)
def test_pauses_grow_until_it_ran_for_a_while(last_pause_s: float, ran_s: float, pause_s: float) -> None:
    assert next_pause_s(last_pause_s, ran_s) == pause_s


def test_what_ends_at_once_is_started_again_ever_later() -> None:
    with supervised(program("broken", "raise SystemExit(3)")) as (_, heard):
        heard.line("broken ended with code 3; it starts again in 0.2 s")
        heard.line("broken ended with code 3; it starts again in 0.4 s")
    assert how_it_ended(-signal.SIGSEGV) == "was ended by SIGSEGV"


def test_what_cannot_be_started_is_said_and_the_rest_runs() -> None:
    missing = Program(name="missing", argv=["/nowhere/to/be/found"], environment={})
    with supervised(missing, program("there", WAITS)) as (supervisor, heard):
        heard.line(r"missing cannot be started: .*No such file.*; it starts again in 0.2 s")
        heard.line(r"there +\| ready")
        assert list(supervisor.pids()) == ["there"]


def test_stages_stop_in_the_opposite_order_of_their_start() -> None:
    heard = Heard()
    with Supervisor(output=heard) as supervisor:
        for name in ("database", "worker", "web"):
            supervisor.start(program(name, SAYS_ITS_END))
            heard.line(rf"{name} +\| ready")
    assert re.findall(r"(\w+) +\| got SIGTERM", heard.text) == ["web", "worker", "database"]


def test_what_does_not_stop_in_time_is_killed() -> None:
    with supervised(program("stubborn", IGNORES_SIGTERM, stop_within_s=0.2)) as (supervisor, heard):
        heard.line("ready")
        pid = supervisor.pids()["stubborn"][0]
    wait_for_end(pid)
    assert re.search("still running after 0 s, killed: stubborn", heard.text)


def test_programs_run_on_when_nobody_reads_the_output(tmp_path: Path) -> None:
    source = f"print('x' * 1_000_000, flush=True); open({str(tmp_path / 'done')!r}, 'w'); import signal; signal.pause()"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as output, Supervisor(output=output) as supervisor:
        supervisor.start(program("talker", source))
        until((tmp_path / "done").exists)


def test_an_output_that_stands_still_does_not_hold_up_the_keeping() -> None:
    class Still(Heard):
        moves = threading.Event()

        def write(self, octets: bytes, /) -> None:
            self.moves.wait()
            super().write(octets)

    heard = Still()
    with Supervisor(output=heard) as supervisor:
        supervisor.start(program("worker", WAITS))
        first = until(lambda: supervisor.pids().get("worker"))
        os.kill(first[0], signal.SIGKILL)
        until(lambda: not supervisor.pids())
        second = until(lambda: supervisor.pids().get("worker"))
        heard.moves.set()
    assert second != first


def test_it_does_nothing_while_nothing_happens() -> None:
    with supervised(program("idle", WAITS, copies=3)) as (_, heard):
        heard.line("ready", nth=3)
        before = time.process_time()
        threading.Event().wait(1.0)
        assert time.process_time() - before < 0.02


def test_ctrl_c_reaches_the_supervisor_alone_which_stops_the_rest_in_order() -> None:
    with script(SUPERVISES, SAYS_ITS_END) as (process, heard):
        heard.line("ready", nth=3)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 0
        heard.line(r"first +\| got SIGTERM")
    assert re.findall(r"(first|second)[-\d ]+\| got (\w+)", heard.text) == [
        ("second", "SIGTERM"),
        ("second", "SIGTERM"),
        ("first", "SIGTERM"),
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_stops_in_order_when_told_to_and_when_the_terminal_closes(number: signal.Signals) -> None:
    with script(SUPERVISES, WAITS) as (process, heard):
        heard.line("ready", nth=3)
        process.send_signal(number)
        assert process.wait(20) == 0


def test_no_orphan_is_left_when_the_supervisor_is_killed() -> None:
    with script(SUPERVISES, WAITS) as (process, heard):
        pids = [int(heard.line(r"ready (\d+)", nth=n)) for n in (1, 2, 3)]
        process.kill()
        for pid in pids:
            wait_for_end(pid)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_it_said_of_what_runs_is_removed_at_its_end(tmp_path: Path, number: signal.Signals) -> None:
    said = tmp_path / "ready.json"
    said.write_text("{}")
    with script(SUPERVISES, WAITS, str(said)) as (process, heard):
        heard.line("ready", nth=3)
        assert said.exists()
        process.send_signal(number)
        until(lambda: not said.exists())


def test_it_stops_all_when_the_guard_against_orphans_is_killed() -> None:
    with script(SUPERVISES, WAITS) as (process, heard):
        pids = [int(heard.line(r"ready (\d+)", nth=n)) for n in (1, 2, 3)]
        os.kill(os.getpgid(pids[0]), signal.SIGKILL)
        assert process.wait(20) == 1
        for pid in pids:
            wait_for_end(pid)
        assert "the guard against orphans was killed; stopping" in heard.text
