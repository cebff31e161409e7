"""Contacts and groups (spec S1, S4)."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from sampan.accounts.keys import Scope
from sampan.database import Connection
from sampan.interfaces.json_api.calls import (
    Call,
    Cursor,
    Done,
    Given,
    Id,
    Line,
    NoQuery,
    Operation,
    looked_up,
    looked_up_in_bulk,
    next_cursor,
    place_of,
)
from sampan.interfaces.json_api.sending import FieldText, Number, number_of, numbers_of
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import MOST_A_PAGE

MOST_NUMBERS = 10_000

Numbers = Annotated[list[Number], msgspec.Meta(description=f"At most {MOST_NUMBERS:,}")]


class Contact(msgspec.Struct):
    """A number and what is known of it."""

    number: str
    name: str
    fields: dict[str, str]
    group_ids: list[str]
    updated_at: datetime


class ContactList(msgspec.Struct, omit_defaults=True):
    """One page of contacts, in the order in which they were added."""

    contacts: list[Contact]
    next_cursor: str = ""


class ContactQuery(Given):
    """Which contacts."""

    number: Number = ""
    group_id: Id | None = None
    search: Annotated[Line, msgspec.Meta(description="A part of the number, the name or a field")] = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_A_PAGE - 1)] = 100
    cursor: Cursor = ""


class GivenContact(Given):
    """A contact; what it leaves out stays as it is known."""

    number: Number
    name: Line = ""
    fields: Annotated[dict[Line, FieldText], msgspec.Meta(description="For personal texts: {name} in the text")] = (
        msgspec.field(default_factory=dict)
    )


class GivenContacts(Given):
    """Contacts to be kept."""

    contacts: Annotated[list[GivenContact], msgspec.Meta(description=f"At most {MOST_NUMBERS:,}")]
    replace: Annotated[bool, msgspec.Meta(description="Name and fields become what is given")] = False


class Kept(msgspec.Struct):
    """How many were new, and how many known."""

    added: int
    changed: int


class GivenNumbers(Given):
    """Numbers of contacts."""

    numbers: Numbers


class Counted(msgspec.Struct):
    """How many of them it concerned."""

    count: int


class Group(msgspec.Struct):
    """Some contacts under a name."""

    id: str
    name: str
    members: int
    created_at: datetime


class GroupList(msgspec.Struct):
    """All groups, by name."""

    groups: list[Group]


class GroupName(Given):
    """What it is called."""

    name: Line


class Members(Given):
    """Contacts to put into a group, or to take out of it."""

    numbers: Numbers
    act: Literal["add", "remove"] = "add"


def list_contacts(conn: Connection, call: Call[ContactQuery, None]) -> ContactList:
    """One page."""
    asked = call.query
    if asked.number:
        found = contacts.by_numbers(conn, call.customer_id, [number_of(asked.number, "number")])
        return ContactList([_shown(each) for each in found])
    search = contacts.Search(call.customer_id, asked.group_id, asked.search)
    place = place_of(asked.cursor, tuple[Id])
    found = contacts.by_id(conn, search, after=place[0] if place else 0, most=asked.limit + 1)
    shown = found[: asked.limit]
    return ContactList([_shown(each) for each in shown], next_cursor(shown[-1].id) if len(found) > asked.limit else "")


def _shown(contact: contacts.Contact) -> Contact:
    return Contact(
        number=str(contact.number),
        name=contact.name,
        fields=dict(contact.fields),
        group_ids=[str(id_) for id_ in contact.group_ids],
        updated_at=contact.updated_at,
    )


def keep_contacts(conn: Connection, call: Call[NoQuery, GivenContacts]) -> Kept:
    """Added, or merged with what is known by the number; all or none."""
    given = call.body.contacts
    numbers = numbers_of([each.number for each in given], "contacts", MOST_NUMBERS, within=".number")
    rows = [contacts.Given(number, each.name, each.fields) for number, each in zip(numbers, given, strict=True)]
    kept, _ids = contacts.keep(conn, call.customer_id, rows, call.now, replace=call.body.replace)
    return Kept(kept.added, kept.changed)


def delete_contacts(conn: Connection, call: Call[NoQuery, GivenNumbers]) -> Counted:
    """Forget them."""
    return Counted(contacts.delete(conn, call.customer_id, numbers_of(call.body.numbers, "numbers", MOST_NUMBERS)))


def list_groups(conn: Connection, call: Call[NoQuery, None]) -> GroupList:
    """All of them."""
    return GroupList([_group(each) for each in groups.groups_of(conn, call.customer_id)])


def _group(group: groups.Group) -> Group:
    return Group(str(group.id), group.name, group.members, group.created_at)


def make_group(conn: Connection, call: Call[NoQuery, GroupName]) -> Group:
    """A new one, with nobody in it."""
    id_ = groups.make_group(conn, call.customer_id, call.body.name, call.now)
    return _group(groups.group_of(conn, call.customer_id, id_))


def show_group(conn: Connection, call: Call[NoQuery, None]) -> Group:
    """One."""
    return _group(groups.group_of(conn, call.customer_id, call.number))


def rename_group(conn: Connection, call: Call[NoQuery, GroupName]) -> Group:
    """Another name."""
    groups.rename_group(conn, call.customer_id, call.number, call.body.name)
    return show_group(conn, call)  # type: ignore[arg-type] # it looks at the id alone


def delete_group(conn: Connection, call: Call[NoQuery, None]) -> Done:
    """The contacts stay."""
    groups.delete_group(conn, call.customer_id, call.number)
    return Done(call.id)


def change_members(conn: Connection, call: Call[NoQuery, Members]) -> Counted:
    """Who is in it."""
    change = groups.add_members if call.body.act == "add" else groups.remove_members
    numbers = numbers_of(call.body.numbers, "numbers", MOST_NUMBERS)
    return Counted(change(conn, call.customer_id, call.number, numbers))


OPERATIONS = (
    Operation(
        name="list_contacts",
        method="GET",
        path="/v1/contacts",
        scope=Scope.CONTACTS,
        summary="Contacts of your address book",
        handler=looked_up(list_contacts),
        query=ContactQuery,
        answer=ContactList,
        refusals=(422,),
    ),
    Operation(
        name="keep_contacts",
        method="POST",
        path="/v1/contacts",
        scope=Scope.CONTACTS,
        summary="Add contacts, or change those whose numbers are known",
        handler=looked_up_in_bulk(keep_contacts),
        body=GivenContacts,
        answer=Kept,
        refusals=(422,),
    ),
    Operation(
        name="delete_contacts",
        method="POST",
        path="/v1/contacts/delete",
        scope=Scope.CONTACTS,
        summary="Forget contacts",
        handler=looked_up_in_bulk(delete_contacts),
        body=GivenNumbers,
        answer=Counted,
        refusals=(422,),
    ),
    Operation(
        name="list_groups",
        method="GET",
        path="/v1/groups",
        scope=Scope.CONTACTS,
        summary="Groups of contacts",
        handler=looked_up(list_groups),
        answer=GroupList,
    ),
    Operation(
        name="make_group",
        method="POST",
        path="/v1/groups",
        scope=Scope.CONTACTS,
        summary="Make a group",
        handler=looked_up(make_group),
        body=GroupName,
        answer=Group,
        status=201,
        refusals=(422,),
    ),
    Operation(
        name="show_group",
        method="GET",
        path="/v1/groups/{id}",
        scope=Scope.CONTACTS,
        summary="One group",
        handler=looked_up(show_group),
        answer=Group,
        refusals=(404,),
    ),
    Operation(
        name="rename_group",
        method="PATCH",
        path="/v1/groups/{id}",
        scope=Scope.CONTACTS,
        summary="Rename a group",
        handler=looked_up(rename_group),
        body=GroupName,
        answer=Group,
        refusals=(404, 422),
    ),
    Operation(
        name="delete_group",
        method="DELETE",
        path="/v1/groups/{id}",
        scope=Scope.CONTACTS,
        summary="Delete a group; its contacts stay",
        handler=looked_up_in_bulk(delete_group),
        answer=Done,
        refusals=(404,),
    ),
    Operation(
        name="change_members",
        method="POST",
        path="/v1/groups/{id}/members",
        scope=Scope.CONTACTS,
        summary="Put contacts into a group, or take them out",
        handler=looked_up_in_bulk(change_members),
        body=Members,
        answer=Counted,
        refusals=(404, 422),
    ),
)
