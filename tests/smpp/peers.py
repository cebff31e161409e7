"""Who tests speak with: a peer of plain octets, and owners that write down what they are told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import uvloop

from sampan.smpp.client import ClientSession, Delivery, Operator, connect
from sampan.smpp.pdu import Bind, BindTransceiver, BindTransceiverResp, Body, Pdu, SubmitSm, decode, encode
from sampan.smpp.server import DoorSettings, Request, Server, ServerSession
from sampan.smpp.session import Answer, Limits

PATIENCE_S = 10.0  # for what must happen; a test that waits so long has failed
NAME, PASSWORD = "florist", "secret"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine in a loop of its own, asyncio's and the product's, and fail rather than hang."""
    asyncio.run(_bounded(test))
    uvloop.run(_bounded(test))


def run_as_product(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """The same in the product's loop only, for what takes its time."""
    uvloop.run(_bounded(test))


async def _bounded(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await test()


class Peer:
    """The other end of a connection, which sends and reads what a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> Pdu:
        """The next PDU."""
        head = await self.reader.readexactly(4)
        return decode(head + await self.reader.readexactly(int.from_bytes(head, "big") - 4))

    async def at_end(self) -> bool:
        """Whether the other side has closed; nothing more came."""
        return await self.reader.read(1) == b""

    def send(self, *octets: bytes) -> None:
        """Write, all at once."""
        self.writer.write(b"".join(octets))

    async def ask(self, body: Body, number: int = 1) -> Pdu:
        """Send a request and read what comes next."""
        self.send(encode(body, number))
        return await self.read()


@asynccontextmanager
async def listening_peer() -> AsyncIterator[tuple[int, "asyncio.Queue[Peer]"]]:
    """A port, and the peers that connect there."""
    peers: asyncio.Queue[Peer] = asyncio.Queue()
    server = await asyncio.start_server(lambda r, w: peers.put_nowait(Peer(r, w)), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], peers
    finally:
        server.close()
        while not peers.empty():
            peers.get_nowait().writer.close()


async def connected_peer(port: int) -> Peer:
    """A peer that has connected to us."""
    return Peer(*await asyncio.open_connection("127.0.0.1", port))


def operator_at(port: int, **more: Any) -> Operator:
    """Where the florist binds."""
    return Operator(host="127.0.0.1", port=port, system_id=NAME, password=PASSWORD, **more)


async def let_in(peers: "asyncio.Queue[Peer]", *behind: bytes) -> Peer:
    """Answer the bind of the next to connect with yes; `behind` goes into the same write."""
    peer = await peers.get()
    bind = await peer.read()
    peer.send(encode(BindTransceiverResp("SMSC"), bind.sequence_number), *behind)
    return peer


async def bound_peer(port: int, bind: Body | None = None) -> Peer:
    """A peer that is bound, as a transceiver if nothing else is said."""
    peer = await connected_peer(port)
    answer = await peer.ask(bind or BindTransceiver(NAME, PASSWORD))
    assert answer.status == 0
    return peer


class Events:
    """What an owner was told, in order, and the waiting for it."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {}
        self._news = asyncio.Event()

    def note(self, name: str, items: list[Any]) -> None:
        """Write down, each item for itself."""
        self.told.setdefault(name, []).extend(items)
        self._news.set()

    async def until(self, name: str, count: int = 1) -> list[Any]:
        """What was told by this name, as soon as it is so many."""
        while len(self.told.get(name, ())) < count:
            self._news.clear()
            await self._news.wait()
        return self.told[name]


class Link(Events):
    """Owns a client's session."""

    session: ClientSession

    def on_bound(self, session: ClientSession) -> None:
        self.session = session
        self.note("bound", [session])

    def on_answers(self, answers: list[Answer]) -> None:
        self.note("answers", answers)

    def on_expired(self, tokens: list[Any]) -> None:
        self.note("expired", tokens)

    def on_late(self, answers: list[Answer]) -> None:
        self.note("late", answers)

    def on_deliveries(self, deliveries: list[Delivery]) -> None:
        self.note("deliveries", deliveries)

    def on_closed(self, reason: str, unanswered: list[Any], unsent: list[Any]) -> None:
        self.note("closed", [(reason, unanswered, unsent)])


class StoringLink(Link):
    """Acknowledges deliveries as soon as it has them."""

    def on_deliveries(self, deliveries: list[Delivery]) -> None:
        super().on_deliveries(deliveries)
        self.session.acknowledge([delivery.sequence_number for delivery in deliveries])


class Door(Events):
    """Owns a server's sessions: lets the florist in, and writes requests down for the test to answer."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0

    async def authenticate(self, session: ServerSession, bind: Bind) -> int:
        self.note("binds", [bind])
        return self.status

    def on_bound(self, session: ServerSession) -> None:
        self.note("bound", [session])

    def on_requests(self, session: ServerSession, requests: list[Request]) -> None:
        self.note("requests", requests)

    def on_answers(self, session: ServerSession, answers: list[Answer]) -> None:
        self.note("answers", answers)

    def on_expired(self, session: ServerSession, tokens: list[Any]) -> None:
        self.note("expired", tokens)

    def on_closed(self, session: ServerSession, reason: str, undelivered: list[Any]) -> None:
        self.note("closed", [(reason, undelivered)])


async def bound(port: int, peers: "asyncio.Queue[Peer]", link: Link, limits: Limits | None = None) -> Peer:
    """The peer of a link that is bound as a transceiver."""
    peer, _ = await asyncio.gather(let_in(peers), connect(operator_at(port), link, limits))
    return peer


class PromptDoor(Door):
    """Answers every submit_sm at once, with the number it came with as its id."""

    def on_requests(self, session: ServerSession, requests: list[Request]) -> None:
        super().on_requests(session, requests)
        session.respond([(request.sequence_number, 0, str(request.sequence_number)) for request in requests])


@asynccontextmanager
async def open_door(
    door: Door, settings: DoorSettings | None = None, tls: Any = None
) -> AsyncIterator[tuple[int, Server]]:
    """A server of ours, and its port."""
    server = Server(door, settings)
    port = await server.start("127.0.0.1", 0, tls)
    try:
        yield port, server
    finally:
        await server.stop(timeout_s=0.05)


def message(number: int = 0, text: bytes = b"Your roses are ready") -> SubmitSm:
    """The florist's text to the handset 8525100nnnn."""
    return SubmitSm("", 5, 0, "Florist", 1, 1, f"8525100{number:04}", registered_delivery=1, short_message=text)
