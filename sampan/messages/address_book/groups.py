"""Groups of contacts: named, counted, filled and emptied; and the recipients that a batch gets from them (spec S1)."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from sampan.database import Connection, array_of
from sampan.messages.address_book.contacts import LOCK, row_of
from sampan.messages.address_book.tables import LONGEST_GROUP_NAME
from sampan.messages.personal import Fields, read_fields
from sampan.reasons import Reason, Refused

MOST_GROUPS = 500  # of one customer


class Group(NamedTuple):
    """A group, and how many contacts are in it."""

    id: int
    name: str
    members: int
    created_at: datetime


GROUPS = """
    SELECT g.id, g.name, (SELECT count(*) FROM contact_group_member m WHERE m.group_id = g.id), g.created_at
      FROM contact_group g WHERE g.customer_id = %s"""
ALL = f"{GROUPS} ORDER BY g.name, g.id"
ONE = f"{GROUPS} AND g.id = %s"
COUNT = "SELECT count(*) FROM contact_group WHERE customer_id = %s"
MAKE = "INSERT INTO contact_group (customer_id, name, created_at) VALUES (%s, %s, %s) RETURNING id"
RENAME = "UPDATE contact_group SET name = %s WHERE customer_id = %s AND id = %s"


def groups_of(conn: Connection, customer_id: int) -> list[Group]:
    """All of them by name; there are at most MOST_GROUPS."""
    return [Group(*row) for row in conn.execute(ALL, [customer_id])]


def group_of(conn: Connection, customer_id: int, group_id: int) -> Group:
    """One of them. Raises Refused (NO_SUCH_GROUP), also where it is somebody else's."""
    row = conn.execute(ONE, [customer_id, group_id]).fetchone()
    if row is None:
        raise Refused(Reason.NO_SUCH_GROUP, "group", str(group_id))
    return Group(*row)


def make_group(conn: Connection, customer_id: int, name: str, now: datetime) -> int:
    """A new, empty one; gives its id. Raises Refused: BAD_GROUP_NAME, NAME_TAKEN, TOO_MANY_GROUPS."""
    with conn.transaction():
        conn.execute(LOCK, [customer_id])
        row = conn.execute(COUNT, [customer_id]).fetchone()
        if row and row[0] >= MOST_GROUPS:
            raise Refused(Reason.TOO_MANY_GROUPS, "name", str(MOST_GROUPS))
        made = _named(conn, MAKE, [customer_id, _checked(name), now]).fetchone()
        assert made is not None
        return int(made[0])


def rename_group(conn: Connection, customer_id: int, group_id: int, name: str) -> None:
    """Raises Refused: NO_SUCH_GROUP, BAD_GROUP_NAME, NAME_TAKEN."""
    if not _named(conn, RENAME, [_checked(name), customer_id, group_id]).rowcount:
        raise Refused(Reason.NO_SUCH_GROUP, "group", str(group_id))


def _named(conn: Connection, sql: str, values: list[object]) -> psycopg.Cursor[tuple[Any, ...]]:
    try:
        with conn.transaction():
            return conn.execute(sql.encode(), values)
    except psycopg.errors.UniqueViolation:
        raise Refused(Reason.NAME_TAKEN, "name") from None


def _checked(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_GROUP_NAME or not name.isprintable():
        raise Refused(Reason.BAD_GROUP_NAME, "name", name[:LONGEST_GROUP_NAME])
    return name


FORGET_MEMBERS = """
    DELETE FROM contact_group_member m USING contact_group g
     WHERE m.group_id = g.id AND g.customer_id = %s AND g.id = %s"""
DELETE = "DELETE FROM contact_group WHERE customer_id = %s AND id = %s"


def delete_group(conn: Connection, customer_id: int, group_id: int) -> None:
    """The contacts stay. Raises Refused (NO_SUCH_GROUP)."""
    with conn.transaction():
        conn.execute(LOCK, [customer_id])
        conn.execute(FORGET_MEMBERS, [customer_id, group_id])
        if not conn.execute(DELETE, [customer_id, group_id]).rowcount:
            raise Refused(Reason.NO_SUCH_GROUP, "group", str(group_id))


ADD = """
    INSERT INTO contact_group_member (group_id, contact_id)
    SELECT %s, id FROM contact WHERE customer_id = %s AND number = ANY(%s::int8[])
    ON CONFLICT DO NOTHING"""
REMOVE = """
    DELETE FROM contact_group_member m USING contact c
     WHERE m.group_id = %s AND m.contact_id = c.id AND c.customer_id = %s AND c.number = ANY(%s::int8[])"""


def add_members(conn: Connection, customer_id: int, group_id: int, numbers: Collection[int]) -> int:
    """Put contacts of these numbers into it; gives how many were not in it yet. Raises Refused (NO_SUCH_GROUP)."""
    return _members(conn, ADD, customer_id, group_id, numbers)


def remove_members(conn: Connection, customer_id: int, group_id: int, numbers: Collection[int]) -> int:
    """Take these out of it; gives how many were in it. Raises Refused (NO_SUCH_GROUP)."""
    return _members(conn, REMOVE, customer_id, group_id, numbers)


def _members(conn: Connection, sql: str, customer_id: int, group_id: int, numbers: Iterable[int]) -> int:
    with conn.transaction():
        conn.execute(LOCK, [customer_id])  # nobody deletes what is being put in
        group_of(conn, customer_id, group_id)
        return conn.execute(sql.encode(), [group_id, customer_id, array_of(numbers)]).rowcount


class Chosen(NamedTuple):
    """Who is in some groups, each once; and how often they stand in them."""

    numbers: list[int]
    rows: list[Fields]  # what personal texts are filled in from
    places: int

    @property
    def duplicates(self) -> int:
        """How many stand in more than one of the groups."""
        return self.places - len(self.numbers)


NUMBERS = """
    SELECT c.number, c.name, c.fields::text, count(*)
      FROM contact_group g JOIN contact_group_member m ON m.group_id = g.id JOIN contact c ON c.id = m.contact_id
     WHERE g.customer_id = %s AND g.id = ANY(%s::int8[]) GROUP BY c.id ORDER BY c.id"""


def chosen(conn: Connection, customer_id: int, group_ids: Iterable[int]) -> Chosen:
    """The contacts of these groups as they are now; groups that are gone, or somebody else's, have none."""
    found = conn.execute(NUMBERS, [customer_id, array_of(group_ids)]).fetchall()
    return Chosen(
        [number for number, *_ in found],
        [row_of(name, read_fields(fields)) for _, name, fields, _ in found],
        sum(places for *_, places in found),
    )
