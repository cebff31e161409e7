"""CSV files as spreadsheets open them."""

import csv
import io
from collections.abc import Iterator

import pytest

from sampan.interfaces.csv_files import ROWS_AT_ONCE, csv_response


def written(rows: list[list[object]]) -> str:
    return b"".join(csv_response("a.csv", ["A", "B"], rows)).decode()


def test_it_says_that_it_is_utf_8_and_a_download() -> None:
    response = csv_response("a.csv", ["字"], [])
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.csv"'
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert written([]) == "\ufeffA,B\r\n"


@pytest.mark.parametrize("cell", ["=1+1", "+852", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_is_text(cell: str) -> None:
    ((_, first),) = [row for row in csv.reader(io.StringIO(written([["x", cell]]), newline="")) if row[0] == "x"]
    assert first == f"'{cell}"


def test_numbers_and_other_texts_stay_as_they_are() -> None:
    assert written([[85291234567, 'a "b", c\nd']]).endswith('\r\n85291234567,"a ""b"", c\nd"\r\n')


def test_it_is_written_as_it_is_read() -> None:
    read = []

    def rows() -> Iterator[list[object]]:
        for number in range(ROWS_AT_ONCE * 2):
            read.append(number)
            yield [number]

    pieces = iter(csv_response("a.csv", ["A"], rows()))
    next(pieces)
    assert len(read) == ROWS_AT_ONCE
