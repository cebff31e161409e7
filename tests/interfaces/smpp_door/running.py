"""The SMPP door, a gateway and a simulator, on one event loop; and ESMEs that bind to it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from sampan.accounts.keys import SHORT_CHARACTERS, add_key
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.smpp_door.door import SETTINGS, SmppDoor, utc_now
from sampan.smpp.client import BindMode, Operator, connect
from sampan.smpp.pdu import Command, SubmitSm
from sampan.smpp.server import Server
from sampan.smpp.session import Limits
from tests.smpp.peers import Link, Peer, StoringLink, connected_peer
from tests.world import NOW, PLATFORM, SENDER

HANDSET = "85251000000"
RATE = 1_000


def key_of(customer: Customer) -> str:
    """A key of the customer's owner, short enough for our own client."""
    owner = Person.objects.get(customer=customer)
    return add_key(owner, name="esme", now=NOW, characters=SHORT_CHARACTERS)


class Door:
    """A door that is open."""

    def __init__(self, door: SmppDoor, port: int) -> None:
        self.door = door
        self.port = port

    @contextlib.asynccontextmanager
    async def bound(
        self,
        customer: Customer,
        mode: BindMode = BindMode.TRANSCEIVER,
        link: Link | None = None,
        *,
        key: str = "",
        limits: Limits | None = None,
    ) -> AsyncIterator[Link]:
        """An ESME that is bound; at the end it unbinds."""
        link = link or StoringLink()
        operator = Operator(
            host="127.0.0.1",
            port=self.port,
            system_id=Person.objects.get(customer=customer).login_name,
            password=key or key_of(customer),
            mode=mode,
        )
        session = await connect(operator, link, limits)
        try:
            yield link
        finally:
            await session.unbind()


@contextlib.asynccontextmanager
async def open_door(*, rate: int = RATE, clock: Callable[[], datetime] = utc_now) -> AsyncIterator[Door]:
    """The door on a free port, as `sampan smpp` has it."""
    door = SmppDoor(PLATFORM, rate=rate, clock=clock)
    server = Server(door, SETTINGS)
    port = await server.start("127.0.0.1", 0)
    try:
        yield Door(door, port)
    finally:
        await server.stop(timeout_s=1)
        await door.close()


async def bind_with(port: int, system_id: str, password: str) -> tuple[Peer, int]:
    """Bind with credentials of any length; the command_status."""
    peer = await connected_peer(port)
    body = f"{system_id}\0{password}\0\0".encode() + bytes((0x34, 0, 0, 0))
    header = (16 + len(body), Command.BIND_TRANSCEIVER, 0, 1)
    peer.send(b"".join(each.to_bytes(4, "big") for each in header) + body)
    return peer, (await peer.read()).status


def message(text: bytes = b"Your roses are ready", **changes: object) -> SubmitSm:
    """The florist's text to a handset that gets it, with a receipt."""
    return SubmitSm("", 5, 0, SENDER, 1, 1, HANDSET, registered_delivery=1, short_message=text)._replace(**changes)  # type: ignore[arg-type]


async def submitted(link: Link, *bodies: SubmitSm) -> list[tuple[int, str]]:
    """The answers to these, in their order: command_status and message_id."""
    before = len(link.told.get("answers", ()))
    link.session.submit([(before + place, body) for place, body in enumerate(bodies)])
    answers = (await link.until("answers", before + len(bodies)))[before:]
    return [(status, message_id) for _, status, message_id in sorted(answers)]


def rows(conn: Connection, sql: str) -> list[tuple[object, ...]]:
    """What the database has."""
    return conn.execute(sql.encode()).fetchall()
