"""The child process that reads one uploaded file, so that no file can hurt the platform.

`reading.py` starts it by its path. It gets its limits as a line of JSON and then the file on its input, and writes
lines of JSON: one that describes the file, then lists of [row number, cells], then an end; or at any time a refusal by
the name of its Reason. It imports nothing of ours, and the reader of spreadsheets only behind its limits: that one
aborts the process on some small files (a sheet whose cells are A1 and XFD1048576 is 17 billion cells to it).
"""

import csv
import datetime
import io
import itertools
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Any

MEBI = 1 << 20
MOST_COLUMNS = 256  # what an .xls can hold
MOST_CELL_CHARACTERS = 32_767  # what a cell of Excel can hold
MOST_LINES_OF_A_CELL = 25
MOST_ZIP_ENTRIES = 2_000
MOST_OPEN_FILES = 64
ROWS_A_LINE = 1_000
SAMPLE_LINES = 100
SAMPLE_OCTETS = 100_000
LEAST_DIGITS_OF_A_NUMBER = 7

ZIP = (b"PK\3\4", b"PK\5\6")  # the second is one without entries
COMPOUND_FILE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # MS-CFB §2.2
BEGIN_OF_XLS = bytes.fromhex("0908 1000 0006 0500")  # MS-XLS §2.4.21: a BOF record of the workbook itself
PASSWORD_RECORD = 0x2F  # MS-XLS §2.4.117, one of the first records
MOST_RECORDS_BEFORE_PASSWORD = 4
LARGEST_EXACT_FLOAT = 2**53
# The marks of files of other kinds, and of none: text has no controls but tab, line ends, page feed and Ctrl-Z.
NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0e-\x19\x1b-\x1f]|\A(?:%PDF|\{\\rtf|MIME-Version:)")
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
DELIMITERS = "\t;,|"  # by how seldom they stand in a cell's text
NO_DELIMITER = "\x1f"

Cell = str | int | float | bool | None
NumberedRow = tuple[int, list[Any]]


class Unreadable(Exception):
    """The name of a Reason of the parent's, and a value for its words."""


def main() -> None:
    """Read the file on the input; write its rows on the output."""
    limits = json.loads(sys.stdin.buffer.readline())
    confine(limits["memory_octets"], limits["cpu_s"])
    try:
        description, rows = read(sys.stdin.buffer.read(), limits["unpacked_octets"], limits["sheet"])
        write(description)
        for block in blocks(rows, limits["rows"]):
            write(block)
        write({"end": True})
    except Unreadable as refusal:
        write({"refused": refusal.args[0], "value": refusal.args[1]})


def confine(memory_octets: int, cpu_s: int) -> None:
    """What is beyond these limits ends the process. It writes no file, and no core, which would hold numbers."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_octets, memory_octets))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_OPEN_FILES, MOST_OPEN_FILES))


def write(line: object) -> None:
    """One line of JSON."""
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")


def blocks(rows: Iterable[NumberedRow], most_rows: int) -> Iterator[list[NumberedRow]]:
    """The rows that hold something, many at a time. One more than the limit may be there: the header."""
    trimmed = ((number, without_empty_end([cell(value) for value in cells])) for number, cells in rows)
    filled = (row for row in trimmed if row[1])
    count = 0
    while block := list(itertools.islice(filled, ROWS_A_LINE)):
        count += len(block)
        if count > most_rows + 1:
            raise Unreadable("FILE_TOO_MANY_ROWS", f"{most_rows:,}")
        yield block


def without_empty_end(cells: list[Cell]) -> list[Cell]:
    """A row as far as it holds something."""
    while cells and cells[-1] is None:
        cells.pop()
    if len(cells) > MOST_COLUMNS:
        raise Unreadable("FILE_TOO_MANY_COLUMNS", str(MOST_COLUMNS))
    return cells


def cell(value: object) -> Cell:
    """A cell as JSON has it: whole floats as int, dates and times as ISO 8601 text, nothing as None."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, float):
        if value.is_integer() and abs(value) < LARGEST_EXACT_FLOAT:
            return int(value)
        return value if abs(value) < float("inf") else str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


def read(octets: bytes, unpacked_octets: int, sheet: str | None) -> tuple[dict[str, Any], Iterable[NumberedRow]]:
    """What the file is by its content, whatever its name says; and its rows, with the numbers a spreadsheet shows."""
    if octets.startswith(ZIP):
        check_zip(octets, unpacked_octets)
        return spreadsheet(octets, "xlsx", sheet)
    if octets.startswith(COMPOUND_FILE):
        check_compound_file(octets)
        return spreadsheet(octets, "xls", sheet)
    if sheet is not None:
        raise Unreadable("NO_SUCH_SHEET", sheet)
    text = decoded(octets)
    if NOT_TEXT.search(text):
        raise Unreadable("NOT_A_SPREADSHEET", "")
    if text.lstrip().startswith("<"):
        return {"kind": "html"}, rows_of_page(text)
    return {"kind": "text"}, rows_of_text(text)


# Spreadsheets


def check_zip(octets: bytes, unpacked_octets: int) -> None:
    """The directory says before anything is unpacked what will come out."""
    try:
        with zipfile.ZipFile(io.BytesIO(octets)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError, OSError):
        raise Unreadable("FILE_DAMAGED", "") from None
    names = {entry.filename.lower() for entry in entries}
    if len(names) < len(entries) or len(entries) > MOST_ZIP_ENTRIES:
        raise Unreadable("FILE_DAMAGED", "")
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable("FILE_LOCKED", "")
    if "xl/workbook.xml" not in names:
        raise Unreadable("NOT_A_SPREADSHEET", "")
    if sum(entry.file_size for entry in entries) > unpacked_octets:
        raise Unreadable("FILE_TOO_LARGE", f"{unpacked_octets / MEBI:g} MB unpacked")


def check_compound_file(octets: bytes) -> None:
    """An .xls, and not another document of that time, nor anything with a password."""
    if "EncryptedPackage".encode("utf-16-le") in octets:  # an .xlsx with a password (MS-OFFCRYPTO §2.3.4.4)
        raise Unreadable("FILE_LOCKED", "")
    if not any(name.encode("utf-16-le") in octets for name in ("Workbook", "WORKBOOK", "Book", "BOOK")):
        raise Unreadable("NOT_A_SPREADSHEET", "")
    at = octets.find(BEGIN_OF_XLS)
    for _ in range(MOST_RECORDS_BEFORE_PASSWORD if at >= 0 else 0):
        kind, length = int.from_bytes(octets[at : at + 2], "little"), int.from_bytes(octets[at + 2 : at + 4], "little")
        if kind == PASSWORD_RECORD:
            raise Unreadable("FILE_LOCKED", "")
        at += 4 + length


def spreadsheet(octets: bytes, kind: str, wanted: str | None) -> tuple[dict[str, Any], Iterable[NumberedRow]]:
    """The wanted sheet, else the first visible one that holds something."""
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(octets))
        names = visible_sheets(book)
        if wanted is not None and wanted not in names:
            raise Unreadable("NO_SUCH_SHEET", wanted)
        for name in names if wanted is None else [wanted]:
            sheet = book.get_sheet_by_name(name)
            if sheet.start is not None:
                return {"kind": kind, "sheet": name, "sheets": names}, rows_of_sheet(sheet)
        return {"kind": kind, "sheet": wanted or "", "sheets": names}, []
    except python_calamine.PasswordError:
        raise Unreadable("FILE_LOCKED", "") from None
    except python_calamine.CalamineError:
        raise Unreadable("FILE_DAMAGED", "") from None


def visible_sheets(book: Any) -> list[str]:
    """The names of the sheets a person sees; charts and macros are none."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    return [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible] or [s.name for s in sheets]


def rows_of_sheet(sheet: Any) -> Iterator[NumberedRow]:
    """Rows from row 1 on, hidden ones too; but the reader begins a row at the first column that holds anything."""
    before = [None] * sheet.start[1]
    for number, cells in enumerate(sheet.iter_rows(), 1):
        yield number, before + cells


# Tables of HTML, which many programs export under the name .xls


def rows_of_page(text: str) -> list[NumberedRow]:
    """The rows of all tables of a page, one under the other."""
    page = Tables()
    page.feed(text)
    page.close()
    if not page.rows:
        raise Unreadable("NOT_A_SPREADSHEET", "")
    return list(enumerate(page.rows, 1))


class Tables(HTMLParser):
    """Collects the rows of tables. What begins ends what was open, as closing tags may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[Any]] = []
        self._text: list[str] | None = None
        self._columns = 1

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A row or a cell begins."""
        if tag == "tr":
            self._end_cell()
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self._end_cell()
            self._text = []
            columns = dict(attrs).get("colspan") or ""
            self._columns = min(int(columns), MOST_COLUMNS) if re.fullmatch("[0-9]{1,4}", columns) else 1
        elif tag == "br":
            self.handle_data("\n")

    def handle_endtag(self, tag: str) -> None:
        """A cell, a row or a table ends."""
        if tag in ("td", "th", "tr", "table"):
            self._end_cell()

    def handle_data(self, data: str) -> None:
        """Text, which counts within a cell."""
        if self._text is not None:
            self._text.append(data)

    def close(self) -> None:
        """The page is over."""
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._text is not None:
            self.rows[-1].extend(["".join(self._text), *[None] * (self._columns - 1)])
            self._text = None


# Text: CSV, tab-separated, or a number a line


def rows_of_text(text: str) -> Iterator[NumberedRow]:
    """The rows, blank ones too. One line that is nothing but numbers is a list of them."""
    csv.field_size_limit(MOST_CELL_CHARACTERS)
    text = text.removesuffix("\x1a")  # Ctrl-Z, the end of text of old
    if named := re.match(r"sep=([\t;,|])[\r\n]+", text):  # Excel's own hint, which it shows as no row
        delimiter, text = named[1], text[named.end() :]
    else:
        delimiter = delimiter_of(text)
    rows = numbered(text, delimiter)
    first_two = list(itertools.islice((row for row in rows if any(row[1])), 2))
    if len(first_two) == 1 and all(is_like_a_number(value) for value in first_two[0][1] if value.strip()):
        return ((at, [value]) for at, value in enumerate(first_two[0][1], 1))
    return itertools.chain(first_two, rows)


def numbered(text: str, delimiter: str) -> Iterator[NumberedRow]:
    """Rows from row 1 on; a line break within quotes begins none.

    A quotation mark that is not closed would make one cell of the rows after it, and their numbers would be lost.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    number, cells, lines = 0, [""], 0
    try:
        for number, cells in enumerate(rows, 1):
            if rows.line_num - lines > MOST_LINES_OF_A_CELL:
                raise Unreadable("FILE_QUOTE_OPEN", f"{number:,}")
            lines = rows.line_num
            yield number, cells
    except csv.Error:  # a cell is longer than the limit
        raise Unreadable("FILE_QUOTE_OPEN", f"{number + 1:,}") from None
    if cells and "\n" in cells[-1] and not text.rstrip().endswith('"'):
        raise Unreadable("FILE_QUOTE_OPEN", f"{number:,}")


def is_like_a_number(value: str) -> bool:
    """Digits enough for a telephone number, and no letter."""
    return sum(map(str.isdecimal, value)) >= LEAST_DIGITS_OF_A_NUMBER and not any(map(str.isalpha, value))


def delimiter_of(text: str) -> str:
    """The one that cuts most of the first lines into equally many columns, and into the most; else none.

    In a file of one column some cells may have a comma; there the comma does not cut.
    """
    lines = [line for line in io.StringIO(text[:SAMPLE_OCTETS], newline=None) if line.strip()][:SAMPLE_LINES]
    best, most_columns = NO_DELIMITER, 1
    for delimiter in DELIMITERS:
        try:
            columns = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        usual = max(set(columns), key=columns.count, default=1)
        if usual > most_columns and columns.count(usual) * 2 > len(columns):
            best, most_columns = delimiter, usual
    return best


def decoded(octets: bytes) -> str:
    """The text of a file that does not say what its characters are, unless it begins with a byte order mark."""
    for mark, charset in BYTE_ORDER_MARKS.items():
        if octets.startswith(mark):
            return octets.decode(charset, "replace")
    sample = octets[:SAMPLE_OCTETS]
    if b"\0" in sample:  # UTF-16 of digits and commas has every other octet 0
        little = sample[1::2].count(0) > sample[::2].count(0)
        return octets.decode("utf-16-le" if little else "utf-16-be", "replace")
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode(likely_charset(octets), "replace")


def likely_charset(octets: bytes) -> str:
    """Big5 (Hong Kong's), GB 18030 (the mainland's) or Western; each of the two can be read as the other.

    The right reading has frequent characters nearly everywhere, the wrong one rare ones. A few characters may be
    frequent in both; then they are Hong Kong's.
    """
    sample = b"\n".join(line for line in octets.splitlines() if not line.isascii())[:SAMPLE_OCTETS]
    big5, characters = frequent_share(sample.decode("big5hkscs", "replace"), "big5", 0xA4, 0xC6)
    gb18030, _ = frequent_share(sample.decode("gb18030", "replace"), "gb2312", 0xB0, 0xD7)
    if max(big5, gb18030) < 0.5:
        return "cp1252"
    return "big5hkscs" if big5 > gb18030 or (big5 == gb18030 and characters < 4) else "gb18030"


def frequent_share(text: str, charset: str, first_row: int, last_row: int) -> tuple[float, int]:
    """Which share of the characters beyond ASCII is of the charset's first level, or punctuation; and their number."""
    characters = [character for character in text if character > "\x7f"]
    frequent = sum(
        "\u3000" <= character <= "\u3011"
        or "\uff01" <= character <= "\uff5e"
        or first_row <= (character.encode(charset, "ignore") or b"\0")[0] <= last_row
        for character in characters
    )
    return frequent / max(1, len(characters)), len(characters)


if __name__ == "__main__":
    main()
