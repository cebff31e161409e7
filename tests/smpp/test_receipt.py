"""Delivery receipts as operators write them (SMPP 3.4 appendix B; spec S77, S78)."""

from datetime import UTC, datetime, timedelta, timezone
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.smpp.pdu import DataSm, DeliverSm, EsmClass, MessageState, ShortMessage, Tag, Tlv
from sampan.smpp.receipt import (
    DeliveryReceipt,
    NetworkError,
    is_receipt,
    read_receipt,
    read_text,
    write_text,
    write_tlvs,
)
from tests.smpp.strategies import bodies_of

HONG_KONG = timezone(timedelta(hours=8))
AT = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
USUAL = "id:1f4 sub:001 dlvrd:001 submit date:2611221530 done date:2611221531 stat:DELIVRD err:000 text:Your code is"


def test_the_usual_form_is_read_whole() -> None:
    assert read_text(USUAL) == DeliveryReceipt(
        id="1f4",
        state=MessageState.DELIVERED,
        error="000",
        submitted=1,
        delivered=1,
        submitted_at=AT,
        done_at=AT + timedelta(minutes=1),
        text="Your code is",
        id_in_text="1f4",
        stat="DELIVRD",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Fields left out, as several operators do.
        ("id:1526758174 submit date:1701240904 stat:DELIVRD err:000", {"id": "1526758174", "submitted": None}),
        # Another order, other letters, more spaces.
        ("STAT:undeliv  ERR:0b1  ID: 77 Text:", {"id": "77", "state": MessageState.UNDELIVERABLE, "error": "0b1"}),
        ("id:1 dlvrd:0 Submit Date:2611221530 Done_Date:2611221531 err: 9", {"submitted_at": AT, "error": "9"}),
        # The state's word alone, or in full.
        ("id:1 done date:261122153000 DELIVRD err:000 Text:", {"state": MessageState.DELIVERED, "done_at": AT}),
        ("id:1 stat:REJECTED", {"state": MessageState.REJECTED, "stat": "REJECTED"}),
        # A state of the operator's own stays to be mapped by its dialect (spec S78).
        ("id:1 stat:BUFFERD err:12", {"state": None, "stat": "BUFFERD", "error": "12"}),
        # Years of four figures; seconds; the standard's own time format.
        ("id:1 done date:202611221530", {"done_at": AT}),
        ("id:1 done date:20261122153000", {"done_at": AT}),
        ("id:1 done date:261122233000032+", {"done_at": AT}),
        ("id:1 done date:000000020000000R", {"done_at": None}),
        ("id:1 done date:2613991530", {"done_at": None}),
        ("id:1 done date:yesterday", {"done_at": None}),
        ("id:1 done date:00010101000000", {"done_at": None}),  # no time that PostgreSQL gives back
        # A quoted text may hold anything, and ends with C's NUL here and there.
        ("id:1 stat:DELIVRD text:id:2 stat:UNDELIV\0", {"id": "1", "stat": "DELIVRD", "text": "id:2 stat:UNDELIV"}),
        # Where UCS-2 is quoted as it is, or C's NUL stands between fields: PostgreSQL keeps no NUL.
        ("id:1\0stat:DELIVRD err:000\0text:\0R\0o\0s\0e\0s", {"id": "1", "error": "000", "text": "R o s e s"}),
        ("id:1 stat:DELIVRD err:0\0a", {"id": "1", "error": "0"}),
        ("id:1, stat:DELIVRD, err:000", {"id": "1", "error": "000"}),
        ("id:0e3b5c1a-9f6e-4c52 stat:ACCEPTD", {"id": "0e3b5c1a-9f6e-4c52", "state": MessageState.ACCEPTED}),
        # Nothing of a receipt in it.
        ("", {"id": None, "state": None}),
        ("invalid: paid:3", {"id": None, "error": ""}),
        ("id: stat: err:", {"id": None, "state": None, "error": "", "stat": ""}),
    ],
)  # fmt: skip
def test_an_odd_form_is_read_as_far_as_it_goes(text: str, expected: dict[str, object]) -> None:
    found = read_text(text)._asdict()
    assert {name: found[name] for name in expected} == expected


def test_dates_are_the_operators() -> None:
    assert read_text(USUAL, zone=HONG_KONG).submitted_at == AT - timedelta(hours=8)


def test_the_tlvs_win_and_the_text_is_kept() -> None:
    """One operator: decimal in the text, hex in the TLV (spec S77); 70BA8A69 is 1891273321."""
    receipt = read_receipt(
        DeliverSm(
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=b"id:1891273321 sub:001 dlvrd:001 submit date:1305050826 done date:1305050826"
            b" stat:UNDELIV err:012 text:DLVRD TO MOBILE\0",
            tlvs=(
                (Tag.RECEIPTED_MESSAGE_ID, b"70BA8A69\0"),
                (Tag.MESSAGE_STATE, b"\x02"),
                (Tag.NETWORK_ERROR_CODE, b"\x03\x00\x1b"),
            ),
        )
    )
    assert receipt is not None
    assert (receipt.id, receipt.id_in_text) == ("70BA8A69", "1891273321")
    assert (receipt.state, receipt.stat) == (MessageState.DELIVERED, "UNDELIV")
    assert (receipt.error, receipt.network_error) == ("012", NetworkError(3, 27))


TLVS: tuple[Tlv, ...] = ((Tag.RECEIPTED_MESSAGE_ID, b"1f4"), (Tag.MESSAGE_STATE, b"\x05"))


def test_tlvs_alone_are_a_receipt() -> None:
    receipt = read_receipt(DataSm(esm_class=EsmClass.DELIVERY_RECEIPT, tlvs=TLVS))
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.id_in_text) == ("1f4", MessageState.UNDELIVERABLE, None)


def test_tlvs_that_make_no_sense_leave_the_text_standing() -> None:
    tlvs: tuple[Tlv, ...] = (
        (Tag.RECEIPTED_MESSAGE_ID, b"\0"),
        (Tag.MESSAGE_STATE, b"\x63"),
        (Tag.NETWORK_ERROR_CODE, b"\1"),
    )
    receipt = read_receipt(DeliverSm(esm_class=4, short_message=USUAL.encode(), tlvs=tlvs))
    assert receipt is not None
    assert (receipt.id, receipt.state, receipt.network_error) == ("1f4", MessageState.DELIVERED, None)


def test_a_receipt_may_come_in_ucs2_and_behind_a_header() -> None:
    octets = b"\5\0\3\7\1\1" + USUAL.encode("utf-16-be")
    esm_class = EsmClass.DELIVERY_RECEIPT | EsmClass.UDHI
    receipt = read_receipt(DeliverSm(esm_class=esm_class, data_coding=8, short_message=octets))
    assert receipt is not None
    assert receipt == read_text(USUAL)


@pytest.mark.parametrize(
    ("pdu", "answer"),
    [
        (DeliverSm(short_message=b"STOP"), False),
        (DeliverSm(short_message=USUAL.encode()), False),  # a handset could have typed it
        (DeliverSm(esm_class=EsmClass.DELIVERY_RECEIPT), True),
        (DeliverSm(esm_class=EsmClass.DELIVERY_RECEIPT | EsmClass.UDHI | EsmClass.STORE_AND_FORWARD), True),
        (DeliverSm(esm_class=EsmClass.INTERMEDIATE_NOTIFICATION), True),
        (DeliverSm(esm_class=EsmClass.DELIVERY_ACKNOWLEDGEMENT, tlvs=TLVS), False),  # from the handset, not the SMSC
        (DeliverSm(esm_class=EsmClass.USER_ACKNOWLEDGEMENT), False),
        (DeliverSm(tlvs=TLVS), True),
        (DataSm(esm_class=EsmClass.DELIVERY_RECEIPT), True),
        (DataSm(), False),
    ],
)
def test_a_receipt_is_told_from_a_reply_by_what_only_an_operator_can_set(
    pdu: ShortMessage | DataSm, answer: bool
) -> None:
    assert is_receipt(pdu) is answer
    assert (read_receipt(pdu) is not None) is answer


@pytest.mark.parametrize(
    ("esm_class", "intermediate"),
    [(EsmClass.DELIVERY_RECEIPT, False), (EsmClass.INTERMEDIATE_NOTIFICATION, True)],
)
def test_an_intermediate_notification_says_so(esm_class: int, intermediate: bool) -> None:
    receipt = read_receipt(DeliverSm(esm_class=esm_class, short_message=b"id:1 stat:ENROUTE"))
    assert receipt is not None
    assert (receipt.state, receipt.intermediate) == (MessageState.ENROUTE, intermediate)


ids = st.from_regex(r"[0-9A-Za-z_-]{1,64}", fullmatch=True)
minutes = st.integers(0, 50_000_000).map(lambda minute: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=minute))
receipts = st.builds(
    DeliveryReceipt,
    id=ids,
    state=st.sampled_from(MessageState),
    error=st.from_regex(r"[0-9a-f]{3}", fullmatch=True),
    submitted=st.integers(0, 999),
    delivered=st.integers(0, 999),
    submitted_at=minutes,
    done_at=minutes,
    text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20),
    stat=st.just(""),
    id_in_text=st.none(),
    intermediate=st.just(False),
    network_error=st.none(),
)


@given(receipts)
def test_a_receipt_we_write_is_read_back(receipt: DeliveryReceipt) -> None:
    read = read_text(write_text(receipt).decode("latin-1"))
    assert read._replace(id_in_text=None, stat="") == receipt


@given(receipts)
def test_the_text_and_the_tlvs_we_write_say_the_same(receipt: DeliveryReceipt) -> None:
    read = read_receipt(DeliverSm(esm_class=4, tlvs=write_tlvs(receipt._replace(network_error=NetworkError(3, 9)))))
    assert read is not None
    assert (read.id, read.state, read.network_error) == (receipt.id, receipt.state, NetworkError(3, 9))


@given(receipts, st.randoms(use_true_random=False))
def test_the_order_of_the_fields_does_not_matter(receipt: DeliveryReceipt, random: Random) -> None:
    usual = write_text(receipt._replace(text="")).decode("latin-1").removesuffix(" text:")
    fields = usual.replace(" date:", "_date:").split(" ")
    random.shuffle(fields)
    assert read_text(" ".join(fields)) == read_text(usual)


@given(st.text(max_size=300) | st.from_regex(r"(id|stat|err|text|sub|done date)[: ].*", fullmatch=True))
def test_no_text_brings_the_reading_down(text: str) -> None:
    assert isinstance(read_text(text), DeliveryReceipt)


@given(bodies_of(DeliverSm) | bodies_of(DataSm))
def test_no_delivery_brings_the_reading_down(pdu: DeliverSm | DataSm) -> None:
    assert (read_receipt(pdu) is not None) is is_receipt(pdu)
