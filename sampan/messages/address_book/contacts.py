"""Contacts: kept once by number, merged when they come again, listed page by page, deleted (spec S1, S4).

Every function is told whose address book it is, and sees no other: sub accounts share nothing (spec S88).
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from sampan.database import Connection, array_of, array_of_texts
from sampan.messages.address_book.tables import LONGEST_NAME
from sampan.messages.personal import Fields, read_fields
from sampan.messages.recipients import LONGEST_FIELD_NAME, MOST_FIELDS, NOT_IN_A_FIELD_NAME
from sampan.reasons import Reason, Refused

MOST_CONTACTS = 200_000  # of one customer
LONGEST_VALUE = 500
MOST_A_PAGE = 500
NAME_FIELD = "name"  # by which personal texts call the name


class Given(NamedTuple):
    """A contact as somebody gives it; what it leaves empty stays as it is known."""

    number: int
    name: str = ""
    fields: Mapping[str, str] = {}


class Kept(NamedTuple):
    """How many were new, and how many known by their number."""

    added: int
    changed: int


class Contact(NamedTuple):
    """A contact as it is kept."""

    id: int
    number: int
    name: str
    fields: Fields
    group_ids: list[int]
    updated_at: datetime

    @property
    def row(self) -> Fields:
        """What personal texts are filled in from: its fields, and its name."""
        return row_of(self.name, self.fields)


def row_of(name: str, fields: Fields) -> Fields:
    """A contact's fields, its name among them; a field of its own called so goes first."""
    return {NAME_FIELD: name} | dict(fields)


def merged(given: Iterable[Given]) -> list[Given]:
    """Each number once; a later row adds to the one before. Raises Refused about "name" or "fields"."""
    found: dict[int, Given] = {}
    for each in given:
        _check(each)
        known = found.get(each.number)
        if known is None:
            found[each.number] = each
        else:
            found[each.number] = Given(each.number, each.name or known.name, {**known.fields, **each.fields})
    return list(found.values())


def _check(given: Given) -> None:
    if len(given.name) > LONGEST_NAME or "\0" in given.name:
        raise Refused(Reason.BAD_CONTACT_NAME, "name", given.name[:LONGEST_NAME].replace("\0", "�"))
    if len(given.fields) > MOST_FIELDS:
        raise Refused(Reason.TOO_MANY_FIELDS, "fields", str(MOST_FIELDS))
    for name, value in given.fields.items():
        bad_name = not name.strip() or len(name) > LONGEST_FIELD_NAME or NOT_IN_A_FIELD_NAME & set(name)
        if bad_name or len(value) > LONGEST_VALUE or "\0" in value:
            raise Refused(Reason.BAD_FIELD, "fields", name[:LONGEST_FIELD_NAME].replace("\0", "�"))


LOCK = "SELECT id FROM customer WHERE id = %s FOR NO KEY UPDATE"
COUNT = "SELECT count(*) FROM contact WHERE customer_id = %s"
UPSERT = """
    INSERT INTO contact AS c (customer_id, number, name, fields, created_at, updated_at)
    SELECT %(customer)s, g.number, g.name, g.fields, %(now)s, %(now)s
      FROM unnest(%(numbers)s::int8[], %(names)s::text[], %(fields)s::jsonb[]) AS g (number, name, fields)
    ON CONFLICT (customer_id, number) DO UPDATE
       SET name = CASE WHEN excluded.name = '' AND NOT %(replace)s THEN c.name ELSE excluded.name END,
           fields = CASE WHEN %(replace)s THEN excluded.fields ELSE c.fields || excluded.fields END,
           updated_at = excluded.updated_at
    RETURNING id, number, xmax = 0"""


def keep(
    conn: Connection, customer_id: int, given: Iterable[Given], now: datetime, *, replace: bool = False
) -> tuple[Kept, dict[int, int]]:
    """Add what is new and merge what is known by its number; gives the id by number, too.

    With `replace`, name and fields become what is given. Raises Refused: TOO_MANY_CONTACTS, and as `merged` does.
    """
    rows = merged(given)
    values = {
        "customer": customer_id,
        "now": now,
        "replace": replace,
        "numbers": array_of(each.number for each in rows),
        "names": array_of_texts(each.name for each in rows),
        "fields": array_of_texts(
            msgspec.json.encode({name: value for name, value in each.fields.items() if value}).decode() for each in rows
        ),
    }
    with conn.transaction():
        conn.execute(LOCK, [customer_id])  # one after the other, so that the limit holds
        found = conn.execute(UPSERT, values).fetchall()
        added = sum(is_new for *_, is_new in found)
        if added and _count(conn, customer_id) > MOST_CONTACTS:
            raise Refused(Reason.TOO_MANY_CONTACTS, "contacts", f"{MOST_CONTACTS:,}")
    return Kept(added, len(found) - added), {number: id_ for id_, number, _ in found}


def _count(conn: Connection, customer_id: int) -> int:
    row = conn.execute(COUNT, [customer_id]).fetchone()
    assert row is not None
    return int(row[0])


class Search(NamedTuple):
    """Which contacts are meant: those of a group, those whose name, number or fields have these characters."""

    customer_id: int
    group_id: int | None = None
    words: str = ""

    @property
    def values(self) -> dict[str, object]:
        """Parameters of WHERE."""
        escaped = self.words.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        digits = "".join(filter(str.isdecimal, escaped))
        return {
            "customer": self.customer_id,
            "group": self.group_id,
            "like": f"%{escaped}%" if escaped else None,
            "digits": f"%{digits}%" if digits and not any(map(str.isalpha, escaped)) else None,
        }


WHERE = """
    c.customer_id = %(customer)s
    AND (%(group)s::int8 IS NULL OR EXISTS (
         SELECT FROM contact_group_member m WHERE m.group_id = %(group)s AND m.contact_id = c.id))
    AND (%(like)s::text IS NULL OR c.name ILIKE %(like)s OR c.number::text LIKE %(digits)s
         OR EXISTS (SELECT FROM jsonb_each_text(c.fields) f WHERE f.value ILIKE %(like)s))"""
COLUMNS = """
    c.id, c.number, c.name, c.fields::text,
    ARRAY(SELECT m.group_id FROM contact_group_member m WHERE m.contact_id = c.id ORDER BY 1), c.updated_at"""
COUNT_FOUND = f"SELECT count(*) FROM contact c WHERE {WHERE}"
BY_ID = f"""
    SELECT {COLUMNS} FROM contact c WHERE {WHERE} AND c.id > %(after)s ORDER BY c.id LIMIT %(most)s"""
BY_NAME = f"""
    SELECT {COLUMNS} FROM contact c WHERE {WHERE} AND (c.name, c.id) > (%(name)s, %(after)s)
     ORDER BY c.name, c.id LIMIT %(most)s"""
BY_NUMBERS = f"""
    SELECT {COLUMNS} FROM contact c
     WHERE c.customer_id = %s AND c.number = ANY(%s::int8[]) ORDER BY c.id"""


def _contact(row: tuple[int, int, str, str, list[int], datetime]) -> Contact:
    id_, number, name, fields, group_ids, updated_at = row
    return Contact(id_, number, name, read_fields(fields), group_ids, updated_at)


def count(conn: Connection, search: Search) -> int:
    """How many there are."""
    row = conn.execute(COUNT_FOUND, search.values).fetchone()
    assert row is not None
    return int(row[0])


def by_id(conn: Connection, search: Search, *, after: int = 0, most: int) -> list[Contact]:
    """In the order they were added; the last one's id is the cursor."""
    values = search.values | {"after": after, "most": min(most, MOST_A_PAGE)}
    return [_contact(row) for row in conn.execute(BY_ID, values)]


def by_name(conn: Connection, search: Search, *, after: tuple[str, int] = ("", 0), most: int) -> list[Contact]:
    """In the order of their names; the last one's name and id are the cursor."""
    name, id_ = after
    values = search.values | {"name": name, "after": id_, "most": min(most, MOST_A_PAGE)}
    return [_contact(row) for row in conn.execute(BY_NAME, values)]


def by_numbers(conn: Connection, customer_id: int, numbers: Iterable[int]) -> list[Contact]:
    """Those of these numbers that are in the address book."""
    return [_contact(row) for row in conn.execute(BY_NUMBERS, [customer_id, array_of(numbers)])]


FORGET_MEMBERS = """
    DELETE FROM contact_group_member m USING contact c
     WHERE m.contact_id = c.id AND c.customer_id = %s AND c.number = ANY(%s::int8[])"""
DELETE = "DELETE FROM contact WHERE customer_id = %s AND number = ANY(%s::int8[])"


def delete(conn: Connection, customer_id: int, numbers: Collection[int]) -> int:
    """Forget these; gives how many there were."""
    values = [customer_id, array_of(numbers)]
    with conn.transaction():
        conn.execute(LOCK, [customer_id])
        conn.execute(FORGET_MEMBERS, values)
        return conn.execute(DELETE, values).rowcount


FORGET_GROUPS = [
    """DELETE FROM contact_group_member m USING contact_group g WHERE m.group_id = g.id AND g.customer_id = %s""",
    "DELETE FROM contact_group WHERE customer_id = %s",
    "DELETE FROM contact WHERE customer_id = %s",
]


def delete_all(conn: Connection, customer_id: int) -> None:
    """The whole address book, groups too."""
    with conn.transaction():
        conn.execute(LOCK, [customer_id])
        for sql in FORGET_GROUPS:
            conn.execute(sql.encode(), [customer_id])


FIELD_NAMES = """
    SELECT f.name, count(*) FROM contact c CROSS JOIN LATERAL jsonb_object_keys(c.fields) AS f (name)
     WHERE c.customer_id = %s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s"""


def field_names(conn: Connection, customer_id: int) -> list[str]:
    """The fields that contacts have, the most frequent first; the name is none of them."""
    return [name for name, _ in conn.execute(FIELD_NAMES, [customer_id, MOST_FIELDS])]
