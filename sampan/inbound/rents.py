"""Rent: monthly in advance; who is short of money is told, and the number is off after 7 days (spec S110)."""

from calendar import monthrange
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Customer, Person, SenderId
from sampan.billing import ledger
from sampan.billing.money import in_cents
from sampan.billing.tables import Transfer
from sampan.database import Connection, beneath_django
from sampan.inbound.tables import LONGEST_GROUNDS, Rental
from sampan.reasons import Reason, Refused
from sampan.webhooks import events
from sampan.webhooks.events import Event

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
MONTHS_OF_A_YEAR = 12
OFF_AFTER = timedelta(days=7)
MOST_AT_ONCE = 1_000
UNPAID, CLOSED = "The rent was not paid", "The account is closed"
SUBJECT = "Rent of {number}: HK${amount} is due / 號碼月租到期 / 号码月租到期"
TEXT = """\
{name}

The monthly rent of {number} (HK${amount}) fell due on {due}, and the balance does not cover it. Top up by {off}: the \
rent is then taken by itself. After that day the number is off, and replies to it do not reach you.

號碼 {number} 的月租 HK${amount} 已於 {due} 到期，結餘不足。請於 {off} 前增值，系統會自動扣除月租；\
逾期號碼會停用，您不會再收到回覆。

号码 {number} 的月租 HK${amount} 已于 {due} 到期，余额不足。请于 {off} 前充值，系统会自动扣除月租；\
逾期号码会停用，您不会再收到回复。
"""

log = structlog.get_logger()


def months_after(begun_at: datetime, months: int) -> datetime:
    """So many months later by Hong Kong's calendar; of a month that is too short its last day."""
    begun = begun_at.astimezone(HONG_KONG)
    years, month = divmod(begun.month - 1 + months, MONTHS_OF_A_YEAR)
    year, month = begun.year + years, month + 1
    return begun.replace(year=year, month=month, day=min(begun.day, monthrange(year, month)[1]))


def pay_month(conn: Connection, rental: Rental, now: datetime) -> None:
    """The next month is charged, in the caller's transaction. Raises Refused(BALANCE_TOO_LOW); then nothing is."""
    until = months_after(rental.begun_at, rental.months_paid + 1)
    if rental.monthly_pips:
        note = f"Rent of {_named(rental)} until {until.astimezone(HONG_KONG):%Y-%m-%d}"
        try:
            ledger.move(
                conn,
                Transfer.Kind.SERVICE,
                customer_id=rental.customer_id,
                amount_pips=rental.monthly_pips,
                now=now,
                note=note,
            )
        except ledger.BalanceTooLow:
            raise Refused(Reason.BALANCE_TOO_LOW, "balance", in_cents(rental.monthly_pips)) from None
    rental.months_paid, rental.paid_until, rental.short_since = rental.months_paid + 1, until, None
    rental.save(update_fields=["months_paid", "paid_until", "short_since"])


def _named(rental: Rental) -> str:
    return f"{rental.number.number} {rental.keyword}".strip()


def end(rental: Rental, why: str, now: datetime) -> None:
    """It ends, whoever wants it, in the caller's transaction; what waits to go from the number ends, too (spec S60)."""
    rental.ended_at, rental.ended_why, rental.short_since = now, why[:LONGEST_GROUNDS], None
    rental.save(update_fields=["ended_at", "ended_why", "short_since"])
    others = Rental.objects.filter(number=rental.number, customer_id=rental.customer_id, ended_at=None)
    if others.exists():
        return
    senders = SenderId.objects.filter(
        customer_id=rental.customer_id, text=str(rental.number.number), takes_replies=True, withdrawn_at=None
    )
    for sender in senders.select_for_update():
        sender.withdrawn_at = now
        sender.save(update_fields=["withdrawn_at"])
        tell_of_sender("sender_id.withdrawn", sender, why, now)


def tell_of_sender(kind: str, sender: SenderId, words: str, now: datetime) -> None:
    """The customer's servers are told, as of every sender ID that comes or goes (spec S103)."""
    with beneath_django() as conn:
        told = {"sender": sender.text, "words": words}
        events.emit(conn, [Event(kind, sender.customer_id, sender.pk, told)], now=now)


def take_rents(now: datetime) -> int:
    """What is due is paid, told, or off; how many rents that concerned. One that is short is tried each time."""
    due = Rental.objects.filter(ended_at=None, paid_until__lte=now).order_by("paid_until", "pk")
    return sum(_take(pk, now) for pk in due.values_list("pk", flat=True)[:MOST_AT_ONCE])


@transaction.atomic
def _take(rental_id: int, now: datetime) -> bool:
    """Whether something about it changed."""
    rental = (
        Rental.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("number", "customer")
        .filter(pk=rental_id, ended_at=None, paid_until__lte=now)
        .first()
    )
    if rental is None:  # another worker has it
        return False
    if rental.customer.status == Customer.Status.CLOSED:
        _off(rental, CLOSED, now)
        return True
    try:
        with beneath_django() as conn:
            pay_month(conn, rental, now)
    except Refused:
        return _is_short(rental, now)
    return True


def _is_short(rental: Rental, now: datetime) -> bool:
    if rental.short_since is None:
        rental.short_since = now
        rental.save(update_fields=["short_since"])
        _tell(rental, now)
        return True
    if now >= rental.short_since + OFF_AFTER:
        _off(rental, UNPAID, now)
        return True
    return False


def _off(rental: Rental, why: str, now: datetime) -> None:
    end(rental, why, now)
    log.info("rent.off", rental=rental.pk, customer=rental.customer_id, why=why)


def _tell(rental: Rental, now: datetime) -> None:
    """By mail, those who may top up; the inbox says so, too."""
    words = {
        "name": rental.customer.name,
        "number": _named(rental),
        "amount": in_cents(rental.monthly_pips),
        "due": f"{rental.paid_until.astimezone(HONG_KONG):%Y-%m-%d}",
        "off": f"{(now + OFF_AFTER).astimezone(HONG_KONG):%Y-%m-%d}",
    }
    payers = (Person.Role.OWNER, Person.Role.FINANCE)
    people = rental.customer.members.filter(is_active=True, role__in=payers).exclude(email="")
    for person in people:
        write_mail(person.email, SUBJECT.format(**words), TEXT.format(**words), now=now)
