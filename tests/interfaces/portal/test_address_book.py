"""The address book's pages: people found, put into groups, imported, kept from Mallory (spec S1, S88)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sampan.accounts.tables import Customer, Person
from sampan.billing.groups import link
from sampan.database import Connection
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Given, Search
from sampan.messages.address_book.tables import Contact, ContactGroup
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff

AMY, BEN, CHI = 85261234567, 85261234568, 85366123456
PEOPLE = [Given(AMY, "Amy <Wong>", {"district": "Sha Tin"}), Given(BEN, "Ben"), Given(CHI, "")]
BOOK = "/address-book/"


@pytest.fixture(autouse=True)
def florist(database: Connection) -> Customer:
    make_places()
    harbour = make_customer()
    contacts.keep(database, harbour.pk, PEOPLE, NOW)
    return harbour


@pytest.fixture
def member(florist: Customer) -> Client:
    return signed_in()


@pytest.fixture
def regulars(database: Connection, florist: Customer) -> int:
    group = groups.make_group(database, florist.pk, "Regulars", NOW)
    groups.add_members(database, florist.pk, group, [AMY])
    return group


def imported(member: Client, octets: bytes, **fields: Any) -> Any:
    return member.post(f"{BOOK}import/", {"file": SimpleUploadedFile("people.csv", octets), **fields})


def test_people_are_listed_with_number_groups_and_fields(member: Client, regulars: int) -> None:
    page = member.get(BOOK)
    said = words(page)
    assert "3 people, 1 group" in said
    assert "Amy <Wong> 6123 4567 6123 4567 Regulars Sha Tin" in said
    assert "+853 6612 3456" in said
    assert "<Wong>" not in html(page)
    assert "1 of 1" in words(member.get(f"{BOOK}?group={regulars}"))
    assert "Nobody is called so" in words(member.get(f"{BOOK}?q=zebra"))


def test_an_empty_book_says_how_to_begin(member: Client) -> None:
    Contact.objects.all().delete()
    assert "Import a file with a column of numbers" in words(member.get(BOOK))


def test_pages_lead_on(member: Client, database: Connection, florist: Customer) -> None:
    contacts.keep(database, florist.pk, [Given(85290000000 + n, f"P{n:03} &") for n in range(60)], NOW)
    first = html(member.get(BOOK))
    assert "50 of 63" in words(member.get(BOOK))
    following = first.split('">Next page')[0].rsplit('href="', 1)[1].replace("&amp;", "&")
    assert "13 of 63" in words(member.get(following))


def test_ticked_people_are_put_into_a_group_taken_out_and_deleted(member: Client, regulars: int) -> None:
    assert location(member.post(BOOK, {"do": "add", "to": regulars, "person": [BEN, CHI]})) == BOOK
    assert "Put into the group: 2" in words(member.get(BOOK))
    here = f"{BOOK}?group={regulars}"
    assert location(member.post(here, {"do": "remove", "person": [AMY]})) == here
    assert "Taken out of the group: 1" in words(member.get(here))
    member.post(BOOK, {"do": "delete", "person": [BEN, CHI, "nonsense"]})
    assert set(Contact.objects.values_list("number", flat=True)) == {AMY}


def test_a_person_is_added_changed_and_deleted(member: Client, database: Connection, florist: Customer) -> None:
    typed = {"number": "6123 4569", "name": "Dora", "value-0": "Tai Po", "new-name-0": "item", "new-value-0": "roses"}
    assert location(member.post(f"{BOOK}people/new/", typed)) == BOOK
    (dora,) = contacts.by_numbers(database, florist.pk, [85261234569])
    assert (dora.name, dora.fields) == ("Dora", {"district": "Tai Po", "item": "roses"})
    own = f"{BOOK}people/85261234569/"
    assert 'value="roses"' in html(member.get(own))
    member.post(own, {"name": "Dora L", "value-0": "", "value-1": "lilies"})
    (dora,) = contacts.by_numbers(database, florist.pk, [85261234569])
    assert (dora.name, sorted(dora.fields.values())) == ("Dora L", ["lilies"])
    member.post(own, {"do": "delete"})
    assert member.get(own).status_code == 404


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ({"number": ""}, "There is nothing here yet. Fill it in."),
        ({"number": "2123 4567"}, "Fixed line. Only mobiles can receive SMS."),
        ({"number": "61234567, 61234568"}, "More than one number. Add them one by one, or import a file."),
        ({"number": "61234567", "new-name-0": "a{b", "new-value-0": "x"}, "“a{b” cannot be."),
    ],
)
def test_a_slip_is_told_of_and_keeps_nothing(member: Client, typed: dict[str, str], error: str) -> None:
    answer = member.post(f"{BOOK}people/new/", typed)
    assert answer.status_code == 422
    assert error in words(answer)
    assert Contact.objects.count() == 3


def test_a_group_is_made_renamed_and_deleted(member: Client, database: Connection, florist: Customer) -> None:
    group = location(member.post(f"{BOOK}groups/new/", {"name": "Weddings"})).rsplit("=", 1)[1]
    assert "There is one of this name already" in words(member.post(f"{BOOK}groups/new/", {"name": "Weddings"}))
    member.post(f"{BOOK}groups/{group}/", {"name": "Wedding fair"})
    assert groups.group_of(database, florist.pk, int(group)).name == "Wedding fair"
    member.post(f"{BOOK}groups/{group}/", {"do": "delete"})
    assert not ContactGroup.objects.exists()
    assert Contact.objects.count() == 3


def test_a_file_is_imported_into_a_new_group_and_its_bad_rows_listed(member: Client) -> None:
    file = b"Mobile,Name,District\n61234567,Amy W,\n61234569,Dora,Tai Po\n2123,x,\n61234569,Again,\n"
    said = words(imported(member, file, new_group="Fair"))
    assert "New: 1 Known, brought up to date: 1 Duplicates removed: 1 Bad rows: 1" in said
    assert "Columns kept: Name, District" in said
    assert "2123" in said
    assert "2 of 2" in words(member.get(f"{BOOK}?group={ContactGroup.objects.get().pk}"))


@pytest.mark.parametrize(
    ("octets", "fields", "error"),
    [
        (b"", {}, "There is nothing in this file"),
        (b"%PDF-1.4", {}, "This is no Excel, CSV or text file"),
        (b"61234569\n", {"group": "999999"}, "There is no such group any more"),
        (b"61234569\n", {"new_group": "x\ny"}, "Not a name of 1 to 60 characters"),
    ],
)
def test_a_file_that_cannot_be_imported_changes_nothing(
    member: Client, octets: bytes, fields: dict[str, str], error: str
) -> None:
    answer = imported(member, octets, **fields)
    assert answer.status_code == 422
    assert error in words(answer)
    assert Contact.objects.count() == 3
    assert not ContactGroup.objects.exists()


def test_the_book_is_a_file_with_every_field(member: Client, regulars: int) -> None:
    assert html(member.get("/address-book.csv")).splitlines() == [
        "\ufeffNumber,Name,Groups,district",
        f"{AMY},Amy <Wong>,Regulars,Sha Tin",
        f"{BEN},Ben,,",
        f"{CHI},,,",
    ]
    assert len(html(member.get(f"/address-book.csv?group={regulars}")).splitlines()) == 2


def test_mallory_sees_and_changes_nothing(database: Connection, florist: Customer, regulars: int) -> None:
    make_mallory()
    mallory = signed_in("mallory")
    assert "0 people" in words(mallory.get(BOOK))
    for address in (f"{BOOK}?group={regulars}", f"{BOOK}people/{AMY}/", f"{BOOK}groups/{regulars}/"):
        assert mallory.get(address).status_code == 404, address
        assert mallory.post(address, {"do": "delete", "person": [AMY]}).status_code == 404, address
    mallory.post(BOOK, {"do": "delete", "person": [AMY]})
    assert mallory.post(BOOK, {"do": "add", "to": regulars, "person": [BEN]}).status_code == 422
    assert len(html(mallory.get("/address-book.csv")).splitlines()) == 1
    assert imported(mallory, b"61234569\n", group=regulars).status_code == 422
    assert contacts.count(database, Search(florist.pk)) == 3
    assert groups.group_of(database, florist.pk, regulars).members == 1


def test_a_primary_and_its_sub_account_share_no_book(florist: Customer, regulars: int) -> None:
    """Spec S88."""
    macau = make_customer("macau", name="Florist Macau", senders=(), balance="0")
    fanny = make_staff("fanny", role=Person.StaffRole.FINANCE)
    link(macau.pk, florist.pk, why="one registration", by=fanny, now=NOW)
    sub, primary = signed_in("macau"), signed_in()
    assert "0 people, 0 groups" in words(sub.get(BOOK))
    assert sub.get(f"{BOOK}people/{AMY}/").status_code == 404
    imported(sub, b"61234569\n", new_group="Macau")
    assert "3 people, 1 group" in words(primary.get(BOOK))
    assert primary.get(f"{BOOK}people/85261234569/").status_code == 404


def test_who_may_not_write_does_not_see_the_book(florist: Customer) -> None:
    Person.objects.filter(customer=florist).update(role=Person.Role.VIEWER)
    assert signed_in().get(BOOK).status_code == 403
