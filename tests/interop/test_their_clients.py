"""Other people's SMPP clients against our server side: `sampan simulator` (spec S124 to come by the same sessions)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sampan.composing.alphabet import decode_gsm
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DataCoding, DeliverSm, EsmClass, MessageState, Status
from tests.interop.peers import Kind, Peer, Program, running
from tests.interop.simulator import ACCOUNT, PASSWORD, Simulator
from tests.interop.table import Row
from tests.interop.texts import GSM, LONG, UCS2
from tests.journeys.platform import eventually

DIRECTION = "their client, our server side"
CLIENTS = (
    Program("smpplib", Kind.PYPI, "smpplib", "tests.interop.clients.smpplib_client"),
    Program("aiosmpplib", Kind.PYPI, "aiosmpplib", "tests.interop.clients.aiosmpplib_client", joins_parts=True),
    Program("smpp34", Kind.PYPI, "smpp34", "tests.interop.clients.smpp34_client"),
    Program("npm smpp", Kind.NPM, "smpp", "client.js"),
    Program("Kannel", Kind.DEBIAN, "bearerbox", "tests.interop.clients.kannel_client", joins_parts=True),
)
WITHIN_S = 10.0
SENDER = "Florist"
DELIVERED, UNKNOWN_SUBSCRIBER, REFUSED, THROTTLED = "85251000000", "85251000001", "85251000005", "85251000006"
GSM_CODINGS = {DataCoding.SMSC_DEFAULT, DataCoding.IA5}


@pytest.fixture(params=CLIENTS, ids=lambda program: program.name)
def program(request: pytest.FixtureRequest) -> Program:
    """Each client in turn."""
    chosen: Program = request.param
    return chosen


@pytest.fixture
def client(row: Row, program: Program, tmp_path: Path) -> Iterator[Peer]:
    """It runs, and has not yet connected."""
    row.version = program.version()
    with running(program, tmp_path / "log") as peer:
        yield peer


def bind(client: Peer, simulator: Simulator, mode: str = "transceiver", password: str = PASSWORD) -> int:
    answer = client.call("bind", mode=mode, port=simulator.port, system_id=ACCOUNT, password=password)
    return int(answer["status"])


def submit(client: Peer, text: str, *, to: str = DELIVERED, coding: str = "gsm", way: str = "") -> list[list[Any]]:
    answers: list[list[Any]] = client.call("submit", to=to, source=SENDER, text=text, coding=coding, way=way)["answers"]
    return answers


def text_of(delivery: dict[str, Any]) -> str:
    """As the client decoded it, or, where it leaves that to its user, as its octets say."""
    if "text" in delivery:
        return str(delivery["text"])
    octets, coding = bytes.fromhex(delivery["octets"]), delivery["data_coding"]
    content = content_of(DeliverSm(esm_class=delivery["esm_class"], short_message=octets))
    return content.octets.decode("utf-16-be" if coding == DataCoding.UCS2 else "latin-1")


@pytest.mark.interop("bind tx")
def test_a_transmitter_submits(row: Row, client: Peer, simulator: Simulator) -> None:
    assert bind(client, simulator, "transmitter") == Status.ESME_ROK
    assert [status for status, _ in submit(client, "Hello")] == [Status.ESME_ROK]
    assert [message["text"] for message in simulator.messages()] == ["Hello"]


@pytest.mark.interop("bind rx")
def test_a_receiver_is_delivered_to(row: Row, client: Peer, simulator: Simulator) -> None:
    assert bind(client, simulator, "receiver") == Status.ESME_ROK
    simulator.reply("STOP", to="85290000000")
    (delivery,) = client.call("received", count=1)["deliveries"]
    if delivery["from"].startswith("+"):
        row.differs("writes a + before an international number")
    assert (text_of(delivery), delivery["from"].lstrip("+"), delivery["to"].lstrip("+")) == (
        "STOP",
        "85261234567",
        "85290000000",
    )
    eventually(lambda: simulator.stats()["replies_acknowledged"] == 1, WITHIN_S)


@pytest.mark.interop("wrong password")
def test_a_wrong_password_is_told(row: Row, client: Peer, simulator: Simulator) -> None:
    assert bind(client, simulator, password="guess") == Status.ESME_RINVPASWD
    assert simulator.stats()["sessions"] == 0


@pytest.mark.interop("GSM text")
def test_a_gsm_text_arrives_as_it_was_written(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    submit(client, GSM)
    (message,) = simulator.messages()
    assert (decode_gsm(bytes.fromhex(message["octets"])), message["source"]["address"]) == (GSM, SENDER)
    assert message["data_coding"] in GSM_CODINGS
    if message["data_coding"] == DataCoding.IA5:
        row.differs("sends the GSM alphabet as data_coding 1 (IA5), where `$@[]^_{|}~` mean other octets")


@pytest.mark.interop("UCS-2 text")
def test_a_chinese_text_arrives_as_it_was_written(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    submit(client, UCS2, coding="ucs2")
    (message,) = simulator.messages()
    assert (message["text"], message["data_coding"]) == (UCS2, DataCoding.UCS2)


@pytest.mark.interop("long text in UDH parts")
@pytest.mark.parametrize("coding", LONG)
def test_a_long_text_arrives_in_parts_with_a_header(row: Row, client: Peer, simulator: Simulator, coding: str) -> None:
    bind(client, simulator)
    answers = submit(client, LONG[coding], coding=coding, way="udh")
    assert {status for status, _ in answers} == {Status.ESME_ROK}
    messages = sorted(simulator.messages(), key=lambda message: message["part"]["number"])
    places = [message["part"] for message in messages]
    assert len(places) > 1
    assert len({place["reference"] for place in places}) == 1
    assert [(place["number"], place["total"]) for place in places] == [
        (number, len(places)) for number in range(1, len(places) + 1)
    ]
    octets = b"".join(bytes.fromhex(message["octets"]) for message in messages)
    whole = octets.decode("utf-16-be" if coding == "ucs2" else "latin-1")
    assert whole == LONG[coding]
    if any("\ufffd" in message["text"] for message in messages):
        row.differs("cuts a surrogate pair in two over parts")


@pytest.mark.interop("long text in message_payload")
def test_a_long_text_arrives_in_a_payload(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    submit(client, LONG["gsm"], way="payload")
    (message,) = simulator.messages()
    assert message["text"] == LONG["gsm"]


@pytest.mark.interop("long text in SAR parts")
def test_a_long_text_arrives_in_sar_parts(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    submit(client, LONG["gsm"], way="sar")
    messages = sorted(simulator.messages(), key=lambda message: message["part"]["number"])
    assert "".join(message["text"] for message in messages) == LONG["gsm"]


@pytest.mark.interop("receipts")
@pytest.mark.parametrize(
    ("to", "state", "word"),
    [(DELIVERED, MessageState.DELIVERED, "DELIVRD"), (UNKNOWN_SUBSCRIBER, MessageState.UNDELIVERABLE, "UNDELIV")],
)
def test_a_receipt_names_the_message_and_its_state(
    row: Row, client: Peer, simulator: Simulator, to: str, state: MessageState, word: str
) -> None:
    bind(client, simulator)
    ((_, message_id),) = submit(client, "Hello", to=to)
    (receipt,) = client.call("received", count=1)["deliveries"]
    assert receipt["esm_class"] == EsmClass.DELIVERY_RECEIPT
    assert (receipt["id"], receipt["state"], receipt["from"]) == (message_id, state, to)
    assert text_of(receipt).startswith(f"id:{message_id} sub:001 ")
    assert f" stat:{word} " in text_of(receipt)
    eventually(lambda: simulator.stats()["receipts_acknowledged"] == 1, WITHIN_S)


@pytest.mark.interop("receipts of UDH parts")
def test_each_part_has_its_receipt(row: Row, program: Program, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    ids = {message_id for _, message_id in submit(client, LONG["gsm"], way="udh")}
    wanted = sum(1 for message in simulator.messages() if message["registered_delivery"])
    shown = 1 if program.joins_parts else wanted
    found = [receipt["id"] for receipt in client.call("received", count=shown)["deliveries"]]
    eventually(lambda: simulator.stats()["receipts_acknowledged"] == wanted, WITHIN_S)
    assert len(found) == shown
    assert set(found) <= ids
    if wanted < len(ids):
        row.differs("asks for the receipt of the first part only")
    elif shown < len(ids):
        row.differs("shows one receipt for a message it cut")


@pytest.mark.interop("a long reply")
def test_a_long_reply_is_delivered_in_parts(row: Row, program: Program, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    simulator.reply(LONG["ucs2"], to="85290000000")
    parts = simulator.stats()["replies"]
    deliveries = client.call("received", count=1 if program.joins_parts else parts)["deliveries"]
    eventually(lambda: simulator.stats()["replies_acknowledged"] == parts > 1, WITHIN_S)
    if len(deliveries) == 1:
        row.differs("joins the parts of a reply by itself")
    assert "".join(sorted(map(text_of, deliveries), key=LONG["ucs2"].index)) == LONG["ucs2"]


@pytest.mark.interop("refusals, throttling")
@pytest.mark.parametrize(("to", "status"), [(REFUSED, Status.ESME_RINVDSTADR), (THROTTLED, Status.ESME_RTHROTTLED)])
def test_a_refusal_is_seen(row: Row, client: Peer, simulator: Simulator, to: str, status: Status) -> None:
    bind(client, simulator)
    assert submit(client, "Hello", to=to) == [[status, ""]]


@pytest.mark.interop("query_sm")
def test_a_message_can_be_asked_after(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    ((_, message_id),) = submit(client, "Hello")
    client.call("received", count=1)
    assert client.call("query", message_id=message_id, source=SENDER) == {
        "status": Status.ESME_ROK,
        "state": MessageState.DELIVERED,
    }


@pytest.mark.interop("enquire_link")
def test_enquire_link_is_answered(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    assert client.call("enquire") == {"status": Status.ESME_ROK, "command": "enquire_link_resp"}


@pytest.mark.interop("unbind")
def test_unbind_is_answered_and_ends_the_session(row: Row, client: Peer, simulator: Simulator) -> None:
    bind(client, simulator)
    answer = client.call("unbind")
    assert answer["status"] == Status.ESME_ROK
    if "command" not in answer:
        row.differs("does not say what unbind was answered")
    eventually(lambda: simulator.stats()["sessions"] == 0, WITHIN_S)
