"""So many of each at once and no more (spec S125)."""

import asyncio
from typing import Any

import pytest

from sampan.accounts.blocking import MOST_TURNED_AWAY
from sampan.accounts.tables import BlockedAddress
from sampan.database import Connection
from sampan.interfaces.at_once import MOST_OF_ADDRESS, AtOnce
from sampan.interfaces.web import Web
from sampan.reasons import Reason, Refused
from tests.interfaces.calling import call
from tests.world import PLATFORM


def enter(places: AtOnce, key: str) -> None:
    with places.place(key):
        raise ConnectionError


def test_a_place_is_free_again_when_its_holder_has_gone_also_by_a_fault() -> None:
    places = AtOnce(2)
    with places.place("harbour"):
        with pytest.raises(ConnectionError):
            enter(places, "harbour")
        assert not places.is_full("harbour")
        with places.place("harbour"):
            assert places.is_full("harbour")
            assert not places.is_full("mallory")
            with pytest.raises(Refused) as refused:
                enter(places, "harbour")
        assert refused.value.reason == Reason.OVERLOADED


def test_a_stranger_with_too_many_requests_at_once_is_told_to_come_again_and_blocked_if_it_does_not_listen(
    database: Connection,
) -> None:
    async def scenario() -> None:
        web = Web(PLATFORM)
        go_on = asyncio.Event()

        async def slow(_scope: Any, _receive: Any, send: Any) -> None:
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

        web.doors["/slow"] = slow
        waiting = [asyncio.create_task(call(web, "/slow", address="8.8.8.8")) for _ in range(MOST_OF_ADDRESS)]
        await asyncio.sleep(0)
        refused = await call(web, "/slow", address="8.8.8.8")
        assert (refused.status, refused.headers["retry-after"]) == (429, "1")
        at_json = await call(web, "/v1/balance", address="8.8.8.8")
        assert (at_json.status, at_json.headers["retry-after"]) == (429, "1")
        assert '"/v1/problems/overloaded"' in at_json.text
        for _ in range(MOST_TURNED_AWAY - 2):
            await call(web, "/slow", address="8.8.8.8")
        others = [asyncio.create_task(call(web, "/slow", address=address)) for address in ("8.8.4.4", "127.0.0.1")]
        go_on.set()
        assert {reply.status for reply in await asyncio.gather(*waiting, *others)} == {200}
        assert (await call(web, "/slow", address="8.8.8.8")).status == 200
        await web.close()

    asyncio.run(scenario())
    assert [(row.address, row.door, row.is_crowd) for row in BlockedAddress.objects.all()] == [("8.8.8.8", "web", True)]
