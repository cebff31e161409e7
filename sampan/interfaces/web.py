"""One port: the API doors in asyncio, everything else Django's pages (docs/decisions/0006-one-port.md).

A new API is one file here and one line in `Web.doors`.
"""

from django.conf import settings

from sampan.database import DatabaseThreads
from sampan.interfaces.asgi import Application, Receive, Scope, Send
from sampan.interfaces.django_below import DjangoBelow
from sampan.interfaces.http_api import HttpApi
from sampan.interfaces.static_files import StaticFiles
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform

LOOKUP_THREADS = 2


class Web:
    """The whole of a web process, made on its event loop."""

    def __init__(self, platform: Platform) -> None:
        self._lookups = DatabaseThreads(LOOKUP_THREADS, "web")
        self._intake = Intake(platform)
        self._pages = DjangoBelow()
        http_api = HttpApi(self._intake, self._lookups)
        static_files = StaticFiles(settings.STATIC_FOLDER, settings.STATIC_URL)
        self.doors: dict[str, Application] = {
            **dict.fromkeys(http_api.addresses, http_api),
            **dict.fromkeys(static_files.addresses, static_files),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Each request to its door."""
        if scope["type"] != "http":
            return
        door = self.doors.get(scope["path"]) or self.doors.get(scope["path"].lower())
        await (door or self._pages)(scope, receive, send)

    async def close(self) -> None:
        """Answer what is in hand, then let go of the database."""
        await self._intake.close()
        self._pages.close()
        self._lookups.close()
