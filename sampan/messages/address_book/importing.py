"""A file of people → contacts: a column of numbers, one of names, and those with a heading as fields (spec S1, S4)."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import LONGEST_VALUE, Given, Kept
from sampan.messages.address_book.tables import LONGEST_NAME
from sampan.messages.recipients import BadRow, FileFields, fields_in, in_rows, is_mobile
from sampan.uploads.columns import find_number_column, number_column
from sampan.uploads.reading import Limits, read_rows

NAMES = re.compile("name|full name|姓名|名稱|名称|名字|稱呼|称呼", re.IGNORECASE)


class Imported(NamedTuple):
    """What became of a file's rows."""

    kept: Kept
    duplicates: int
    bad: list[BadRow]
    column: str  # where the numbers were
    fields: list[str]


def import_file(
    conn: Connection, customer_id: int, octets: bytes, now: datetime, *, limits: Limits, group_id: int | None = None
) -> Imported:
    """Keep everybody with a mobile number, in a group where one is named; all of them or, where refused, nobody.

    Raises Refused: about "file", NO_SUCH_GROUP, TOO_MANY_CONTACTS.
    """
    rows = read_rows(octets, limits)
    column = find_number_column(rows, is_mobile) or number_column(rows, 0, is_mobile)
    recipients = in_rows(rows, column)
    found = fields_in(rows, column, recipients)
    given = _given(recipients.numbers, found)
    with conn.transaction():
        kept, ids = contacts.keep(conn, customer_id, given, now)
        if group_id is not None:
            groups.add_members(conn, customer_id, group_id, ids)
    return Imported(kept, len(recipients.duplicates), recipients.bad, column.letter, list(found.names))


def _given(numbers: Sequence[int], found: FileFields) -> list[Given]:
    """The column whose heading says so is the name; what a file says too much of is cut."""
    at = next((place for place, name in enumerate(found.names) if NAMES.fullmatch(name)), None)
    given = []
    for number, values in zip(numbers, found.values, strict=True):
        name = values[at][:LONGEST_NAME] if at is not None else ""
        pairs = enumerate(zip(found.names, values, strict=True))
        fields = {field: value[:LONGEST_VALUE] for place, (field, value) in pairs if place != at and value}
        given.append(Given(number, name, fields))
    return given
