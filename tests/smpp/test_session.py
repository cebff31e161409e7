"""What can go wrong on a connection, whichever side we are."""

import asyncio
import socket

import pytest

from sampan.smpp.client import Delivery, connect
from sampan.smpp.pdu import (
    HEADER,
    AlertNotification,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    Status,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    encode,
)
from sampan.smpp.session import Limits, SessionClosed, State
from tests.smpp.peers import Link, bound, listening_peer, message, operator_at, run

QUIET = Limits(enquire_link_s=None)


def test_a_length_no_pdu_has_ends_the_session_with_a_nack_and_keeps_what_came_before() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), QUIET)
            link.session.submit([("answered", message(0)), ("not", message(1))])
            number = (await peer.read()).sequence_number
            await peer.read()
            peer.send(encode(SubmitSmResp("1f4"), number), HEADER.pack(15, 5, 0, 99), b"garbage")
            assert await peer.read() == Pdu(Status.ESME_RINVCMDLEN, 99, GenericNack())
            assert await peer.at_end()
            assert await link.until("closed") == [("the peer sent a command_length no PDU has", ["not"], [])]
            assert link.told["answers"] == [("answered", 0, "1f4")]

    run(test)


def test_an_unknown_command_is_nacked_and_an_unknown_response_is_not() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), QUIET)
            peer.send(HEADER.pack(16, 0x8000ABCD, 0, 1), HEADER.pack(16, 0x0000ABCD, 0, 2), encode(SubmitSm(), 3))
            assert await peer.read() == Pdu(Status.ESME_RINVCMDID, 2, GenericNack())
            assert await peer.read() == Pdu(Status.ESME_RINVCMDID, 3, GenericNack()), "no operator submits to us"
            assert link.session.counts.unknown_commands == 3

    run(test)


def test_what_has_no_answer_gets_none() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, Link(), QUIET)
            cut_short = bytes.fromhex("00000011 00000102 00000000 00000003 00")
            peer.send(encode(AlertNotification(1, 1, "85251000000"), 2), encode(GenericNack(), 0), cut_short)
            assert (await peer.ask(EnquireLink(), 7)).sequence_number == 7

    run(test)


def test_a_malformed_request_is_answered_with_its_status_and_goes_no_further() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), QUIET)
            delivery = encode(DeliverSm(short_message=b"hi"), 4)
            lies = delivery[:32] + b"\x09" + delivery[33:]  # sm_length
            peer.send(lies, encode(DeliverSm(short_message=b"well-formed"), 5))
            answer = await peer.read()
            assert (answer.status, answer.sequence_number) == (Status.ESME_RINVMSGLEN, 4)
            assert isinstance(answer.body, DeliverSmResp)
            assert await link.until("deliveries") == [Delivery(5, DeliverSm(short_message=b"well-formed"))]
            assert link.session.counts.malformed == 1

    run(test)


def test_outbind_to_a_client_is_nacked_for_it_binds_by_itself() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, Link(), QUIET)
            assert (await peer.ask(Outbind("SMSC"), 2)).status == Status.ESME_RINVCMDID

    run(test)


def test_a_silent_peer_is_asked_and_cut_when_it_stays_silent() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            limits = Limits(enquire_link_s=0.05, response_timeout_s=0.1)
            peer = await bound(port, peers, link := Link(), limits)
            asked = await peer.read()
            assert isinstance(asked.body, EnquireLink)
            peer.send(encode(EnquireLinkResp(), asked.sequence_number))
            assert isinstance((await peer.read()).body, EnquireLink)
            assert (await link.until("closed"))[0][0] == "no answer to enquire_link"

    run(test)


def test_anything_heard_is_as_good_as_an_answer_to_enquire_link() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(enquire_link_s=0.05, response_timeout_s=0.1))
            for number in range(1, 6):
                asked = await peer.read()
                assert isinstance(asked.body, EnquireLink)
                peer.send(encode(AlertNotification(), number))
            assert "closed" not in link.told

    run(test)


def test_enquire_link_is_answered_whatever_the_state() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, Link(), QUIET)
            assert await peer.ask(EnquireLink(), 12) == Pdu(0, 12, EnquireLinkResp())

    run(test)


def test_without_messages_a_session_unbinds_after_a_while_if_it_is_told_so() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            limits = Limits(inactivity_s=0.05, response_timeout_s=5, enquire_link_s=None)
            peer = await bound(port, peers, link := Link(), limits)
            asked = await peer.read()
            assert isinstance(asked.body, Unbind)
            peer.send(encode(UnbindResp(), asked.sequence_number))
            assert await peer.at_end()
            assert (await link.until("closed"))[0][0] == "unbound by us"

    run(test)


def test_unbind_is_a_handshake_during_which_answers_still_count() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), QUIET)
            link.session.submit([("a", message())])
            number = (await peer.read()).sequence_number
            unbinding = asyncio.create_task(link.session.unbind())
            unbind = await peer.read()
            assert isinstance(unbind.body, Unbind)
            with pytest.raises(SessionClosed, match="unbound cannot submit"):
                link.session.submit([("b", message())])
            refused = await peer.ask(DeliverSm(), 9)
            assert refused.status == Status.ESME_RINVBNDSTS, "it comes again in the next session"
            peer.send(encode(SubmitSmResp("1f4"), number), encode(UnbindResp(), unbind.sequence_number))
            await unbinding
            assert link.told["answers"] == [("a", 0, "1f4")]
            assert link.told["closed"] == [("unbound by us", [], [])]
            assert link.session.state is State.CLOSED
            assert await peer.at_end()

    run(test)


def test_unbind_does_not_wait_for_ever() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(unbind_timeout_s=0.05, enquire_link_s=None))
            await link.session.unbind()
            assert isinstance((await peer.read()).body, Unbind)
            assert await peer.at_end()
            await link.session.unbind()
            assert link.told["closed"] == [("unbound by us", [], [])]

    run(test)


def test_a_peer_that_unbinds_in_mid_window_leaves_the_outcome_unknown() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), QUIET)
            link.session.submit([("a", message(0)), ("b", message(1))])
            number = (await peer.read()).sequence_number
            await peer.read()
            peer.send(encode(SubmitSmResp("1f4"), number), encode(Unbind(), 3))
            assert await peer.read() == Pdu(0, 3, UnbindResp())
            assert await peer.at_end()
            assert await link.until("closed") == [("unbound by the peer", ["b"], [])]
            assert link.told["answers"] == [("a", 0, "1f4")]

    run(test)


async def connected_without_reading(link: Link, limits: Limits) -> socket.socket:
    """A bound link whose peer has a small buffer and reads no more."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listening.setblocking(False)
        connecting = asyncio.create_task(connect(operator_at(listening.getsockname()[1]), link, limits))
        peer, _ = await loop.sock_accept(listening)
        peer.setblocking(False)
        await loop.sock_recv(peer, 1000)
        await loop.sock_sendall(peer, bytes.fromhex("00000011 80000009 00000000 00000001 00"))
        await connecting
    return peer


def test_what_never_left_is_told_from_what_did() -> None:
    """spec S76: only what is proven unsent may be sent again by itself."""

    async def test() -> None:
        link = Link()
        peer = await connected_without_reading(link, Limits(window=100_000, enquire_link_s=None))
        sent = 0
        while not link.session._outgoing.octets:  # as long as the kernel takes it
            link.session.submit([(sent + i, message(i, b"x" * 250)) for i in range(100)])
            sent += 100
        link.session.submit([("never left", message())])
        peer.close()
        reason, unanswered, unsent = (await link.until("closed"))[0]
        assert "connection lost" in reason or reason == "closed by the peer"
        assert unsent[-1] == "never left"
        assert len(unanswered) + len(unsent) == sent + 1
        assert unanswered == list(range(len(unanswered))), "what left, left in order"
        assert len(unanswered) >= 100

    run(test)


def test_a_peer_that_reads_nothing_is_cut() -> None:
    async def test() -> None:
        link = Link()
        limits = Limits(window=100_000, response_timeout_s=0.2, enquire_link_s=None)
        peer = await connected_without_reading(link, limits)
        while link.session._outgoing.paused_at is None:
            link.session.submit([(0, message(0, b"x" * 250))] * 100)
        assert (await link.until("closed"))[0][0] == "the peer reads nothing"
        peer.close()

    run(test)


def test_a_peer_that_asks_and_never_reads_is_not_read_either() -> None:
    """Else its answers would fill our memory."""

    async def test() -> None:
        link = Link()
        peer = await connected_without_reading(link, QUIET)
        loop = asyncio.get_running_loop()

        async def ask() -> None:
            while True:
                await loop.sock_sendall(peer, encode(EnquireLink(), 1) * 4096)

        asking = loop.create_task(ask())
        async with asyncio.timeout(30):
            while link.session._transport.is_reading():  # noqa: ASYNC110 - asyncio tells nobody
                await asyncio.sleep(0)
        asking.cancel()
        assert link.session._outgoing.octets < 4 * 1024 * 1024
        while not link.session._transport.is_reading():
            await loop.sock_recv(peer, 65536)
        peer.close()
        await link.until("closed")

    run(test)


def test_an_owner_that_is_behind_is_not_given_more() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(most_requests=5, enquire_link_s=0.05))
            for number in range(1, 7):
                peer.send(encode(DeliverSm(), number))
            await link.until("deliveries", 6)
            assert not link.session._transport.is_reading()
            peer.send(encode(DeliverSm(), 7))
            link.session.acknowledge([1, 2])
            assert len(await link.until("deliveries", 7)) == 7

    run(test)


class BrokenLink(Link):
    """An owner with a bug."""

    def on_answers(self, answers: list[tuple[object, int, str]]) -> None:
        super().on_answers(answers)
        raise RuntimeError("a bug of the owner")

    def on_closed(self, reason: str, unanswered: list[object], unsent: list[object]) -> None:
        super().on_closed(reason, unanswered, unsent)
        raise RuntimeError("another")


def test_a_bug_of_the_owner_costs_that_session_only() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            well = await bound(port, peers, good := Link(), QUIET)
            peer = await bound(port, peers, broken := BrokenLink(), QUIET)
            broken.session.submit([("a", message()), ("b", message())])
            peer.send(encode(SubmitSmResp("1f4"), (await peer.read()).sequence_number))
            assert await broken.until("closed") == [("a fault on our side", ["b"], [])]
            assert broken.session.counts.faults == 2
            good.session.submit([("c", message())])
            well.send(encode(SubmitSmResp("1f5"), (await well.read()).sequence_number))
            assert await good.until("answers") == [("c", 0, "1f5")]

    run(test)
