"""Trial credit: HK$5 for a new account, once for each mobile and each business registration (spec S87)."""

from datetime import datetime

from django.db import IntegrityError, transaction

from sampan.billing import ledger
from sampan.billing.money import PIPS_PER_DOLLAR
from sampan.billing.tables import Transfer, TrialGrant
from sampan.database import beneath_django

TRIAL_PIPS = 5 * PIPS_PER_DOLLAR


def give_trial(customer_id: int, *, mobile: int, registration: str | None, now: datetime) -> bool:
    """Give the credit, unless this mobile or this business registration has had it; whether it was given.

    `mobile` has been verified. `registration` is the registration's number where it is known already, else None.
    """
    number = "".join(registration.split()).upper() if registration else None
    try:
        with transaction.atomic(), beneath_django() as conn:
            TrialGrant.objects.create(customer_id=customer_id, mobile=mobile, registration=number or None, at=now)
            ledger.move(
                conn, Transfer.Kind.TRIAL, customer_id=customer_id, amount_pips=TRIAL_PIPS, now=now, note="Trial credit"
            )
    except IntegrityError:
        return False
    return True
