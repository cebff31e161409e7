"""`sampan customer`: open an account, credit it, make a key."""

import argparse
from datetime import UTC, datetime

from django.db import IntegrityError, transaction

from sampan.accounts.keys import CHARACTERS, SHORT_CHARACTERS, TEST_SCOPES, Scope, add_json_key, add_key
from sampan.accounts.tables import LONGEST_LOGIN_NAME, Customer, Person
from sampan.billing import ledger
from sampan.billing.money import in_cents, pips_of
from sampan.billing.opening import open_customer
from sampan.billing.tables import Account, Transfer
from sampan.database import beneath_django
from sampan.ops.cli import Answer, VerbRefused
from sampan.reasons import Refused


def _amount(text: str) -> int:
    try:
        pips = pips_of(text)
    except ValueError as error:
        raise VerbRefused(str(error)) from error
    if pips < 0:
        raise VerbRefused("the amount is below 0")
    return pips


def _owner(login_name: str) -> Person:
    owner = Person.objects.filter(login_name__iexact=login_name, customer__isnull=False).first()
    if owner is None:
        raise VerbRefused(f"there is no customer {login_name!r}")
    return owner


def add(arguments: argparse.Namespace) -> Answer:
    """Open an approved account."""
    if not 1 <= len(arguments.login) <= LONGEST_LOGIN_NAME:
        raise VerbRefused(f"a login name has 1 to {LONGEST_LOGIN_NAME} characters")
    try:
        customer = open_customer(
            login_name=arguments.login,
            password=arguments.password,
            name=arguments.name or arguments.login,
            status=Customer.Status.NORMAL,
            now=datetime.now(UTC),
            senders=tuple(arguments.sender),
            paid_pips=_amount(arguments.balance),
            note=arguments.grounds,
        )
    except IntegrityError as error:
        raise VerbRefused(f"the login name {arguments.login!r} is in use; choose another") from error
    except Refused as refused:
        raise VerbRefused(str(refused)) from refused
    facts = {
        "customer": customer.pk,
        "login": arguments.login,
        "senders": arguments.sender,
        "balance": arguments.balance,
    }
    return Answer(facts, [f"Customer {customer.pk}, {arguments.login}: HK${in_cents(_amount(arguments.balance))}"])


def key(arguments: argparse.Namespace) -> Answer:
    """A key that works as password at the HTTP API and the SMPP door, or one of the JSON API."""
    owner, now = _owner(arguments.login), datetime.now(UTC)
    if arguments.json_api:
        is_test = arguments.json_api == "test"
        scopes = TEST_SCOPES if is_test else Scope
        secret = add_json_key(owner, name=arguments.name, test=is_test, scopes=list(scopes), now=now)
    else:
        characters = SHORT_CHARACTERS if arguments.short else CHARACTERS
        secret = add_key(owner, name=arguments.name, now=now, characters=characters)
    return Answer({"login": owner.login_name, "key": secret}, [secret])


def top_up(arguments: argparse.Namespace) -> Answer:
    """Money that was paid in, available at once."""
    owner = _owner(arguments.login)
    amount = _amount(arguments.amount)
    if not amount:
        raise VerbRefused("the amount must be above 0")
    assert owner.customer_id is not None
    with transaction.atomic(), beneath_django() as conn:
        ledger.move(
            conn,
            Transfer.Kind.TOP_UP,
            customer_id=owner.customer_id,
            amount_pips=amount,
            now=datetime.now(UTC),
            note=arguments.note,
        )
        available = ledger.balances(conn, [owner.customer_id])[owner.customer_id, Account.Kind.AVAILABLE]
    return Answer(
        {"login": owner.login_name, "available": in_cents(available)}, [f"HK${in_cents(available)} available"]
    )
