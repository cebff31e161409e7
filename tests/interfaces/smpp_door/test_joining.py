"""Long texts that come in parts are one message, priced once, and each part has its answer and its receipt (S124)."""

import asyncio
from datetime import timedelta

import pytest

from sampan.accounts.tables import Person
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.composing.alphabet import encode_gsm
from sampan.composing.parts import compose
from sampan.database import Connection
from sampan.interfaces.smpp_door.door import utc_now
from sampan.interfaces.smpp_door.joining import ALL_PARTS_WITHIN, KNOWN_FOR, SUBMITTED_WITHIN, keep_part
from sampan.interfaces.smpp_door.logins import Login
from sampan.interfaces.smpp_door.reading import read_submit
from sampan.interfaces.smpp_door.words import BALANCE_TOO_LOW, REFERENCE_REUSED
from sampan.smpp import time_format
from sampan.smpp.concatenation import Concatenation, sar_tlvs, write_header
from sampan.smpp.pdu import CancelSm, EsmClass, MessageState, QuerySm, Status, SubmitSm
from tests.dispatch.running import gateway, places_at, simulator
from tests.interfaces.smpp_door.running import HANDSET, message, open_door, rows, submitted
from tests.interfaces.smpp_door.test_door import receipt_of, run
from tests.world import SENDER, make_customer, make_places

WAITING = "SELECT FROM smpp_part WHERE message_id IS NULL"
TEXT = " ".join(f"Order {number} is ready." for number in range(20))
CHINESE = "，".join(f"{number}號訂單已備妥🌹" for number in range(12))


def in_headers(octets: bytes, size: int, coding: int = 0) -> list[SubmitSm]:
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    return [
        message(
            write_header(Concatenation(77, len(pieces), number)) + piece, esm_class=EsmClass.UDHI, data_coding=coding
        )
        for number, piece in enumerate(pieces, 1)
    ]


def in_sar(octets: bytes, size: int) -> list[SubmitSm]:
    pieces = [octets[start : start + size] for start in range(0, len(octets), size)]
    return [
        message(piece, tlvs=sar_tlvs(Concatenation(77, len(pieces), number))) for number, piece in enumerate(pieces, 1)
    ]


PARTED = {
    "headers": (TEXT, in_headers(encode_gsm(TEXT), 153)),
    "headers, shorter than need be": (TEXT, in_headers(encode_gsm(TEXT), 150)),
    "SAR": (TEXT, in_sar(encode_gsm(TEXT), 153)),
    "Chinese, characters cut in two": (CHINESE, in_headers(CHINESE.encode("utf-16-be"), 134, 8)),
}


@pytest.mark.parametrize(("text", "parts"), PARTED.values(), ids=PARTED)
def test_parts_in_any_order_are_one_text(database: Connection, text: str, parts: list[SubmitSm]) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            async with gateway(), open_door() as door, door.bound(make_customer()) as link:
                answers = [answer for part in reversed(parts) for answer in await submitted(link, part)]
                assert {status for status, _ in answers} == {Status.ESME_ROK}
                deliveries = await link.until("deliveries", len(parts))
                receipts = [receipt_of(delivery) for delivery in deliveries]
                assert {receipt.state for receipt in receipts} == {MessageState.DELIVERED}
                assert {receipt.id for receipt in receipts} == {id_ for _, id_ in answers}
                assert rows(database, "SELECT text, recipients FROM batch") == [(text, 1)]
                composed = compose(text)
                assert rows(database, "SELECT parts, units FROM message") == [(len(composed.parts), composed.units)]
                assert rows(database, WAITING) == []

    run(scenario)


def test_parts_of_different_codings_are_one_text(database: Connection) -> None:
    """3GPP 23.040 §9.2.3.24.1: each part has a data coding of its own."""

    async def scenario() -> None:
        make_places()
        english, chinese = b"Your roses are ready. ", "您訂的玫瑰已備妥"
        pieces = [(english, 0), (chinese.encode("utf-16-be"), 8)]
        async with open_door() as door, door.bound(make_customer()) as link:
            for number, (octets, coding) in enumerate(pieces, 1):
                header = write_header(Concatenation(7, 2, number))
                part = message(header + octets, esm_class=EsmClass.UDHI, data_coding=coding)
                assert [status for status, _ in await submitted(link, part)] == [Status.ESME_ROK]
            assert rows(database, "SELECT text FROM batch") == [(english.decode() + chinese,)]

    run(scenario)


def test_each_parts_id_leads_to_the_whole_text_also_where_no_receipt_is_asked_for(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        at = time_format.format_absolute(utc_now() + timedelta(days=1))
        async with open_door() as door, door.bound(make_customer()) as link:
            parts = [
                part._replace(schedule_delivery_time=at, registered_delivery=0)
                for part in in_headers(encode_gsm(TEXT), 153)
            ]
            ids = [id_ for part in parts for _, id_ in await submitted(link, part)]
            for id_ in ids:
                assert (await link.session.query(QuerySm(id_))).message_state == MessageState.ENROUTE
            await link.session.cancel(CancelSm("", ids[1]))
            for id_ in ids:
                assert (await link.session.query(QuerySm(id_))).message_state == MessageState.DELETED
            assert rows(database, "SELECT DISTINCT octets FROM smpp_part") == [(b"",)]

    run(scenario)


def test_the_ids_of_parts_are_forgotten_after_a_week(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        times = [utc_now()]
        async with open_door(clock=lambda: times[-1]) as door, door.bound(make_customer()) as link:
            for part in in_headers(encode_gsm(TEXT), 153):
                await submitted(link, part)
            times.append(times[0] + KNOWN_FOR + timedelta(seconds=1))
            await door.door.keep_order()
            assert rows(database, "SELECT FROM smpp_part") == []

    run(scenario)


def test_of_a_text_that_is_refused_the_last_part_is_answered_so_and_the_others_are_told(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door() as door, door.bound(make_customer(balance="0.0001")) as link:
            parts = in_headers(encode_gsm(TEXT), 153)
            answers = [answer for part in parts for answer in await submitted(link, part)]
            assert [status for status, _ in answers] == [Status.ESME_ROK, Status.ESME_ROK, BALANCE_TOO_LOW]
            receipts = [receipt_of(delivery) for delivery in await link.until("deliveries", 2)]
            assert {receipt.id for receipt in receipts} == {id_ for _, id_ in answers[:2]}
            assert {(receipt.state, receipt.error) for receipt in receipts} == {(MessageState.REJECTED, "308")}

    run(scenario)


def test_parts_that_stay_alone_are_told_and_cost_nothing(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        times = [utc_now()]
        harbour = make_customer()
        async with open_door(clock=lambda: times[-1]) as door, door.bound(harbour) as link:
            ((_, part_id),) = await submitted(link, in_headers(encode_gsm(TEXT), 153)[0])
            assert (await link.session.query(QuerySm(part_id))).message_state == MessageState.ENROUTE
            times.append(times[0] + ALL_PARTS_WITHIN + timedelta(seconds=1))
            await door.door.keep_order()
            (delivery,) = await link.until("deliveries")
            assert (receipt_of(delivery).id, receipt_of(delivery).state) == (part_id, MessageState.REJECTED)
            assert ledger.balances(database, [harbour.pk])[harbour.pk, Account.Kind.HELD] == 0

    run(scenario)


def test_a_whole_text_that_a_dead_process_left_is_sent_once(database: Connection) -> None:
    """It died after the last part was kept; or after the text was submitted, before the parts were forgotten."""

    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        owner = Login(Person.objects.get(customer=harbour).pk, harbour.pk, None)
        now = utc_now()
        for body in in_headers(encode_gsm(TEXT), 153):
            _, whole = keep_part(database, owner, read_submit(body, now), HANDSET, now)
        assert whole is not None
        kept = rows(database, "SELECT * FROM smpp_part")
        async with open_door(clock=lambda: now + SUBMITTED_WITHIN + timedelta(seconds=1)) as door:
            await door.door.keep_order()
            assert rows(database, "SELECT text FROM batch") == [(TEXT,)]
            places = ", ".join(["%s"] * len(kept[0]))
            database.execute("DELETE FROM smpp_part")
            for row in kept:
                database.execute(f"INSERT INTO smpp_part VALUES ({places})".encode(), row)
            await door.door.keep_order()
            assert rows(database, "SELECT count(*) FROM message") == [(1,)]
            assert rows(database, WAITING) == []

    asyncio.run(scenario())


def test_the_same_part_again_has_the_same_id_and_another_under_its_number_is_refused(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door() as door, door.bound(make_customer()) as link:
            first, second, _ = in_headers(encode_gsm(TEXT), 153)
            once = await submitted(link, first)
            assert await submitted(link, first) == once
            other = second.short_message[6:]
            changed = first._replace(short_message=first.short_message[:6] + other)
            assert await submitted(link, changed) == [(REFERENCE_REUSED, "")]

    run(scenario)


def test_a_part_that_cannot_be_sent_is_refused_at_once(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door() as door, door.bound(make_customer()) as link:
            part, *_ = in_headers(encode_gsm(TEXT), 153)
            wrong = part._replace(source_addr="Mallory"), part._replace(destination_addr="85221234567")
            assert [status for status, _ in await submitted(link, *wrong)] == [
                Status.ESME_RINVSRCADR,
                Status.ESME_RINVDSTADR,
            ]
            assert rows(database, "SELECT FROM smpp_part") == []

    run(scenario)


def test_a_long_text_in_one_payload_is_one_message(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door() as door, door.bound(make_customer()) as link:
            body = message(b"", tlvs=((0x0424, encode_gsm(TEXT)),))
            assert [status for status, _ in await submitted(link, body)] == [Status.ESME_ROK]
            assert rows(database, "SELECT text, sender FROM batch") == [(TEXT, SENDER)]
            assert rows(database, "SELECT parts FROM message") == [(3,)]

    run(scenario)
