"""OFCA's do-not-call register of short messages: staff import it as a file (spec S93).

A file (CSV, also gzipped) has a number a row and, in the next column, the day it was listed; without one that is the
day of the import.
The whole register replaces what is there, or a file of changes adds or takes off numbers; readers see either all of an
import or nothing of it.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.compliance.tables import RegisterImport
from sampan.database import Connection, beneath_django
from sampan.reasons import Reason, Refused

MOST_ROWS = 5_000_000
ROWS_A_WRITE = 20_000
BAD_ROWS_KEPT = 20
LONGEST_SHOWN = 40
LONGEST_LINE_OCTETS = 1_000
GZIPPED = b"\x1f\x8b"
SMALLEST_SHARE = 0.5  # a whole register this much smaller than the last is more likely half a file
HONG_KONG_CODE = "852"

_NOT_DIGITS = re.compile(r"[ +()\-]")
_NUMBER = re.compile(r"[2-9][0-9]{7}", re.ASCII)
_DAY_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y")


@dataclass
class ReadRegister:
    """What was read of a file so far."""

    rows: int = 0
    bad: int = 0
    bad_rows: list[tuple[int, str]] = field(default_factory=list)  # row and value of the first of them


def import_register(
    file: BinaryIO,
    *,
    kind: RegisterImport.Kind,
    register_date: date,
    file_name: str,
    by: Person,
    now: datetime,
    today: date,
    may_shrink: bool = False,
) -> tuple[RegisterImport, ReadRegister]:
    """The import with its counts, and what was read. `today` is Hong Kong's.

    Raises NotAllowed, and Refused: REGISTER_EMPTY, REGISTER_UNREADABLE, FILE_TOO_MANY_ROWS, and REGISTER_SHRINKS where
    a whole register has less than half of the numbers of the last one, unless that is said to be meant.
    """
    acts.require(by, Act.IMPORT_REGISTER)
    read = ReadRegister()
    with transaction.atomic(), beneath_django() as conn:
        conn.execute(LOCK)
        before = _count(conn)
        conn.execute(INCOMING)
        with conn.cursor().copy(COPY) as copy:
            for lines in _in_chunks(_lines(file, read)):
                copy.write(lines)
        if read.rows == read.bad:
            raise Refused(Reason.REGISTER_EMPTY, "file")
        conn.execute("ANALYZE incoming")
        removed = _take_off(conn, kind)
        added = 0 if kind == RegisterImport.Kind.REMOVE else _add(conn, today)
        total = before + added - removed
        if kind == RegisterImport.Kind.REPLACE and total < before * SMALLEST_SHARE and not may_shrink:
            raise Refused(Reason.REGISTER_SHRINKS, "file", f"{before:,} → {total:,}")
        done = RegisterImport.objects.create(
            at=now,
            by=by,
            kind=kind,
            register_date=register_date,
            file_name=file_name,
            rows=read.rows,
            bad_rows=read.bad,
            added=added,
            removed=removed,
            total=total,
        )
        counts = {"kind": done.get_kind_display(), "added": added, "removed": removed, "total": total}
        after = counts | {"register_date": register_date.isoformat()}
        why = f"the file {file_name}, as of {register_date}"
        acts.record(Act.IMPORT_REGISTER, by=by, subject=done, before={"total": before}, after=after, why=why, now=now)
        conn.execute("DROP TABLE incoming")
    return done, read


LOCK = "LOCK TABLE registered_number IN SHARE ROW EXCLUSIVE MODE"  # one import at a time; sending goes on
INCOMING = "CREATE TEMP TABLE incoming (number bigint NOT NULL, listed_on date) ON COMMIT DROP"
COPY = "COPY incoming (number, listed_on) FROM STDIN"
REMOVE_ABSENT = """
    DELETE FROM registered_number r WHERE NOT EXISTS (SELECT FROM incoming i WHERE i.number = r.number)"""
REMOVE_NAMED = (
    "DELETE FROM registered_number r USING (SELECT DISTINCT number FROM incoming) i WHERE i.number = r.number"
)
CORRECT = """
    UPDATE registered_number r SET listed_on = i.listed_on
      FROM (SELECT number, min(listed_on) AS listed_on FROM incoming WHERE listed_on IS NOT NULL GROUP BY number) i
     WHERE i.number = r.number AND i.listed_on <> r.listed_on"""
ADD = """
    INSERT INTO registered_number (number, listed_on)
    SELECT number, coalesce(min(listed_on), %s) FROM incoming GROUP BY number ORDER BY number
    ON CONFLICT (number) DO NOTHING"""


def _count(conn: Connection) -> int:
    row = conn.execute("SELECT count(*) FROM registered_number").fetchone()
    return int(row[0]) if row else 0


def _take_off(conn: Connection, kind: RegisterImport.Kind) -> int:
    if kind == RegisterImport.Kind.ADD:
        return 0
    return conn.execute(REMOVE_ABSENT if kind == RegisterImport.Kind.REPLACE else REMOVE_NAMED).rowcount


def _add(conn: Connection, today: date) -> int:
    """A number that is there already keeps its day, unless the file names another."""
    conn.execute(CORRECT)
    return conn.execute(ADD, [today]).rowcount


def _lines(file: BinaryIO, read: ReadRegister) -> Iterator[str]:
    """Each good row as COPY wants it; counts all. Raises Refused."""
    days: dict[str, str | None] = {"": r"\N"}
    try:
        for row in csv.reader(line.decode("utf-8-sig") for line in _octet_lines(file)):
            if not row or not any(row):
                continue
            read.rows += 1
            if read.rows > MOST_ROWS:
                raise Refused(Reason.FILE_TOO_MANY_ROWS, "file", f"{MOST_ROWS:,}")
            number, written = row[0].strip(), row[1].strip() if len(row) > 1 else ""
            digits = _national(number)
            day = days[written] if written in days else days.setdefault(written, _day(written))
            if digits is not None and day is not None:
                yield f"{HONG_KONG_CODE}{digits}\t{day}\n"
            elif read.rows == 1:  # a heading
                read.rows = 0
            else:
                read.bad += 1
                if len(read.bad_rows) < BAD_ROWS_KEPT:
                    read.bad_rows.append((read.rows, ",".join(row)[:LONGEST_SHOWN]))
    except (UnicodeDecodeError, csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Refused(Reason.REGISTER_UNREADABLE, "file", f"{read.rows + 1}") from error


def _octet_lines(file: BinaryIO) -> Iterator[bytes]:
    is_gzipped = file.read(len(GZIPPED)) == GZIPPED
    file.seek(0)
    lines = gzip.GzipFile(fileobj=file) if is_gzipped else file
    return iter(lambda: lines.readline(LONGEST_LINE_OCTETS), b"")


def _national(number: str) -> str | None:
    """The 8 digits of a Hong Kong number, fixed or mobile."""
    digits = number if number.isdecimal() else _NOT_DIGITS.sub("", number)
    digits = digits.removeprefix(HONG_KONG_CODE) if len(digits) > len("61234567") else digits
    return digits if _NUMBER.fullmatch(digits) else None


def _day(written: str) -> str | None:
    for form in _DAY_FORMATS:
        try:
            return datetime.strptime(written, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def _in_chunks(lines: Iterable[str]) -> Iterator[str]:
    chunk: list[str] = []
    for line in lines:
        chunk.append(line)
        if len(chunk) == ROWS_A_WRITE:
            yield "".join(chunk)
            chunk.clear()
    yield "".join(chunk)
