"""Our side of a link, against a peer that speaks what each test says."""

import asyncio
from random import Random

import pytest

from sampan.smpp.client import BindMode, BindRefused, ClientSession, Operator, backoff_s, connect
from sampan.smpp.pdu import (
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    PduError,
    QuerySm,
    QuerySmResp,
    Status,
    SubmitSm,
    SubmitSmResp,
    Tag,
    encode,
)
from sampan.smpp.session import CommandRefused, Limits, SessionClosed, State, WindowFull
from tests.smpp.peers import Link, bound, let_in, listening_peer, message, operator_at, run


@pytest.mark.parametrize(
    ("mode", "asked", "answer", "state"),
    [
        (BindMode.TRANSMITTER, BindTransmitter, BindTransmitterResp, State.BOUND_TX),
        (BindMode.RECEIVER, BindReceiver, BindReceiverResp, State.BOUND_RX),
        (BindMode.TRANSCEIVER, BindTransceiver, BindTransceiverResp, State.BOUND_TRX),
    ],
)
def test_a_link_binds_as_it_is_told(mode: BindMode, asked: type, answer: type, state: State) -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            operator = operator_at(port, mode=mode, system_type="VMA", addr_ton=1, addr_npi=1, address_range="^8525")
            connecting = asyncio.create_task(connect(operator, link := Link()))
            peer = await peers.get()
            bind = await peer.read()
            assert type(bind.body) is asked
            assert bind.body == ("florist", "secret", "VMA", 0x34, 1, 1, "^8525")
            peer.send(encode(answer("SMSC", ((Tag.SC_INTERFACE_VERSION, b"\x34"),)), bind.sequence_number))
            session = await connecting
            assert (session.state, session.peer_system_id, session.peer_version) == (state, "SMSC", 0x34)
            assert link.told["bound"] == [session]

    run(test)


@pytest.mark.parametrize(
    ("answer", "status"),
    [(BindTransceiverResp(), Status.ESME_RINVPASWD), (GenericNack(), Status.ESME_RINVCMDID), (GenericNack(), 0x4FF)],
)
def test_a_refused_bind_says_its_status(answer: tuple[object, ...], status: int) -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            connecting = asyncio.create_task(connect(operator_at(port), link := Link()))
            peer = await peers.get()
            peer.send(encode(answer, (await peer.read()).sequence_number, status))
            with pytest.raises(BindRefused, match="refused the bind") as refusal:
                await connecting
            assert refusal.value.status == status
            assert await peer.at_end()
            assert link.told == {}

    run(test)


def test_an_operator_that_does_not_answer_the_bind_is_given_up() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            connecting = asyncio.create_task(connect(operator_at(port, bind_timeout_s=0.05), Link()))
            peer = await peers.get()
            await peer.read()
            with pytest.raises(TimeoutError, match="no answer to bind_transceiver"):
                await connecting
            assert await peer.at_end()

    run(test)


def test_an_operator_that_hangs_up_or_answers_nonsense_is_an_error_too() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            connecting = asyncio.create_task(connect(operator_at(port), Link()))
            (await peers.get()).writer.close()
            with pytest.raises(SessionClosed, match=r"closed by the peer|connection lost"):
                await connecting
            connecting = asyncio.create_task(connect(operator_at(port), Link()))
            peer = await peers.get()
            peer.send(bytes.fromhex("00000014 80000009 00000000 00000001") + b"SMSC")
            with pytest.raises(SessionClosed, match="cannot be read: a string has no end"):
                await connecting

    run(test)


def test_an_answer_of_another_kind_binds_nothing() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            connecting = asyncio.create_task(connect(operator_at(port, bind_timeout_s=0.1), link := Link()))
            peer = await peers.get()
            number = (await peer.read()).sequence_number
            peer.send(encode(BindReceiverResp("SMSC"), number), encode(QuerySmResp("1f4"), number))
            with pytest.raises(TimeoutError, match="no answer to bind_transceiver"):
                await connecting
            assert link.told == {}

    run(test)


def test_where_nothing_listens_there_is_no_connection() -> None:
    async def test() -> None:
        async with listening_peer() as (port, _):
            pass
        with pytest.raises(ConnectionRefusedError):
            await connect(operator_at(port), Link())

    run(test)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(operator_at(2775))
    assert isinstance(operator_at(2775), Operator)


def test_many_requests_go_out_in_order_and_their_answers_come_back_with_their_tokens() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            link.session.submit([(f"token {i}", message(i)) for i in range(3)])
            assert link.session.room == 7
            asked = [await peer.read() for _ in range(3)]
            assert [pdu.body for pdu in asked] == [message(0), message(1), message(2)]
            numbers = [pdu.sequence_number for pdu in asked]
            peer.send(
                encode(SubmitSmResp("1f6"), numbers[2]),
                encode(SubmitSmResp("1f4"), numbers[0]),
                encode(SubmitSmResp(), numbers[1], Status.ESME_RTHROTTLED),
            )
            assert await link.until("answers", 3) == [
                ("token 2", 0, "1f6"),
                ("token 0", 0, "1f4"),
                ("token 1", Status.ESME_RTHROTTLED, ""),
            ]
            assert link.session.room == 10

    run(test)


def test_sequence_numbers_can_be_drawn_before_the_write() -> None:
    """So that attempts are committed before the wire."""

    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            numbers = link.session.sequence_numbers(2)
            link.session.submit([("later", message(2))])
            frames = [encode(message(n), number) for n, number in enumerate(numbers)]
            link.session.submit_frames(list(zip(numbers, "ab", frames, strict=True)))
            asked = [(await peer.read()).sequence_number for _ in range(3)]
            assert asked[1:] == numbers
            assert asked[0] not in numbers

    run(test)


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([("a", message())] * 3, WindowFull),
        ([("a", message()), ("b", SubmitSm(destination_addr="8" * 21))], PduError),
    ],
)
def test_a_batch_that_cannot_go_whole_does_not_go_at_all(items: list[tuple[str, SubmitSm]], error: type) -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(window=2))
            with pytest.raises(error):
                link.session.submit(items)
            assert link.session.room == 2
            link.session.submit([("next", message(7))])
            assert (await peer.read()).body == message(7)

    run(test)


def test_room_can_be_waited_for() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(window=1))
            assert await link.session.wait_for_room() == 1
            link.session.submit([("a", message())])
            waiting = asyncio.create_task(link.session.wait_for_room())
            number = (await peer.read()).sequence_number
            assert not waiting.done()
            peer.send(encode(SubmitSmResp("1f4"), number))
            assert await waiting == 1
            link.session.submit([("b", message())])
            waiting = asyncio.create_task(link.session.wait_for_room())
            await peer.read()
            peer.writer.close()
            with pytest.raises(SessionClosed):
                await waiting

    run(test)


def test_what_has_no_answer_in_time_expires_and_a_late_answer_is_still_known() -> None:
    """spec S76: the outcome is unknown until the late answer settles it."""

    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(
                port, peers, link := Link(), Limits(window=1, response_timeout_s=0.05, enquire_link_s=None)
            )
            link.session.submit([("slow", message())])
            number = (await peer.read()).sequence_number
            assert await link.until("expired") == ["slow"]
            assert link.session.room == 1
            link.session.submit([("next", message(1))])
            after = (await peer.read()).sequence_number
            peer.send(encode(SubmitSmResp("1f4"), number), encode(SubmitSmResp("1f5"), after))
            assert await link.until("late") == [("slow", 0, "1f4")]
            assert await link.until("answers") == [("next", 0, "1f5")]

    run(test)


def test_a_generic_nack_answers_the_request_of_its_number() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            link.session.submit([("a", message())])
            number = (await peer.read()).sequence_number
            peer.send(encode(GenericNack(), number, Status.ESME_RINVCMDLEN))
            assert await link.until("answers") == [("a", Status.ESME_RINVCMDLEN, "")]

    run(test)


def test_answers_to_nothing_are_counted_and_the_rest_goes_on() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            link.session.submit([("a", message())])
            number = (await peer.read()).sequence_number
            peer.send(
                encode(SubmitSmResp("other"), number + 500),
                encode(DeliverSmResp(), number),  # of another kind
                encode(QuerySmResp("1f4"), number),
                encode(SubmitSmResp("1f4"), number),
                encode(SubmitSmResp("1f4"), number),  # again
            )
            assert await link.until("answers") == [("a", 0, "1f4")]
            await peer.ask(EnquireLink())
            assert link.session.counts.unmatched_responses == 3
            assert link.session.counts.unknown_commands == 1
            assert link.told["answers"] == [("a", 0, "1f4")]

    run(test)


def test_an_id_is_read_even_without_its_end_or_its_body() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            link.session.submit([("a", message(0)), ("b", message(1))])
            first, second = (await peer.read()).sequence_number, (await peer.read()).sequence_number
            peer.send(bytes.fromhex("00000013 80000004 00000000"), first.to_bytes(4, "big"), b"1f4")
            peer.send(bytes.fromhex("00000010 80000004 00000000"), second.to_bytes(4, "big"))
            assert await link.until("answers", 2) == [("a", 0, "1f4"), ("b", 0, "")]

    run(test)


def test_deliveries_are_acknowledged_by_their_owner_only() -> None:
    """spec S77: stored before they are acknowledged."""

    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            reply, receipt = DeliverSm(short_message=b"STOP"), DataSm(esm_class=4)
            peer.send(encode(reply, 41), encode(receipt, 42), encode(reply, 43))
            deliveries = await link.until("deliveries", 3)
            assert deliveries == [(41, reply), (42, receipt), (43, reply)]
            assert (await peer.ask(EnquireLink())).body == EnquireLinkResp(), "nothing was answered before it"
            link.session.acknowledge([43, 42])
            assert await peer.read() == (0, 43, DeliverSmResp())
            answered = await peer.read()
            assert answered.sequence_number == 42
            assert isinstance(answered.body, DataSmResp)
            link.session.acknowledge([41], Status.ESME_RX_T_APPN)
            assert await peer.read() == (Status.ESME_RX_T_APPN, 41, DeliverSmResp())
            with pytest.raises(ValueError, match="1 answers, but 0"):
                link.session.acknowledge([41])

    run(test)


def test_a_delivery_may_stand_right_behind_the_bind() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            kept = encode(DeliverSm(short_message=b"kept for you"), 1)
            peer, session = await asyncio.gather(let_in(peers, kept), connect(operator_at(port), link := Link()))
            assert (await link.until("deliveries"))[0].sequence_number == 1
            session.acknowledge([1])
            assert (await peer.read()).body == DeliverSmResp()

    run(test)


def test_two_deliveries_under_one_number_are_both_handed_over() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link())
            peer.send(encode(DeliverSm(short_message=b"a"), 5), encode(DeliverSm(short_message=b"b"), 5))
            assert [d.body.short_message for d in await link.until("deliveries", 2)] == [b"a", b"b"]
            link.session.acknowledge([5, 5])
            assert [(await peer.read()).sequence_number for _ in range(2)] == [5, 5]

    run(test)


def test_a_transmitter_takes_no_deliveries_and_a_receiver_submits_nothing() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            for mode, answer in (
                (BindMode.TRANSMITTER, BindTransmitterResp()),
                (BindMode.RECEIVER, BindReceiverResp()),
            ):
                connecting = asyncio.create_task(connect(operator_at(port, mode=mode), link := Link()))
                peer = await peers.get()
                peer.send(encode(answer, (await peer.read()).sequence_number))
                session: ClientSession = await connecting
                if mode is BindMode.RECEIVER:
                    with pytest.raises(SessionClosed, match="bound as a receiver cannot submit"):
                        session.submit([("a", message())])
                else:
                    refused = await peer.ask(DeliverSm(), 9)
                    assert (refused.status, refused.body) == (Status.ESME_RINVBNDSTS, DeliverSmResp())
                    assert "deliveries" not in link.told

    run(test)


def test_a_message_can_be_asked_after_and_called_back() -> None:
    async def test() -> None:
        async with listening_peer() as (port, peers):
            peer = await bound(port, peers, link := Link(), Limits(response_timeout_s=0.1, enquire_link_s=None))
            asking = asyncio.create_task(link.session.query(QuerySm("1f4")))
            asked = await peer.read()
            assert asked.body == QuerySm("1f4")
            peer.send(encode(QuerySmResp("1f4", "", 2), asked.sequence_number))
            assert await asking == QuerySmResp("1f4", "", 2)
            calling = asyncio.create_task(link.session.cancel(CancelSm(message_id="1f4")))
            number = (await peer.read()).sequence_number
            peer.send(encode(CancelSmResp(), number, Status.ESME_RCANCELFAIL))
            with pytest.raises(CommandRefused, match="ESME_RCANCELFAIL"):
                await calling
            calling = asyncio.create_task(link.session.cancel(CancelSm(message_id="1f5")))
            peer.send(encode(CancelSmResp(), (await peer.read()).sequence_number))
            await calling
            with pytest.raises(TimeoutError, match="no answer to query_sm"):
                await link.session.query(QuerySm("1f6"))
            assert (await peer.read()).body == QuerySm("1f6")
            asking = asyncio.create_task(link.session.query(QuerySm("1f7")))
            await peer.read()
            peer.writer.close()
            with pytest.raises(SessionClosed):
                await asking
            with pytest.raises(SessionClosed):
                await link.session.query(QuerySm("1f8"))

    run(test)


def test_the_wait_before_connecting_again_doubles_to_a_minute_and_never_agrees_with_the_next_links() -> None:
    rng = Random(1)
    waits = [[backoff_s(attempt, rng) for _ in range(100)] for attempt in range(12)]
    for attempt, tried in enumerate(waits):
        longest = min(60.0, 2.0**attempt)
        assert longest / 2 <= min(tried) < max(tried) <= longest
    assert backoff_s(10**6, rng) <= 60
