"""A customer's own data: given to it whole, and erased when it is closed (spec S130)."""

import csv
import io
import re
import zipfile
from datetime import timedelta

import pytest

from sampan.accounts import allow_lists, members, senders
from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Document, Person
from sampan.compliance import preferences
from sampan.compliance.footers import Profile, save_profile
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.inbound.tables import Reply
from sampan.messages.address_book import contacts
from sampan.messages.address_book.contacts import Given
from sampan.messages.address_book.groups import add_members, make_group
from sampan.messages.address_book.tables import Contact, ContactGroup
from sampan.messages.cases import desk
from sampan.messages.cases.tables import CaseWord
from sampan.messages.reconcile import discrepancies
from sampan.messages.retention.files import FILES
from sampan.messages.retention.own import ERASED, erase, export, keep_results
from sampan.messages.tables import Batch, Lane, Message, Purpose
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import Owner
from tests.inbound.renting import HANDSET, make_number, make_rental, take, write
from tests.messages.retention.test_closing import deliver
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff, send

NOT_GIVEN = {
    "account": "what the transfers come to",
    "batch_to_tell": "work in hand",
    "client_reference": "work in hand",
    "content_refusal": "our work on our library",
    "filter_decision": "a hash in the place of a number",
    "first_bonus": "among the transfers and certificates",
    "queued": "work in hand",
    "smpp_part": "work in hand",
    "smpp_receipt": "work in hand",
    "smtp_portion": "work in hand",
    "staff_entry": "our paper behind a transfer",
    "trial_grant": "the account's own mobile once more",
    "webhook_delivery": "what is in the other files, as it was told",
}
KEPT = {
    "account": "the books",
    "api_key": "revoked; a hash",
    "audit_entry": "what our staff did",
    "batch": "goes with its last message",
    "batch_act": "goes with its batch",
    "batch_to_tell": "goes with its batch",
    "certificate": "the books: why a bonus was given",
    "china_signature": "what stood before texts",
    "closed_total": "the books",
    "compose_draft": "goes, with its lists",
    "contact": "goes, with its groups",
    "contact_group": "goes",
    "content_refusal": "goes with its batch",
    "customer_price": "the books",
    "document": "goes, but for receipts of payments",
    "filter_decision": "a hash in the place of a number; 3 years",
    "first_bonus": "the books: given once for an organisation (spec S86)",
    "message": "goes",
    "person": "nameless",
    "preference": "the law",
    "queued": "there is nothing open",
    "rental": "which number was whose",
    "screening": "no number; 3 years",
    "staff_entry": "the books",
    "support_window": "why our staff looked",
    "top_up": "the books",
    "transfer": "the books",
    "trial_grant": "one trial for each mobile (spec S87)",
    "webhook_delivery": "goes with its endpoint",
    "webhook_endpoint": "goes",
}
TABLES = """
    SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     WHERE a.attname = 'customer_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped"""


def of_customers(conn: Connection) -> set[str]:
    """Every table whose rows are somebody's."""
    return {name for (name,) in conn.execute(TABLES)}


def test_whatever_names_a_customer_is_given_to_it_or_there_is_a_reason(database: Connection) -> None:
    given = {name for sql in FILES.values() for name in re.findall(r"(?:FROM|JOIN) (\w+)", sql)}
    assert of_customers(database) - given == NOT_GIVEN.keys()


def test_whatever_names_a_customer_goes_when_it_is_erased_or_there_is_a_reason(database: Connection) -> None:
    assert of_customers(database) == KEPT.keys() | set(ERASED)
    assert not KEPT.keys() & set(ERASED)


def unpacked(customer: Customer) -> dict[str, list[dict[str, str]]]:
    with zipfile.ZipFile(io.BytesIO(b"".join(export(customer.pk, NOW)))) as archive:
        assert archive.testzip() is None
        texts = {name.removesuffix(".csv"): archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    return {name: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


def unsubscribed(conn: Connection, customer: Customer, number: int) -> None:
    way = Preference.Way.HAND
    preferences.unsubscribe(conn, customer.pk, [number], way=way, at=NOW, evidence="they rang", now=NOW)


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
    unsubscribed(database, harbour, 85261239999)
    unsubscribed(database, mallory, 85269999999)
    case = desk.open_case(id_, "The phone is on", by=harbour.members.get(), now=NOW)
    desk.note_operator(case.pk, "HLR says absent", by=make_staff("wing", role=Person.StaffRole.SUPPORT), now=NOW)
    files = unpacked(harbour)
    assert [(row["number"], row["said"], row["evidence"]) for row in files["consents-and-unsubscribes"]] == [
        ("85261239999", "unsubscribed", "they rang")
    ]
    assert [(row["speaker"], row["text"]) for row in files["support-cases"]] == [("you", "The phone is on")]
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
    mei = harbour.members.get()
    case = desk.open_case(Message.objects.latest("pk").pk, "The phone is on", by=mei, now=NOW)
    desk.close_case(case.pk, by=mei, now=NOW)
    allow_lists.allow(mei, "198.51.100.0/24", note="", now=NOW)
    members.invite(mei, email="ken@harbour.example", role="viewer", may_send=False, now=NOW)
    save_profile(harbour, Profile("Harbour", "海港", "28123456", "28123457", is_added=True), by=mei, now=NOW)
    registration = senders.Grounds.REGISTRATION
    senders.request_name(mei, "HarbourVIP", grounds=registration, octets=PDF, file_name="br.pdf", now=NOW)
    unsubscribed(database, harbour, 85261239999)
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED, verified_mobile=85298765432)
    harbour.members.update(email="mei@harbour.example", mobile=85298765432)
    assert erase(harbour.pk, by=make_staff("carol", role=Person.StaffRole.COMPLIANCE), why="asked", now=NOW) == 2
    left = [table for table in ERASED if database.execute(f"SELECT FROM {table} LIMIT 1").rowcount]
    assert left == []
    assert not CaseWord.objects.exists()
    assert not Document.objects.exists()
    assert Preference.objects.count() == 1
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


def test_while_a_promotional_text_can_be_unsubscribed_from_nothing_is_erased(database: Connection) -> None:
    """Spec S95: the way out works for 30 days, even after the account closes; by a link it needs the message."""
    owner, harbour = Owner(make_places()), make_customer()
    (id_,) = send(database, harbour, purpose=Purpose.PROMOTIONAL).message_ids
    owner.attempt(owner.claim(harbour, lane=Lane.PROMOTIONAL))
    owner.taken(id_, ref="r1")
    owner.receipt("r1")
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED)
    carol = make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    with pytest.raises(Refused) as refused:
        erase(harbour.pk, by=carol, why="asked", now=NOW + timedelta(days=29))
    assert refused.value.reason == Reason.UNSUBSCRIBES_COME
    assert erase(harbour.pk, by=carol, why="asked", now=NOW + timedelta(days=31)) == 1
