"""Files become rows, or are refused with words that help; nothing hurts the platform (spec S1)."""

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.styles import Font

from sampan.reasons import Reason, Refused
from sampan.uploads import reading
from sampan.uploads.reading import MEBI, Cell, Limits, Row, Rows, read_rows
from tests.uploads.files import (
    claiming_to_be_small,
    compound_file,
    encrypted_entries,
    saved,
    xls,
    xlsx,
    xlsx_of_xml,
)

PEOPLE: list[list[Cell]] = [["Name", "Mobile"], ["Chan", 91234567], ["Wong", "9876 5432"]]
DEFAULT = Limits()


def refused(octets: bytes, limits: Limits = DEFAULT, sheet: str | None = None) -> tuple[Reason, str]:
    with pytest.raises(Refused) as refusal:
        read_rows(octets, limits, sheet=sheet)
    assert refusal.value.field == "file"
    return refusal.value.reason, str(refusal.value)


@pytest.mark.parametrize(
    ("octets", "kind"),
    [
        (xlsx(PEOPLE), "xlsx"),
        (xls(PEOPLE), "xls"),
        (b"<html><table><tr><td>Name<td>Mobile<tr><td>Chan<td>91234567<tr><td>Wong<td>9876 5432</table>", "html"),
        (b"Name,Mobile\r\nChan,91234567\r\nWong,9876 5432\r\n", "text"),
    ],
)
def test_a_file_is_read_as_what_it_is_whatever_its_name_says(octets: bytes, kind: str, tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(octets)
    rows = read_rows(path)
    assert (rows.kind, len(rows), rows.columns) == (kind, 3, 2)
    assert [[str(cell) for cell in row.cells] for row in rows] == [[str(cell) for cell in row] for row in PEOPLE]
    assert list(rows) == list(rows)
    assert [row.number for row in rows.first(2)] == [1, 2]


def test_every_kind_of_cell_of_an_xlsx_has_one_plain_form() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    values: list[tuple[Any, Cell]] = [
        (85298765432, 85298765432),
        (85298765432.0, 85298765432),
        (9.5, 9.5),
        (1e300, 1e300),
        ("'91234567", "'91234567"),
        ("  陳大文\u3000", "陳大文"),
        (True, True),
        (datetime.date(2027, 3, 14), "2027-03-14"),
        (datetime.datetime.fromisoformat("2027-03-14 09:30"), "2027-03-14 09:30:00"),
        (datetime.time(9, 30), "09:30:00"),
        ("end", "end"),
    ]
    for column, (value, _) in enumerate(values, 1):
        sheet.cell(1, column, value)
    sheet.cell(2, 1, "#N/A").data_type = "e"
    sheet.cell(2, 2, "after an error")
    sheet.cell(3, 1, 91234567).number_format = "yyyy-mm-dd"  # no such day: shown as ####
    assert [row.cells for row in read_rows(saved(book))] == [
        [read for _, read in values],
        [None, "after an error"],
        [91234567],
    ]


def test_cells_of_an_xls_have_the_same_forms() -> None:
    rows = read_rows(xls([["電話", "😀"], [85298765432, 9.5], [True, ..., "after an error"]], "客戶"))
    assert (rows.sheet, rows.sheets) == ("客戶", ("客戶",))
    assert [row.cells for row in rows] == [["電話", "😀"], [85298765432, 9.5], [True, None, "after an error"]]


def test_rows_keep_the_number_the_spreadsheet_shows_though_some_are_empty_hidden_or_merged() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["C4"], sheet["C6"], sheet["C7"], sheet["C10"] = 91234561, " ", 91234562, 91234563
    sheet.row_dimensions[7].hidden = True
    sheet["A10"] = "merged"
    sheet.merge_cells("A10:B12")
    sheet["C12"] = 91234564
    assert list(read_rows(saved(book))) == [
        Row(4, [None, None, 91234561]),
        Row(7, [None, None, 91234562]),
        Row(10, ["merged", None, 91234563]),
        Row(12, [None, None, 91234564]),
    ]


def test_the_first_visible_sheet_that_holds_something_is_read_unless_another_is_named() -> None:
    book = openpyxl.Workbook()
    for at, title in enumerate(("Hidden", "Empty", "客戶", "Other")):
        sheet = book.create_sheet(title, at)
        if title != "Empty":
            sheet["A1"] = title
    book["Hidden"].sheet_state = "hidden"
    octets = saved(book)
    rows = read_rows(octets)
    assert (rows.sheet, rows.sheets, rows.first(1)) == ("客戶", ("Empty", "客戶", "Other", "Sheet"), [Row(1, ["客戶"])])
    assert read_rows(octets, sheet="Other").first(1) == [Row(1, ["Other"])]
    assert refused(octets, sheet="Empty")[0] == Reason.FILE_EMPTY
    assert refused(octets, sheet="Nowhere") == (
        Reason.NO_SUCH_SHEET,
        "This file has no sheet Nowhere. Choose one of its sheets",
    )
    assert refused(b"91234567\n", sheet="Other")[0] == Reason.NO_SUCH_SHEET


def test_cells_far_away_that_only_have_a_style_cost_nothing() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = 91234567
    sheet["XFD1048576"].font = Font(bold=True)
    assert list(read_rows(saved(book))) == [Row(1, [91234567])]


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"91234567\n" * 500_000)
    with pytest.raises(Refused) as refusal:
        read_rows(path)
    assert str(refusal.value) == "This file is larger than 4 MB. Split it in two and add both"


@pytest.mark.parametrize("make", [xlsx, xls, lambda rows: b"".join(b"%d\n" % row[0] for row in rows)])
def test_more_rows_than_the_limit_and_a_header_are_refused(make: Callable[[list[list[int]]], bytes]) -> None:
    rows = [[91234567 + at] for at in range(5)]
    assert len(read_rows(make(rows[:4]), Limits(rows=3))) == 4
    assert refused(make(rows), Limits(rows=3)) == (
        Reason.FILE_TOO_MANY_ROWS,
        "This file has more than 3 rows. Split it in two and add both",
    )


def test_a_customer_may_be_given_more_rows() -> None:
    many = b"".join(b"%d\n" % number for number in range(60_000_000, 60_200_000))
    assert refused(many)[1] == "This file has more than 50,000 rows. Split it in two and add both"
    assert len(read_rows(many, Limits(rows=1_000_000))) == 200_000


def test_a_row_may_have_256_columns() -> None:
    assert read_rows(xlsx([range(256)])).columns == 256
    assert refused(xlsx([range(257)]))[0] == Reason.FILE_TOO_MANY_COLUMNS
    assert refused(b",".join([b"a"] * 257))[0] == Reason.FILE_TOO_MANY_COLUMNS


def test_a_line_of_more_numbers_than_columns_is_a_list() -> None:
    numbers = [str(number) for number in range(60_000_000, 60_000_300)]
    assert list(read_rows("; ".join(numbers).encode())) == [Row(at, [number]) for at, number in enumerate(numbers, 1)]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", Reason.FILE_EMPTY),
        (b" \n,,\n", Reason.FILE_EMPTY),
        (xlsx([]), Reason.FILE_EMPTY),
        (xls([]), Reason.FILE_EMPTY),
        (b"%PDF-1.7\nhello", Reason.NOT_A_SPREADSHEET),
        (b"{\\rtf1 91234567}", Reason.NOT_A_SPREADSHEET),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), Reason.NOT_A_SPREADSHEET),
        (b"<html><p>91234567</p></html>", Reason.NOT_A_SPREADSHEET),
        (compound_file("WordDocument", b""), Reason.NOT_A_SPREADSHEET),
        (compound_file("Workbook", b"no records"), Reason.FILE_DAMAGED),
        (compound_file("EncryptedPackage", b""), Reason.FILE_LOCKED),
        (xls(PEOPLE, locked=True), Reason.FILE_LOCKED),
        (encrypted_entries(xlsx(PEOPLE)), Reason.FILE_LOCKED),
        (xlsx(PEOPLE)[:2000], Reason.FILE_DAMAGED),
        (xls(PEOPLE)[:2000], Reason.FILE_DAMAGED),
        (claiming_to_be_small(xlsx(PEOPLE)), Reason.FILE_DAMAGED),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(octets: bytes, reason: Reason) -> None:
    assert refused(octets)[0] == reason


def test_other_archives_and_doubtful_ones_are_refused() -> None:
    def archive(*names: str) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as it:
            for name in names:
                it.writestr(name, b"x")
        return file.getvalue()

    assert refused(archive())[0] == Reason.NOT_A_SPREADSHEET
    assert refused(archive("word/document.xml"))[0] == Reason.NOT_A_SPREADSHEET
    assert refused(archive("xl/workbook.xml", "XL/Workbook.xml"))[0] == Reason.FILE_DAMAGED
    assert refused(archive("xl/workbook.xml", *map(str, range(2_000))))[0] == Reason.FILE_DAMAGED


def test_an_archive_that_says_it_unpacks_to_much_is_refused_unread() -> None:
    bomb = xlsx_of_xml("<row><c><v>1</v></c></row>" * 700_000)
    limits = Limits(file_octets=MEBI)
    assert len(bomb) < limits.file_octets
    assert refused(bomb, limits) == (
        Reason.FILE_TOO_LARGE,
        "This file is larger than 16 MB unpacked. Split it in two and add both",
    )
    assert refused(claiming_to_be_small(bomb), limits)[0] == Reason.FILE_DAMAGED


@pytest.mark.parametrize("far", ["ZZ100000", "XFD1048576"])
def test_a_small_sheet_that_needs_gigabytes_ends_its_child_and_no_more(far: str) -> None:
    """The reader reserves every cell between: 1.7 GB, and 412 GB, which aborts its process (tafia/calamine #693)."""
    row = far.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    bomb = xlsx_of_xml(f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{far}"><v>1</v></c></row>')
    assert len(bomb) < 2_000
    assert refused(bomb) == (
        Reason.FILE_UNREADABLE,
        "This file could not be read. Copy the numbers to a new sheet, save it and add that",
    )


def test_a_text_said_a_thousand_times_is_not_copied_without_end() -> None:
    """One string of 30 kB, shared by every row: 1 MB of file, 1.5 GB of rows."""
    text = "x" * 30_000
    rows = "".join(f'<row r="{at}"><c r="A{at}" t="str"><v>{text}</v></c></row>' for at in range(1, 500))
    assert refused(xlsx_of_xml(rows), Limits(file_octets=MEBI // 2))[0] == Reason.FILE_TOO_LARGE


def child_that(monkeypatch: pytest.MonkeyPatch, folder: Path, code: str) -> None:
    """A child that a file has taken over, and now does this."""
    program = folder / "child.py"
    program.write_text("import os, sys\n" + code)
    monkeypatch.setattr(reading, "PROGRAM", program)


@pytest.mark.parametrize(
    "code",
    [
        "while True: print('[[1,[' + '1,' * 2000 + '1]]]')",
        "while True: sys.stdout.write('x' * 2000)",
    ],
)
def test_a_child_that_writes_without_end_is_ended(code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child_that(monkeypatch, tmp_path, code)
    assert refused(b"91234567\n", Limits(file_octets=MEBI // 2))[0] == Reason.FILE_TOO_LARGE


@pytest.mark.parametrize(
    "code",
    [
        "print('[[1, [{}]]]')",
        "print('[[1, [\"\\\\ud800')",
        "os.write(1, b'\\xff\\xfe\\n')",
        'print(\'{"refused": "__class__"}\')',
        "print('[[1, [1]]]')",
        "os.abort()",
        "import time; time.sleep(3600)",
    ],
)
def test_a_child_taken_over_by_a_file_gets_nowhere(code: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    child_that(monkeypatch, tmp_path, code)
    monkeypatch.setattr(reading, "CPU_S_OF_SMALLEST_FILE", 1)
    assert refused(b"91234567\n", Limits(file_octets=MEBI // 2))[0] == Reason.FILE_UNREADABLE


def test_a_child_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SAMPAN_DATABASE_URL", "secret")
    child_that(
        monkeypatch,
        tmp_path,
        "print('[[1, [%d]]]\\n{\"end\": true}' % ('secret' in str(os.environ) or not sys.flags.isolated))",
    )
    assert list(read_rows(b"")) == [Row(1, [0])]


def test_only_so_many_children_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_WAIT_FOR_A_CHILD_S", 0)
    for _ in range(reading.MOST_CHILDREN):
        assert reading._children.acquire(blocking=False)
    try:
        assert refused(b"91234567\n")[0] == Reason.OVERLOADED
    finally:
        for _ in range(reading.MOST_CHILDREN):
            reading._children.release()
    assert len(read_rows(b"91234567\n")) == 1


def rows_or_refused(octets: bytes) -> None:
    try:
        rows = read_rows(octets)
    except Refused:
        return
    assert isinstance(rows, Rows)
    assert len(list(rows)) == len(rows) > 0


WHOLE_FILES = [xlsx(PEOPLE), xls(PEOPLE), "姓名,電話\n陳大文,91234567\n".encode("big5") * 20]


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(WHOLE_FILES),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=20),
    st.floats(0.5, 1),
)
def test_a_file_damaged_anywhere_gives_rows_or_is_refused(
    whole: bytes, changes: list[tuple[float, int]], kept: float
) -> None:
    octets = bytearray(whole)
    for where, octet in changes:
        octets[int(where * len(octets))] = octet
    rows_or_refused(bytes(octets[: int(kept * len(octets)) if len(changes) % 2 else None]))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([b"", b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"<table><tr>"]), st.binary())
def test_any_octets_give_rows_or_are_refused(begin: bytes, octets: bytes) -> None:
    rows_or_refused(begin + octets)
