"""A door ESMEs bind at, against a peer that speaks what each test says, and against our own client."""

import pytest

from sampan.smpp.client import BindMode, connect
from sampan.smpp.pdu import (
    BindReceiver,
    BindTransmitter,
    Body,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    GenericNack,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    UnsuccessfulSme,
    encode,
)
from sampan.smpp.server import DoorSettings, ServerSession
from sampan.smpp.session import Limits, SessionClosed, WindowFull
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


def test_requests_of_one_read_come_together_and_are_answered_when_the_owner_likes() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            peer = await bound_peer(port)
            peer.send(*(encode(message(number), number) for number in range(2, 5)))
            requests = await door.until("requests", 3)
            assert requests == [(number, message(number), encode(message(number), number)) for number in range(2, 5)]
            (session,) = door.told["bound"]
            assert (await peer.ask(EnquireLink(), 5)).sequence_number == 5
            session.respond([(4, 0, "1f6"), (2, Status.ESME_RTHROTTLED, ""), (3, 0, "1f5")])
            assert [await peer.read() for _ in range(3)] == [
                Pdu(0, 4, SubmitSmResp("1f6")),
                Pdu(Status.ESME_RTHROTTLED, 2, SubmitSmResp()),
                Pdu(0, 3, SubmitSmResp("1f5")),
            ]
            with pytest.raises(ValueError, match="1 answers, but 0"):
                session.respond([(4, 0, "1f6")])

    run(test)


MULTI = SubmitMulti(dest_addresses=(SmeAddress(1, 1, "85251000000"), SmeAddress(1, 1, "85251000005")))


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (MULTI, SubmitMultiResp("1f4")),
        (DataSm(destination_addr="85251000000"), DataSmResp("1f4")),
        (CancelSm(message_id="1f4"), CancelSmResp()),
        (ReplaceSm("1f4"), ReplaceSmResp()),
    ],
)
def test_every_kind_of_request_is_answered_in_its_kind(request_: Body, answer: Body) -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            peer = await bound_peer(port)
            peer.send(encode(request_, 7))
            assert await door.until("requests") == [(7, request_, encode(request_, 7))]
            (session,) = door.told["bound"]
            session.respond([(7, 0, "1f4")])
            read = await peer.read()
            assert read == Pdu(0, 7, answer)
            assert type(read.body) is type(answer)

    run(test)


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (QuerySm("1f4"), QuerySmResp("1f4", "", 2, 0)),
        (MULTI, SubmitMultiResp("1f4", (UnsuccessfulSme(1, 1, "85251000005", Status.ESME_RINVDSTADR),))),
    ],
)
def test_an_answer_may_have_a_body_of_its_own(request_: Body, answer: Body) -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            peer = await bound_peer(port)
            peer.send(encode(request_, 7))
            await door.until("requests")
            door.told["bound"][0].respond_with(7, answer)
            assert await peer.read() == Pdu(0, 7, answer)

    run(test)


def test_a_request_that_breaks_a_limit_is_refused_by_its_status() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            peer = await bound_peer(port)
            frame = encode(SubmitSm(destination_addr="8" * 20), 5)
            longer = frame[4:].replace(b"8" * 20, b"8" * 21)
            peer.send((len(longer) + 4).to_bytes(4, "big"), longer)
            assert await peer.read() == Pdu(Status.ESME_RINVDSTADR, 5, SubmitSmResp())
            assert "requests" not in door.told

    run(test)


def test_requests_beyond_the_window_are_throttled() -> None:
    async def test() -> None:
        settings = DoorSettings(limits=Limits(most_requests=2, enquire_link_s=None))
        async with open_door(door := Door(), settings) as (port, _):
            peer = await bound_peer(port)
            peer.send(*(encode(message(number), number) for number in (2, 3, 4)))
            assert await peer.read() == Pdu(Status.ESME_RTHROTTLED, 4, SubmitSmResp())
            door.told["bound"][0].respond([(2, 0, "1f4")])
            await peer.read()
            peer.send(encode(message(5), 5))
            assert [number for number, _, _ in await door.until("requests", 3)] == [2, 3, 5]

    run(test)


def test_deliveries_go_out_within_the_window_and_their_answers_come_back() -> None:
    async def test() -> None:
        settings = DoorSettings(limits=Limits(window=2, response_timeout_s=0.05, enquire_link_s=None))
        async with open_door(door := Door(), settings) as (port, _):
            peer = await bound_peer(port, BindReceiver(NAME, PASSWORD))
            (session,) = await door.until("bound")
            session.deliver([("a", DeliverSm(short_message=b"a")), ("b", DataSm())])
            with pytest.raises(WindowFull):
                session.deliver([("c", DeliverSm())])
            first, second = await peer.read(), await peer.read()
            peer.send(encode(DataSmResp(), second.sequence_number, Status.ESME_RX_T_APPN))
            assert await door.until("answers") == [("b", Status.ESME_RX_T_APPN, "")]
            assert await door.until("expired") == ["a"]
            peer.send(encode(DeliverSmResp(), first.sequence_number))
            assert await door.until("answers", 2) == [("b", Status.ESME_RX_T_APPN, ""), ("a", 0, "")]
            session.deliver([("d", DeliverSm())])
            peer.writer.close()
            assert (await door.until("closed"))[0][1] == ["d"]
            with pytest.raises(SessionClosed):
                session.deliver([("e", DeliverSm())])
            session.respond([(1, 0, "ignored, for it is closed")])

    run(test)


def test_a_receiver_submits_nothing_and_a_transmitter_is_delivered_nothing() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            receiver = await bound_peer(port, BindReceiver(NAME, PASSWORD))
            assert await receiver.ask(message(), 2) == Pdu(Status.ESME_RINVBNDSTS, 2, SubmitSmResp())
            await bound_peer(port, BindTransmitter(NAME, PASSWORD))
            session = (await door.until("bound", 2))[1]
            with pytest.raises(SessionClosed, match="bound as a transmitter takes no deliveries"):
                session.deliver([("a", DeliverSm())])

    run(test)


def test_what_stands_before_an_unbind_is_answered_before_it() -> None:
    async def test() -> None:
        async with open_door(door := PromptDoor(), QUIET) as (port, _):
            peer = await bound_peer(port)
            peer.send(encode(message(), 2), encode(Unbind(), 3), encode(message(), 4))
            assert await peer.read() == Pdu(0, 2, SubmitSmResp("2"))
            assert await peer.read() == Pdu(0, 3, UnbindResp())
            assert await peer.at_end()
            assert await door.until("closed") == [("unbound by the peer", [])]

    run(test)


def test_a_graceful_stop_unbinds_every_session_and_cuts_who_does_not_answer() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, server):
            link = Link()
            await connect(operator_at(port), link)
            deaf = await bound_peer(port)
            await connected_peer(port)
            await server.stop(timeout_s=0.1)
            assert await link.until("closed") == [("unbound by the peer", [], [])]
            assert isinstance((await deaf.read()).body, Unbind)
            assert len(door.told["closed"]) == 2
            assert server.sessions == set()
            with pytest.raises(ConnectionRefusedError):
                await connected_peer(port)

    run(test)


def test_our_two_sides_agree() -> None:
    async def test() -> None:
        async with open_door(door := PromptDoor(), QUIET) as (port, _):
            link = Link()
            session = await connect(operator_at(port, mode=BindMode.TRANSCEIVER), link, Limits(window=100))
            session.submit([(number, message(number)) for number in range(100)])
            answers = await link.until("answers", 100)
            assert [(token, status) for token, status, _ in answers] == [(number, 0) for number in range(100)]
            serving: ServerSession = door.told["bound"][0]
            serving.deliver([(number, DeliverSm(short_message=b"%d" % number)) for number in range(10)])
            deliveries = await link.until("deliveries", 10)
            assert [d.body.short_message for d in deliveries] == [b"%d" % number for number in range(10)]
            session.acknowledge([delivery.sequence_number for delivery in deliveries])
            assert await door.until("answers", 10) == [(number, 0, "") for number in range(10)]
            await session.unbind()
            assert (await door.until("closed"))[0] == ("unbound by the peer", [])

    run(test)


def test_a_generic_nack_answers_a_delivery() -> None:
    async def test() -> None:
        async with open_door(door := Door(), QUIET) as (port, _):
            peer = await bound_peer(port)
            (session,) = await door.until("bound")
            session.deliver([("a", DeliverSm())])
            peer.send(encode(GenericNack(), (await peer.read()).sequence_number, Status.ESME_RINVCMDID))
            assert await door.until("answers") == [("a", Status.ESME_RINVCMDID, "")]

    run(test)
