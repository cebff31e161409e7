"""A customer's own data: given to it whole, and erased when it is closed (spec S130)."""

import csv
import io
import zipfile

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.database import Connection
from sampan.inbound.tables import Reply
from sampan.messages.address_book import contacts
from sampan.messages.address_book.contacts import Given
from sampan.messages.address_book.groups import add_members, make_group
from sampan.messages.address_book.tables import Contact, ContactGroup
from sampan.messages.reconcile import discrepancies
from sampan.messages.retention.own import FILES, erase, export, keep_results
from sampan.messages.tables import Batch, Message
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import Owner
from tests.inbound.renting import HANDSET, make_number, make_rental, take, write
from tests.messages.retention.test_closing import deliver
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff, send


def unpacked(customer: Customer) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(b"".join(export(customer.pk, NOW)))) as archive:
        assert archive.testzip() is None
        texts = {name.removesuffix(".csv"): archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


def test_the_export_is_whole_and_of_this_customer_alone(database: Connection) -> None:
    operator = make_places()
    owner, harbour, mallory = Owner(operator), make_customer(), make_mallory()
    (id_,) = deliver(database, owner, harbour)
    send(database, mallory, [85269999999], sender="Mallory")
    make_rental(make_number(operator), harbour)
    write(database, operator, "Roses please")
    take()
    contacts.keep(database, harbour.pk, [Given(85261234567, "Amy", {"item": "roses"})], NOW)
    contacts.keep(database, mallory.pk, [Given(85269999999, "Eve")], NOW)
    files = unpacked(harbour)
    assert [(row["number"], row["name"], row["fields"]) for row in files["contacts"]] == [
        ("85261234567", "Amy", '{"item": "roses"}')
    ]
    assert [(row["handset"], row["text"]) for row in files["replies"]] == [(HANDSET, "Roses please")]
    assert files.keys() == FILES.keys()
    (message,) = files["messages"]
    assert (message["id"], message["recipient"], message["charged_pips"]) == (str(id_), "85261230000", "2900")
    assert files["batches"][0]["text"] == "Your flowers are on their way."
    assert [row["login_name"] for row in files["members"]] == ["harbour"]
    assert sum(int(row["amount_pips"]) for row in files["transfers"] if row["kind"] == "2") == 2_900
    assert "password" not in files["members"][0]
    assert "85269999999" not in str(files)


@pytest.mark.parametrize("months", [0, 85])
def test_results_are_kept_one_to_eighty_four_months(database: Connection, months: int) -> None:
    harbour, ada = make_customer(), make_staff()
    with pytest.raises(Refused) as refused:
        keep_results(harbour.pk, months, by=ada, why="", now=NOW)
    assert refused.value.reason == Reason.BAD_MONTHS
    keep_results(harbour.pk, 84, by=ada, why="their auditors", now=NOW)
    harbour.refresh_from_db()
    assert harbour.results_kept_months == 84
    assert AuditEntry.objects.get().before == {"months": 2}


def test_only_a_closed_customer_without_open_messages_is_erased(database: Connection) -> None:
    owner, harbour = Owner(make_places()), make_customer()
    carol = make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    deliver(database, owner, harbour)
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED)
    with pytest.raises(NotAllowed):
        erase(harbour.pk, by=make_staff(), why="asked", now=NOW)
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.NORMAL)
    with pytest.raises(Refused) as refused:
        erase(harbour.pk, by=carol, why="asked", now=NOW)
    assert refused.value.reason == Reason.NOT_CLOSED
    send(database, harbour)
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED)
    with pytest.raises(Refused) as refused:
        erase(harbour.pk, by=carol, why="asked", now=NOW)
    assert refused.value.reason == Reason.STILL_ON_ITS_WAY
    assert Message.objects.count() == 2
    assert not AuditEntry.objects.exists()


def test_erasing_leaves_the_books_and_no_person(database: Connection) -> None:
    operator = make_places()
    owner, harbour = Owner(operator), make_customer()
    make_rental(make_number(operator), harbour)
    write(database, operator, "Roses please")
    take()
    deliver(database, owner, harbour, 2)
    contacts.keep(database, harbour.pk, [Given(85261234567, "Amy")], NOW)
    add_members(database, harbour.pk, make_group(database, harbour.pk, "Regulars", NOW), [85261234567])
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED, verified_mobile=85298765432)
    harbour.members.update(email="mei@harbour.example", mobile=85298765432)
    assert erase(harbour.pk, by=make_staff("carol", role=Person.StaffRole.COMPLIANCE), why="asked", now=NOW) == 2
    assert not Contact.objects.exists()
    assert not ContactGroup.objects.exists()
    assert not Reply.objects.exists()
    assert not Message.objects.exists()
    assert not Batch.objects.exists()
    assert discrepancies(database) == []
    person = harbour.members.get()
    assert (person.name, person.email, person.mobile, person.is_active) == ("", "", None, False)
    harbour.refresh_from_db()
    assert harbour.verified_mobile is None
