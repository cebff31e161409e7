"""Contacts: once by number, merged, found, deleted; nobody else's (spec S1, S4, S88)."""

import pytest

from sampan.database import Connection
from sampan.messages.address_book import contacts
from sampan.messages.address_book.contacts import Given, Kept, Search
from sampan.messages.address_book.tables import Contact
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_mallory

AMY, BEN, CHI = 85261234567, 85261234568, 85366987654
PEOPLE = [
    Given(AMY, "Amy Wong", {"district": "Sha Tin", "title": "Ms"}),
    Given(BEN, "Ben_50%", {"district": "Mong Kok"}),
    Given(CHI, "陳志明"),
]


def names(conn: Connection, search: Search) -> list[str]:
    return [contact.name for contact in contacts.by_name(conn, search, most=10)]


def test_a_number_is_kept_once_and_what_comes_later_adds_to_it(database: Connection) -> None:
    harbour = make_customer().pk
    first, ids = contacts.keep(database, harbour, PEOPLE, NOW)
    assert first == Kept(added=3, changed=0)
    again = [Given(AMY, "", {"district": "Tai Po", "item": "roses"}), Given(85261234569, "New")]
    second, more = contacts.keep(database, harbour, again, NOW)
    assert second == Kept(added=1, changed=1)
    assert more[AMY] == ids[AMY]
    (amy,) = contacts.by_numbers(database, harbour, [AMY])
    assert (amy.name, amy.fields) == ("Amy Wong", {"district": "Tai Po", "title": "Ms", "item": "roses"})
    assert amy.row == {"name": "Amy Wong", **amy.fields}


def test_rows_of_one_number_in_one_file_are_merged_in_their_order(database: Connection) -> None:
    harbour = make_customer().pk
    rows = [Given(AMY, "Amy", {"a": "1"}), Given(AMY, "", {"b": "2"}), Given(AMY, "Amy Wong", {"a": "3"})]
    kept, _ = contacts.keep(database, harbour, rows, NOW)
    assert kept == Kept(added=1, changed=0)
    (amy,) = contacts.by_numbers(database, harbour, [AMY])
    assert (amy.name, amy.fields) == ("Amy Wong", {"a": "3", "b": "2"})


def test_a_contact_can_be_replaced_as_a_whole(database: Connection) -> None:
    harbour = make_customer().pk
    contacts.keep(database, harbour, PEOPLE, NOW)
    contacts.keep(database, harbour, [Given(AMY, "", {"title": "Dr", "district": ""})], NOW, replace=True)
    (amy,) = contacts.by_numbers(database, harbour, [AMY])
    assert (amy.name, amy.fields) == ("", {"title": "Dr"})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Given(AMY, "x" * 101), Reason.BAD_CONTACT_NAME),
        (Given(AMY, "a\0b"), Reason.BAD_CONTACT_NAME),
        (Given(AMY, "", {"na{me": "x"}), Reason.BAD_FIELD),
        (Given(AMY, "", {"a|b": "x"}), Reason.BAD_FIELD),
        (Given(AMY, "", {" ": "x"}), Reason.BAD_FIELD),
        (Given(AMY, "", {"x" * 41: "x"}), Reason.BAD_FIELD),
        (Given(AMY, "", {"a": "x" * 501}), Reason.BAD_FIELD),
        (Given(AMY, "", {"a": "\0"}), Reason.BAD_FIELD),
        (Given(AMY, "", {str(number): "x" for number in range(31)}), Reason.TOO_MANY_FIELDS),
    ],
)
def test_what_personal_texts_could_not_name_or_hold_is_refused(
    database: Connection, given: Given, reason: Reason
) -> None:
    harbour = make_customer().pk
    with pytest.raises(Refused) as refused:
        contacts.keep(database, harbour, [PEOPLE[1], given], NOW)
    assert refused.value.reason is reason
    assert not Contact.objects.exists()


def test_an_address_book_has_an_end(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "MOST_CONTACTS", 3)
    harbour = make_customer().pk
    contacts.keep(database, harbour, PEOPLE, NOW)
    contacts.keep(database, harbour, [Given(AMY, "Amy")], NOW)  # nobody new
    with pytest.raises(Refused) as refused:
        contacts.keep(database, harbour, [Given(85261234569)], NOW)
    assert (refused.value.reason, refused.value.value) == (Reason.TOO_MANY_CONTACTS, "3")
    assert Contact.objects.count() == 3


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("wong", ["Amy Wong"]),
        ("志", ["陳志明"]),
        ("6123 456", ["Amy Wong", "Ben_50%"]),
        ("+853", ["陳志明"]),
        ("mong", ["Ben_50%"]),  # what a field says
        ("_50%", ["Ben_50%"]),
        ("%", ["Ben_50%"]),
        ("\\", []),
        ("  ", ["Amy Wong", "Ben_50%", "陳志明"]),
    ],
)
def test_people_are_found_by_name_number_or_field(database: Connection, words: str, found: list[str]) -> None:
    harbour = make_customer().pk
    contacts.keep(database, harbour, PEOPLE, NOW)
    search = Search(harbour, words=words)
    assert names(database, search) == found
    assert contacts.count(database, search) == len(found)


def test_pages_follow_each_other_by_id_and_by_name_without_a_gap(database: Connection) -> None:
    harbour = make_customer().pk
    contacts.keep(database, harbour, [Given(85261000000 + n, f"P{n % 3}") for n in range(10)], NOW)
    search = Search(harbour)
    by_id, after = [], 0
    while page := contacts.by_id(database, search, after=after, most=3):
        by_id += page
        after = page[-1].id
    assert [each.number for each in by_id] == [85261000000 + n for n in range(10)]
    by_name, cursor = [], ("", 0)
    while page := contacts.by_name(database, search, after=cursor, most=3):
        by_name += page
        cursor = page[-1].name, page[-1].id
    assert [each.name for each in by_name] == ["P0"] * 4 + ["P1"] * 3 + ["P2"] * 3
    assert {each.id for each in by_name} == {each.id for each in by_id}


def test_mallory_sees_and_deletes_nothing_of_anybody_elses(database: Connection) -> None:
    harbour, mallory = make_customer().pk, make_mallory().pk
    contacts.keep(database, harbour, PEOPLE, NOW)
    assert contacts.by_id(database, Search(mallory), most=10) == []
    assert contacts.by_numbers(database, mallory, [AMY]) == []
    assert contacts.field_names(database, mallory) == []
    assert contacts.delete(database, mallory, [AMY]) == 0
    kept, _ = contacts.keep(database, mallory, [Given(AMY, "Mine")], NOW)
    assert kept == Kept(added=1, changed=0)
    assert contacts.by_numbers(database, harbour, [AMY])[0].name == "Amy Wong"
    assert contacts.delete(database, harbour, [AMY, BEN, 1]) == 2
    assert names(database, Search(mallory)) == ["Mine"]


def test_the_fields_of_an_address_book_are_the_most_frequent_first(database: Connection) -> None:
    harbour = make_customer().pk
    contacts.keep(database, harbour, PEOPLE, NOW)
    assert contacts.field_names(database, harbour) == ["district", "title"]
