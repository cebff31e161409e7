"""Opening an account: the customer, its owner and its empty purse, at once (spec S131)."""

from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from sampan.accounts.proofs.tables import SignUp
from sampan.accounts.senders import add_sender
from sampan.accounts.tables import Customer, Person
from sampan.billing import ledger
from sampan.billing.tables import Transfer
from sampan.billing.trial import give_trial
from sampan.database import beneath_django
from sampan.reasons import Reason, Refused


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


@transaction.atomic
def open_from_sign_up(sign_up: SignUp, *, now: datetime) -> Person:
    """The trial account of somebody whose code came back, with the trial credit where it is the first; its owner.

    Raises Refused(LOGIN_NAME_TAKEN) where somebody was faster.
    """
    customer = Customer.objects.create(
        name=sign_up.company,
        registration_number=sign_up.registration_number,
        verified_mobile=sign_up.mobile,
        status=Customer.Status.TRIAL,
        created_at=now,
    )
    try:
        with transaction.atomic():
            owner = Person.objects.create(
                login_name=sign_up.login_name,
                password=sign_up.password,
                name=sign_up.contact,
                email=sign_up.email,
                mobile=sign_up.mobile,
                language=sign_up.language,
                customer=customer,
                role=Person.Role.OWNER,
                created_at=now,
            )
    except IntegrityError:
        raise Refused(Reason.LOGIN_NAME_TAKEN, "login_name", sign_up.login_name) from None
    with beneath_django() as conn:
        ledger.open_accounts(conn, customer.pk)
    give_trial(customer.pk, mobile=sign_up.mobile, registration=sign_up.registration_number, now=now)
    sign_up.delete()
    return owner
