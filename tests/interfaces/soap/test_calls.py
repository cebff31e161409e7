"""What each operation answers (spec S121, docs/api/soap.md)."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.interfaces.soap.contract import OPERATIONS, SAMPAN, wsdl
from sampan.interfaces.soap.reading import Version
from sampan.messages.tables import Batch, Message
from tests.inbound.renting import HANDSET, OWN, make_number, make_rental, take, write
from tests.interfaces.soap.asking import Ask, request, send_sms, with_door
from tests.messages.one_of_each import make_one_of_each
from tests.world import SENDER, make_customer, make_mallory, make_places

SCHEMA = "{http://www.w3.org/2001/XMLSchema}schema"


def later(**wait: int) -> str:
    at = datetime.now(UTC) + timedelta(**wait)
    return send_sms("85261234567", more=f"<sender>{SENDER}</sender><scheduledAt>{at.isoformat()}</scheduledAt>")


def cancel(batch_id: str, more: str = "", **who: str) -> str:
    return request("CancelScheduled", f"<batchId>{batch_id}</batchId>{more}", **who)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


def test_sending_gives_a_result_for_each_recipient_in_its_order(harbour: Customer) -> None:
    async def scenario(ask: Ask) -> None:
        said = await ask(send_sms("85261234567", "85221234567", "85366123456", "79123456789", "85261234567"))
        assert said.reply.status == 200
        assert said.values("recipient") == ["85261234567", "85221234567", "85366123456", "79123456789", "85261234567"]
        assert said.values("messageId") == ["100001", "100002", "100003", "100001"]
        assert said.values("status") == ["2", "1", "2", "21", "2"]
        assert said.values("reason") == ["300", "302", "300", "306", "300"]
        assert said.values("code") == ["None", "NotAMobile", "None", "NoRoute", "None"]
        assert said.values("price") == ["0.6300", "0.2900", "0.3400", "0.0000", "0.2900"]  # the first: of the batch
        assert Batch.objects.get().recipients == 3

    with_door(scenario)


def test_all_that_can_be_said_of_a_batch_is_kept(harbour: Customer) -> None:
    more = f"""<sender>{SENDER}</sender><purpose>Transactional</purpose><dncr>1</dncr>
        <scheduledAt>2031-01-02T03:04:05.1234567</scheduledAt><validityMinutes>60</validityMinutes>
        <coding>Unicode</coding><name>Roses &amp; more</name><clientRef>order 7</clientRef>"""

    async def scenario(ask: Ask) -> None:
        assert (await ask(send_sms("85261234567", more=more))).code == ""
        batch = Batch.objects.get()
        assert (batch.sender, batch.purpose, batch.register_filter) == (SENDER, 1, True)
        assert batch.scheduled_at == datetime(2031, 1, 1, 19, 4, 5, 123456, UTC)  # no offset: Hong Kong's
        assert (batch.validity_minutes, batch.coding, batch.name) == (60, 8, "Roses & more")

    with_door(scenario)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "99999-01-01T00:00:00Z", "-0044-03-15T12:00:00Z"])
def test_a_time_that_no_calendar_has_is_refused(harbour: Customer, moment: str) -> None:
    async def scenario(ask: Ask) -> None:
        more = f"<sender>{SENDER}</sender><scheduledAt>{moment}</scheduledAt>"
        assert (await ask(send_sms("85261234567", more=more))).code == "BadTime"

    with_door(scenario)


def test_the_status_of_many_messages_is_told_at_once_and_of_nobody_elses(database: Connection) -> None:
    """Spec S6, S71."""
    world = make_one_of_each(database)
    make_mallory()
    asked = [str(world.ids[name]) for name in ("delivered", "retry", "undeliverable", "sent", "filtered")]
    ids = "".join(f"<messageId>{each}</messageId>" for each in (*asked, "999999", "x", " 1e5 "))

    async def scenario(ask: Ask) -> None:
        said = await ask(request("GetStatus", f"<messageIds>{ids}</messageIds>"))
        assert said.values("messageId") == [*asked, "999999", "x", "1e5"]
        assert list(zip(said.values("status"), said.values("reason"), strict=True)) == [
            ("22", "300"),
            ("19", "304"),
            ("21", "303"),
            ("4", "301"),
            ("21", "306"),
        ]
        assert said.values("charged") == ["0.5800", "0.5800", "0.5800", "0.7200", "0.0000"]
        assert said.values("code")[-3:] == ["UnknownMessage"] * 3
        said = await ask(request("GetStatus", f"<messageIds>{ids}</messageIds>", username="mallory"))
        assert said.values("code") == ["UnknownMessage"] * 8

    with_door(scenario)


def test_balance_and_queue_are_the_customers_own(harbour: Customer) -> None:
    make_mallory()

    async def scenario(ask: Ask) -> None:
        await ask(send_sms("85261234567", "85261234568"))
        assert (await ask(request("GetBalance"))).values("available") == ["999.4200"]
        assert (await ask(request("GetQueue"))).values("waiting") == ["2"]
        assert (await ask(request("GetBalance", username="mallory"))).values("available") == ["1000.0000"]
        assert (await ask(request("GetQueue", username="mallory"))).values("waiting") == ["0"]

    with_door(scenario)


def test_a_scheduled_batch_is_called_back_by_its_own_customer(harbour: Customer) -> None:
    """Spec S10, S51."""
    make_mallory()

    async def scenario(ask: Ask) -> None:
        (tomorrow,) = (await ask(later(days=1))).values("batchId")
        (soon,) = (await ask(later(minutes=30))).values("batchId")
        assert (await ask(cancel(tomorrow, username="mallory"))).code == "NoSuchBatch"
        assert (await ask(cancel(tomorrow))).values("cancelled") == ["1"]
        assert (await ask(cancel(soon))).code == "BatchDueSoon"
        assert (await ask(cancel(soon, "<evenIfLate>true</evenIfLate>"))).values("cancelled") == ["1"]
        assert (await ask(cancel("no number"))).code == "NoSuchBatch"
        assert {(each.status, each.reason) for each in Message.objects.all()} == {(21, 3001)}

    with_door(scenario)


def test_replies_come_in_their_order_and_once_to_who_says_the_last_one(database: Connection) -> None:
    """Spec S111."""
    operator = make_places()
    harbour = make_customer(senders=())
    make_mallory()
    make_rental(make_number(operator), harbour)
    for words in ("Yes, please <3", "And lilies\x07"):
        write(database, operator, words)
        take()

    async def scenario(ask: Ask) -> None:
        first = await ask(request("GetReplies", "<most>1</most>"))
        assert (first.values("text"), first.values("handset")) == (["Yes, please <3"], [HANDSET])
        (last_id,) = first.values("lastId")
        second = await ask(request("GetReplies", f"<afterId>{last_id}</afterId><number>{OWN}</number>"))
        assert second.values("text") == ["And lilies\ufffd"]  # XML has no such character
        (last_id,) = second.values("lastId")
        none = await ask(request("GetReplies", f"<afterId>{last_id}</afterId>"))
        assert (none.values("text"), none.values("lastId")) == ([], [last_id])
        assert (await ask(request("GetReplies", username="mallory"))).values("text") == []
        for wrong in ("<most>0</most>", "<most>1001</most>", "<afterId>x</afterId>"):
            assert (await ask(request("GetReplies", wrong))).code == "NotValid"

    with_door(scenario)


def test_a_repeat_with_its_reference_tells_the_first_answer(harbour: Customer) -> None:
    """Spec S8."""
    more = f"<sender>{SENDER}</sender><clientRef>order 7</clientRef>"

    async def scenario(ask: Ask) -> None:
        first = await ask(send_sms("85261234567", "12", more=more))
        again = await ask(send_sms("85261234567", "12", more=more), version=Version.SOAP_1_2)
        assert [each.text for each in first.tree.iter()] == [each.text for each in again.tree.iter()]
        assert Message.objects.count() == 1

    with_door(scenario)


def test_the_contract_has_every_operation_in_both_versions() -> None:
    document = etree.fromstring(wsdl("https://sms.example.com/soap/"))
    names = {"w": "http://schemas.xmlsoap.org/wsdl/"}
    for binding in ("SampanSoap", "SampanSoap12"):
        found = document.findall(f"w:binding[@name='{binding}']/w:operation", names)
        assert tuple(each.get("name") for each in found) == OPERATIONS
        assert [each[0].get("soapAction") for each in found] == [f"{SAMPAN}/{name}" for name in OPERATIONS]
    assert document.find(f"w:types/{SCHEMA}", names) is not None
    assert b"choice" not in wsdl("")  # WCF makes no plain classes of it
    locations = [each.get("location") for each in document.iter() if each.get("location")]
    assert locations == ["https://sms.example.com/soap/"] * 2
