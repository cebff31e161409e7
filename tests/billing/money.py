"""What the tests of money share: top-ups that are filed and credited, and what a customer then has."""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from sampan.accounts.tables import Customer, Person
from sampan.billing import entries, ledger, top_ups
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, StaffEntry, TopUp
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.world import NOW

DONE, WAITING = StaffEntry.State.DONE, StaffEntry.State.WAITING


def filed(customer: Customer, amount: str = "300", *, reference: str = "FPS 388", now: datetime = NOW) -> TopUp:
    """A top-up that its owner has filed."""
    return top_ups.file_top_up(
        customer.pk,
        amount_pips=pips_of(amount),
        way=TopUp.Way.FPS,
        reference=reference,
        document=None,
        person=Person.objects.get(customer=customer, role=Person.Role.OWNER),
        now=now,
    )


def credited(customer: Customer, amount: str, *, by: Person, now: datetime = NOW) -> TopUp:
    """A top-up that finance has credited at once."""
    top_up = filed(customer, amount, now=now)
    entry = entries.enter_for_top_up(StaffEntry.Kind.TOP_UP, top_up.pk, why="on the bank's list", by=by, now=now)
    assert entry.state == DONE, "above the limit for one person"
    top_up.refresh_from_db()
    return top_up


def entered(kind: StaffEntry.Kind, customer: Customer, amount: str, *, by: Person, **more: Any) -> StaffEntry:
    """Something that finance enters."""
    return entries.enter(
        kind, customer_id=customer.pk, amount_pips=pips_of(amount), why="the tests' grounds", by=by, now=NOW, **more
    )


def reversed_(top_up: TopUp, *, by: Person) -> StaffEntry:
    """A credited top-up whose money went back."""
    return entries.enter_for_top_up(StaffEntry.Kind.REVERSAL, top_up.pk, why="the cheque bounced", by=by, now=NOW)


def pips(conn: Connection, customer: Customer, kind: Account.Kind = Account.Kind.AVAILABLE) -> int:
    """One of the customer's balances."""
    return ledger.balances(conn, [customer.pk])[customer.pk, kind]


def reason_of(act: Callable[..., object], *args: Any, **kwargs: Any) -> Reason:
    """Why it was refused."""
    try:
        act(*args, **kwargs)
    except Refused as refused:
        return refused.reason
    raise AssertionError("it was not refused")


def at_once(*acts: Callable[[], object]) -> Sequence[Exception | None]:
    """Each in a thread of its own, begun together; what each raised."""
    raised: list[Exception | None] = [None] * len(acts)
    start = threading.Barrier(len(acts))

    def run(place: int, act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - also a deadlock is for the test to see
            raised[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised
