"""Which column of a file holds the numbers, and whether its first row is a header (spec S1, S4).

The rule: of the first 200 rows, the column with the most mobile numbers; but a column whose header names a telephone
goes before the others if half of its values are mobile numbers, so that registration numbers of 8 digits do not win
over mobiles with some gaps. Of equals the leftmost. What is in that column in the first row that has anything there is
the header, unless it has digits like a number: a bad number in the first row is listed, not hidden as a header.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sampan.uploads.reading import Cell, Row, Rows

SAMPLE_ROWS = 200
LEAST_DIGITS_OF_A_NUMBER = 5
TELEPHONE = re.compile(
    "(?<![a-z])(?:mobile|phone|tel|cell|handset|whatsapp)|電話|电话|手機|手机|手提|流動|移动", re.IGNORECASE
)


@dataclass(frozen=True)
class NumberColumn:
    """The column the numbers are in, counted from 0; and the header, by whose names templates call the columns."""

    index: int
    header_row: int = 0  # its number; 0 where there is none
    headers: tuple[str, ...] = ()

    @property
    def letter(self) -> str:
        """As spreadsheets call it: A … Z, AA …"""
        return letter_of(self.index)

    @property
    def header(self) -> str:
        """The column's own name, or nothing."""
        return self.headers[self.index] if self.index < len(self.headers) else ""


def find_number_column(rows: Rows, is_number: Callable[[Cell], bool]) -> NumberColumn | None:
    """The column with the numbers, by the rule above; None where no column has one."""
    sample = rows.first(SAMPLE_ROWS)
    best, best_rank = None, (False, 0)
    for index in range(max(len(row.cells) for row in sample)):
        column = _with_header(index, sample, is_number)
        values = [cell for row in sample if row.number > column.header_row and (cell := at(row, index)) is not None]
        numbers = sum(map(is_number, values))
        named = bool(TELEPHONE.search(column.header)) and numbers * 2 >= len(values)
        if numbers and (named, numbers) > best_rank:
            best, best_rank = column, (named, numbers)
    return best


def number_column(rows: Rows, index: int, is_number: Callable[[Cell], bool]) -> NumberColumn:
    """The column a person chose instead; its header by the same rule."""
    return _with_header(index, rows.first(SAMPLE_ROWS), is_number)


def at(row: Row, index: int) -> Cell:
    """The cell in that column; None beyond the row's end."""
    return row.cells[index] if index < len(row.cells) else None


def letter_of(index: int) -> str:
    """0 → A, 25 → Z, 26 → AA."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _with_header(index: int, sample: Sequence[Row], is_number: Callable[[Cell], bool]) -> NumberColumn:
    top = next((row for row in sample if at(row, index) is not None), None)
    if top is None or is_number(at(top, index)) or _digits(at(top, index)) >= LEAST_DIGITS_OF_A_NUMBER:
        return NumberColumn(index)
    return NumberColumn(index, top.number, tuple("" if cell is None else str(cell) for cell in top.cells))


def _digits(cell: Cell) -> int:
    return sum(map(str.isdecimal, str(cell)))
