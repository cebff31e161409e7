"""Ask the HTTP API, in this process, as the web server does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from sampan.database import DatabaseThreads
from sampan.interfaces.http_api import HttpApi
from sampan.messages.intake import Intake
from sampan.messages.tables import Message
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.calling import Reply, call
from tests.world import PASSWORD, PLATFORM, SENDER

HERE = "127.0.0.1"
SEND = "/misweb/f_sendsms.aspx"
STATUS = "/misweb/f_getsmsdstatus.aspx"
BALANCE = "/misweb/f_getuserbalance.aspx"
QUEUE = "/misweb/f_getserverqueue.aspx"
RIGHT = {
    "username": "harbour",
    "password": PASSWORD,
    "content": "Hello",
    "langeng": "1",
    "recipient": "85261234567",
    "dos": "now",
    "senderid": SENDER,
}

Ask = Callable[..., Awaitable[Reply]]


def with_door(scenario: Callable[[Ask], Awaitable[None]]) -> None:
    """Run a scenario with `ask(path, **changes)`; a change to None leaves the parameter out."""

    async def run() -> None:
        intake, threads = Intake(PLATFORM), DatabaseThreads(2, "tests")
        door = HttpApi(intake, threads)

        async def ask(
            path: str = SEND, *, raw: bytes | None = None, post: bool = False, address: str = HERE, **changes: Any
        ) -> Reply:
            wanted = RIGHT if path == SEND else {"username": "harbour", "password": PASSWORD}
            values = {name: value for name, value in (wanted | changes).items() if value is not None}
            query = raw if raw is not None else urlencode(values).encode()
            if post:
                return await call(door, path, method="POST", body=query, address=address)
            return await call(door, path, query, address=address)

        try:
            await scenario(ask)
        finally:
            await intake.close()
            threads.close()

    asyncio.run(run())


def answers(expected: list[tuple[dict[str, Any], str]]) -> None:
    """Each call gets its answer, and none of those refused leaves anything behind."""

    async def scenario(ask: Ask) -> None:
        for changes, answer in expected:
            reply = await ask(**changes)
            assert (changes, reply.text) == (changes, answer)
            assert reply.status == 200
        assert not Message.objects.exists()

    with_door(scenario)
