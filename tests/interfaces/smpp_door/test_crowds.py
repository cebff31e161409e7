"""ESMEs of one customer, and strangers, harm no other; a window that empties is filled at once (spec S124, S125)."""

from collections import Counter
from datetime import datetime

import pytest

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.smpp_door import receipts, telling
from sampan.interfaces.smpp_door.door import SETTINGS, utc_now
from sampan.interfaces.smpp_door.receipts import Wanted
from sampan.reasons import Reason
from sampan.smpp.pdu import EnquireLink, Status
from tests.interfaces.smpp_door.running import HANDSET, bind_with, key_of, open_door
from tests.interfaces.smpp_door.test_door import receipt_of, run
from tests.smpp.peers import connected_peer
from tests.world import SENDER, make_customer, make_mallory, make_places


def test_a_login_that_acknowledges_nothing_keeps_no_other_waiting(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour, mallory = make_customer(), make_mallory()
        now = utc_now()
        slow, quick = (Person.objects.get(customer=customer).pk for customer in (harbour, mallory))
        receipts.want(database, [_refused(slow, harbour, number, now) for number in range(1_000)])
        receipts.want(database, [_refused(quick, mallory, 1_000, now)])
        told = receipts.take(database, {slow: 5, quick: 5}, now)
        assert Counter(each.person_id for each in told) == {slow: 5, quick: 1}

    run(scenario)


def test_an_acknowledgement_makes_room_at_once(database: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more receipts than a window holds the rest does not wait for the next look."""
    monkeypatch.setattr(telling, "LOOK_EVERY_S", 3600.0)

    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        owner, now = Person.objects.get(customer=harbour).pk, utc_now()
        most = SETTINGS.limits.window * 4
        receipts.want(database, [_refused(owner, harbour, number, now) for number in range(most)])
        async with open_door() as door, door.bound(harbour) as link:
            assert len({receipt_of(each).id for each in await link.until("deliveries", most)}) == most

    run(scenario)


def test_connections_that_never_bind_leave_room_for_others(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        key = key_of(make_customer())
        async with open_door() as door:
            most = SETTINGS.most_unbound_of_address
            assert most is not None
            bound, _ = await bind_with(door.port, "harbour", key)  # counts no more
            silent = [await connected_peer(door.port) for _ in range(most)]
            assert await (await connected_peer(door.port)).at_end()
            assert (await bound.ask(EnquireLink(), 2)).status == Status.ESME_ROK
            assert (await silent[0].ask(EnquireLink(), 2)).status == Status.ESME_ROK

    run(scenario)


def _refused(person_id: int, customer: Customer, told_id: int, now: datetime) -> Wanted:
    """A receipt that is due."""
    return Wanted(person_id, customer.pk, None, told_id, Reason.TOO_LONG, 1, 0x500, SENDER, HANDSET, now)
