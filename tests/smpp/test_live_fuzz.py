"""Garbage on a live server: the session that sends it may go, the server and the other sessions go on."""

import asyncio
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sampan.smpp.pdu import BindTransceiver, SubmitSmResp, encode
from sampan.smpp.server import DoorSettings
from sampan.smpp.session import Limits
from tests.smpp.peers import NAME, PASSWORD, PromptDoor, bound_peer, connected_peer, message, open_door, run
from tests.smpp.strategies import bodies

QUIET = DoorSettings(limits=Limits(enquire_link_s=None, most_requests=3, window=3))


@st.composite
def garbage(draw: st.DrawFn) -> bytes:
    """PDUs of all kinds in any order, some of them bent, some octets between them."""
    pieces: list[bytes] = []
    for body in draw(st.lists(bodies, max_size=6)):
        frame = bytearray(encode(body, draw(st.integers(0, 9)), draw(st.sampled_from([0, 8, 0x58]))))
        for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
            frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
        pieces.append(bytes(frame))
        pieces.append(draw(st.sampled_from([b"", b"", b"", b"\0", b"GET / HTTP/1.1\r\n\r\n"])))
    return b"".join(pieces) + draw(st.binary(max_size=40))


@settings(max_examples=40)
@given(garbage(), st.booleans())
def test_garbage_costs_at_most_its_own_session(octets: bytes, binds_first: bool) -> None:
    async def test() -> None:
        async with open_door(PromptDoor(), QUIET) as (port, server):
            good = await bound_peer(port)
            bad = await connected_peer(port)
            if binds_first:
                await bad.ask(BindTransceiver(NAME, PASSWORD), 1)
            bad.send(octets)
            bad.writer.write_eof()
            with contextlib.suppress(ConnectionError):
                while await bad.reader.read(65536):
                    pass
            assert await good.ask(message(), 2) == (0, 2, SubmitSmResp("2"))
            assert all(session.counts.faults == 0 for session in server.sessions)
            assert await asyncio.wait_for((await bound_peer(port)).ask(message(), 3), 5) == (0, 3, SubmitSmResp("3"))

    run(test)
