"""What a customer's texts are for where nobody says it, and customers whose every text is promotional (spec S93)."""

from datetime import datetime

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer, Person
from sampan.reasons import Reason, Refused

TRANSACTIONAL, PROMOTIONAL = 1, 2


@transaction.atomic
def set_purposes(customer_id: int, *, api: int, portal: int, economic: int) -> None:
    """A member says what is meant at each door. Raises Refused with BAD_WAY for what is no purpose."""
    given = {"api_purpose": api, "portal_purpose": portal, "economic_purpose": economic}
    for name, purpose in given.items():
        if purpose not in (TRANSACTIONAL, PROMOTIONAL):
            raise Refused(Reason.BAD_WAY, name, str(purpose))
    Customer.objects.filter(pk=customer_id).update(**given)


@transaction.atomic
def fix_purpose(customer: Customer, *, promotional_only: bool, why: str, by: Person, now: datetime) -> None:
    """Staff hold every text of a customer for promotional, or no longer. Raises NotAllowed, NO_GROUNDS."""
    acts.require(by, Act.FIX_PURPOSE)
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    before = {"promotional_only": row.promotional_only}
    row.promotional_only = promotional_only
    row.save(update_fields=["promotional_only"])
    after = {"promotional_only": promotional_only}
    acts.record(Act.FIX_PURPOSE, by=by, subject=row, before=before, after=after, why=why, now=now)
