"""A session of ours on a wire of octets: whatever comes in costs at most that session, and what we write is PDUs."""

import asyncio
from collections import Counter
from typing import Any

from sampan.smpp.client import BindRefused, ClientSession
from sampan.smpp.framing import Framer
from sampan.smpp.pdu import BindTransceiver, BindTransceiverResp, decode, encode
from sampan.smpp.server import DoorSettings, Server, ServerSession
from sampan.smpp.session import Limits, Session, SessionClosed
from tests.smpp.peers import NAME, PASSWORD, PromptDoor, StoringLink, message, operator_at

SUBMITS = 3
LIMITS = Limits(window=SUBMITS, most_requests=3, enquire_link_s=None, most_pdu_octets=2_000)
CLIENT, BOUND = 1, 2  # bits of the first octet
STEPS = 3  # of the loop, for tasks to get on


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False
        self.reading = True

    def write(self, data: Any) -> None:
        """Keep it."""
        self.written += data

    def close(self) -> None:
        """Nothing goes out any more."""
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        """Whether it is closed."""
        return self.closed

    def is_reading(self) -> bool:
        """Whether the session listens."""
        return self.reading

    def pause_reading(self) -> None:
        """It does not."""
        self.reading = False

    def resume_reading(self) -> None:
        """It does."""
        self.reading = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""


def sessions(octets: bytes) -> None:
    """The first octet says which side we are and whether a bind stands, the second how the rest is cut."""
    how, size = (octets[0], octets[1] or 1) if len(octets) > 1 else (0, 1)
    _LOOP.run_until_complete(_client(octets[2:], how, size) if how & CLIENT else _server(octets[2:], how, size))


_LOOP = asyncio.new_event_loop()


async def _server(octets: bytes, how: int, size: int) -> None:
    session, wire = ServerSession(Server(PromptDoor(), DoorSettings(limits=LIMITS))), Wire()
    session.connection_made(wire)
    if how & BOUND:
        session.data_received(encode(BindTransceiver(NAME, PASSWORD), 1))
        await _steps()
        assert session.state.bound
    await _feed(session, wire, octets, size)


async def _client(octets: bytes, how: int, size: int) -> None:
    link = StoringLink()
    session, wire = ClientSession(link, LIMITS), Wire()
    session.connection_made(wire)
    binding = asyncio.create_task(session.bind(operator_at(0)))
    await _steps()
    if how & BOUND:
        session.data_received(encode(BindTransceiverResp("SMSC"), 1))
        await binding
        session.submit([(token, message(token)) for token in range(SUBMITS)])
    await _feed(session, wire, octets, size)
    await asyncio.wait([binding])
    assert isinstance(binding.exception(), BindRefused | SessionClosed | None)
    if how & BOUND:
        answered = [token for token, _, _ in link.told.get("answers", [])]
        ((_, unanswered, unsent),) = link.told["closed"]
        assert Counter([*answered, *unanswered, *unsent]) == Counter(range(SUBMITS)), "each has one fate"


async def _feed(session: Session, wire: Wire, octets: bytes, size: int) -> None:
    for start in range(0, len(octets), size):
        session.data_received(octets[start : start + size])
        if wire.closed:
            break
    await _steps()
    session.connection_lost(None)
    await _steps()
    assert session.counts.faults == 0
    framer = Framer()
    written = [frame[3] for frame in framer.feed(bytes(wire.written))]
    assert b"".join(written) == wire.written
    for frame in written:
        decode(frame)


async def _steps() -> None:
    for _ in range(STEPS):
        await asyncio.sleep(0)
