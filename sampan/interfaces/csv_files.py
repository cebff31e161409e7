"""CSV files as spreadsheets open them without asking: UTF-8 with its mark, and no cell that a spreadsheet would run."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

MARK = "\ufeff"  # without it Excel takes the file for one of its old character sets
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would compute
ROWS_AT_ONCE = 500


def csv_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """A download, written while it is sent. Texts that look like formulas get an apostrophe before them."""
    response = StreamingHttpResponse(_written(head, rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    buffer = io.StringIO(MARK, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer)
    writer.writerow(head)
    for count, row in enumerate(rows, 1):
        writer.writerow([_harmless(cell) for cell in row])
        if count % ROWS_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def _taken(buffer: io.StringIO) -> bytes:
    octets = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return octets


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
