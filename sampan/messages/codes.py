"""Codes go out by our own pipeline, in the transaction that counts them (spec S131, S132, S62)."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from sampan.accounts.codes import Purpose, note_proof
from sampan.accounts.customers import customers
from sampan.accounts.proofs.tables import SignUp
from sampan.accounts.tables import Person
from sampan.billing import ledger
from sampan.billing.money import in_cents
from sampan.billing.prices import price_list
from sampan.billing.tables import Transfer
from sampan.database import Connection, beneath_django
from sampan.messages.planning import Plan
from sampan.messages.platform import plan_text, send_text
from sampan.reasons import Reason, Refused

SAMPLE = "000000"  # every code is as long, and so costs the same

Words = Callable[[str], str]  # the text for a code, in the language of who reads it


@transaction.atomic
def send_code(
    purpose: Purpose,
    mobile: int,
    words: Words,
    *,
    person: Person | None = None,
    sign_up: SignUp | None = None,
    address: str | None,
    now: datetime,
) -> int:
    """Send a new code at our own cost; gives the message's id. Raises Refused: too soon, too many, cannot be sent."""
    code = note_proof(purpose, mobile=mobile, person=person, sign_up=sign_up, address=address, now=now)
    with beneath_django() as conn:
        planned = plan_text(conn, mobile, words(code), now=now)
    return send_text(planned, now=now)


@transaction.atomic
def send_password_code(person: Person, words: Words, *, address: str | None, now: datetime) -> int:
    """Send one to a member's registered mobile, charged to their customer as one SMS (spec S132).

    It goes from our own account, so that no other member reads it in the results. Raises Refused, besides what
    `send_code` does: BALANCE_TOO_LOW.
    """
    assert person.mobile is not None
    assert person.customer_id is not None
    with beneath_django() as conn:
        price_pips = _price_pips(conn, plan_text(conn, person.mobile, words(SAMPLE), now=now), person.customer_id, now)
        message_id = send_code(Purpose.PASSWORD_BY_SMS, person.mobile, words, person=person, address=address, now=now)
        try:
            with transaction.atomic():
                ledger.move(
                    conn,
                    Transfer.Kind.SERVICE,
                    customer_id=person.customer_id,
                    amount_pips=price_pips,
                    now=now,
                    note=f"Password by SMS, {message_id}",
                    person_id=person.pk,
                )
        except ledger.BalanceTooLow:
            raise Refused(Reason.BALANCE_TOO_LOW, "balance", in_cents(price_pips)) from None
    return message_id


def _price_pips(conn: Connection, planned: Plan, customer_id: int, now: datetime) -> int:
    """What the text would cost this customer."""
    (kind,) = planned.kinds
    assert kind.route_id is not None
    tier = customers(conn, {customer_id})[customer_id].tier
    prices = price_list.get(conn)
    unit_pips = prices.unit_pips(kind.destination_id, kind.route_id, tier, now, customer_id=customer_id)
    return kind.units * (unit_pips or kind.unit_pips)
