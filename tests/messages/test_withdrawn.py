"""A withdrawn sender ID stops at once (spec S60, S72)."""

from datetime import timedelta

from sampan.accounts import senders
from sampan.accounts.tables import SenderId
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection
from sampan.messages.tables import Message, Queued, Status
from sampan.messages.withdrawn import end_withdrawn
from sampan.reasons import Reason
from tests.world import NOW, make_customer, make_places, make_staff, send

LATER = NOW + timedelta(seconds=1)


def test_what_waits_with_it_ends_uncharged_and_what_has_another_goes_on(database: Connection) -> None:
    make_places()
    customer = make_customer()
    gone = send(database, customer, [85261234567, 85261234568])
    stays = send(database, customer, [85261234569], sender="85298765432")
    sender = SenderId.objects.get(text="HarbourFlo")
    assert end_withdrawn(database, LATER) == 0
    senders.withdraw(sender.pk, by=make_staff(), why="OFCA dropped it", now=LATER)
    assert end_withdrawn(database, LATER) == 2
    ended = Message.objects.filter(pk__in=gone.message_ids).values_list("status", "reason", "charged_pips")
    assert set(ended) == {(Status.UNDELIVERABLE, Reason.SENDER_WITHDRAWN.number, 0)}
    assert list(Queued.objects.values_list("message_id", flat=True)) == stays.message_ids
    balances = ledger.balances(database, [customer.pk])
    assert balances[customer.pk, Account.Kind.HELD] == Message.objects.get(pk=stays.message_ids[0]).price_pips
    assert end_withdrawn(database, LATER) == 0


def test_one_that_was_granted_again_goes_on(database: Connection) -> None:
    make_places()
    customer = make_customer()
    sender = SenderId.objects.get(text="HarbourFlo")
    senders.withdraw(sender.pk, by=make_staff(), why="a mistake", now=NOW)
    senders.add_sender(customer, "HarbourFlo", grounds="as before", now=NOW)
    send(database, customer)
    assert end_withdrawn(database, LATER) == 0
    assert Queued.objects.count() == 1
