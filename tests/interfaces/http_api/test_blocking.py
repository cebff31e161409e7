"""An address that guesses is told to wait, and others are not (spec S125)."""

from sampan.accounts.blocking import MOST_FAILURES
from sampan.accounts.tables import BlockedAddress
from sampan.database import Connection, Snapshot
from tests.interfaces.http_api.asking import BALANCE, Ask, with_door
from tests.world import make_customer


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
