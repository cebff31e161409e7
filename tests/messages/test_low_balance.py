"""A customer is told once when its balance falls below its limit, by mail and by an SMS of ours (spec S89)."""

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.low_balance import change_alert
from sampan.billing.money import pips_of
from sampan.billing.tables import LowBalanceAlert, Transfer
from sampan.database import Connection
from sampan.messages.low_balance import tell_low_balances
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Message
from tests.world import NOW, make_customer, make_places

MOBILE = 85291234567


def charged(conn: Connection, customer: Customer, amount: str, kind: Transfer.Kind = Transfer.Kind.SERVICE) -> None:
    ledger.move(conn, kind, customer_id=customer.pk, amount_pips=pips_of(amount), now=NOW, note="")


def alerted(mobile: int | None = None) -> Customer:
    make_places()
    make_platform_account(NOW)
    harbour = make_customer(balance="1,000")
    change_alert(harbour.pk, below_pips=pips_of("100"), email="wing@example.com", mobile=mobile)
    return harbour


def test_nobody_is_told_while_there_is_as_much_as_they_said(database: Connection) -> None:
    harbour = alerted()
    charged(database, harbour, "900")
    assert tell_low_balances(NOW) == 0


def test_they_are_told_once_by_mail_and_sms_and_again_after_the_balance_rose(database: Connection) -> None:
    harbour = alerted(mobile=MOBILE)
    charged(database, harbour, "900.0001")
    assert [tell_low_balances(NOW) for _ in range(3)] == [1, 0, 0]
    mail = Mail.objects.get()
    assert (mail.to, "HK$99.99" in mail.subject) == ("wing@example.com", True)
    sms = Message.objects.get()
    assert (sms.recipient, Customer.objects.get(pk=sms.customer_id).is_platform) == (MOBILE, True)
    charged(database, harbour, "500", Transfer.Kind.TOP_UP)
    assert tell_low_balances(NOW) == 0
    charged(database, harbour, "500")
    assert tell_low_balances(NOW) == 1


def test_where_no_sms_can_go_the_mail_goes(database: Connection) -> None:
    harbour = alerted(mobile=99999999999999)
    charged(database, harbour, "950")
    assert tell_low_balances(NOW) == 1
    assert (Mail.objects.count(), Message.objects.count()) == (1, 0)
    assert LowBalanceAlert.objects.get().told_at == NOW
