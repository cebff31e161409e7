"""Approvals in the console: from the worklist to the decision, the mail and the log (spec S131, S60, S134)."""

from typing import Any

import pytest
from django.test import Client

from sampan.accounts import applications, second_factor, senders
from sampan.accounts.proofs.tables import Mail
from sampan.accounts.senders import Grounds
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import location, signed_in, words
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer, make_places, make_staff

Status = Customer.Status


@pytest.fixture(autouse=True)
def world(database: Connection) -> None:
    make_places()


@pytest.fixture
def owner() -> Person:
    """Of an account on trial that has filed its registration and asked for a name."""
    customer = make_customer(status=Status.TRIAL, senders=())
    Customer.objects.update(verified_mobile=85291234567)
    owner = Person.objects.get(customer=customer)
    owner.email = "wing@harbour.example"
    owner.save()
    applications.apply(owner, PDF, file_name="br.pdf", registration_number="39120447", now=NOW)
    senders.request_name(owner, "HarbourFlo", grounds=Grounds.REGISTRATION, octets=PDF, file_name="b.pdf", now=NOW)
    return owner


def at(role: Person.StaffRole) -> Client:
    make_staff(str(role), role=role)
    return signed_in(str(role))


SUPPORT, COMPLIANCE, FINANCE, ADMIN = Person.StaffRole


def decide(client: Client, owner: Person, **typed: Any) -> Any:
    assert owner.customer
    return client.post(f"/staff/approvals/registrations/{owner.customer.applications.get().pk}/", typed)


def test_from_the_worklist_to_an_approved_account(owner: Person) -> None:
    carol = at(COMPLIANCE)
    assert "Approvals" in words(carol.get("/staff/"))
    assert "Harbour Florist" in words(carol.get("/staff/approvals/"))
    assert owner.customer
    application = owner.customer.applications.get()
    assert "39120447" in words(carol.get(f"/staff/approvals/registrations/{application.pk}/"))
    assert carol.get(f"/staff/documents/{application.document_id}/").content == PDF
    assert location(decide(carol, owner, do="approve", why="the name matches")) == "/staff/approvals/"
    assert Customer.objects.get().status == Status.NORMAL
    assert "Harbour Florist is approved" in words(carol.get("/staff/approvals/"))
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == ("wing@harbour.example", "Your Sampan account is approved")
    acts = list(AuditEntry.objects.order_by("id").values_list("act", "customer"))
    assert acts == [("document.read", owner.customer_id), ("customer.approve", owner.customer_id)]


def test_sent_back_the_customer_reads_why(owner: Person) -> None:
    carol = at(COMPLIANCE)
    assert decide(carol, owner, do="back", why="").status_code == 422
    decide(carol, owner, do="back", why="It ran out in May.")
    assert "It ran out in May." in Mail.objects.get().text
    assert "We sent it back It ran out in May." in words(signed_in().get("/account/"))


def test_a_second_decision_is_refused_and_sends_no_mail(owner: Person) -> None:
    carol = at(COMPLIANCE)
    assert decide(carol, owner, do="approve", why=" ").status_code == 422
    decide(carol, owner, do="approve", why="the name matches")
    again = decide(carol, owner, do="back", why="No.")
    assert again.status_code == 422
    assert "Somebody has decided this already." in words(again)
    assert Mail.objects.count() == 1


def test_a_sender_id_is_granted_on_grounds(owner: Person) -> None:
    carol = at(COMPLIANCE)
    assert owner.customer
    request = owner.customer.sender_requests.get()
    page = f"/staff/approvals/senders/{request.pk}/"
    assert "Name on the business registration" in words(carol.get(page))
    carol.post(page, {"do": "grant", "why": "the name on the BR"})
    assert owner.customer.sender_ids.get().grounds == "the name on the BR"


def test_a_sender_id_is_made_without_a_request(owner: Person) -> None:
    """Asked for by mail or phone (spec S60)."""
    carol = at(COMPLIANCE)
    page = f"/staff/customers/{owner.customer_id}/account/"
    assert "A sender ID without a request" in words(carol.get(page))
    path = f"/staff/customers/{owner.customer_id}/sender-ids/"
    assert carol.post(path, {"sender": "海港", "why": "a letter"}).status_code == 422
    assert location(carol.post(path, {"sender": "Harbour", "why": "a letter"})) == page
    assert owner.customer
    assert owner.customer.sender_ids.get().grounds == "a letter"
    assert Mail.objects.get().subject == "Your sender ID Harbour"


def test_suspending_withdrawing_and_closing(owner: Person) -> None:
    ada = at(ADMIN)
    page = f"/staff/customers/{owner.customer_id}/account/"
    assert "Suspend the account" in words(ada.get(page))
    ada.post(page, {"do": "suspend", "why": "Spam was reported."})
    assert Customer.objects.get().status == Status.SUSPENDED
    assert "Reopen the account" in words(ada.get(page))
    ada.post(page, {"do": "reopen", "why": "A mistake."})
    assert owner.customer
    sender = senders.add_sender(owner.customer, "Harbour", grounds="x", now=NOW)
    ada.post(f"/staff/senders/{sender.pk}/withdraw/", {"why": "Not theirs."})
    assert not owner.customer.sender_ids.filter(withdrawn_at=None).exists()
    ada.post(page, {"do": "close", "why": "Asked for."})
    assert Customer.objects.get().status == Status.CLOSED
    assert "Suspend the account" not in words(ada.get(page))


def test_a_lost_second_factor_is_removed_with_a_reason(owner: Person) -> None:
    wing = at(SUPPORT)
    setup = second_factor.begin(owner, now=NOW)
    assert setup.secret
    owner.second_factor.confirmed_at = NOW
    owner.second_factor.save()
    page = f"/staff/members/{owner.pk}/second-factor/"
    assert wing.post(page, {"why": ""}).status_code == 422
    assert location(wing.post(page, {"why": "called back"})) == f"/staff/customers/{owner.customer_id}/account/"
    assert not second_factor.has_second_factor(owner)
    assert AuditEntry.objects.get().act == "member.reset_second_factor"


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        (FINANCE, "/staff/approvals/", False),
        (SUPPORT, "/staff/approvals/", True),
        (SUPPORT, "/staff/approvals/senders/1/", False),
        (FINANCE, "/staff/approvals/registrations/1/", False),
    ],
)
def test_each_page_asks_for_its_role(owner: Person, role: Person.StaffRole, path: str, allowed: bool) -> None:
    assert (at(role).get(path).status_code != 403) is allowed
