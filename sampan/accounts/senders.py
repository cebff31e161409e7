"""Sender IDs: what one may look like, the customer's own, and those it asks for (spec S60–S65)."""

import re
from datetime import date, datetime

from django.db import IntegrityError, transaction

from sampan.accounts.acts import Act, record, require
from sampan.accounts.codes import Purpose, wrong_code
from sampan.accounts.documents import keep_document
from sampan.accounts.tables import Customer, Decision, Person, SenderId, SenderRequest
from sampan.reasons import Reason, Refused
from sampan.settings import LONGEST_REGISTERED_NAME

MOST_OF_A_CUSTOMER = 5
RESERVED = "RANDOMID"  # the HTTP API's word for the economic route
REGISTERED = "#"  # how a name begins that OFCA has registered (spec S63)
LONGEST_GROUNDS, LONGEST_WORDS = 200, 500
_NAME = re.compile(rf"(?=.*[A-Za-z])(?:[A-Za-z0-9]{{1,11}}|#[A-Za-z0-9]{{1,{LONGEST_REGISTERED_NAME}}})")
_NUMBER = re.compile(r"[1-9][0-9]{7,14}")
_HONG_KONG_NUMBER = re.compile(r"852[0-9]{8}")

Grounds = SenderRequest.Grounds


def is_number(sender: str) -> bool:
    """Is it a number, so that replies reach that handset (spec S62)? Else a name."""
    return sender.isdecimal()


def check_form(sender: str) -> None:
    """Refuses what can be nobody's sender ID: SENDER_MALFORMED with the rule that it breaks."""
    if is_number(sender):
        if not _NUMBER.fullmatch(sender) or (sender.startswith("852") and not _HONG_KONG_NUMBER.fullmatch(sender)):
            raise Refused(Reason.SENDER_MALFORMED, "sender", sender)
    elif not _NAME.fullmatch(sender) or sender.upper() == RESERVED:
        raise Refused(Reason.SENDER_MALFORMED, "sender", sender)


@transaction.atomic
def add_sender(
    customer: Customer, sender: str, *, grounds: str, registered_on: date | None = None, now: datetime
) -> SenderId:
    """A sender ID that staff allow on these grounds.

    Raises Refused: malformed, one more than 5, or with # and without the day OFCA registered it.
    """
    check_form(sender)
    if sender.startswith(REGISTERED) and registered_on is None:
        raise Refused(Reason.SENDER_REGISTERED_ONLY, "sender", sender)
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    own = SenderId.objects.filter(customer=customer, withdrawn_at=None)
    if existing := own.filter(text=sender).first():
        return existing
    if own.count() >= MOST_OF_A_CUSTOMER:
        raise Refused(Reason.TOO_MANY_SENDERS, "sender", sender)
    return SenderId.objects.create(
        customer=customer, text=sender, grounds=grounds[:LONGEST_GROUNDS], registered_on=registered_on, created_at=now
    )


# What members ask for


@transaction.atomic
def request_name(
    person: Person, sender: str, *, grounds: Grounds, octets: bytes, file_name: str, now: datetime
) -> SenderRequest:
    """Ask for a name, with the document that shows why it is theirs. Raises Refused."""
    check_form(sender)
    if is_number(sender):
        raise Refused(Reason.SENDER_MALFORMED, "sender", sender)
    if sender.startswith(REGISTERED) is not (grounds == Grounds.OFCA):
        raise Refused(Reason.SENDER_REGISTERED_ONLY, "sender", sender)
    refuse_known(person, sender)
    document = keep_document(person, octets, file_name=file_name, now=now)
    return _ask(SenderRequest(text=sender, grounds=grounds, document=document), person, now)


def request_number(person: Person, mobile: int, code: str, *, now: datetime) -> Reason | None:
    """Ask for a number whose code came back (spec S62); what is wrong with the code, or None. Raises Refused.

    The code is sent by messages/codes.py with Purpose.OWN_NUMBER; wrong tries are counted.
    """
    with transaction.atomic():
        refuse_known(person, str(mobile))
        wrong = wrong_code(Purpose.OWN_NUMBER, code, mobile=mobile, person=person, now=now)
        if wrong is None:
            _ask(SenderRequest(text=str(mobile), grounds=Grounds.OWN_NUMBER, verified_at=now), person, now)
    return wrong


def refuse_known(person: Person, sender: str) -> None:
    """Raises Refused for one that the customer has or has asked for, and where it has as many as it may."""
    own = SenderId.objects.filter(customer=person.customer, withdrawn_at=None)
    waiting = SenderRequest.objects.filter(customer=person.customer, decision=Decision.WAITING)
    if own.filter(text=sender).exists() or waiting.filter(text=sender).exists():
        raise Refused(Reason.SENDER_WAITS, "sender", sender)
    if own.count() + waiting.count() >= MOST_OF_A_CUSTOMER:
        raise Refused(Reason.TOO_MANY_SENDERS, "sender", sender)


def _ask(request: SenderRequest, person: Person, now: datetime) -> SenderRequest:
    assert person.customer is not None, "staff ask for nothing"
    request.customer, request.asked_by, request.asked_at = person.customer, person, now
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError:  # somebody else asked for it in this moment
        raise Refused(Reason.SENDER_WAITS, "sender", request.text) from None
    return request


# What staff decide


@transaction.atomic
def make_as_staff(
    customer: Customer, sender: str, *, by: Person, grounds: str, registered_on: date | None, now: datetime
) -> SenderId:
    """A name that the customer asked for by another way (spec S60). Raises NotAllowed, Refused.

    A number is not made so: who sends from it shows by a code that it is theirs (spec S62).
    """
    require(by, Act.GRANT_SENDER)
    if not grounds.strip():
        raise Refused(Reason.NO_GROUNDS, "grounds")
    if is_number(sender):
        raise Refused(Reason.SENDER_MALFORMED, "sender", sender)
    if SenderId.objects.filter(customer=customer, text=sender, withdrawn_at=None).exists():
        raise Refused(Reason.SENDER_WAITS, "sender", sender)
    made = add_sender(customer, sender, grounds=grounds, registered_on=registered_on, now=now)
    asked = SenderRequest.objects.filter(customer=customer, text=sender, decision=Decision.WAITING)
    asked.update(decision=Decision.GRANTED, decided_by=by, decided_at=now)
    _log_grant(made, by, grounds, now)
    return made


@transaction.atomic
def grant(request_id: int, *, by: Person, grounds: str, registered_on: date | None, now: datetime) -> SenderId:
    """The customer may use it from now on; staff say on what grounds. Raises NotAllowed, Refused."""
    require(by, Act.GRANT_SENDER)
    if not grounds.strip():
        raise Refused(Reason.NO_GROUNDS, "grounds")
    request = _waiting(request_id)
    sender = add_sender(request.customer, request.text, grounds=grounds, registered_on=registered_on, now=now)
    _decide(request, Decision.GRANTED, by, "", now)
    _log_grant(sender, by, grounds, now)
    return sender


def _log_grant(sender: SenderId, by: Person, grounds: str, now: datetime) -> None:
    registered_on = sender.registered_on.isoformat() if sender.registered_on else None
    after = {"sender": sender.text, "registered_on": registered_on}
    record(Act.GRANT_SENDER, by=by, subject=sender, after=after, why=grounds, now=now)


@transaction.atomic
def send_back(request_id: int, *, by: Person, words: str, now: datetime) -> SenderRequest:
    """The customer reads what is missing. Raises NotAllowed, Refused."""
    require(by, Act.SEND_BACK_SENDER)
    if not words.strip():
        raise Refused(Reason.WORDS_MISSING, "words")
    request = _waiting(request_id)
    _decide(request, Decision.SENT_BACK, by, words.strip()[:LONGEST_WORDS], now)
    record(Act.SEND_BACK_SENDER, by=by, subject=request, before={"sender": request.text}, why=words, now=now)
    return request


@transaction.atomic
def withdraw(sender_id: int, *, by: Person, why: str, now: datetime) -> SenderId:
    """It stops at once; messages/withdrawn.py ends what waits with it (spec S60). Raises NotAllowed, Refused."""
    require(by, Act.WITHDRAW_SENDER)
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    sender = SenderId.objects.select_for_update().filter(pk=sender_id, withdrawn_at=None).first()
    if sender is None:
        raise Refused(Reason.NOT_WAITING, "sender")
    sender.withdrawn_at = now
    sender.save(update_fields=["withdrawn_at"])
    record(Act.WITHDRAW_SENDER, by=by, subject=sender, before={"sender": sender.text}, why=why, now=now)
    return sender


def _waiting(request_id: int) -> SenderRequest:
    """Locked, after its customer's row: in the order of add_sender."""
    Customer.objects.select_for_update(no_key=True).filter(sender_requests=request_id).first()
    request = SenderRequest.objects.select_for_update(of=("self",)).filter(pk=request_id).first()
    if request is None or request.decision != Decision.WAITING:
        raise Refused(Reason.NOT_WAITING, "sender")
    return request


def _decide(request: SenderRequest, decision: Decision, by: Person, words: str, now: datetime) -> None:
    request.decision, request.decided_by, request.decided_at, request.words = decision, by, now, words
    request.save()
