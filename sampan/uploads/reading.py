"""A file of a stranger's → its rows, read by a child process that it may kill (spec S1)."""

import json
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from sampan.reasons import Reason, Refused

MEBI = 1 << 20
PROGRAM = Path(__file__).with_name("child.py")
MOST_CHILDREN = 2
MOST_WAIT_FOR_A_CHILD_S = 20
UNPACKED_TO_PACKED = 16  # spreadsheets of numbers unpack to seven times their size
MEMORY_OCTETS_OF_READER = 448 * MEBI
CPU_S_OF_SMALLEST_FILE = 4  # of 4 MB, .xlsx needs 0.3 s, a page 2 s; pages can be written that need hours
NONSENSE = (msgspec.DecodeError, UnicodeDecodeError, KeyError)  # the last: a Reason there is not

Cell = str | int | float | bool | None

log = structlog.get_logger(__name__)
_children = threading.BoundedSemaphore(MOST_CHILDREN)


@dataclass(frozen=True)
class Limits:
    """What a customer's files may be (spec S1); what reading one may cost follows from it.

    A million rows of three columns are 24 MB as .xlsx and 300 MB of memory of the child's.
    """

    file_octets: int = 4 * MEBI
    rows: int = 50_000

    @property
    def unpacked_octets(self) -> int:
        """At most so much comes out of a packed file, and out of the child."""
        return self.file_octets * UNPACKED_TO_PACKED

    @property
    def memory_octets(self) -> int:
        """The child's address space."""
        return MEMORY_OCTETS_OF_READER + self.unpacked_octets

    @property
    def cpu_s(self) -> int:
        """The child's processor time; on the clock it has twice as long."""
        return CPU_S_OF_SMALLEST_FILE + self.file_octets // MEBI


class Row(NamedTuple):
    """A row with its number as a spreadsheet shows it, and its cells from column A to the last that holds something.

    Whole numbers are int however they are stored, dates and times are ISO 8601 text, empty cells and errors None.
    """

    number: int
    cells: list[Cell]


@dataclass(frozen=True)
class Rows:
    """The rows of one sheet that hold something, in order; to be gone through as often as one likes.

    They are kept as the child wrote them, and taken apart in blocks: a million rows of three columns are 50 MB.
    """

    kind: str  # "xlsx", "xls", "html" or "text", by content
    sheet: str  # "" where there are no sheets
    sheets: tuple[str, ...]  # the visible ones
    columns: int  # of the widest row
    count: int
    _blocks: tuple[bytes, ...] = field(repr=False)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Row]:
        for block in self._blocks:
            yield from _rows.decode(block)

    def first(self, most: int) -> list[Row]:
        """The first rows, at most so many."""
        return list(islice(self, most))


class _Line(msgspec.Struct):
    """A line of the child's that is no block of rows."""

    kind: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    refused: str = ""
    value: str = ""
    end: bool = False


_rows = msgspec.json.Decoder(list[Row])
_line = msgspec.json.Decoder(_Line)


def read_rows(source: bytes | Path, limits: Limits = Limits(), *, sheet: str | None = None) -> Rows:
    """The rows of an .xlsx, .xls, CSV or text file, whichever it is by its content; there is at least one.

    `sheet` is the first visible one that holds something, unless named. Raises Refused about "file".
    """
    octets = _read_file(source, limits.file_octets)
    if not _children.acquire(timeout=MOST_WAIT_FOR_A_CHILD_S):
        raise Refused(Reason.OVERLOADED, "file")
    try:
        with closing(_lines_of_child(octets, limits, sheet)) as lines:
            return _collect(lines, limits)
    finally:
        _children.release()


def _read_file(source: bytes | Path, most_octets: int) -> bytes:
    if isinstance(source, Path):
        with source.open("rb") as file:
            source = file.read(most_octets + 1)
    if len(source) > most_octets:
        raise Refused(Reason.FILE_TOO_LARGE, "file", f"{most_octets / MEBI:g} MB")
    return source


def _collect(lines: Iterator[bytes], limits: Limits) -> Rows:
    """What the child wrote, once it is all there and as agreed: the child may have been taken over by the file."""
    about = _Line()
    blocks: list[bytes] = []
    octets = count = columns = 0
    try:
        for line in lines:
            octets += len(line)
            if octets > limits.unpacked_octets:
                raise Refused(Reason.FILE_TOO_LARGE, "file", f"{limits.unpacked_octets / MEBI:g} MB unpacked")
            if line.startswith(b"["):
                rows = _rows.decode(line)
                count += len(rows)
                columns = max([columns, *(len(row.cells) for row in rows)])
                blocks.append(line)
                continue
            said = _line.decode(line)
            if said.refused:
                raise Refused(Reason[said.refused], "file", said.value)
            if said.end and not blocks:
                raise Refused(Reason.FILE_EMPTY, "file")
            if said.end:
                return Rows(about.kind, about.sheet, about.sheets, columns, count, tuple(blocks))
            about = said
    except NONSENSE:
        log.warning("upload child wrote nonsense")
    raise Refused(Reason.FILE_UNREADABLE, "file")


def _lines_of_child(octets: bytes, limits: Limits, sheet: str | None) -> Generator[bytes, None, None]:
    """The lines of a child that is given the file; when the caller has enough, or time is up, it is killed.

    It has no environment, so no secret either, and `-I` keeps it from code in the working directory.
    """
    asked = {
        "memory_octets": limits.memory_octets,
        "cpu_s": limits.cpu_s,
        "unpacked_octets": limits.unpacked_octets,
        "rows": limits.rows,
        "sheet": sheet,
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-X", "utf8", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
    )
    alarm = threading.Timer(2 * limits.cpu_s, child.kill)
    alarm.start()
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        with suppress(BrokenPipeError), child.stdin:
            child.stdin.write(json.dumps(asked).encode() + b"\n" + octets)
        while line := child.stdout.readline(limits.unpacked_octets + 1):
            yield line
        if child.wait():
            log.warning("upload child died", returncode=child.returncode)
    finally:
        alarm.cancel()
        child.kill()
        child.wait()
        child.stdout.close()
