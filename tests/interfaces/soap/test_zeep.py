"""zeep, which makes its client from the contract alone, against a web process that really runs (spec S121)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import zeep

from sampan.database import Connection
from sampan.messages.tables import Batch
from tests.interfaces.running import WebProcess, web_process
from tests.world import PASSWORD, SENDER, make_customer, make_places

WHO = {"username": "harbour", "password": PASSWORD}


@pytest.fixture(scope="module")
def process(migrated_database: Connection) -> Iterator[WebProcess]:
    with web_process() as running:
        yield running


@pytest.fixture(params=["SampanSoap", "SampanSoap12"])
def service(process: WebProcess, database: Connection, request: pytest.FixtureRequest) -> Any:
    make_places()
    make_customer()
    client: Any = zeep.Client(f"{process.address}/soap/?wsdl")  # type: ignore[no-untyped-call]
    return client.bind("Sampan", request.param)


def test_send_ask_and_call_back(service: Any) -> None:
    tomorrow = datetime(2031, 1, 2, 9, 0, tzinfo=ZoneInfo("Asia/Hong_Kong"))
    sent = service.SendSms(
        **WHO,
        recipients={"recipient": ["85261234567", "85221234567"]},
        text="玫瑰已備妥 <&> roses",
        sender=SENDER,
        purpose="Transactional",
        scheduledAt=tomorrow,
        validityMinutes=60,
        clientRef="order 7",
    )
    good, bad = sent.results.result
    assert (good.recipient, good.status, good.code, f"{good.price}") == ("85261234567", 3, "None", "0.2900")
    assert (bad.recipient, bad.messageId, bad.code) == ("85221234567", None, "NotAMobile")
    batch = Batch.objects.get()
    assert (batch.text, batch.scheduled_at, batch.validity_minutes) == ("玫瑰已備妥 <&> roses", tomorrow, 60)

    (status,) = service.GetStatus(**WHO, messageIds={"messageId": [good.messageId]})
    assert (status.messageId, status.status, status.reason) == (good.messageId, 3, 300)
    assert f"{service.GetBalance(**WHO)}" == "1000.0000"  # a scheduled batch holds nothing yet
    assert service.GetQueue(**WHO) == 0
    replies = service.GetReplies(**WHO, afterId="0")
    assert (replies.replies, replies.lastId) == (None, "0")
    assert service.CancelScheduled(**WHO, batchId=sent.batchId) == 1
    (status,) = service.GetStatus(**WHO, messageIds={"messageId": [good.messageId]})
    assert (status.status, status.code) == (21, "Cancelled")


def test_a_refusal_is_a_fault_with_code_field_and_words(service: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as caught:
        service.SendSms(**WHO, recipients={"recipient": ["85261234567"]}, text="Hi", sender="Mallory")
    refusal = {each.tag.rpartition("}")[2]: each.text for each in caught.value.detail[0]}
    assert (refusal["code"], refusal["field"], refusal["value"]) == ("SenderNotYours", "sender", "Mallory")
    assert "Choose one of your sender IDs" in caught.value.message
