"""Who is let in at a door, and who is not."""

import asyncio

import pytest

from sampan.smpp.client import BindRefused, connect
from sampan.smpp.pdu import (
    Bind,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    Body,
    EnquireLink,
    EnquireLinkResp,
    Pdu,
    Status,
    SubmitSmResp,
    Tag,
    encode,
)
from sampan.smpp.server import DoorSettings, ServerSession
from sampan.smpp.session import Limits, State
from tests.smpp.peers import (
    NAME,
    PASSWORD,
    Door,
    Link,
    PromptDoor,
    bound_peer,
    connected_peer,
    message,
    open_door,
    operator_at,
    run,
)

QUIET = DoorSettings(limits=Limits(enquire_link_s=None))


@pytest.mark.parametrize(
    ("bind", "answer", "state"),
    [
        (BindTransmitter(NAME, PASSWORD, "VMA"), BindTransmitterResp, State.BOUND_TX),
        (BindReceiver(NAME, PASSWORD), BindReceiverResp, State.BOUND_RX),
        (BindTransceiver(NAME, PASSWORD), BindTransceiverResp, State.BOUND_TRX),
    ],
)
def test_an_esme_binds_and_is_told_who_we_are(bind: Body, answer: type, state: State) -> None:
    async def test() -> None:
        async with open_door(door := Door(), DoorSettings(system_id="SMSC")) as (port, server):
            peer = await connected_peer(port)
            read = await peer.ask(bind)
            assert type(read.body) is answer
            assert read.body == ("SMSC", ((Tag.SC_INTERFACE_VERSION, b"\x34"),))
            (session,) = await door.until("bound")
            assert (session.state, session.system_id) == (state, NAME)
            assert door.told["binds"] == [bind]
            assert server.sessions == {session}
            peer.writer.close()
            await door.until("closed")
            assert server.sessions == set()

    run(test)


def test_an_esme_of_an_older_version_is_sent_no_optional_parameters() -> None:
    async def test() -> None:
        async with open_door(Door(), QUIET) as (port, _):
            peer = await connected_peer(port)
            answer = await peer.ask(BindTransmitter(NAME, PASSWORD, interface_version=0x33))
            assert answer == Pdu(0, 1, BindTransmitterResp("sampan"))

    run(test)


def test_a_refused_bind_is_answered_and_the_connection_closed() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            door.status = Status.ESME_RINVPASWD
            peer = await connected_peer(port)
            assert await peer.ask(BindTransceiver(NAME, "wrong")) == Pdu(14, 1, BindTransceiverResp())
            assert await peer.at_end()
            with pytest.raises(BindRefused, match="ESME_RINVPASWD"):
                await connect(operator_at(port), Link())
            assert "bound" not in door.told

    run(test)


class FaultyDoor(Door):
    """Cannot look passwords up."""

    async def authenticate(self, session: ServerSession, bind: Bind) -> int:
        raise RuntimeError("the database is away")


def test_a_fault_while_authenticating_is_a_system_error_to_the_esme() -> None:
    async def test() -> None:
        async with open_door(FaultyDoor(), QUIET) as (port, _):
            peer = await connected_peer(port)
            assert (await peer.ask(BindTransceiver(NAME, PASSWORD))).status == Status.ESME_RSYSERR
            assert await peer.at_end()

    run(test)


class SlowDoor(Door):
    """Takes its time over passwords."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = asyncio.Event()

    async def authenticate(self, session: ServerSession, bind: Bind) -> int:
        await self.may_go_on.wait()
        return await super().authenticate(session, bind)


def test_before_the_bind_is_answered_nothing_else_is_served_and_after_it_no_second_bind() -> None:
    async def test() -> None:
        async with open_door(door := SlowDoor(), QUIET) as (port, _):
            peer = await connected_peer(port)
            assert await peer.ask(message(), 1) == Pdu(Status.ESME_RINVBNDSTS, 1, SubmitSmResp())
            assert (await peer.ask(EnquireLink(), 2)).body == EnquireLinkResp()
            peer.send(encode(BindTransceiver(NAME), 3), encode(BindReceiver(NAME), 4), encode(message(), 5))
            again = await peer.read()
            assert (again.status, again.sequence_number) == (Status.ESME_RALYBND, 4)
            assert isinstance(again.body, BindReceiverResp)
            assert await peer.read() == Pdu(Status.ESME_RINVBNDSTS, 5, SubmitSmResp())
            door.may_go_on.set()
            assert (await peer.read()).sequence_number == 3
            assert (await peer.ask(BindTransceiver(NAME), 6)).status == Status.ESME_RALYBND
            assert len(door.told["bound"]) == 1

    run(test)


def test_an_esme_that_leaves_before_its_bind_is_answered_leaves_nothing_behind() -> None:
    async def test() -> None:
        async with open_door(door := SlowDoor(), QUIET) as (port, server):
            peer = await connected_peer(port)
            peer.send(encode(BindTransceiver(NAME), 1), encode(EnquireLink(), 2))
            await peer.read()
            (session,) = server.sessions
            peer.writer.close()
            await session.wait_closed()
            door.may_go_on.set()
            assert server.sessions == set()
            assert door.told == {}

    run(test)


@pytest.mark.parametrize(
    ("bind", "status"),
    [
        (BindTransceiver("x" * 15, PASSWORD), Status.ESME_RINVSYSID),
        (BindTransceiver(NAME, "12345678"), Status.ESME_RINVPASWD),
    ],
)
def test_a_bind_that_breaks_a_limit_is_refused(bind: Bind, status: Status) -> None:
    async def test() -> None:
        async with open_door(Door(), QUIET) as (port, _):
            peer = await connected_peer(port)
            frame = encode(bind, 1)
            longer = frame.replace(bind.system_id.encode() + b"\0", b"y" * 16 + b"\0", status == Status.ESME_RINVSYSID)
            longer = longer.replace(b"12345678\0", b"123456789\0")
            peer.send(len(longer).to_bytes(4, "big"), longer[4:])
            assert (await peer.read()).status == status

    run(test)


def test_who_does_not_bind_in_time_is_shown_out() -> None:
    async def test() -> None:
        limits = Limits(enquire_link_s=None, response_timeout_s=0.04)
        async with open_door(Door(), DoorSettings(limits=limits, bind_timeout_s=0.05)) as (port, _):
            peer = await connected_peer(port)
            assert await peer.at_end()

    run(test)


def test_beyond_the_most_sessions_connections_are_turned_away() -> None:
    async def test() -> None:
        settings = DoorSettings(most_sessions=1, limits=QUIET.limits)
        async with open_door(PromptDoor(), settings) as (port, server):
            first = await bound_peer(port)
            second = await connected_peer(port)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await second.ask(BindTransceiver(NAME, PASSWORD))
            assert server.turned_away == 1
            assert (await first.ask(message(), 2)).body == SubmitSmResp("2")

    run(test)
