"""What staff decide of sender IDs (accounts/senders.py), told to the customer's servers too (spec S60, S103)."""

from datetime import date, datetime

from django.db import transaction

from sampan.accounts import senders
from sampan.accounts.tables import Customer, Person, SenderId, SenderRequest
from sampan.database import beneath_django
from sampan.webhooks.events import Event, emit


@transaction.atomic
def grant(request_id: int, *, by: Person, grounds: str, registered_on: date | None, now: datetime) -> SenderId:
    """As senders.grant. Raises NotAllowed, Refused."""
    sender = senders.grant(request_id, by=by, grounds=grounds, registered_on=registered_on, now=now)
    _tell("sender_id.approved", sender, "", now)
    return sender


@transaction.atomic
def make_as_staff(
    customer: Customer, sender: str, *, by: Person, grounds: str, registered_on: date | None, now: datetime
) -> SenderId:
    """As senders.make_as_staff. Raises NotAllowed, Refused."""
    made = senders.make_as_staff(customer, sender, by=by, grounds=grounds, registered_on=registered_on, now=now)
    _tell("sender_id.approved", made, "", now)
    return made


@transaction.atomic
def send_back(request_id: int, *, by: Person, words: str, now: datetime) -> SenderRequest:
    """As senders.send_back. Raises NotAllowed, Refused."""
    request = senders.send_back(request_id, by=by, words=words, now=now)
    _tell("sender_id.refused", request, request.words, now)
    return request


@transaction.atomic
def withdraw(sender_id: int, *, by: Person, why: str, now: datetime) -> SenderId:
    """As senders.withdraw. Raises NotAllowed, Refused."""
    sender = senders.withdraw(sender_id, by=by, why=why, now=now)
    _tell("sender_id.withdrawn", sender, why, now)
    return sender


def _tell(kind: str, row: SenderId | SenderRequest, words: str, now: datetime) -> None:
    with beneath_django() as conn:
        emit(conn, [Event(kind, row.customer_id, row.pk, {"sender": row.text, "words": words})], now=now)
