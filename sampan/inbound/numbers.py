"""Numbers of ours, and who rents them: set up by staff alone (spec S110, S134)."""

import re
from datetime import datetime

from django.db import transaction

from sampan.accounts import acts, senders
from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import in_pips
from sampan.database import beneath_django
from sampan.inbound import rents, settings
from sampan.inbound.tables import Rental, RentedNumber
from sampan.inbound.words import as_keyword
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Operator

_NUMBER = re.compile(r"[1-9][0-9]{2,14}")


@transaction.atomic
def add_number(
    operator: Operator, number: str, *, is_shared: bool, by: Person, why: str, now: datetime
) -> RentedNumber:
    """A number whose replies the operator brings us. Raises NotAllowed, Refused (BAD_NUMBER, NUMBER_THERE)."""
    acts.require(by, Act.SET_UP_NUMBER)
    digits = number.strip().removeprefix("+").replace(" ", "")
    if not (digits.isascii() and _NUMBER.fullmatch(digits)):
        raise Refused(Reason.BAD_NUMBER, "number", number)
    Operator.objects.select_for_update(no_key=True).get(pk=operator.pk)
    if RentedNumber.objects.filter(number=int(digits), retired_at=None).exists():
        raise Refused(Reason.NUMBER_THERE, "number", digits)
    row = RentedNumber.objects.create(
        operator=operator, number=int(digits), is_shared=is_shared, added_at=now, added_by=by
    )
    after = {"number": digits, "operator": operator.name, "shared": is_shared}
    acts.record(Act.SET_UP_NUMBER, by=by, subject=row, after=after, why=why, now=now)
    return row


@transaction.atomic
def retire_number(number_id: int, *, by: Person, why: str, now: datetime) -> None:
    """We have it no more. Raises NotAllowed, Refused (NUMBER_RENTED while somebody rents it, RENTAL_ENDED)."""
    acts.require(by, Act.SET_UP_NUMBER)
    row = _locked(number_id)
    if row.rentals.filter(ended_at=None).exists():
        raise Refused(Reason.NUMBER_RENTED, "number", str(row.number))
    row.retired_at = now
    row.save(update_fields=["retired_at"])
    before = {"number": str(row.number)}
    acts.record(Act.SET_UP_NUMBER, by=by, subject=row, before=before, after={"retired": True}, why=why, now=now)


def _locked(number_id: int) -> RentedNumber:
    row = RentedNumber.objects.select_for_update().filter(pk=number_id, retired_at=None).first()
    if row is None:
        raise Refused(Reason.RENTAL_ENDED, "number")
    return row


@transaction.atomic
def rent(
    number_id: int,
    customer_id: int,
    *,
    keyword: str = "",
    monthly_pips: int,
    by: Person,
    why: str,
    now: datetime,
) -> Rental:
    """A customer rents it, or a keyword on a shared one; its first month is charged, and it may send from it.

    Raises NotAllowed, Refused: taken, malformed, no normal account, too little money, too many sender IDs.
    """
    acts.require(by, Act.RENT_NUMBER)
    number = _locked(number_id)
    customer = Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    if customer.status != Customer.Status.NORMAL:
        raise Refused(Reason.WRONG_STATUS, "customer")
    word = _free_keyword(number, keyword)
    rental = Rental.objects.create(
        number=number,
        customer=customer,
        keyword=word,
        monthly_pips=monthly_pips,
        begun_at=now,
        begun_by=by,
        paid_until=now,
    )
    with beneath_django() as conn:
        rents.pay_month(conn, rental, now)
    _let_send(rental, why, now)
    after = {"number": str(number.number), "keyword": word, "rent": in_pips(monthly_pips)}
    acts.record(Act.RENT_NUMBER, by=by, subject=rental, after=after, why=why, now=now)
    return rental


def _free_keyword(number: RentedNumber, keyword: str) -> str:
    """The keyword, folded; empty for a number of one's own. Raises Refused."""
    running = Rental.objects.filter(number=number, ended_at=None)
    if not number.is_shared:
        if running.exists():
            raise Refused(Reason.NUMBER_RENTED, "number", str(number.number))
        return ""
    word = as_keyword(keyword)
    if not word:
        raise Refused(Reason.KEYWORD_MALFORMED, "keyword", keyword)
    with beneath_django() as conn:
        stops = settings.in_force(conn).stops_of(in_china=True)
    if word in stops or running.filter(keyword=word).exists():
        raise Refused(Reason.KEYWORD_TAKEN, "keyword", keyword)
    return word


def _let_send(rental: Rental, why: str, now: datetime) -> None:
    """The number becomes a sender ID of the customer's, and replies to that reach us (spec S95)."""
    text = str(rental.number.number)
    try:
        senders.check_form(text)
    except Refused:  # a short number: it takes replies, and nothing is sent from it
        return
    sender = senders.add_sender(rental.customer, text, grounds=f"rented: {why}", now=now)
    sender.takes_replies = True
    sender.save(update_fields=["takes_replies"])
    rents.tell_of_sender("sender_id.approved", sender, "", now)


@transaction.atomic
def end_rental(rental_id: int, *, by: Person, why: str, now: datetime) -> None:
    """It ends now; what was paid is not given back, and STOP words work for 30 days more (spec S95).

    Raises NotAllowed, Refused (RENTAL_ENDED).
    """
    acts.require(by, Act.RENT_NUMBER)
    rental = Rental.objects.select_for_update(of=("self",)).select_related("number").filter(pk=rental_id).first()
    if rental is None or rental.ended_at is not None:
        raise Refused(Reason.RENTAL_ENDED, "rental")
    rents.end(rental, why, now)
    before = {"number": str(rental.number.number), "keyword": rental.keyword}
    acts.record(Act.RENT_NUMBER, by=by, subject=rental, before=before, after={"ended": True}, why=why, now=now)
