"""Ask the SOAP door, in this process, as the web server does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from lxml import etree

from sampan.database import DatabaseThreads
from sampan.interfaces.soap.contract import SAMPAN
from sampan.interfaces.soap.door import SoapDoor
from sampan.interfaces.soap.reading import Version
from sampan.messages.intake import Intake
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.calling import Reply, call
from tests.interfaces.doors.soap import NAMES, envelope
from tests.world import PASSWORD, PLATFORM, SENDER

HERE = "127.0.0.1"


class Said(NamedTuple):
    """An answer, read."""

    reply: Reply
    tree: etree._Element

    def values(self, name: str) -> list[str]:
        """The texts of all elements of this name."""
        return [each.text or "" for each in self.tree.iterfind(f".//s:{name}", NAMES)]

    @property
    def code(self) -> str:
        """Of a fault; "" where it is none."""
        return self._of_refusal("code")

    @property
    def words(self) -> str:
        """Of a fault."""
        return self._of_refusal("words")

    def _of_refusal(self, name: str) -> str:
        return str(self.tree.findtext(f".//s:Refusal/s:{name}", "", NAMES))


Ask = Callable[..., Awaitable[Said]]


def request(operation: str, inner: str = "", *, username: str = "harbour", password: str = PASSWORD) -> str:
    """The request of an operation, with credentials."""
    who = f"<username>{username}</username><password>{password}</password>"
    return f'<{operation} xmlns="{SAMPAN}">{who}{inner}</{operation}>'


def send_sms(*recipients: str, text: str = "Hello", more: str = f"<sender>{SENDER}</sender>") -> str:
    """SendSms to these."""
    listed = "".join(f"<recipient>{each}</recipient>" for each in recipients)
    return request("SendSms", f"<recipients>{listed}</recipients><text>{text}</text>{more}")


def with_door(scenario: Callable[[Ask], Awaitable[None]]) -> None:
    """Run a scenario with `ask(request, …)`: a request's body, or with `raw` all octets."""

    async def run() -> None:
        intake, threads = Intake(PLATFORM), DatabaseThreads(2, "tests")
        door = SoapDoor(intake, threads)

        async def ask(
            body: str = "", *, version: Version = Version.SOAP_1_1, raw: bytes | None = None, address: str = HERE
        ) -> Said:
            octets = raw if raw is not None else envelope(body, version).encode()
            reply = await call(door, "/soap/", method="POST", body=octets, address=address)
            return Said(reply, etree.fromstring(reply.body))

        try:
            await scenario(ask)
        finally:
            await intake.close()
            threads.close()

    asyncio.run(run())
