"""Mail addresses from which a customer sends texts: asked for, proven by a code, switched off and on (spec S122).

The code goes to the address itself, so nobody registers somebody else's. A registered address alone proves nothing of
a mail; the SMTP door asks the address's domain whether it is true.
"""

import secrets
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import NamedTuple

from django.db import IntegrityError, transaction

from sampan.accounts.codes import DAY, DIGITS, MOST_A_DAY, MOST_WRONG_TRIES, ONE_IN
from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.permissions import Permission, role_may
from sampan.accounts.proofs.tables import MailAddress
from sampan.accounts.seals import mark
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused

MOST_ADDRESSES = 20  # of a customer, those asked for counted
VALID_FOR = timedelta(hours=1)
LONGEST_WHY = 200


class Registered(NamedTuple):
    """Who writes from a registered address: for whom it acts, and in which language it is answered."""

    person_id: int
    customer: CustomerFacts
    language: str


@transaction.atomic
def ask(by: Person, address: str, *, now: datetime) -> str:
    """The code for an address, to be mailed there in this transaction; one before it counts no more.

    Raises Refused: MAIL_ADDRESS_TAKEN, TOO_MANY_MAIL_ADDRESSES, CODE_TOO_SOON until a time, TOO_MANY_CODES.
    """
    assert by.customer_id is not None, "staff send nothing"
    customer = Customer.objects.select_for_update(no_key=True).get(
        pk=by.customer_id
    )  # two who ask at once are counted as two
    address = address.lower()
    standing = MailAddress.objects.filter(customer=customer, removed_at=None)
    if standing.filter(address=address, verified_at__isnull=False).exists():
        raise Refused(Reason.MAIL_ADDRESS_TAKEN, "address", address)
    asked = MailAddress.objects.filter(address=address, asked_at__gt=now - DAY).order_by("asked_at")
    times = list(asked.values_list("asked_at", flat=True))
    if times and now - times[-1] < ONE_IN:
        raise Refused(Reason.CODE_TOO_SOON, "address", (times[-1] + ONE_IN).isoformat())
    if len(times) >= MOST_A_DAY:
        raise Refused(Reason.TOO_MANY_CODES, "address")
    if MailAddress.objects.filter(customer=customer, asked_at__gt=now - DAY).count() >= MOST_ADDRESSES:
        raise Refused(Reason.TOO_MANY_CODES, "address")
    standing.filter(verified_at=None, address=address).update(removed_at=now)
    standing.filter(verified_at=None, asked_at__lt=now - VALID_FOR).update(removed_at=now)
    if standing.count() >= MOST_ADDRESSES:
        raise Refused(Reason.TOO_MANY_MAIL_ADDRESSES, "address", str(MOST_ADDRESSES))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    MailAddress.objects.create(
        customer=customer, person=by, address=address, digest=_digest(address, code), asked_at=now
    )
    return code


def wrong_code(by: Person, address: str, code: str, *, now: datetime) -> Refused | None:
    """What is wrong with a code that was typed; None where the address is registered by it.

    It raises nothing, so that the wrong tries it counts are committed.
    """
    with transaction.atomic():
        waiting = MailAddress.objects.select_for_update().filter(
            customer=by.customer_id, address=address.lower(), verified_at=None, removed_at=None
        )
        asked = waiting.first()
        if asked is None or now - asked.asked_at > VALID_FOR or asked.wrong_tries >= MOST_WRONG_TRIES:
            return Refused(Reason.CODE_EXPIRED, "code")
        if not compare_digest(bytes(asked.digest), _digest(asked.address, "".join(code.split()))):
            asked.wrong_tries += 1
            asked.save(update_fields=["wrong_tries"])
            return Refused(Reason.CODE_WRONG, "code")
        asked.verified_at = now
        try:
            with transaction.atomic():
                asked.save(update_fields=["verified_at"])
        except IntegrityError:  # another customer's, who has not removed it
            return Refused(Reason.MAIL_ADDRESS_TAKEN, "address", asked.address)
        return None


def switch(by: Person, id_: int, *, on: bool) -> None:
    """Take no mails from an address for now, or take them again."""
    MailAddress.objects.filter(pk=id_, customer=by.customer_id, removed_at=None).update(is_on=on)


def remove(by: Person, id_: int, *, now: datetime) -> None:
    """An address sends no more; another account may register it."""
    MailAddress.objects.filter(pk=id_, customer=by.customer_id, removed_at=None).update(removed_at=now)


WHO = """
    SELECT a.customer_id, p.id, p.role, p.may_send, p.language FROM mail_address a JOIN person p ON p.id = a.person_id
     WHERE a.address = lower(%s) AND a.verified_at IS NOT NULL AND a.removed_at IS NULL AND a.is_on AND p.is_active"""


def registered(conn: Connection, address: str) -> Registered | None:
    """Who writes from this address; None where nobody registered it, it is off, or its member sends no more."""
    row = conn.execute(WHO, [address]).fetchone()
    if row is None:
        return None
    customer_id, person_id, role, may_send, language = row
    if not role_may(role, Permission.SEND, may_send=may_send):
        return None
    return Registered(person_id, customers(conn, {customer_id})[customer_id], language)


REFUSE = """
    UPDATE mail_address SET refused_at = %s, refused_why = %s
     WHERE address = lower(%s) AND verified_at IS NOT NULL AND removed_at IS NULL"""


def note_refused(conn: Connection, address: str, why: str, now: datetime) -> None:
    """A mail in this address's name was not believed; its owner sees why."""
    conn.execute(REFUSE, [now, why.replace("\0", "")[:LONGEST_WHY], address])


def _digest(address: str, code: str) -> bytes:
    return mark("mail addresses", f"{address}:{code}")
