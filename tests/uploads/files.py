"""Real files for the tests: workbooks by openpyxl, .xls by their bytes, and archives that lie."""

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import openpyxl

SECTOR_OCTETS = 512
END_OF_CHAIN, FAT_SECTOR, FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
LEAST_STREAM_OCTETS = 4096  # a shorter stream is kept otherwise (MS-CFB §2.2, mini stream cutoff)
WORKBOOK_XML = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    '<sheets><sheet name="Numbers" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELATION_XML = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>'
)
SHEET_XML = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'
)


def saved(book: openpyxl.Workbook) -> bytes:
    """The octets of a workbook."""
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def xlsx(rows: Iterable[Sequence[Any]], title: str = "Sheet") -> bytes:
    """A workbook of one sheet."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in rows:
        sheet.append(list(row))
    return saved(book)


def xlsx_of_xml(rows_xml: str) -> bytes:
    """A workbook whose only sheet has these `<row>`s."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", WORKBOOK_XML)
        archive.writestr("_rels/.rels", RELATION_XML % ("officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/_rels/workbook.xml.rels", RELATION_XML % ("worksheet", "worksheets/sheet1.xml"))
        archive.writestr("xl/worksheets/sheet1.xml", SHEET_XML % rows_xml)
    return file.getvalue()


def claiming_to_be_small(archive: bytes) -> bytes:
    """The same archive, whose directory says that every entry unpacks to one octet (APPNOTE.TXT §4.3.12)."""
    octets = bytearray(archive)
    at = octets.find(b"PK\1\2")
    while at >= 0:
        struct.pack_into("<I", octets, at + 24, 1)
        at = octets.find(b"PK\1\2", at + 4)
    return bytes(octets)


def encrypted_entries(archive: bytes) -> bytes:
    """The same archive, whose entries are flagged as encrypted."""
    octets = bytearray(archive)
    for mark, flags_at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        at = octets.find(mark)
        while at >= 0:
            octets[at + flags_at] |= 1
            at = octets.find(mark, at + 4)
    return bytes(octets)


def xls(rows: Sequence[Sequence[Any]], title: str = "Sheet1", *, locked: bool = False) -> bytes:
    """An Excel 97 workbook of one sheet: texts, numbers, booleans and `#N/A` for an Ellipsis (MS-XLS)."""
    sheet = b"".join(
        _cell_record(row, column, value)
        for row, cells in enumerate(rows)
        for column, value in enumerate(cells)
        if value is not None
    )
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + sheet + _record(0x000A, b"")
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    if locked:
        begin += _record(0x002F, struct.pack("<HHH", 1, 1, 1) + bytes(48))  # FilePass: RC4
    name = struct.pack("<BB", len(title), 1) + title.encode("utf-16-le")
    globals_octets = len(begin) + 4 + 6 + len(name) + 4
    begin += _record(0x0085, struct.pack("<IBB", globals_octets, 0, 0) + name) + _record(0x000A, b"")
    return compound_file("Workbook", begin + sheet)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _cell_record(row: int, column: int, value: Any) -> bytes:
    where = struct.pack("<HHH", row, column, 0)
    if value is Ellipsis:
        return _record(0x0205, where + struct.pack("<BB", 0x2A, 1))
    if isinstance(value, bool):
        return _record(0x0205, where + struct.pack("<BB", value, 0))
    if isinstance(value, int | float):
        return _record(0x0203, where + struct.pack("<d", value))
    text = str(value).encode("utf-16-le")
    return _record(0x0204, where + struct.pack("<HB", len(text) // 2, 1) + text)


def compound_file(name: str, stream: bytes) -> bytes:
    """A compound file with one stream: header, one allocation sector, one of directory, the stream (MS-CFB)."""
    stream = stream.ljust(LEAST_STREAM_OCTETS, b"\0")
    sectors = -(-len(stream) // SECTOR_OCTETS)
    assert sectors <= 126, "one allocation sector has 128 entries"
    chain = [*range(3, sectors + 2), END_OF_CHAIN]
    allocation = [FAT_SECTOR, END_OF_CHAIN, *chain]
    allocation += [FREE] * (128 - len(allocation))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, 1, 1, 0, LEAST_STREAM_OCTETS, END_OF_CHAIN, 0, END_OF_CHAIN, 0),
    )
    header += struct.pack("<109I", 0, *[FREE] * 108)
    directory = _directory_entry("Root Entry", 5, child=1, start=END_OF_CHAIN, octets=0)
    directory += _directory_entry(name, 2, child=FREE, start=2, octets=len(stream))
    return (
        header
        + struct.pack("<128I", *allocation)
        + directory.ljust(SECTOR_OCTETS, b"\0")
        + stream.ljust(sectors * SECTOR_OCTETS, b"\0")
    )


def _directory_entry(name: str, kind: int, *, child: int, start: int, octets: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return struct.pack("<64sHBBIII36xIQ", text, len(text), kind, 1, FREE, FREE, child, start, octets)
