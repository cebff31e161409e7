"""XLSX files, written row by row to a file on disk and sent from there: memory stays small however many rows."""

import tempfile
from collections.abc import Iterable, Sequence

from django.http import FileResponse
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import IllegalCharacterError

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def xlsx_response(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """A download. Texts are cells of text, whatever they look like, so no spreadsheet computes one."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(head))
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    book.save(file)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=name, content_type=MEDIA_TYPE)


def _cell(sheet: object, value: object) -> object:
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet)  # type: ignore[arg-type]
    try:
        cell.value = value
    except IllegalCharacterError:
        cell.value = "".join(char for char in value if char.isprintable())
    cell.data_type = "s"
    return cell
