"""One port: the API doors in asyncio, everything else Django's pages (docs/decisions/0006-one-port.md).

A new API is one file here and one line in `Web.doors`.
"""

from datetime import UTC, datetime

from django.conf import settings

from sampan.accounts.blocking import Crowds, block_crowd, caller_of
from sampan.database import DatabaseThreads
from sampan.interfaces.asgi import Application, Receive, Scope, Send, answer
from sampan.interfaces.at_once import MOST_OF_ADDRESS, AtOnce
from sampan.interfaces.django_below import DjangoBelow
from sampan.interfaces.http_api import HttpApi
from sampan.interfaces.json_api.door import JsonApi
from sampan.interfaces.soap.door import SoapDoor
from sampan.interfaces.static_files import StaticFiles
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform

DOOR = "web"  # whose too many requests at once are noted
LOOKUP_THREADS = 2
JSON_ADDRESSES = "/v1/"  # all below it, but for
JSON_PAGES = ("/v1/docs", "/v1/problems/")
TOO_MANY = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), (b"retry-after", b"1")]


class Web:
    """The whole of a web process, made on its event loop."""

    def __init__(self, platform: Platform) -> None:
        self._lookups = DatabaseThreads(LOOKUP_THREADS, "web")
        self._intake = Intake(platform)
        self._pages = DjangoBelow()
        self._places = AtOnce(MOST_OF_ADDRESS)
        self._crowds = Crowds()
        http_api = HttpApi(self._intake, self._lookups)
        self._soap = SoapDoor(self._intake, self._lookups)
        self._json_api = JsonApi(self._intake, self._lookups, platform)
        static_files = StaticFiles(settings.STATIC_FOLDER, settings.STATIC_URL)
        self.doors: dict[str, Application] = {
            **dict.fromkeys(http_api.addresses, http_api),
            **dict.fromkeys(self._soap.addresses, self._soap),
            **dict.fromkeys(static_files.addresses, static_files),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Each request to its door."""
        if scope["type"] != "http":
            return
        door = self._door(scope["path"])
        address = str((scope.get("client") or ("", 0))[0])
        caller = caller_of(address)
        if caller is None:
            await door(scope, receive, send)
        elif not self._places.is_full(caller):
            with self._places.place(caller):
                await door(scope, receive, send)
        else:
            await self._turn_away(door, scope, send)
            now = datetime.now(UTC)
            if self._crowds.note(caller, now):
                await self._lookups.run(block_crowd, DOOR, caller, now)

    async def _turn_away(self, door: Application, scope: Scope, send: Send) -> None:
        if door is self._json_api:
            await self._json_api.turn_away(scope, send)
        else:
            await answer(send, 429, b"Too many requests at once from this address.\n", TOO_MANY)

    def _door(self, path: str) -> Application:
        if path.startswith(JSON_ADDRESSES) and not path.startswith(JSON_PAGES):
            return self._json_api
        return self.doors.get(path) or self.doors.get(path.lower()) or self._pages

    async def close(self) -> None:
        """Answer what is in hand, then let go of the database."""
        await self._intake.close()
        await self._json_api.close()
        self._pages.close()
        self._lookups.close()
