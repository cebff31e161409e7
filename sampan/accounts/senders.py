"""Sender IDs: what one may look like, and the customer's own (spec S60–S65)."""

import re
from datetime import datetime

from django.db import transaction

from sampan.accounts.tables import Customer, SenderId
from sampan.reasons import Reason, Refused

MOST_OF_A_CUSTOMER = 5
RESERVED = "RANDOMID"  # the HTTP API's word for the economic route
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")
_NUMBER = re.compile(r"[1-9][0-9]{7,14}")
_HONG_KONG_NUMBER = re.compile(r"852[0-9]{8}")


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
def add_sender(customer: Customer, sender: str, *, grounds: str, now: datetime) -> SenderId:
    """A sender ID that staff allow on these grounds. Raises Refused: malformed, or one more than 5."""
    check_form(sender)
    Customer.objects.select_for_update().get(pk=customer.pk)
    own = SenderId.objects.filter(customer=customer, withdrawn_at=None)
    if existing := own.filter(text=sender).first():
        return existing
    if own.count() >= MOST_OF_A_CUSTOMER:
        raise Refused(Reason.TOO_MANY_SENDERS, "sender", sender)
    return SenderId.objects.create(customer=customer, text=sender, grounds=grounds, created_at=now)
