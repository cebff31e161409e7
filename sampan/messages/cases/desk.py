"""The desk of support cases: what customers ask and mark, what staff answer, test and write down (spec S137)."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Person
from sampan.database import beneath_django
from sampan.messages.cases.tables import CaseTest, CaseWord, SupportCase
from sampan.messages.platform import plan_text, send_text
from sampan.messages.reports.messages import MessageFacts, message
from sampan.messages.reports.shown import Shown
from sampan.reasons import Reason, Refused

LONGEST_WORDS = 1000
LONGEST_TEST = 160
MOST_TESTS = 10  # a case: they go to a handset that did not ask for them
MOST_WORDS = 200

WAITING = """
    SELECT count(*), min(waits_since) FROM support_case WHERE closed_at IS NULL AND waits_for_staff"""
"""SQL: how many cases wait for staff, and since when the first of them does."""


@transaction.atomic
def open_case(message_id: int, text: str, *, by: Person, now: datetime) -> SupportCase:
    """A member asks what became of a message that an operator took. One at a time for each message."""
    assert by.customer_id is not None
    facts = _message(by.customer_id, message_id)
    if facts.taken_at is None:
        raise Refused(Reason.NOT_TAKEN_YET, "message", str(message_id))
    delivered = facts.shown == Shown.DELIVERED
    kind = SupportCase.Kind.DELIVERED_NOT_RECEIVED if delivered else SupportCase.Kind.SENT_NOT_RECEIVED
    try:
        with transaction.atomic():
            case = SupportCase.objects.create(
                customer_id=by.customer_id,
                message_id=message_id,
                kind=kind,
                opened_by=by,
                opened_at=now,
                waits_since=now,
            )
    except IntegrityError as error:
        raise Refused(Reason.CASE_OPEN_ALREADY, "message", str(message_id)) from error
    _write(case, CaseWord.Speaker.CUSTOMER, text, by, now)
    return case


@transaction.atomic
def ask(case_id: int, text: str, *, by: Person, now: datetime) -> None:
    """A member says more."""
    case = _own(case_id, by)
    _write(case, CaseWord.Speaker.CUSTOMER, text, by, now)
    _wait(case, for_staff=True, now=now)


@transaction.atomic
def mark_test(test_id: int, *, received: bool, by: Person, now: datetime) -> None:
    """A member says whether a test has arrived; once."""
    test = CaseTest.objects.select_for_update().filter(pk=test_id, case__customer_id=by.customer_id or 0).first()
    if test is None or test.received is not None:
        raise Refused(Reason.NO_SUCH_CASE, "test", str(test_id))
    test.received, test.marked_at = received, now
    test.save(update_fields=["received", "marked_at"])
    _wait(_own(test.case_id, by), for_staff=True, now=now)


@transaction.atomic
def answer(case_id: int, text: str, *, by: Person, now: datetime) -> None:
    """Staff answer the customer."""
    case = _locked(SupportCase.objects.filter(pk=case_id), case_id)
    record(Act.ANSWER_CASE, by=by, subject=case, now=now)
    _write(case, CaseWord.Speaker.STAFF, text, by, now)
    _wait(case, for_staff=False, now=now)


@transaction.atomic
def note_operator(case_id: int, text: str, *, by: Person, now: datetime) -> None:
    """Staff write down what the operator said; customers do not see it."""
    case = _locked(SupportCase.objects.filter(pk=case_id), case_id)
    record(Act.ANSWER_CASE, by=by, subject=case, after={"operator": "said"}, now=now)
    _write(case, CaseWord.Speaker.OPERATOR, text, by, now)


@transaction.atomic
def send_test(case_id: int, *, sender: str, route: str, text: str, by: Person, now: datetime) -> CaseTest:
    """Staff send a text of ours to the same number, by the platform's account; the customer is asked whether it came.

    Refused where the message is deleted meanwhile, and where the platform's account cannot send it.
    """
    if not 0 < len(text.strip()) <= LONGEST_TEST:
        raise Refused(Reason.NO_TEXT if not text.strip() else Reason.TOO_LONG, "text", str(LONGEST_TEST))
    case = _locked(SupportCase.objects.filter(pk=case_id), case_id)
    if case.tests.count() >= MOST_TESTS:
        raise Refused(Reason.TOO_MANY_TESTS, "test", str(MOST_TESTS))
    facts = _message(case.customer_id, case.message_id)
    after = {"sender": sender, "route": route}
    record(Act.SEND_TEST, by=by, subject=case, after=after, now=now)
    with beneath_django() as conn:
        planned = plan_text(conn, facts.recipient, text, now=now, sender=sender, route=route)
    test = CaseTest.objects.create(
        case=case,
        message_id=send_text(planned, now=now),
        sender=sender,
        route=route,
        text=text,
        sent_by=by,
        sent_at=now,
    )
    _wait(case, for_staff=False, now=now)
    return test


@transaction.atomic
def close_case(case_id: int, *, by: Person, now: datetime) -> None:
    """Either side closes it; it is kept."""
    if by.customer_id is not None:
        case = _own(case_id, by)
    else:
        case = _locked(SupportCase.objects.filter(pk=case_id), case_id)
        record(Act.CLOSE_CASE, by=by, subject=case, now=now)
    case.closed_at = now
    case.save(update_fields=["closed_at"])


def _own(case_id: int, by: Person) -> SupportCase:
    return _locked(SupportCase.objects.filter(pk=case_id, customer_id=by.customer_id or 0), case_id)


def _locked(cases: QuerySet[SupportCase], case_id: int) -> SupportCase:
    """The case, for us alone until the transaction ends. Refused where it is closed, or not there."""
    case = cases.filter(closed_at=None).select_for_update().first()
    if case is None:
        raise Refused(Reason.NO_SUCH_CASE, "case", str(case_id))
    return case


def _message(customer_id: int, message_id: int) -> MessageFacts:
    with beneath_django() as conn:
        facts = message(conn, customer_id, message_id)
    if facts is None:
        raise Refused(Reason.UNKNOWN_MESSAGE, "message", str(message_id))
    return facts


def _write(case: SupportCase, speaker: CaseWord.Speaker, text: str, by: Person, now: datetime) -> None:
    if not text.strip():
        raise Refused(Reason.NO_TEXT, "text")
    if len(text) > LONGEST_WORDS:
        raise Refused(Reason.TOO_LONG, "text", str(LONGEST_WORDS))
    if case.words.count() >= MOST_WORDS:
        raise Refused(Reason.TOO_LONG, "text", str(MOST_WORDS))
    CaseWord.objects.create(case=case, speaker=speaker, by=by, at=now, text=text)


def _wait(case: SupportCase, *, for_staff: bool, now: datetime) -> None:
    if case.waits_for_staff != for_staff:
        case.waits_for_staff, case.waits_since = for_staff, now
        case.save(update_fields=["waits_for_staff", "waits_since"])
