"""Bodies that come slowly or in many pieces (spec S123, S125)."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from sampan.interfaces.asgi import Receive
from sampan.interfaces.json_api import bodies, problems
from sampan.interfaces.json_api.bodies import SMALL_BODY_OCTETS, Bodies
from sampan.interfaces.json_api.operations import OPERATIONS
from sampan.interfaces.json_api.problems import Wrong
from sampan.reasons import Reason, Refused

HARBOUR, MALLORY = 1, 2
NUMBERS = next(each for each in OPERATIONS if each.name == "check_numbers")
SMALL = b'{"numbers": ["85261234567"]}'
LARGE = SMALL + b" " * SMALL_BODY_OCTETS
HEADERS = {b"content-type": b"application/json"}


def coming(*pieces: bytes, whole: bool = True) -> Receive:
    """A body in these pieces, as the web server gives it; or its beginning, and then nothing more."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.Event().wait()
        piece = left.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(left) or not whole}

    return receive


async def read(reader: Bodies, receive: Receive, customer_id: int, length: int | None = None) -> Any:
    headers = HEADERS if length is None else HEADERS | {b"content-length": str(length).encode()}
    async with AsyncExitStack() as held:
        return await reader.read(NUMBERS, headers, receive, customer_id=customer_id, held=held)


async def until_it_waits(task: "asyncio.Task[Any]") -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()


@pytest.mark.parametrize("length", [None, len(LARGE)])
def test_who_sends_slowly_keeps_nobody_else_out(length: int | None) -> None:
    async def scenario() -> None:
        reader = Bodies()
        slow = [
            asyncio.create_task(read(reader, coming(LARGE, whole=False), MALLORY, length))
            for _ in range(2 * bodies.MOST_LARGE_BODIES)
        ]
        await until_it_waits(slow[0])
        for body in (coming(SMALL), coming(SMALL[:9], SMALL[9:]), coming(LARGE), coming(LARGE[:99], LARGE[99:])):
            assert (await read(reader, body, HARBOUR)).numbers == ["85261234567"]
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        assert (await read(reader, coming(LARGE), MALLORY)).numbers == ["85261234567"]

    asyncio.run(scenario())


def test_a_second_large_one_of_an_account_waits_and_then_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "PLACE_WITHIN_S", 0.05)

    async def scenario() -> None:
        reader = Bodies()
        slow = asyncio.create_task(read(reader, coming(LARGE, whole=False), HARBOUR))
        await until_it_waits(slow)
        with pytest.raises(Refused) as refused:
            await read(reader, coming(LARGE), HARBOUR)
        assert refused.value.reason == Reason.OVERLOADED
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)

    asyncio.run(scenario())


@pytest.mark.parametrize("beginning", [SMALL[:9], LARGE])
def test_a_body_that_does_not_come_is_told(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.05)

    async def scenario() -> None:
        with pytest.raises(Wrong) as wrong:
            await read(Bodies(), coming(beginning, whole=False), HARBOUR)
        assert wrong.value.kind == problems.BODY_TOO_SLOW

    asyncio.run(scenario())


def test_a_body_that_grows_beyond_the_limit_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "MOST_BODY_OCTETS", 2 * SMALL_BODY_OCTETS)

    async def scenario() -> None:
        with pytest.raises(Wrong) as wrong:
            await read(Bodies(), coming(*[b" " * SMALL_BODY_OCTETS] * 3, whole=False), HARBOUR)
        assert wrong.value.kind == problems.BODY_TOO_LARGE

    asyncio.run(scenario())
