"""Who binds comes from a network of the account's; an address that guesses is known to every door (spec S125)."""

import asyncio
from datetime import timedelta

from sampan.accounts.allow_lists import allow, disallow
from sampan.accounts.tables import BlockedAddress, Person, RefusedAddress, SignInFailure
from sampan.database import Connection, Snapshot
from sampan.interfaces.smpp_door.door import utc_now
from sampan.smpp.pdu import Status
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.smpp_door.running import bind_with, key_of, open_door
from tests.interfaces.smpp_door.test_door import run
from tests.world import NOW, make_customer, make_places


def test_an_account_with_a_list_binds_from_its_networks_alone(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        key = key_of(make_customer())
        elsewhere = allow(Person.objects.get(), "198.51.100.0/24", note="", now=NOW)
        async with open_door() as door:
            _, status = await bind_with(door.port, "harbour", key)
            assert status == Status.ESME_RBINDFAIL
            assert [(row.door, row.address) for row in RefusedAddress.objects.all()] == [("SMPP", "127.0.0.1")]
            allow(Person.objects.get(), "127.0.0.0/8", note="", now=NOW)
            disallow(Person.objects.get(), elsewhere.pk)
            Snapshot.forget_all()
            _, status = await bind_with(door.port, "harbour", key)
            assert status == Status.ESME_ROK
        assert not SignInFailure.objects.exists()

    run(scenario)


def test_a_session_from_a_network_that_was_taken_off_the_list_is_unbound(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door, door.bound(harbour) as link:
            await door.door.keep_order()
            assert "closed" not in link.told
            allow(Person.objects.get(), "198.51.100.0/24", note="", now=NOW)
            Snapshot.forget_all()
            await door.door.keep_order()
            async with asyncio.timeout(5):
                await link.until("closed")

    run(scenario)


def test_wrong_passwords_count_at_every_door_and_a_blocked_address_does_not_bind(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        key = key_of(make_customer())
        async with open_door() as door:
            _, status = await bind_with(door.port, "harbour", "wrong")
            assert status == Status.ESME_RINVPASWD
            failure = SignInFailure.objects.get()
            assert (failure.door, failure.login_name, failure.address) == ("SMPP", "harbour", "127.0.0.1")
            now = utc_now()
            until = now + timedelta(minutes=30)
            BlockedAddress.objects.create(address="127.0.0.1", door="HTTP", failures=20, since=now, until=until)
            Snapshot.forget_all()
            _, status = await bind_with(door.port, "harbour", key)
            assert status == Status.ESME_RBINDFAIL
            BlockedAddress.objects.update(until=now)
            Snapshot.forget_all()
            _, status = await bind_with(door.port, "harbour", key)
            assert status == Status.ESME_ROK

    run(scenario)
