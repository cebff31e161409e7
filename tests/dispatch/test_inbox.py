"""Receipts can be kept and read back, whatever operators write into them (spec S77)."""

from datetime import timedelta

import pytest

from sampan.database import Connection
from sampan.dispatch import inbox
from sampan.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag
from sampan.smpp.receipt import read_receipt
from tests.world import NOW, make_places

RECEIPT = DeliverSm(source_addr="85261234567", esm_class=EsmClass.DELIVERY_RECEIPT)


@pytest.mark.parametrize(
    "delivery",
    [
        RECEIPT._replace(short_message=b"id:1 stat:DELIVRD err:000 text:" + "花 shop".encode("utf-16-be")),
        RECEIPT._replace(short_message=b"id:1\0\0 stat:DELIVRD\0 err:0\0"),
        RECEIPT._replace(short_message=b"id:1 submit date:00010101000000 stat:DELIVRD"),
        RECEIPT._replace(short_message=b"id:1 stat:DELIVRD", source_addr="8" * 40),
        RECEIPT._replace(short_message=b"id:1 stat:DELIVRD", source_addr="+٨٥٢"),
        DataSm(source_addr="9" * 64, tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"1\0"), (Tag.MESSAGE_STATE, b"\2"))),
    ],
)
def test_what_an_operator_writes_can_be_kept_and_read_back(database: Connection, delivery: DeliverSm | DataSm) -> None:
    operator = make_places()
    read = read_receipt(delivery)
    assert read is not None
    receipt = inbox.receipt_of(1, delivery, read)
    kept = inbox.keep(database, operator.pk, [receipt], NOW)
    assert [each.receipt.operator_ref for each in kept] == ["1"]
    assert inbox.due(database, operator.pk, NOW + timedelta(hours=1)) == kept
