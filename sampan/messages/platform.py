"""Texts of our own, such as codes: from the platform's own account, by the way of all others (spec S132, S137)."""

from datetime import datetime
from functools import partial

from django.db import transaction

from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.senders import add_sender
from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, beneath_django
from sampan.messages.announcing import announce, places_of
from sampan.messages.planning import THIS_PLATFORM, Draft, Plan, plan, terms_in_force
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Purpose, Source
from sampan.reasons import Reason, Refused
from sampan.settings import PLATFORM_SENDER

NAME = "Sampan"
FIRST_BALANCE = "100,000"
GROUNDS = "the platform's own"
LOW_PIPS = pips_of("1,000")  # then finance is asked to give it more: without it nobody signs up
WAITING = f"""
    SELECT count(*), NULL::timestamptz FROM account a JOIN customer c ON c.id = a.customer_id
     WHERE c.is_platform AND a.kind = {Account.Kind.AVAILABLE.value} AND a.balance_pips < {LOW_PIPS}"""


class NoPlatformAccount(LookupError):
    """`sampan prepare` has not made it yet."""


@transaction.atomic
def make_platform_account(now: datetime) -> bool:
    """Our own customer, where it is not there yet; whether it was made. Nobody signs in to it.

    It prepays like everybody, so that no fault of ours sends without end; finance tops it up.
    """
    if Customer.objects.filter(is_platform=True).exists():
        return False
    customer = Customer.objects.create(name=NAME, status=Customer.Status.NORMAL, is_platform=True, created_at=now)
    with beneath_django() as conn:
        ledger.open_accounts(conn, customer.pk)
        amount_pips = pips_of(FIRST_BALANCE)
        ledger.move(conn, Transfer.Kind.OWN, customer_id=customer.pk, amount_pips=amount_pips, now=now, note=GROUNDS)
    add_sender(customer, PLATFORM_SENDER, grounds=GROUNDS, now=now)
    return True


def platform_account(conn: Connection) -> CustomerFacts:
    """Our own customer. Raises NoPlatformAccount."""
    pk = Customer.objects.filter(is_platform=True).values_list("pk", flat=True).first()
    if pk is None:
        raise NoPlatformAccount
    return customers(conn, {pk})[pk]


def plan_text(
    conn: Connection, mobile: int, text: str, *, now: datetime, sender: str = PLATFORM_SENDER, route: str = ""
) -> Plan:
    """One transactional text of ours. Raises Refused(PLATFORM_CANNOT_SEND) where it would not go."""
    draft = Draft(
        customer=platform_account(conn),
        source=Source.PORTAL,
        recipients=(mobile,),
        text=text,
        sender=sender,
        route=route,
        purpose=Purpose.TRANSACTIONAL,
    )
    planned = plan(draft, terms_in_force(conn, THIS_PLATFORM), now)
    if not planned.messages:
        raise Refused(Reason.PLATFORM_CANNOT_SEND, "mobile")
    return planned


def send_text(planned: Plan, *, now: datetime) -> int:
    """Submit it in the caller's transaction; gives the message's id. Raises Refused(PLATFORM_CANNOT_SEND)."""
    assert transaction.get_connection().in_atomic_block
    account_id = planned.draft.customer.id
    with beneath_django() as conn:
        # Asked before, for a statement that fails would take the caller's transaction with it.
        if ledger.lock_available(conn, [account_id])[account_id] < planned.price_pips:
            raise Refused(Reason.PLATFORM_CANNOT_SEND, "balance")
        (outcome,) = submit(conn, [planned], now)
        if not isinstance(outcome, Accepted):
            raise outcome
        transaction.on_commit(partial(announce, conn, places_of([planned])))
    return outcome.message_ids[0]
