"""Charities: certificates on file, and what a top-up brings them on top (spec S86)."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import PIPS_PER_DOLLAR
from sampan.billing.tables import Certificate, FirstBonus, TopUp
from sampan.reasons import Reason, Refused

BONUS_PERCENT = 10
FIRST_BONUS_PIPS = 200 * PIPS_PER_DOLLAR
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def bonus_of(amount_pips: int) -> int:
    """What a charity gets on top of this much, rounded down to the pip."""
    return amount_pips * BONUS_PERCENT // 100


def certificate_in_force(customer_id: int, now: datetime) -> Certificate | None:
    """The certificate on file that is valid today in Hong Kong."""
    today = now.astimezone(HONG_KONG).date()
    certificate = Certificate.objects.filter(customer_id=customer_id, withdrawn_at=None, valid_from__lte=today).first()
    if certificate and certificate.valid_until and certificate.valid_until < today:
        return None
    return certificate


def take_first_bonus(certificate: Certificate, top_up: TopUp, customer: Customer) -> bool:
    """Whether this top-up is the organisation's first; at most one top-up ever gets the answer yes."""
    registration = customer.registration_number or None
    try:
        with transaction.atomic():
            FirstBonus.objects.create(
                number=certificate.number, customer=customer, registration=registration, top_up=top_up
            )
    except IntegrityError:
        return False
    return True


@transaction.atomic
def record_certificate(
    customer: Customer, number: str, *, valid_from: date, valid_until: date | None, why: str, by: Person, now: datetime
) -> Certificate:
    """Put a certificate on file, in the place of an earlier one. Raises NotAllowed, Refused."""
    _refuse_silence(why)
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    earlier = Certificate.objects.filter(customer=customer, withdrawn_at=None).first()
    if earlier:
        earlier.withdrawn_at = now
        earlier.save(update_fields=["withdrawn_at"])
    certificate = Certificate.objects.create(
        customer=customer,
        number="".join(number.split()).upper(),
        valid_from=valid_from,
        valid_until=valid_until,
        recorded_by=by,
        recorded_at=now,
    )
    record(
        Act.RECORD_CERTIFICATE,
        by=by,
        subject=certificate,
        before={"number": earlier.number} if earlier else None,
        after={"number": certificate.number, "from": f"{valid_from}", "until": f"{valid_until or ''}"},
        why=why,
        now=now,
    )
    return certificate


@transaction.atomic
def withdraw_certificate(certificate: Certificate, *, why: str, by: Person, now: datetime) -> None:
    """Take a certificate off the file; bonuses given stay. Raises NotAllowed, Refused."""
    _refuse_silence(why)
    Certificate.objects.filter(pk=certificate.pk, withdrawn_at=None).update(withdrawn_at=now)
    record(
        Act.RECORD_CERTIFICATE,
        by=by,
        subject=certificate,
        before={"number": certificate.number},
        why=why,
        now=now,
    )


def _refuse_silence(why: str) -> None:
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
