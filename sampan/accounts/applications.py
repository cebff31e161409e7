"""From trial to normal, and on: the registration a customer files, and what staff decide (spec S131, S134)."""

from datetime import datetime

from django.db import IntegrityError, transaction

from sampan.accounts.acts import Act, record, require
from sampan.accounts.documents import keep_document, read_document
from sampan.accounts.tables import Application, Customer, Decision, Document, Person
from sampan.reasons import Reason, Refused

LONGEST_WORDS = 500
Status = Customer.Status

# How many registrations and sender IDs wait, and since when: for the console's worklist.
WAITING_APPROVALS = f"""
    SELECT count(*), min(asked_at) FROM (
        SELECT asked_at FROM application WHERE decision = {Decision.WAITING.value}
        UNION ALL SELECT asked_at FROM sender_request WHERE decision = {Decision.WAITING.value}) AS waiting"""


@transaction.atomic
def apply(person: Person, octets: bytes, *, file_name: str, registration_number: str, now: datetime) -> Application:
    """File the business registration. Raises Refused: no document, not on trial, or one waits already."""
    assert person.customer_id is not None, "staff file nothing"
    customer = Customer.objects.select_for_update(no_key=True).get(pk=person.customer_id)
    if customer.status != Status.TRIAL:
        raise Refused(Reason.WRONG_STATUS, "document")
    if Application.objects.filter(customer=customer, decision=Decision.WAITING).exists():
        raise Refused(Reason.NOT_WAITING, "document")
    document = keep_document(person, octets, file_name=file_name, now=now)
    customer.registration_number = registration_number
    customer.save(update_fields=["registration_number"])
    try:
        return Application.objects.create(customer=customer, document=document, asked_by=person, asked_at=now)
    except IntegrityError as error:  # the constraint, should the lock ever be forgotten
        raise Refused(Reason.NOT_WAITING, "document") from error


@transaction.atomic
def approve(application_id: int, *, by: Person, why: str, now: datetime) -> Customer:
    """The account is normal from now on. Raises NotAllowed, Refused(NO_GROUNDS, NOT_WAITING, WRONG_STATUS)."""
    require(by, Act.APPROVE_CUSTOMER)
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    application, customer = _waiting(application_id)
    if customer.status != Status.TRIAL:
        raise Refused(Reason.WRONG_STATUS, "customer")
    _decide(application, Decision.GRANTED, by, "", now)
    _set(customer, Status.NORMAL, "", Act.APPROVE_CUSTOMER, by=by, why=why, now=now)
    return customer


@transaction.atomic
def send_back(application_id: int, *, by: Person, words: str, now: datetime) -> Customer:
    """The account stays on trial; the customer reads what is missing. Raises NotAllowed, Refused."""
    require(by, Act.SEND_BACK_CUSTOMER)
    words = _words(words)
    application, customer = _waiting(application_id)
    _decide(application, Decision.SENT_BACK, by, words, now)
    record(Act.SEND_BACK_CUSTOMER, by=by, subject=application, why=words, now=now)
    return customer


@transaction.atomic
def suspend(customer_id: int, *, by: Person, words: str, now: datetime) -> Customer:
    """Nothing more is sent for it; the customer reads why (status 3). Raises NotAllowed, Refused."""
    sending = {Status.TRIAL, Status.NORMAL}
    return _change(customer_id, sending, Status.SUSPENDED, Act.SUSPEND_CUSTOMER, by=by, words=words, now=now)


@transaction.atomic
def reopen(customer_id: int, *, by: Person, words: str, now: datetime) -> Customer:
    """A suspended account goes on as it was: normal where it was approved, else on trial."""
    after = Status.NORMAL if _was_approved(customer_id) else Status.TRIAL
    return _change(customer_id, {Status.SUSPENDED}, after, Act.REOPEN_CUSTOMER, by=by, words=words, now=now)


@transaction.atomic
def close(customer_id: int, *, by: Person, words: str, now: datetime) -> Customer:
    """For good: nothing is sent, its keys are void; its members still read its results and statement."""
    open_ones = {Status.TRIAL, Status.NORMAL, Status.SUSPENDED}
    customer = _change(customer_id, open_ones, Status.CLOSED, Act.CLOSE_CUSTOMER, by=by, words=words, now=now)
    customer.api_keys.filter(revoked_at=None).update(revoked_at=now)
    return customer


@transaction.atomic
def read_as_staff(document: Document, *, by: Person, now: datetime) -> bytes:
    """A customer's document for one of our people; the look is logged. Raises NotAllowed, FileNotFoundError."""
    record(Act.READ_DOCUMENT, by=by, subject=document, now=now)
    return read_document(document)


def _was_approved(customer_id: int) -> bool:
    """By an application, or from the start where staff opened it: who signs up has a mobile verified."""
    granted = Application.objects.filter(customer_id=customer_id, decision=Decision.GRANTED).exists()
    return granted or Customer.objects.filter(pk=customer_id, verified_mobile=None).exists()


def _change(
    customer_id: int, before: set[Status], after: Status, act: Act, *, by: Person, words: str, now: datetime
) -> Customer:
    require(by, act)
    words = _words(words)
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    if customer.is_platform or customer.status not in before:
        raise Refused(Reason.WRONG_STATUS, "customer")
    _set(customer, after, words if after in (Status.SUSPENDED, Status.CLOSED) else "", act, by=by, why=words, now=now)
    return customer


def _set(
    customer: Customer, status: Status, status_words: str, act: Act, *, by: Person, why: str, now: datetime
) -> None:
    before = Status(customer.status).name.lower()
    customer.status, customer.status_words = status, status_words
    customer.save(update_fields=["status", "status_words"])
    changed = {"status": status.name.lower()}
    record(act, by=by, subject=customer, before={"status": before}, after=changed, why=why, now=now)


def _waiting(application_id: int) -> tuple[Application, Customer]:
    """The application and its customer, both locked: customers first, as everywhere."""
    known = Application.objects.filter(pk=application_id).values_list("customer_id", flat=True).first()
    if known is None:
        raise Refused(Reason.NOT_WAITING, "application")
    customer = Customer.objects.select_for_update(no_key=True).get(pk=known)
    application = Application.objects.select_for_update().get(pk=application_id)
    if application.decision != Decision.WAITING:
        raise Refused(Reason.NOT_WAITING, "application")
    return application, customer


def _decide(application: Application, decision: Decision, by: Person, words: str, now: datetime) -> None:
    application.decision, application.decided_by, application.decided_at = decision, by, now
    application.words = words
    application.save()


def _words(words: str) -> str:
    """What the customer will read. Raises Refused(WORDS_MISSING)."""
    words = words.strip()[:LONGEST_WORDS]
    if not words:
        raise Refused(Reason.WORDS_MISSING, "words")
    return words
