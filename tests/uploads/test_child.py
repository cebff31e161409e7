"""Text of any charset and cut becomes rows; the child's own rules, tried without a process (spec S1)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.uploads.child import MOST_COLUMNS, Unreadable, cell, decoded, delimiter_of, read, rows_of_text

TRADITIONAL = "姓名,流動電話,地區\n陳大文,91234567,沙田\n李小明,98765432,荃灣\n"
SIMPLIFIED = "姓名,手机号码,地区\n王伟,8613800138000,深圳市福田区\n刘德华,8613900139000,广州\n"
WESTERN = "name,mobile\nJosé Müller,91234567\nRenée Ångström,98765432\n"


def rows_of(text: str | bytes) -> list[list[Any]]:
    octets = text if isinstance(text, bytes) else text.encode()
    return [cells for _, cells in read(octets, 1 << 20, None)[1]]


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        (TRADITIONAL, "utf-8"),
        (TRADITIONAL, "utf-8-sig"),
        (TRADITIONAL, "utf-16"),
        (TRADITIONAL, "utf-16-le"),
        (TRADITIONAL, "utf-16-be"),
        (TRADITIONAL, "big5"),
        (TRADITIONAL, "big5hkscs"),
        (TRADITIONAL, "cp950"),
        ("姓名\n何鎂鏵\n陳喆\n余㷫\n", "big5hkscs"),
        ("電話", "big5"),
        ("９１２３４５６７", "big5"),
        (SIMPLIFIED, "utf-8"),
        (SIMPLIFIED, "gb2312"),
        (SIMPLIFIED, "gbk"),
        (SIMPLIFIED, "gb18030"),
        ("客户：朱镕基，𠮷野", "gb18030"),
        ("手机", "gb18030"),
        ("９１２３４５６７", "gb18030"),
        (WESTERN, "utf-8"),
        (WESTERN, "cp1252"),
        (WESTERN, "latin-1"),
        ("91234567", "ascii"),
    ],
)
def test_text_is_read_in_the_charsets_hong_kong_has(text: str, charset: str) -> None:
    mark = b"\xfe\xff" if charset == "utf-16-be" else b""
    assert decoded(mark + text.encode(charset)) == text
    assert decoded(text.encode(charset)) == text


def test_a_character_no_charset_knows_does_not_spoil_the_others() -> None:
    octets = TRADITIONAL.encode("big5").replace("陳".encode("big5"), b"\xff\xff")
    assert decoded(octets).replace("\ufffd\ufffd", "陳") == TRADITIONAL


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("91234567\n98765432\n", [["91234567"], ["98765432"]]),
        ("91234567\r98765432\r", [["91234567"], ["98765432"]]),
        ("a,b\n1,2\n", [["a", "b"], ["1", "2"]]),
        ("a;b\n1,5;2,5\n", [["a", "b"], ["1,5", "2,5"]]),
        (
            "Chan, Tai Man\t91234567\nWong, Ka Wai\t98765432\n",
            [["Chan, Tai Man", "91234567"], ["Wong, Ka Wai", "98765432"]],
        ),
        ("sep=;\na,b;c\n", [["a,b", "c"]]),
        ('"Chan, ""Tai"" Man",91234567\nb,1\n', [['Chan, "Tai" Man', "91234567"], ["b", "1"]]),
        ('"two\nlines",91234567\nb,1\n', [["two\nlines", "91234567"], ["b", "1"]]),
        ('Inch 5",91234567\nb,1\n', [['Inch 5"', "91234567"], ["b", "1"]]),
        # One number a row; here and there somebody wrote two.
        ("91234567\n98765432, 61234567\n51234567\n", [["91234567"], ["98765432, 61234567"], ["51234567"]]),
        # All the numbers in one line.
        ("91234567,9876 5432,+852 6123 4567,", [["91234567"], ["9876 5432"], ["+852 6123 4567"], [""]]),
        ("\n\n91234567;98765432\n", [["91234567"], ["98765432"]]),
        ("Chan,91234567\n", [["Chan", "91234567"]]),
        ("91234567\n98765432\n\x1a", [["91234567"], ["98765432"]]),
    ],
)
def test_text_is_cut_into_columns_as_its_writer_meant(text: str, rows: list[list[str]]) -> None:
    assert [cells for cells in rows_of(text) if cells] == rows


def test_blank_lines_count_as_rows_and_line_breaks_within_quotes_do_not() -> None:
    text = 'n,m\n\n"a\nb",91234567\n\n\nc,98765432\n'
    assert [number for number, cells in rows_of_text(text) if cells] == [1, 3, 6]


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ('a,1\n"b,2\n' + "c,3\n" * 3, "2"),  # up to the end
        ('a,1\n"b,2\n' + "c,3\n" * 40 + '"d",4\n', "2"),  # up to the next mark
        ("a,1\nb,2\n" + '"' + "c,3\n" * 20_000, "3"),  # more than a cell can hold
    ],
)
def test_a_quotation_mark_left_open_is_refused_for_it_would_swallow_numbers(text: str, row: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        rows_of(text)
    assert refusal.value.args == ("FILE_QUOTE_OPEN", row)


@pytest.mark.parametrize(
    ("page", "rows"),
    [
        ("<table><tr><td>a</td><td>b</td></tr></table>", [["a", "b"]]),
        ("<TABLE><TR><TH>a<TH>b<TR><TD>1<TD>2</TABLE>", [["a", "b"], ["1", "2"]]),
        ("<table><tr><td>9123&nbsp;4567<br>x<td>&#38515;</table>", [["9123\xa04567\nx", "陳"]]),
        ("<table><tr><td colspan=3>wide<td>d</table>", [["wide", None, None, "d"]]),
        ("<table><tr><td colspan=99999999999>a<td>b</table>", [["a", "b"]]),
        ("\ufeff<?xml version='1.0'?><html><style>td {}</style><table><tr><td><b>a</b>b</table>out", [["ab"]]),
        ("<table><tr><td>a</table><table><tr><td>b</table>", [["a"], ["b"]]),
        ("<td>no row</td><table><tr></tr><tr><td>a", [[], ["a"]]),
    ],
)
def test_a_page_with_a_table_is_a_spreadsheet_to_those_who_exported_it(page: str, rows: list[list[str]]) -> None:
    assert rows_of(page) == rows


def test_a_page_of_wide_cells_is_bounded() -> None:
    page = "<table><tr>" + "<td colspan=9999>x" * 3
    assert len(rows_of(page)[0]) == 3 * MOST_COLUMNS


@pytest.mark.parametrize(
    ("value", "kept"),
    [(float("inf"), "inf"), (2.0**60, 2.0**60), (-5.0, -5), (None, None), ("\u3000", None), (0, 0), (False, False)],
)
def test_a_cell_is_what_json_can_carry(value: object, kept: object) -> None:
    assert cell(value) == kept
    assert type(cell(value)) is type(kept)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1).filter(str.strip))
def test_text_that_is_utf8_is_never_taken_for_anything_else(text: str) -> None:
    if not text.startswith("\ufeff"):
        assert decoded(text.encode()) == text


@given(st.binary() | st.text(alphabet=',;\t|"\r\n1a<td>', max_size=200).map(str.encode))
def test_any_text_gives_rows_or_is_refused(octets: bytes) -> None:
    if octets.startswith((b"PK", b"\xd0\xcf")):
        return
    try:
        rows = rows_of(octets)
    except Unreadable:
        return
    assert all(isinstance(cells, list) for cells in rows)


@given(st.text(alphabet=',;\t|"\n1a', max_size=100))
def test_the_delimiter_is_one_we_know_or_none(text: str) -> None:
    assert delimiter_of(text) in "\t;,|\x1f"
