"""Files and typed text become recipients, each once; every other row is listed with what is wrong (spec S1)."""

import pytest

from sampan.messages.recipients import BadRow, Duplicate, Recipients, in_rows, in_text, is_mobile
from sampan.routing.numbers import MobileTable
from sampan.uploads.columns import NumberColumn, find_number_column
from sampan.uploads.reading import read_rows
from tests.uploads.files import xlsx


def words_of(bad: list[BadRow]) -> list[tuple[int, str, str]]:
    return [(row, flaw.value, flaw.words) for row, flaw in bad]


def in_file(octets: bytes, column: NumberColumn | None = None, table: MobileTable | None = None) -> Recipients:
    rows = read_rows(octets)
    chosen = column or find_number_column(rows, is_mobile)
    assert chosen
    return in_rows(rows, chosen, table) if table else in_rows(rows, chosen)


def test_bad_rows_and_duplicates_are_left_out_and_listed_with_row_value_and_reason() -> None:
    found = in_file(
        xlsx(
            [
                ["Name", "Mobile"],
                ["Chan", 91234567],
                ["Wong", "+852 9876-5432"],
                [],
                ["Chan again", "(852) 9123 4567"],
                ["Office", "2555 0142"],
                ["Slip", "9123 456"],
                ["Rounded", "9.12E+07"],
                ["Macau", "+853 2871 0044"],
                ["None", "N/A"],
                ["Nothing"],
                ["Fax", 85321234567.0],
                ["Chan once more", "９１２３４５６７"],
            ]
        )
    )
    assert found.row_of == {85291234567: 2, 85298765432: 3}
    assert found.numbers == [85291234567, 85298765432]
    assert found.duplicates == [Duplicate(5, 85291234567, 2), Duplicate(13, 85291234567, 2)]
    assert words_of(found.bad) == [
        (6, "2555 0142", "Fixed line. Only mobiles can receive SMS."),
        (7, "9123 456", "7 digits. A Hong Kong number has 8."),
        (8, "9.12E+07", "Spreadsheet rounded it. Store the column as text."),
        (9, "+853 2871 0044", "Macau fixed line. Mobiles begin with 6."),
        (10, "N/A", "Not a number."),
        (11, "", "No number in this row."),
        (12, "85321234567", "Macau fixed line. Mobiles begin with 6."),
    ]
    assert found.total == len(found.numbers) + len(found.duplicates) + len(found.bad)


def test_a_number_cell_with_a_fraction_is_an_amount_though_its_digits_would_make_a_mobile() -> None:
    found = in_file(xlsx([[9123.4567], [9123456.7], [86.123457], [852.91234567], [True], [1e300], [91234567]]))
    assert found.numbers == [85291234567]
    assert [flaw.value for _, flaw in found.bad] == [
        "9123.4567",
        "9123456.7",
        "86.123457",
        "852.91234567",
        "True",
        "1e+300",
    ]
    assert in_text("9123.4567").numbers == [85291234567]


def test_another_column_and_another_table_give_other_recipients() -> None:
    octets = b"Mobile,Spouse\n91234567,61234567\n98765432,\n"
    spouses = in_file(octets, NumberColumn(1, header_row=1))
    assert (spouses.numbers, words_of(spouses.bad)) == ([85261234567], [(3, "", "No number in this row.")])
    assert in_file(octets, table=MobileTable(starts=("98",))).numbers == [85298765432]


def test_what_is_typed_may_have_several_numbers_a_line() -> None:
    found = in_text("9123 4567\n\n9876 5432, 6123 4567 / 6123 4567；2555 0142\r\n+86 138 0013 8000、91234567\n")
    assert found.row_of == {85291234567: 1, 85298765432: 3, 85261234567: 3, 8613800138000: 4}
    assert found.duplicates == [Duplicate(3, 85261234567, 3), Duplicate(4, 85291234567, 1)]
    assert words_of(found.bad) == [(3, "2555 0142", "Fixed line. Only mobiles can receive SMS.")]
    assert (found.total, in_text(" \n , \n").total) == (7, 0)


@pytest.mark.parametrize("count", [4_096, 10_000])
def test_rows_are_joined_to_their_numbers_over_many_blocks(count: int) -> None:
    lines = [f"{91_000_000 + at}" if at % 3 else "N/A" for at in range(count)]
    found = in_file("\n".join(["Mobile", *lines, lines[1]]).encode())
    assert found.row_of == {85291000000 + at: at + 2 for at in range(count) if at % 3}
    assert [row for row, _ in found.bad] == [at + 2 for at in range(count) if not at % 3]
    assert found.duplicates == [Duplicate(count + 2, 85291000001, 3)]
