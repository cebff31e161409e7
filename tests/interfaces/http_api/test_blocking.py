"""An address that guesses is told to wait, one that is on no list is turned away, and others are not (spec S125)."""

from sampan.accounts.allow_lists import allow
from sampan.accounts.blocking import MOST_FAILURES
from sampan.accounts.tables import BlockedAddress, Person, RefusedAddress
from sampan.database import Connection, Snapshot
from tests.interfaces.http_api.asking import BALANCE, Ask, with_door
from tests.world import NOW, make_customer


def test_too_many_wrong_passwords_block_the_address_alone(database: Connection) -> None:
    make_customer()

    async def scenario(ask: Ask) -> None:
        for _ in range(MOST_FAILURES):
            assert (await ask(BALANCE, password="wrong", address="8.8.8.8")).text == "ERROR:2"
        Snapshot.forget_all()
        blocked = await ask(BALANCE, address="8.8.8.8")
        assert (blocked.status, blocked.text) == (429, "")
        assert 0 < int(blocked.headers["retry-after"]) <= 1800
        assert (await ask(BALANCE, address="8.8.4.4")).text.startswith("BALANCE:")

    with_door(scenario)
    assert BlockedAddress.objects.get().address == "8.8.8.8"


def test_an_account_with_a_list_is_called_from_its_networks_alone(database: Connection) -> None:
    make_customer()

    async def scenario(ask: Ask) -> None:
        assert (await ask(BALANCE, address="203.0.113.7")).text.startswith("BALANCE:")
        allow(Person.objects.get(), "198.51.100.0/24", note="", now=NOW)
        Snapshot.forget_all()
        refused = await ask(BALANCE, address="203.0.113.7")
        assert refused.status == 403
        assert refused.text.startswith("The account may not be called from this address")
        assert (await ask(BALANCE, address="198.51.100.9")).text.startswith("BALANCE:")
        assert (await ask(BALANCE, address="203.0.113.7", password="wrong")).text == "ERROR:2"  # learns nothing

    with_door(scenario)
    assert [(row.door, row.address) for row in RefusedAddress.objects.all()] == [("HTTP", "203.0.113.7")]
