"""npm soap, which makes its client from the contract alone, at the SOAP door (spec S121); zeep is in `make test`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sampan.database import Connection
from sampan.interfaces.soap.contract import OPERATIONS
from sampan.messages.tables import Batch
from tests.interfaces.running import WebProcess, web_process
from tests.interop.peers import Kind, Peer, Program, running
from tests.interop.table import Row
from tests.world import PASSWORD, SENDER, make_customer, make_places

PEER, DIRECTION = "npm soap", "their client, our SOAP door"
PROGRAM = Program(PEER, Kind.NPM, "soap", "soap.js")
WHO = {"username": "harbour", "password": PASSWORD}
TEXT = "玫瑰已備妥 <&> roses"
MANY = 10_000


@pytest.fixture(scope="module")
def process(migrated_database: Connection) -> Iterator[WebProcess]:
    with web_process() as web:
        yield web


@pytest.fixture(params=["1.1", "1.2"])
def client(
    row: Row, process: WebProcess, database: Connection, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Peer]:
    """It has read the contract."""
    row.version = PROGRAM.version()
    make_places()
    make_customer(balance="5000")
    with running(PROGRAM, tmp_path / "log") as peer:
        opened = peer.call("open", wsdl=f"{process.address}/soap/?wsdl", version=request.param)
        assert opened["operations"] == list(OPERATIONS)
        yield peer


def ask(client: Peer, operation: str, **parameters: Any) -> dict[str, Any]:
    said: dict[str, Any] = client.call("call", operation=operation, parameters=WHO | parameters)
    return said


def send(client: Peer, *recipients: str, **more: Any) -> dict[str, Any]:
    return ask(client, "SendSms", recipients={"recipient": recipients}, text=TEXT, sender=SENDER, **more)


@pytest.mark.interop("SendSms, GetStatus, GetQueue, GetBalance")
def test_what_is_sent_can_be_asked_after(row: Row, client: Peer) -> None:
    sent = send(client, "85261234567", "85221234567", purpose="Transactional", clientRef="order 7")["answer"]
    good, bad = sent["results"]["result"]
    assert (good["recipient"], good["status"], good["code"]) == ("85261234567", 2, "None")
    assert (bad["recipient"], bad["code"], "messageId" in bad) == ("85221234567", "NotAMobile", False)
    assert Batch.objects.get().text == TEXT
    status = ask(client, "GetStatus", messageIds={"messageId": [good["messageId"]]})["answer"]
    assert status["results"]["result"][0]["messageId"] == good["messageId"]
    assert ask(client, "GetQueue")["answer"] == {"waiting": 1}
    available = ask(client, "GetBalance")["answer"]["available"]
    assert f"{float(available):.4f}" == "4999.7100"
    if isinstance(available, float):
        row.differs("makes a binary fraction of an amount (xs:decimal)")


@pytest.mark.interop("CancelScheduled")
def test_what_is_scheduled_can_be_called_back(row: Row, client: Peer) -> None:
    sent = send(client, "85261234567", scheduledAt="2031-01-02T09:00:00+08:00", validityMinutes=60)["answer"]
    assert ask(client, "CancelScheduled", batchId=sent["batchId"])["answer"] == {"cancelled": 1}


@pytest.mark.interop("faults")
def test_a_refusal_is_seen(row: Row, client: Peer) -> None:
    fault = ask(client, "SendSms", recipients={"recipient": ["85261234567"]}, text="Hi", sender="Mallory")["fault"]
    refusal = fault.get("detail", fault.get("Detail"))["Refusal"]
    assert (refusal["code"], refusal["field"], refusal["value"]) == ("SenderNotYours", "sender", "Mallory")


@pytest.mark.interop("10,000 recipients")
def test_ten_thousand_recipients_are_one_batch(row: Row, client: Peer) -> None:
    sent = send(client, *(str(85260000000 + place) for place in range(MANY)))["answer"]
    assert len(sent["results"]["result"]) == MANY
    assert Batch.objects.get().recipients == MANY
