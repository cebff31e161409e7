"""Ask the JSON API, in this process, as the web server does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from typing import Any, NamedTuple

from sampan.accounts.keys import Scope, add_json_key
from sampan.accounts.tables import Person
from sampan.database import DatabaseThreads
from sampan.interfaces.json_api.door import JsonApi
from sampan.messages.intake import Intake
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.calling import call
from tests.world import NOW, PLATFORM, SENDER

HERE = "127.0.0.1"
RIGHT: dict[str, Any] = {"to": "85261234567", "text": "Your roses are ready", "sender": SENDER}
ALL = tuple(Scope)


class Said(NamedTuple):
    """An answer, its body read."""

    status: int
    headers: dict[str, str]
    body: Any


Ask = Callable[..., Awaitable[Said]]


def key_of(login_name: str = "harbour", *, scopes: Collection[Scope] = ALL, test: bool = False, **more: Any) -> str:
    """A new key of somebody's."""
    person = Person.objects.get(login_name=login_name)
    if test:
        scopes = [scope for scope in scopes if scope not in (Scope.CONTACTS, Scope.MANAGE)]
    return add_json_key(person, name="tests", test=test, scopes=scopes, now=NOW, **more)


def with_door(scenario: Callable[[Ask], Awaitable[None]], key: str = "") -> None:
    """Run a scenario with `ask(method, path, body)`; with the key given, or one of Harbour's that may everything."""

    async def run() -> None:
        intake, threads = Intake(PLATFORM), DatabaseThreads(2, "tests")
        door = JsonApi(intake, threads, PLATFORM)
        usual = key or key_of()

        async def ask(
            method: str,
            path: str,
            body: Any = None,
            *,
            query: str = "",
            key: str = usual,
            headers: dict[str, str] | None = None,
            raw: bytes | None = None,
            address: str = HERE,
        ) -> Said:
            sent = {"authorization": f"Bearer {key}", "content-type": "application/json"} | (headers or {})
            octets = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
            sent = {"content-length": str(len(octets))} | sent
            reply = await call(
                door,
                path,
                query,
                method=method,
                body=octets,
                headers={name: value for name, value in sent.items() if value},
                address=address,
            )
            packed = reply.headers.get("content-encoding") == "gzip"
            return Said(reply.status, reply.headers, reply.body if packed else json.loads(reply.body))

        try:
            await scenario(ask)
        finally:
            await door.close()
            await intake.close()
            threads.close()

    asyncio.run(run())
