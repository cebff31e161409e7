"""Groups of contacts, and the recipients that a batch gets from them (spec S1, S88)."""

import pytest

from sampan.database import Connection
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Given, Search
from sampan.messages.address_book.tables import Contact, GroupMember
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_mallory

AMY, BEN, CHI = 85261234567, 85261234568, 85366123456
PEOPLE = [Given(AMY, "Amy", {"district": "Sha Tin"}), Given(BEN, "Ben"), Given(CHI, "")]


def book(conn: Connection) -> tuple[int, int, int]:
    """Harbour's address book: Amy and Ben are regulars, Amy and Chi come to weddings."""
    harbour = make_customer().pk
    contacts.keep(conn, harbour, PEOPLE, NOW)
    regulars = groups.make_group(conn, harbour, "Regulars", NOW)
    weddings = groups.make_group(conn, harbour, " Weddings ", NOW)
    assert groups.add_members(conn, harbour, regulars, [AMY, BEN]) == 2
    assert groups.add_members(conn, harbour, weddings, [AMY, CHI, 85269999999]) == 2
    return harbour, regulars, weddings


def test_groups_have_names_and_counts(database: Connection) -> None:
    harbour, regulars, weddings = book(database)
    found = groups.groups_of(database, harbour)
    assert [(group.id, group.name, group.members) for group in found] == [
        (regulars, "Regulars", 2),
        (weddings, "Weddings", 2),
    ]
    assert groups.add_members(database, harbour, regulars, [AMY]) == 0
    assert groups.remove_members(database, harbour, regulars, [AMY, CHI]) == 1
    groups.rename_group(database, harbour, regulars, "Best")
    assert groups.group_of(database, harbour, regulars)[1:3] == ("Best", 1)


def test_who_is_in_several_groups_is_one_recipient(database: Connection) -> None:
    """Spec S1: duplicates are removed and counted."""
    harbour, regulars, weddings = book(database)
    chosen = groups.chosen(database, harbour, [regulars, weddings])
    assert chosen.numbers == [AMY, BEN, CHI]
    assert chosen.rows == [{"name": "Amy", "district": "Sha Tin"}, {"name": "Ben"}, {"name": ""}]
    assert chosen.duplicates == 1


def test_a_contact_is_listed_with_its_groups_and_by_them(database: Connection) -> None:
    harbour, regulars, weddings = book(database)
    assert [each.group_ids for each in contacts.by_id(database, Search(harbour), most=9)] == [
        [regulars, weddings],
        [regulars],
        [weddings],
    ]
    assert [each.number for each in contacts.by_id(database, Search(harbour, weddings), most=9)] == [AMY, CHI]
    assert contacts.count(database, Search(harbour, weddings, "amy")) == 1


def test_a_deleted_group_leaves_its_people_and_a_deleted_person_its_groups(database: Connection) -> None:
    harbour, regulars, weddings = book(database)
    groups.delete_group(database, harbour, regulars)
    assert Contact.objects.count() == 3
    contacts.delete(database, harbour, [AMY])
    assert groups.group_of(database, harbour, weddings).members == 1
    assert GroupMember.objects.count() == 1


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb"])
def test_a_group_has_a_name(database: Connection, name: str) -> None:
    with pytest.raises(Refused) as refused:
        groups.make_group(database, make_customer().pk, name, NOW)
    assert refused.value.reason == Reason.BAD_GROUP_NAME


def test_a_name_is_taken_once_by_each_customer(database: Connection) -> None:
    harbour, regulars, _ = book(database)
    assert groups.make_group(database, make_mallory().pk, "Regulars", NOW)
    for act in (
        lambda: groups.make_group(database, harbour, "Regulars", NOW),
        lambda: groups.rename_group(database, harbour, regulars, "Weddings"),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == Reason.NAME_TAKEN
    assert groups.make_group(database, harbour, "Others", NOW)  # the connection goes on


def test_there_are_only_so_many_groups(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "MOST_GROUPS", 2)
    harbour, *_ = book(database)
    with pytest.raises(Refused) as refused:
        groups.make_group(database, harbour, "Third", NOW)
    assert refused.value.reason == Reason.TOO_MANY_GROUPS


def test_mallory_reads_fills_and_deletes_no_group_of_anybody_elses(database: Connection) -> None:
    harbour, regulars, weddings = book(database)
    mallory = make_mallory().pk
    own = groups.make_group(database, mallory, "Own", NOW)
    for act in (
        lambda: groups.group_of(database, mallory, regulars),
        lambda: groups.rename_group(database, mallory, regulars, "Hers"),
        lambda: groups.delete_group(database, mallory, regulars),
        lambda: groups.add_members(database, mallory, regulars, [AMY]),
        lambda: groups.remove_members(database, mallory, regulars, [AMY]),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.reason == Reason.NO_SUCH_GROUP
    assert groups.add_members(database, mallory, own, [AMY, BEN]) == 0  # she has no such contacts
    assert groups.chosen(database, mallory, [regulars, weddings, own]).numbers == []
    assert contacts.by_id(database, Search(mallory, regulars), most=9) == []
    assert [group.members for group in groups.groups_of(database, harbour)] == [2, 2]
