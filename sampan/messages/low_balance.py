"""Tells customers whose balance is low: by mail, by webhook, and by an SMS from our own account (spec S89)."""

from datetime import datetime

import structlog
from django.db import transaction

from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Customer
from sampan.billing.low_balance import take_low
from sampan.billing.money import in_cents, in_pips
from sampan.billing.tables import LowBalanceAlert
from sampan.database import beneath_django
from sampan.messages.platform import plan_text, send_text
from sampan.reasons import Refused
from sampan.webhooks.events import Event, emit

SUBJECT = "Low balance: HK${amount} / 餘額偏低 / 余额偏低"
TEXT = "Sampan: {name} has HK${amount} left. Top up in the portal under Money. 餘額偏低，請增值。"
LONGEST_NAME = 30  # in a text, so that it stays one or two parts

log = structlog.get_logger()


def tell_low_balances(now: datetime) -> int:
    """Tell those whose balance fell below their limit; how many."""
    with transaction.atomic(), beneath_django() as conn:
        low = take_low(conn, now)
        names = Customer.objects.in_bulk([customer_id for customer_id, _pips in low])
        alerts = LowBalanceAlert.objects.in_bulk([customer_id for customer_id, _pips in low])
        for customer_id, pips in low:
            amount, alert = in_cents(pips), alerts[customer_id]
            text = TEXT.format(name=names[customer_id].name[:LONGEST_NAME], amount=amount)
            told = {"available_hkd": _plain(pips), "below_hkd": _plain(alert.below_pips)}
            emit(conn, [Event("balance.low", customer_id, customer_id, told)], now=now)
            if alert.email:
                write_mail(alert.email, SUBJECT.format(amount=amount), text, now=now)
            if alert.mobile is not None:
                try:
                    send_text(plan_text(conn, alert.mobile, text, now=now), now=now)
                except Refused as refused:  # no route there, or our own account is empty: the others are told
                    log.error("low_balance.not_sent", customer=customer_id, error=refused.reason.name)
    return len(low)


def _plain(pips: int) -> str:
    return in_pips(pips).replace(",", "")
