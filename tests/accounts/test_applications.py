"""From trial to normal, suspended and closed: what staff decide, once, and what is logged (spec S131, S134)."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from sampan.accounts import applications
from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import Application, AuditEntry, Customer, Decision, Document, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer

Status = Customer.Status
StaffRole = Person.StaffRole
NUMBER = "39120447"


@pytest.fixture
def owner(database: Connection) -> Person:
    """Of an account on trial."""
    customer = make_customer(status=Status.TRIAL, senders=())
    Customer.objects.update(verified_mobile=85291234567)
    return Person.objects.get(customer=customer)


def staff(role: StaffRole = StaffRole.ADMIN) -> Person:
    return Person.objects.create(login_name=f"{role}-{Person.objects.count()}", staff_role=role, created_at=NOW)


def file_registration(owner: Person) -> Application:
    return applications.apply(owner, PDF, file_name="br.pdf", registration_number=NUMBER, now=NOW)


def status() -> Status:
    return Status(Customer.objects.get().status)


def refusal(act: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_an_application_that_is_approved_makes_the_account_normal(owner: Person) -> None:
    admin = staff()
    application = file_registration(owner)
    applications.approve(application.pk, by=admin, why="the name matches", now=NOW)
    assert status() is Status.NORMAL
    application.refresh_from_db()
    assert (application.decision, application.decided_by) == (Decision.GRANTED, admin)
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.before, entry.after) == ("customer.approve", {"status": "trial"}, {"status": "normal"})
    assert Customer.objects.get().registration_number == NUMBER


def test_one_that_is_sent_back_says_why_and_may_be_filed_again(owner: Person) -> None:
    application = file_registration(owner)
    assert refusal(lambda: applications.send_back(application.pk, by=staff(), words=" ", now=NOW)) is (
        Reason.WORDS_MISSING
    )
    applications.send_back(application.pk, by=staff(), words="It ran out in May. Send the new one.", now=NOW)
    assert status() is Status.TRIAL
    assert Application.objects.get().words == "It ran out in May. Send the new one."
    file_registration(owner)


def test_one_waits_at_a_time_and_only_of_accounts_on_trial(owner: Person) -> None:
    application = file_registration(owner)
    assert refusal(lambda: file_registration(owner)) is Reason.NOT_WAITING
    applications.approve(application.pk, by=staff(), why="the name matches", now=NOW)
    assert refusal(lambda: file_registration(owner)) is Reason.WRONG_STATUS
    assert Document.objects.count() == 1, "what is refused leaves no row"


def test_two_of_staff_who_decide_at_once_decide_once(owner: Person) -> None:
    application = file_registration(owner)
    first, second = staff(), staff(StaffRole.COMPLIANCE)
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def decide(by: Person, *, approve: bool) -> None:
        together.wait(10)
        try:
            if approve:
                applications.approve(application.pk, by=by, why="the name matches", now=NOW)
            else:
                applications.send_back(application.pk, by=by, words="Not readable.", now=NOW)
            outcomes.append("approved" if approve else "sent back")
        except Refused as refused:
            outcomes.append(refused.reason.name)
        connection.close()

    threads = [
        threading.Thread(target=decide, args=[by], kwargs={"approve": approve})
        for by, approve in ((first, True), (second, False))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(outcomes) == 2
    assert "NOT_WAITING" in outcomes
    assert status() is (Status.NORMAL if "approved" in outcomes else Status.TRIAL)
    assert AuditEntry.objects.count() == 1


def test_a_suspended_account_goes_on_as_it_was(owner: Person) -> None:
    admin, pk = staff(), Customer.objects.get().pk
    applications.suspend(pk, by=admin, words="Spam was reported.", now=NOW)
    assert status() is Status.SUSPENDED
    assert Customer.objects.get().status_words == "Spam was reported."
    assert refusal(lambda: applications.suspend(pk, by=admin, words="Again.", now=NOW)) is Reason.WRONG_STATUS
    applications.reopen(pk, by=admin, words="A mistake.", now=NOW)
    assert status() is Status.TRIAL, "it was never approved"
    application = file_registration(owner)
    applications.approve(application.pk, by=admin, why="the name matches", now=NOW)
    applications.suspend(pk, by=admin, words="Arrears.", now=NOW)
    applications.reopen(pk, by=admin, words="Paid.", now=NOW)
    assert status() is Status.NORMAL
    assert not Customer.objects.get().status_words


def test_a_closed_account_stays_closed_and_its_keys_are_void(owner: Person) -> None:
    admin, customer = staff(), Customer.objects.get()
    customer.api_keys.create(person=owner, name="shop", sha256=b"x", created_at=NOW)
    applications.close(customer.pk, by=admin, words="Asked for by the owner.", now=NOW)
    assert status() is Status.CLOSED
    assert not customer.api_keys.filter(revoked_at=None).exists()
    assert refusal(lambda: applications.reopen(customer.pk, by=admin, words="No.", now=NOW)) is Reason.WRONG_STATUS


def test_the_platforms_own_account_is_not_suspended(owner: Person) -> None:
    Customer.objects.update(is_platform=True)
    pk = Customer.objects.get().pk
    assert refusal(lambda: applications.suspend(pk, by=staff(), words="Oops.", now=NOW)) is Reason.WRONG_STATUS


def test_each_act_needs_its_role_and_what_is_not_allowed_changes_nothing(owner: Person) -> None:
    application = file_registration(owner)
    finance, support, pk = staff(StaffRole.FINANCE), staff(StaffRole.SUPPORT), Customer.objects.get().pk
    refused: list[tuple[Person, Callable[[Person], object]]] = [
        (finance, lambda by: applications.approve(application.pk, by=by, why="the name matches", now=NOW)),
        (finance, lambda by: applications.send_back(application.pk, by=by, words="x", now=NOW)),
        (support, lambda by: applications.suspend(pk, by=by, words="x", now=NOW)),
        (support, lambda by: applications.close(pk, by=by, words="x", now=NOW)),
        (owner, lambda by: applications.approve(application.pk, by=by, why="the name matches", now=NOW)),
    ]
    for by, act in refused:
        with pytest.raises(NotAllowed):
            act(by)
    assert status() is Status.TRIAL
    assert not AuditEntry.objects.exists()


def test_each_look_of_staff_at_a_document_is_logged(owner: Person) -> None:
    """spec S133"""
    document = file_registration(owner).document
    assert applications.read_as_staff(document, by=staff(StaffRole.SUPPORT), now=NOW) == PDF
    assert AuditEntry.objects.get().customer == owner.customer
