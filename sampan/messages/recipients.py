"""What a file holds, or a person typed → recipients; with every row that gives none (spec S1).

Duplicates keep their first row. Nothing is checked here that needs to know the customer.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sampan.routing.numbers import MOBILES, Flaw, MobileTable, NotAMobile, Typed, parse, parse_many
from sampan.uploads.columns import NumberColumn, at
from sampan.uploads.reading import Cell, Row

ROWS_AT_ONCE = 4_096
MOST_FIELDS = 30  # of a row, or of a contact
LONGEST_FIELD_NAME = 40
NOT_IN_A_FIELD_NAME = frozenset("{}|\r\n\0")
BETWEEN_TYPED_NUMBERS = re.compile(r"[,;/|\t、，；]")


class BadRow(NamedTuple):
    """A row without a mobile number: its number in the file, or of the line that was typed, and what is wrong."""

    row: int
    flaw: Flaw


class Duplicate(NamedTuple):
    """A row whose number stood in an earlier one."""

    row: int
    number: int
    first_row: int


@dataclass(frozen=True)
class Recipients:
    """Numbers, each with the row it first stands in, in that order; the rows left out; and how many were looked at."""

    row_of: dict[int, int]
    bad: list[BadRow]
    duplicates: list[Duplicate]
    total: int

    @property
    def numbers(self) -> list[int]:
        """Each once, in the order of the file."""
        return list(self.row_of)


def in_rows(rows: Iterable[Row], column: NumberColumn, table: MobileTable = MOBILES) -> Recipients:
    """The recipients of a file: what is in the column below its header. A row with nothing there is a bad row."""
    below = (row for row in rows if row.number > column.header_row)
    return _gathered(((row.number, at(row, column.index)) for row in below), table)


class FileFields(NamedTuple):
    """What personal texts can name of a file: its columns with a heading, and for each number the texts in them."""

    names: tuple[str, ...]
    values: list[list[str]]


def fields_in(rows: Iterable[Row], column: NumberColumn, recipients: Recipients) -> FileFields:
    """The fields of each of the recipients' first rows (spec S4).

    Of columns with one heading it is the first; one that could not stand in braces is left out. Values are texts as
    the file keeps them: 12.50 is 12.5 in a spreadsheet unless it is stored as text.
    """
    place_of: dict[str, int] = {}
    for place, heading in enumerate(column.headers):
        name = heading.strip()
        if name and place != column.index and len(name) <= LONGEST_FIELD_NAME and not NOT_IN_A_FIELD_NAME & set(name):
            place_of.setdefault(name, place)
    places = list(place_of.values())[:MOST_FIELDS]
    wanted = set(recipients.row_of.values()) if places else set()
    found = {row.number: [_text(at(row, place)) for place in places] for row in rows if row.number in wanted}
    values = [found[row] for row in recipients.row_of.values()] if places else [[] for _ in recipients.row_of]
    return FileFields(tuple(place_of)[:MOST_FIELDS], values)


def _text(cell: Cell) -> str:
    """PostgreSQL keeps no NUL."""
    return "" if cell is None else str(cell).replace("\0", "�")


def in_text(text: str, table: MobileTable = MOBILES) -> Recipients:
    """The recipients somebody typed or pasted: one or more a line, with commas, semicolons, slashes or tabs between."""
    return _gathered(
        (
            (number, value)
            for number, line in enumerate(text.splitlines(), 1)
            for value in BETWEEN_TYPED_NUMBERS.split(line)
            if value.strip()
        ),
        table,
    )


def is_mobile(cell: Cell, table: MobileTable = MOBILES) -> bool:
    """Whether a cell holds a mobile number (for `uploads.columns`, which knows no numbers)."""
    try:
        parse(_typed(cell), table)
    except NotAMobile:
        return False
    return True


def _typed(cell: Cell) -> Typed:
    """A cell as if it had been typed. Six decimals, because 9123.4567 is a number as text but not as a float."""
    if isinstance(cell, float):
        return f"{cell:f}"
    return "" if cell is None else str(cell)


def _gathered(given: Iterator[tuple[int, Cell]], table: MobileTable) -> Recipients:
    """From row numbers and what stands there."""
    row_of: dict[int, int] = {}
    bad: list[BadRow] = []
    duplicates: list[Duplicate] = []
    total = 0
    while block := list(islice(given, ROWS_AT_ONCE)):
        total += len(block)
        numbers, flaws = parse_many((_typed(cell) for _, cell in block), table)
        flawed = {index for index, _ in flaws}
        for index, flaw in flaws:
            row, cell = block[index]
            bad.append(BadRow(row, flaw._replace(value=str(cell)) if isinstance(cell, float) else flaw))
        rows = (row for index, (row, _) in enumerate(block) if index not in flawed)
        for row, number in zip(rows, numbers, strict=True):
            if number in row_of:
                duplicates.append(Duplicate(row, number, row_of[number]))
            else:
                row_of[number] = row
    return Recipients(row_of, bad, duplicates, total)
