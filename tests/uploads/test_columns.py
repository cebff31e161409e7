"""The column with the numbers is found, and whether there is a header (spec S1, S4)."""

import pytest

from sampan.messages.recipients import is_mobile
from sampan.uploads.columns import NumberColumn, find_number_column, letter_of, number_column
from sampan.uploads.reading import Rows, read_rows

NO_MOBILE = "2555 0142"


def rows_of(*lines: str) -> Rows:
    return read_rows("\n".join(lines).encode())


@pytest.mark.parametrize(
    ("lines", "column"),
    [
        (["91234567", "98765432"], NumberColumn(0)),
        (["Mobile", "91234567"], NumberColumn(0, 1, ("Mobile",))),
        (["Name,Mobile", "Chan,91234567"], NumberColumn(1, 1, ("Name", "Mobile"))),
        (["Chan,91234567", "Wong,98765432"], NumberColumn(1)),
        (["姓名,,手機,地址", "陳,,91234567,沙田", "李,,98765432,"], NumberColumn(2, 1, ("姓名", "", "手機", "地址"))),
        # A title above the header, in another column.
        (["Customers 2026,", ",", "Name,Mobile", "Chan,91234567"], NumberColumn(1, 3, ("Name", "Mobile"))),
        # A bad number in the first row is no header.
        ([NO_MOBILE, "91234567"], NumberColumn(0)),
        # The fuller column, and of equals the leftmost.
        (["1,91234567", "2,98765432", "61234567,N/A"], NumberColumn(1)),
        (["91234567,98765432", "61234567,51234567"], NumberColumn(0)),
        # Business registration numbers look like mobiles; the header knows better, if half of its column is mobiles.
        (["BR,Tel", "51234567,91234567", "61234567,", "71234567,98765432"], NumberColumn(1, 1, ("BR", "Tel"))),
        (["Mobile,Office phone", f"91234567,{NO_MOBILE}"], NumberColumn(0, 1, ("Mobile", "Office phone"))),
        (["Hotel,Contact", "51234567,91234567", "N/A,98765432"], NumberColumn(1, 1, ("Hotel", "Contact"))),
    ],
)
def test_the_column_of_the_numbers_and_its_header_are_found(lines: list[str], column: NumberColumn) -> None:
    assert find_number_column(rows_of(*lines), is_mobile) == column


def test_where_no_column_has_a_mobile_none_is_found() -> None:
    assert find_number_column(rows_of("Name,Phone", f"Chan,{NO_MOBILE}"), is_mobile) is None


def test_a_person_may_choose_another_column() -> None:
    rows = rows_of("Name,Mobile,Mobile of spouse", "Chan,91234567,", "Wong,98765432,61234567")
    chosen = number_column(rows, 2, is_mobile)
    assert (chosen.letter, chosen.header, chosen.header_row) == ("C", "Mobile of spouse", 1)
    beyond = number_column(rows, 9, is_mobile)
    assert (beyond.letter, beyond.header, beyond.header_row) == ("J", "", 0)


def test_columns_are_called_as_spreadsheets_call_them() -> None:
    assert [letter_of(index) for index in (0, 1, 25, 26, 51, 52, 255, 701, 702)] == [
        *("A", "B", "Z", "AA", "AZ", "BA", "IV", "ZZ", "AAA")
    ]
