"""Keeps programs running: starts them, shows what they print, starts again what dies, and stops all in order.

Each copy of a program has a thread that waits for its end and one that reads its output; nothing polls. The children
are in a process group of their own (`guard.py` leads it), so that Ctrl-C reaches only the supervisor, which stops them
in order, and so that none outlives it.
"""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, NoReturn, Protocol, Self

FIRST_PAUSE_S = 0.2  # before a program that died is started again
LONGEST_PAUSE_S = 10.0
STABLE_S = 60.0  # who ran this long begins again with the first pause
LINGER_S = 3.0  # for what a dead program leaves behind, such as PostgreSQL's backends
KILLED_WITHIN_S = 5.0
READ_OCTETS = 65_536
LONGEST_LINE_OCTETS = 65_536
WAITING_CHUNKS = 256  # of output, while our own output is slow; then the programs wait as well
OUTPUT_WITHIN_S = 2.0
NAME_COLUMNS = 10
GUARD = Path(__file__).with_name("guard.py")

Pids = Mapping[str, Sequence[int]]


class Output(Protocol):
    """Where the lines go."""

    def write(self, octets: bytes, /) -> object:
        """Take whole lines."""

    def flush(self) -> object:
        """Show them."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. `user` and `group` (numbers) need root; `environment` is all the program gets."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    copies: int = 1
    folder: Path | None = None
    user: int | None = None
    group: int | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_within_s: float = 10.0  # then it is killed

    def copy_names(self) -> list[str]:
        """What each copy is called in the output."""
        return [self.name] if self.copies == 1 else [f"{self.name}-{n}" for n in range(1, self.copies + 1)]


def next_pause_s(last_pause_s: float, ran_s: float) -> float:
    """How long to wait before starting a program again that ran `ran_s` after a pause of `last_pause_s`."""
    return FIRST_PAUSE_S if ran_s >= STABLE_S else min(max(last_pause_s * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs, whoever's it is. One that only waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(FileNotFoundError):  # no /proc, or gone by now
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return True


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Within, SIGTERM, Ctrl-C and a closed terminal (but for `nohup`) raise SystemExit(0) in the main thread, once.

    What follows is the orderly stop, which is bounded; a second Ctrl-C does not break it off.
    """
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stage:
    """Programs that were started together and are stopped together."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self.programs = programs
        self.stopping = threading.Event()
        self.keepers: list[threading.Thread] = []
        self.running: dict[str, tuple[Program, subprocess.Popen[bytes]]] = {}  # by the name of the copy

    def signal(self, number: signal.Signals | None) -> None:
        """Send the number, or to each program the one it is stopped by."""
        for program, process in self.running.values():
            process.send_signal(number or program.stop_signal)

    def join(self, within_s: float) -> bool:
        """Whether all copies have ended within the time."""
        deadline = time.monotonic() + within_s
        for keeper in self.keepers:
            keeper.join(max(deadline - time.monotonic(), 0))
        return not any(keeper.is_alive() for keeper in self.keepers)


class Supervisor:
    """A context: `start` programs in it, `wait`; leaving it stops the stages in the opposite order.

    `output` gets what the programs print, each line behind the name of who printed it. `on_change` gets the process
    numbers by program after every start and end, one call at a time. The file descriptors `held` stay open until the
    last program has ended, also where the supervisor is killed: a lock on the data folder. The files `removed` go as
    soon as the supervisor does, also where it is killed: what it said of what runs.
    """

    def __init__(
        self,
        *,
        output: Output = sys.stdout.buffer,
        on_change: Callable[[Pids], None] = lambda _pids: None,
        held: Sequence[int] = (),
        removed: Sequence[Path] = (),
    ) -> None:
        self._output = output
        self._chunks: queue.Queue[bytes | None] = queue.Queue(WAITING_CHUNKS)
        self._printer = threading.Thread(target=self._print, name="output", daemon=True)
        self._on_change = on_change
        self._held = held
        self._removed = removed
        self._lock = threading.Lock()  # over the stages' `running` and `stopping`
        self._stages: list[_Stage] = []

    def __enter__(self) -> Self:
        supervisor_gone, self._supervisor_here = os.pipe()
        all_gone, self._any_here = os.pipe()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(GUARD), str(all_gone), *map(str, self._removed)],
            stdin=supervisor_gone,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(all_gone, *self._held),
            process_group=0,
        )
        os.close(supervisor_gone)
        os.close(all_gone)
        self._printer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for stage in reversed(self._stages):
            self._stop(stage)
        os.close(self._any_here)
        os.close(self._supervisor_here)
        self._guard.wait()  # bounded by the guard's own seconds
        with contextlib.suppress(queue.Full):
            self._chunks.put(None, timeout=OUTPUT_WITHIN_S)
        self._printer.join(OUTPUT_WITHIN_S)

    def start(self, *programs: Program) -> None:
        """Start the programs, and from now on keep them running. It does not wait for them to be ready."""
        stage = _Stage(programs)
        self._stages.append(stage)
        for program in programs:
            for name in program.copy_names():
                stage.keepers.append(
                    threading.Thread(target=self._keep, args=(stage, program, name), name=name, daemon=True)
                )
        for keeper in stage.keepers:
            keeper.start()

    def wait(self) -> NoReturn:
        """Wait for a signal (see `stopped_by_signals`). Raises SystemExit(1) where the guard was killed."""
        self._guard.wait()
        self.say("the guard against orphans was killed; stopping")
        raise SystemExit(1)

    def say(self, words: str) -> None:
        """Print lines of our own between those of the programs, not through them."""
        before = "sampan".ljust(NAME_COLUMNS)
        lines = "".join(f"{before} | {line}\n" for line in words.splitlines())
        with contextlib.suppress(queue.Full):  # a terminal that stands still must not hold up the keeping
            self._chunks.put_nowait(lines.encode())

    def pids(self) -> Pids:
        """The process numbers of what runs now, by program."""
        with self._lock:
            return self._pids()

    def _pids(self) -> Pids:
        numbers: dict[str, list[int]] = {}
        for stage in self._stages:
            for program, process in stage.running.values():
                numbers.setdefault(program.name, []).append(process.pid)
        return numbers

    def _keep(self, stage: _Stage, program: Program, name: str) -> None:
        pause_s = 0.0
        while True:
            began = time.monotonic()
            end = self._run(stage, program, name)
            if stage.stopping.is_set():
                return
            pause_s = next_pause_s(pause_s, time.monotonic() - began)
            self.say(f"{name} {end}; it starts again in {pause_s:.1f} s")
            if stage.stopping.wait(pause_s):
                return

    def _run(self, stage: _Stage, program: Program, name: str) -> str:
        """One life of one copy; how it ended."""
        try:
            process = self._spawn(stage, program, name)
        except (OSError, subprocess.SubprocessError) as error:
            return f"cannot be started: {error}"
        if process is None:
            return "was not started"
        reader = threading.Thread(target=self._read, args=(name, process.stdout), name=f"{name} output", daemon=True)
        reader.start()
        code = process.wait()
        with self._lock:
            del stage.running[name]
            self._tell()
        reader.join(LINGER_S)
        return how_it_ended(code)

    def _spawn(self, stage: _Stage, program: Program, name: str) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if stage.stopping.is_set():
                return None
            process = subprocess.Popen(
                program.argv,
                cwd=program.folder,
                env=program.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                user=program.user,
                group=program.group,
                extra_groups=None if program.user is None else [],
                process_group=self._guard.pid,
                pass_fds=(self._any_here,),
                bufsize=0,
            )
            stage.running[name] = program, process
            self._tell()
            return process

    def _tell(self) -> None:
        try:
            self._on_change(self._pids())
        except OSError as error:  # a full disk must not end the keeping
            self.say(f"cannot write down what runs: {error}")

    def _stop(self, stage: _Stage) -> None:
        with self._lock:
            stage.stopping.set()
            stage.signal(None)
        within_s = max((program.stop_within_s for program in stage.programs), default=0)
        if stage.join(within_s):
            return
        with self._lock:
            self.say(f"still running after {within_s:.0f} s, killed: {', '.join(stage.running)}")
            stage.signal(signal.SIGKILL)
        stage.join(KILLED_WITHIN_S)

    def _read(self, name: str, stream: IO[bytes]) -> None:
        before = name.ljust(NAME_COLUMNS).encode() + b" | "
        rest = b""
        while chunk := stream.read(READ_OCTETS):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE_OCTETS:
                lines.append(rest)
                rest = b""
            if lines:
                self._chunks.put(b"".join(before + line + b"\n" for line in lines))
        if rest:
            self._chunks.put(before + rest + b"\n")
        stream.close()

    def _print(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody reads our output any more; theirs is read on
                self._output.write(chunk)
                self._output.flush()
