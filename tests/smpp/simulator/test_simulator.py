"""What becomes of messages to each number, seen over a link of our own (spec S71, S76 to S78)."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from sampan.smpp.concatenation import Concatenation, write_header
from sampan.smpp.pdu import (
    CancelSm,
    EsmClass,
    MessageState,
    QuerySm,
    Status,
    Tag,
    encode,
    integer,
)
from sampan.smpp.session import CommandRefused
from sampan.smpp.simulator import ERRORS
from sampan.smpp.time_format import format_absolute
from tests.smpp.peers import connected_peer, run, run_as_product
from tests.smpp.simulator.world import bind, body_of, open_simulator, receipts, to

S = MessageState


@pytest.mark.parametrize(
    ("number", "state", "error", "reason"),
    [
        (0, S.DELIVERED, "000", None),
        (99, S.DELIVERED, "000", None),  # as any other number
        (1, S.UNDELIVERABLE, "001", 303),
        (4, S.UNDELIVERABLE, "032", 305),
        (10, S.UNDELIVERABLE, "021", 306),
        (11, S.UNDELIVERABLE, "013", 312),
        (12, S.UNDELIVERABLE, "034", 315),
    ],
)
def test_a_message_comes_to_its_end_and_the_receipt_says_which(
    number: int, state: MessageState, error: str, reason: int | None
) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(number))])
            ((_, status, message_id),) = await link.until("answers")
            (receipt,) = await receipts(link)
            assert status == 0
            assert (receipt.id, receipt.id_in_text) == (message_id, message_id)
            assert (receipt.state, receipt.error, receipt.intermediate) == (state, error, False)
            assert ERRORS.get(receipt.error) == reason
            assert receipt.delivered == (1 if state == S.DELIVERED else 0)
            assert receipt.text == "Your roses are ready"
            assert receipt.done_at is not None
            assert abs(receipt.done_at.timestamp() - time.time()) < 120
            body = body_of(link)
            assert (body.source_addr_ton, body.source_addr) == (1, f"852510000{number:02}")
            assert (body.dest_addr_ton, body.destination_addr) == (5, "Florist")

    run_as_product(test)


@pytest.mark.parametrize(
    ("number", "end", "wait_s"),
    [(2, S.EXPIRED, 7200 / 36000), (3, S.DELIVERED, 3 / 36000)],
)
def test_a_phone_that_is_off_is_en_route_until_it_is_on_or_the_validity_ends(
    number: int, end: MessageState, wait_s: float
) -> None:
    async def test() -> None:
        async with open_simulator(time_scale=36000) as simulator:
            link = await bind(simulator)
            began = time.monotonic()
            submit = to(number, validity_period="000000020000000R", registered_delivery=0x11)
            link.session.submit([("a", submit)])
            first, last = await receipts(link, 2)
            assert (first.state, first.error, first.intermediate) == (S.ENROUTE, "027", True)
            assert (last.state, last.intermediate) == (end, False)
            assert time.monotonic() - began >= wait_s

    run_as_product(test)


def test_an_absolute_validity_counts_too_and_none_is_a_day() -> None:
    async def test() -> None:
        async with open_simulator(time_scale=360_000) as simulator:
            link = await bind(simulator)
            ends = format_absolute(datetime.now(UTC) + timedelta(hours=2))
            link.session.submit([("a", to(2)), ("b", to(2, validity_period=ends))])
            answers = await link.until("answers", 2)
            first, second = await receipts(link, 2)
            assert (first.id, first.state) == (answers[1][2], S.EXPIRED), "two hours pass before a day does"
            assert (second.id, second.state) == (answers[0][2], S.EXPIRED)

    run_as_product(test)


def test_a_refused_number_and_a_throttled_one() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            for text in (b"one", b"two"):
                for attempt in range(3):
                    link.session.submit([((text, attempt), to(6, text))])
            link.session.submit([("refused", to(5))])
            answers = {token: status for token, status, _ in await link.until("answers", 7)}
            assert answers.pop("refused") == Status.ESME_RINVDSTADR
            throttled = Status.ESME_RTHROTTLED
            assert [answers[b"one", n] for n in range(3)] == [throttled, throttled, 0]
            assert [answers[b"two", n] for n in range(3)] == [throttled, throttled, 0], "each text for itself"
            assert len(await receipts(link, 2)) == 2
            stats = simulator.journal.stats
            assert (stats.submits, stats.throttled, stats.refused, stats.taken) == (7, 4, 1, 2)

    run_as_product(test)


def test_an_answer_that_never_comes_comes_never_and_a_late_one_late() -> None:
    async def test() -> None:
        async with open_simulator(time_scale=20) as simulator:
            link = await bind(simulator)
            link.session.submit([("never", to(7)), ("late", to(14))])
            link.session.submit([("prompt", to(0))])
            answers = await link.until("answers", 2)
            assert [token for token, _, _ in answers] == ["prompt", "late"]
            await receipts(link, 2)
            assert link.session.room == 999, "one still waits"

    run_as_product(test)


def test_a_receipt_may_be_faster_than_the_answer() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(8))])
            (receipt,) = await receipts(link)
            assert "answers" not in link.told
            ((_, _, message_id),) = await link.until("answers")
            assert receipt.id == message_id

    run_as_product(test)


def test_a_receipt_may_come_twice_with_its_id_in_hex() -> None:
    """spec S77."""

    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(9))])
            ((_, _, message_id),) = await link.until("answers")
            both = await receipts(link, 2)
            assert [receipt.id for receipt in both] == [f"{int(message_id):x}"] * 2
            assert not f"{int(message_id):x}".isdecimal() or message_id != both[0].id

    run_as_product(test)


def test_without_a_receipt_query_sm_still_knows() -> None:
    """spec S78."""

    async def test() -> None:
        async with open_simulator(time_scale=100) as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(13)), ("b", to(0))])
            (_, _, message_id), _ = await link.until("answers", 2)
            await receipts(link)  # the other's, which comes later
            assert (await link.session.query(QuerySm(message_id))).message_state == S.DELIVERED
            assert (await link.session.query(QuerySm(message_id, 5, 0, "Florist"))).message_state == S.DELIVERED
            for wrong in (QuerySm("1"), QuerySm("x"), QuerySm(message_id, 5, 0, "Mallory")):
                with pytest.raises(CommandRefused, match="ESME_RQUERYFAIL"):
                    await link.session.query(wrong)
            mallory = await bind(simulator, system_id="charity")
            with pytest.raises(CommandRefused, match="ESME_RQUERYFAIL"):
                await mallory.session.query(QuerySm(message_id))
            assert len(link.told["deliveries"]) == 1

    run_as_product(test)


def test_a_message_that_is_called_back_goes_no_further() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(0)), ("b", to(99))])
            (_, _, message_id), _ = await link.until("answers", 2)
            await link.session.cancel(CancelSm(message_id=message_id))
            (receipt,) = await receipts(link)
            assert receipt.id != message_id
            assert (await link.session.query(QuerySm(message_id))).message_state == S.DELETED
            with pytest.raises(CommandRefused, match="ESME_RCANCELFAIL"):
                await link.session.cancel(CancelSm(message_id=message_id))

    run_as_product(test)


@pytest.mark.parametrize(
    ("registered_delivery", "to_delivered", "to_failed", "en_route"),
    [(0, 0, 0, 0), (1, 1, 1, 0), (2, 0, 1, 0), (0x11, 1, 1, 1), (0x10, 0, 0, 1)],
)
def test_receipts_come_as_they_are_asked_for(
    registered_delivery: int, to_delivered: int, to_failed: int, en_route: int
) -> None:
    async def test() -> None:
        async with open_simulator(time_scale=10) as simulator:
            link = await bind(simulator)
            asked = [to(number, registered_delivery=registered_delivery) for number in (0, 1, 3)]
            link.session.submit([*enumerate(asked), ("last", to(3, b"the last to come"))])
            found = await receipts(link, 2 * to_delivered + to_failed + en_route + 1)
            states = [receipt.state for receipt in found if receipt.text != "the last to come"]
            assert states.count(S.DELIVERED) == 2 * to_delivered
            assert states.count(S.UNDELIVERABLE) == to_failed
            assert states.count(S.ENROUTE) == en_route

    run_as_product(test)


def test_a_receipt_brings_our_reference_back_and_can_come_as_text_or_tlvs_alone() -> None:
    """spec S76: by user_message_reference."""

    async def test() -> None:
        for more, has_text, has_tlvs in (
            ({}, True, True),
            ({"tlv_receipts": False}, True, False),
            ({"text_receipts": False}, False, True),
        ):
            async with open_simulator(**more) as simulator:
                link = await bind(simulator)
                link.session.submit([("a", to(1, tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\1\2"),)))])
                (receipt,) = await receipts(link)
                assert receipt.state == S.UNDELIVERABLE
                body = body_of(link)
                assert (body.short_message != b"") is has_text
                assert (integer(body.tlvs, Tag.USER_MESSAGE_REFERENCE) == 0x102) is has_tlvs
                assert (receipt.network_error == (3, 1)) is has_tlvs

    run_as_product(test)


def test_an_esme_of_an_older_version_gets_receipts_without_tlvs() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator, interface_version=0x33)
            link.session.submit([("a", to(0))])
            await receipts(link)
            assert body_of(link).tlvs == ()

    run_as_product(test)


def test_ids_are_never_given_twice_not_even_by_the_next_simulator() -> None:
    async def test() -> None:
        ids: set[str] = set()
        for _ in range(2):
            async with open_simulator() as simulator:
                link = await bind(simulator)
                link.session.submit([(n, to(99, b"%d" % n)) for n in range(500)])
                ids |= {message_id for _, _, message_id in await link.until("answers", 500)}
        assert len(ids) == 1000
        assert all(message_id.isdecimal() for message_id in ids)

    run(test)


def test_a_part_sent_twice_is_a_duplicate_and_two_parts_with_the_same_text_are_not() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            parts = [
                to(0, write_header(Concatenation(reference, 2, number)) + b"ha ha ", esm_class=EsmClass.UDHI)
                for reference, number in ((7, 1), (7, 2), (8, 1))
            ]
            link.session.submit(list(enumerate(parts)))
            await link.until("answers", 3)
            stats = simulator.journal.stats
            assert (stats.taken, stats.distinct, stats.duplicates) == (3, 2, 1)

    run(test)


def test_garbage_does_not_keep_the_simulator_from_its_work() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            peer = await connected_peer(simulator.port)
            peer.send(b"GET / HTTP/1.1\r\n\r\n")
            assert (await peer.read()).status == Status.ESME_RINVCMDLEN
            link = await bind(simulator)
            link.session.submit([("a", to(0))])
            assert (await link.until("answers"))[0][1] == 0
            peer.send(encode(to(0), 1))

    run(test)
