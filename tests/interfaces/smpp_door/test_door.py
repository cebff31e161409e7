"""Customers bind, submit and are told receipts, by the same rules as at every door (spec S124)."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from sampan.accounts.tables import ApiKey, Customer
from sampan.database import Connection, Snapshot
from sampan.interfaces.smpp_door import logins
from sampan.interfaces.smpp_door.door import MOST_BINDS_OF_A_LOGIN, utc_now
from sampan.interfaces.smpp_door.words import ACCOUNT_DISABLED, BALANCE_TOO_LOW
from sampan.messages.tables import Source
from sampan.smpp import time_format
from sampan.smpp.client import BindMode, Delivery
from sampan.smpp.pdu import (
    CancelSm,
    DataSm,
    MessageState,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    Tag,
    Unbind,
    encode,
)
from sampan.smpp.pdu.fields import SmeAddress, UnsuccessfulSme
from sampan.smpp.receipt import DeliveryReceipt, read_receipt
from sampan.smpp.session import CommandRefused
from tests.dispatch.running import eventually, gateway, places_at, simulator
from tests.interfaces.smpp_door.running import HANDSET, bind_with, key_of, message, open_door, rows, submitted
from tests.smpp.peers import Link
from tests.world import PASSWORD, SENDER, make_customer, make_mallory, make_places

MESSAGES = """
    SELECT m.id, m.status, b.source, m.charged_pips > 0 FROM message m JOIN batch b ON b.id = m.batch_id"""
ANOTHER, NOBODY, OFF = "85251000010", "85251000001", "85251000003"


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(40):
            await scenario()

    asyncio.run(bounded())


def receipt_of(delivery: Delivery) -> DeliveryReceipt:
    receipt = read_receipt(delivery.body)
    assert receipt is not None
    return receipt


def test_a_text_is_accepted_charged_and_its_receipt_told_until_it_is_acknowledged(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway(), open_door() as door, door.bound(harbour) as link:
                ((status, message_id),) = await submitted(link, message())
                assert status == Status.ESME_ROK
                (delivery,) = await link.until("deliveries")
                receipt = receipt_of(delivery)
                assert (receipt.id, receipt.state, receipt.text) == (
                    message_id,
                    MessageState.DELIVERED,
                    "Your roses are ready",
                )
                assert (delivery.body.source_addr, delivery.body.destination_addr) == (HANDSET, SENDER)
                await eventually(lambda: rows(database, "SELECT FROM smpp_receipt") == [])
            found = rows(
                database,
                "SELECT m.id, m.status, b.source, m.charged_pips > 0 FROM message m JOIN batch b ON b.id = m.batch_id",
            )
            assert found == [(int(message_id), 22, 6, True)]

    run(scenario)


def test_a_failure_is_told_with_its_state_and_reason(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            async with gateway(), open_door() as door, door.bound(make_customer()) as link:
                await submitted(link, message(destination_addr=NOBODY))
                (delivery,) = await link.until("deliveries")
                receipt = receipt_of(delivery)
                assert (receipt.state, receipt.error) == (MessageState.UNDELIVERABLE, "303")

    run(scenario)


def test_a_phone_that_is_off_is_told_first_to_who_asks_for_that(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            async with gateway(), open_door() as door, door.bound(make_customer()) as link:
                await submitted(link, message(destination_addr=OFF, registered_delivery=0x11))
                states = [receipt_of(each).state for each in await link.until("deliveries", 2)]
                assert states == [MessageState.ENROUTE, MessageState.DELIVERED]

    run(scenario)


def test_only_failures_are_told_to_who_asks_for_those(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            async with gateway(), open_door() as door, door.bound(make_customer()) as link:
                await submitted(link, message(registered_delivery=2))
                await submitted(link, message(registered_delivery=2, destination_addr=NOBODY))
                await eventually(lambda: rows(database, "SELECT FROM smpp_receipt") == [])
                assert [receipt_of(each).error for each in link.told["deliveries"]] == ["303"]

    run(scenario)


def test_receipts_wait_for_a_receiver_also_over_a_restart(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway():
                async with open_door() as door, door.bound(harbour, BindMode.TRANSMITTER) as link:
                    ((_, message_id),) = await submitted(link, message())
                await eventually(lambda: rows(database, "SELECT status FROM message") == [(22,)])
                async with open_door() as door, door.bound(harbour, BindMode.RECEIVER) as link:
                    (delivery,) = await link.until("deliveries")
                    assert receipt_of(delivery).id == message_id

    run(scenario)


def test_a_receipt_that_was_not_acknowledged_comes_again(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway(), open_door() as door:
                async with door.bound(harbour, link=Link()) as silent:
                    await submitted(silent, message())
                    (first,) = await silent.until("deliveries")
                async with door.bound(harbour) as link:
                    (again,) = await link.until("deliveries")
                    assert again.body == first.body

    run(scenario)


def test_nobody_is_told_of_anothers_messages(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour, mallory = make_customer(), make_mallory()
            async with gateway(), open_door() as door, door.bound(harbour) as link, door.bound(mallory) as hers:
                ((_, message_id),) = await submitted(link, message())
                await link.until("deliveries")
                assert "deliveries" not in hers.told
                with pytest.raises(CommandRefused) as refused:
                    await hers.session.query(QuerySm(message_id))
                assert refused.value.status == Status.ESME_RINVMSGID
                with pytest.raises(CommandRefused) as refused:
                    await hers.session.cancel(CancelSm("", message_id))
                assert refused.value.status == Status.ESME_RINVMSGID

    run(scenario)


def test_a_password_and_a_key_bind_and_nothing_else_does(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door:
            assert (await bind_with(door.port, "harbour", PASSWORD))[1] == Status.ESME_ROK
            assert (await bind_with(door.port, "HARBOUR", key_of(harbour)))[1] == Status.ESME_ROK
            assert (await bind_with(door.port, "harbour", "a guess"))[1] == Status.ESME_RINVPASWD
            assert (await bind_with(door.port, "nobody", PASSWORD))[1] == Status.ESME_RINVPASWD

    run(scenario)


def test_who_guesses_passwords_is_let_in_no_more_for_a_while(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        make_customer()
        async with open_door() as door:
            for _ in range(logins.MOST_FAILURES):
                assert (await bind_with(door.port, "harbour", "a guess"))[1] == Status.ESME_RINVPASWD
            assert (await bind_with(door.port, "harbour", PASSWORD))[1] == Status.ESME_RBINDFAIL

    run(scenario)


def test_a_login_has_so_many_binds_and_no_more(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        make_customer()
        async with open_door() as door:
            binds = [await bind_with(door.port, "harbour", PASSWORD) for _ in range(MOST_BINDS_OF_A_LOGIN + 1)]
            assert [status for _, status in binds] == [Status.ESME_ROK] * MOST_BINDS_OF_A_LOGIN + [
                Status.ESME_RBINDFAIL
            ]

    run(scenario)


def test_a_session_whose_key_was_revoked_is_unbound(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door, door.bound(harbour) as link, door.bound(harbour) as other:
            ApiKey.objects.order_by("id").first().delete()  # type: ignore[union-attr]
            await door.door.keep_order()
            await link.until("closed")
            assert other.session.state.bound

    run(scenario)


def test_faster_than_the_customers_rate_is_throttled_and_costs_nothing(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door(rate=1) as door, door.bound(make_customer()) as link:
            answers = await submitted(link, message(), message())
            assert [status for status, _ in answers] == [Status.ESME_ROK, Status.ESME_RTHROTTLED]
            assert rows(database, "SELECT count(*) FROM message") == [(1,)]

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"source_addr": "Mallory"}, Status.ESME_RINVSRCADR),
        ({"destination_addr": "85221234567"}, Status.ESME_RINVDSTADR),
        ({"destination_addr": "61234567"}, Status.ESME_RINVDSTADR),
        ({"short_message": b""}, Status.ESME_RINVMSGLEN),
        ({"data_coding": 4}, 0x429),
        ({"data_coding": 8, "short_message": b"\xd8\x3c"}, 0x429),
        ({"validity_period": "two hours, about"}, Status.ESME_RINVEXPIRY),
        ({"schedule_delivery_time": "991231235959000+"}, Status.ESME_RINVSCHED),
    ],
)
def test_what_is_wrong_is_refused_in_smpps_own_words(
    database: Connection, changes: dict[str, Any], status: int
) -> None:
    async def scenario() -> None:
        make_places()
        async with open_door() as door, door.bound(make_customer()) as link:
            assert await submitted(link, message(**changes)) == [(status, "")]
            assert rows(database, "SELECT FROM message") == []

    run(scenario)


def test_too_little_money_and_a_suspended_account_have_numbers_of_their_own(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer(balance="0.0001")
        async with open_door() as door, door.bound(harbour) as link:
            assert await submitted(link, message()) == [(BALANCE_TOO_LOW, "")]
            harbour.status = Customer.Status.SUSPENDED
            harbour.save()

            Snapshot.forget_all()
            assert await submitted(link, message()) == [(ACCOUNT_DISABLED, "")]

    run(scenario)


def test_a_message_is_asked_after_called_back_and_not_replaced(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        at = time_format.format_absolute(utc_now() + timedelta(days=1))
        async with open_door() as door, door.bound(make_customer()) as link:
            ((_, message_id),) = await submitted(link, message(schedule_delivery_time=at))
            assert await link.session.query(QuerySm(message_id)) == QuerySmResp(message_id, "", MessageState.ENROUTE, 0)
            await link.session.cancel(CancelSm("", message_id))
            answer = await link.session.query(QuerySm(message_id))
            assert (answer.message_state, bool(answer.final_date)) == (MessageState.DELETED, True)
            with pytest.raises(CommandRefused) as refused:
                await link.session.cancel(CancelSm("", message_id))
            assert refused.value.status == Status.ESME_RCANCELFAIL

    run(scenario)


def test_one_message_of_another_doors_batch_is_not_called_back_here(database: Connection) -> None:
    """It may be one of thousands, and those would go with it."""

    async def scenario() -> None:
        make_places()
        at = utc_now() + timedelta(days=1)
        async with open_door() as door, door.bound(make_customer()) as link:
            ((_, message_id),) = await submitted(link, message(schedule_delivery_time=time_format.format_absolute(at)))
            database.execute("UPDATE batch SET source = %s", [Source.JSON.value])
            with pytest.raises(CommandRefused) as refused:
                await link.session.cancel(CancelSm("", message_id))
            assert refused.value.status == Status.ESME_RCANCELFAIL
            assert (await link.session.query(QuerySm(message_id))).message_state == MessageState.ENROUTE

    run(scenario)


def test_what_was_sent_before_an_unbind_is_answered_before_it(database: Connection) -> None:
    """Who hears no answer sends it again, and pays twice."""

    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door:
            peer, _ = await bind_with(door.port, "harbour", key_of(harbour))
            peer.send(*(encode(message(), number) for number in range(2, 7)), encode(Unbind(), 7))
            answers = [await peer.read() for _ in range(6)]
            assert sorted(answer.sequence_number for answer in answers[:5]) == [2, 3, 4, 5, 6]
            assert {answer.status for answer in answers} == {Status.ESME_ROK}
            assert answers[5].sequence_number == 7
            assert await peer.at_end()
            assert rows(database, "SELECT count(*) FROM message") == [(5,)]

    run(scenario)


def test_replace_sm_is_refused(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door:
            peer, _ = await bind_with(door.port, "harbour", key_of(harbour))
            assert (await peer.ask(ReplaceSm("100001"), 2)).status == Status.ESME_RREPLACEFAIL

    run(scenario)


def test_data_sm_carries_a_text_and_its_time_to_live(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door:
            peer, _ = await bind_with(door.port, "harbour", key_of(harbour))
            tlvs = (Tag.QOS_TIME_TO_LIVE, (1800).to_bytes(4, "big")), (Tag.MESSAGE_PAYLOAD, b"Hello")
            answer = await peer.ask(DataSm("", 5, 0, SENDER, 1, 1, HANDSET, tlvs=tlvs), 2)
            assert answer.status == Status.ESME_ROK
            assert rows(database, "SELECT text, validity_minutes FROM batch") == [("Hello", 30)]

    run(scenario)


def test_submit_multi_reaches_the_mobiles_and_names_the_others(database: Connection) -> None:
    async def scenario() -> None:
        make_places()
        harbour = make_customer()
        async with open_door() as door:
            peer, _ = await bind_with(door.port, "harbour", key_of(harbour))
            to = tuple(SmeAddress(1, 1, number) for number in (HANDSET, "85221234567", ANOTHER))
            answer = await peer.ask(SubmitMulti("", 5, 0, SENDER, to, registered_delivery=1, short_message=b"Hi"), 2)
            assert isinstance(answer.body, SubmitMultiResp)
            assert answer.body.unsuccessful == (UnsuccessfulSme(1, 1, "85221234567", Status.ESME_RINVDSTADR),)
            assert rows(database, "SELECT recipient FROM message ORDER BY 1") == [(int(HANDSET),), (int(ANOTHER),)]
            told = rows(database, "SELECT DISTINCT told_id FROM smpp_receipt")
            assert told == [(int(answer.body.message_id),)]

    run(scenario)
