"""Opening an account: the customer, its owner and its empty purse, at once (spec S131)."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from sampan.accounts.senders import add_sender
from sampan.accounts.tables import Customer, Person
from sampan.billing import ledger
from sampan.billing.tables import Transfer
from sampan.database import beneath_django


@transaction.atomic
def open_customer(
    *,
    login_name: str,
    password: str,
    name: str,
    status: Customer.Status,
    now: datetime,
    senders: tuple[str, ...] = (),
    paid_pips: int = 0,
    note: str = "",
) -> Customer:
    """A customer whose owner signs in with `login_name`; with sender IDs and a first top-up where staff give them.

    Raises Refused for a sender ID, IntegrityError for a login name in use.
    """
    customer = Customer.objects.create(name=name, status=status, created_at=now)
    Person.objects.create(
        login_name=login_name,
        password=make_password(password),
        name=name,
        customer=customer,
        role=Person.Role.OWNER,
        created_at=now,
    )
    with beneath_django() as conn:
        ledger.open_accounts(conn, customer.pk)
        if paid_pips:
            ledger.move(conn, Transfer.Kind.TOP_UP, customer_id=customer.pk, amount_pips=paid_pips, now=now, note=note)
    for sender in senders:
        add_sender(customer, sender, grounds=note, now=now)
    return customer
