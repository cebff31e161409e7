"""What goes on the wire and what comes back from it means, by operator (spec S61, S70–S72, S77, S78)."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sampan.composing.alphabet import unpack_septets
from sampan.composing.parts import compose
from sampan.dispatch.claims import Claimed
from sampan.dispatch.dialects import Dialect, Verdict, Way, read_dialect, user_reference
from sampan.dispatch.references import References
from sampan.dispatch.wire import Wire
from sampan.messages.tables import Status
from sampan.reasons import Reason
from sampan.routing.directory import DestinationFacts, RouteFacts
from sampan.routing.tables import Destination
from sampan.smpp.pdu import MessageState, Tag
from tests.world import NOW

BUSINESS = RouteFacts(1, "hk-business", "Hong Kong, business", own_sender=True, receipts=True, carriers=((1, 100),))
ECONOMIC = RouteFacts(2, "hk-economic", "Hong Kong, economic", own_sender=False, receipts=False, carriers=((1, 100),))
CHINA_ROUTE = RouteFacts(3, "china", "China", own_sender=False, receipts=False, carriers=((1, 100),))
HONG_KONG = DestinationFacts(1, "Hong Kong", Destination.Region.HONG_KONG, 1)
REFERENCE = References().next(85261234567)  # of the first long text to that handset
CHINA = DestinationFacts(3, "Mainland China", Destination.Region.CHINA, 3)


def claimed(**changes: Any) -> Claimed:
    values: dict[str, Any] = {
        "message_id": 100_001,
        "customer_id": 1,
        "lane": 1,
        "batch_id": 1,
        "send_by": NOW + timedelta(hours=1),
        "parts_left": 1,
        "try_number": 1,
        "recipient": 85261234567,
        "destination_id": 1,
        "route_id": 1,
        "coding": 0,
        "text": "Hello",
        "sender": "HarbourFlo",
        "signature": "",
        "footers": (),
        "validity_minutes": 120,
    }
    return Claimed(**(values | changes))


def on_the_wire(message: Claimed, way: Way, dialect: Dialect | None = None) -> list[Any]:
    composed = compose(message.text, china=way.china, signature=message.signature)
    wire = Wire(dialect or Dialect(), References())
    return [body for _, _, body in wire.submits(message._replace(coding=composed.coding), way, NOW)]


def test_a_short_english_text_by_a_route_with_receipts() -> None:
    (pdu,) = on_the_wire(claimed(text="Price: €5"), Way(BUSINESS, HONG_KONG, ""))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (5, 0, "HarbourFlo")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "85261234567")
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery) == (0, 0, 0x11)
    assert pdu.validity_period == "000000020000000R"
    assert pdu.short_message == b"Price: \x1be5"


def test_a_number_as_sender_is_international() -> None:
    (pdu,) = on_the_wire(claimed(sender="85298765432"), Way(BUSINESS, HONG_KONG, ""))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "85298765432")


@pytest.mark.parametrize(("sender", "ton", "npi"), [("", 0, 0), ("85260000000", 1, 1), ("Sampan", 5, 0)])
def test_the_economic_route_shows_the_operators_sender_and_asks_for_no_receipt(sender: str, ton: int, npi: int) -> None:
    (pdu,) = on_the_wire(claimed(), Way(ECONOMIC, HONG_KONG, sender))
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (ton, npi, sender)
    assert pdu.registered_delivery == 0


def test_to_china_the_signature_goes_in_ucs2_without_validity() -> None:
    (pdu,) = on_the_wire(claimed(signature="舢舨", recipient=8613812345678), Way(CHINA_ROUTE, CHINA, ""))
    assert pdu.data_coding == 8
    assert pdu.short_message.decode("utf-16-be") == "【舢舨】Hello"
    assert pdu.validity_period == ""


def test_a_long_text_carries_the_concatenation_header() -> None:
    """Spec S23: 6 octets, esm_class 0x40."""
    first, second = on_the_wire(claimed(text="花" * 80, parts_left=3), Way(BUSINESS, HONG_KONG, ""))
    assert first.esm_class == second.esm_class == 0x40
    assert first.short_message[:6] == bytes([5, 0, 3, REFERENCE, 2, 1])
    assert second.short_message[:6] == bytes([5, 0, 3, REFERENCE, 2, 2])
    assert len(first.short_message) == 6 + 134
    assert (first.short_message[6:] + second.short_message[6:]).decode("utf-16-be") == "花" * 80


def test_the_validity_may_be_left_to_the_operator_and_intermediates_off() -> None:
    (pdu,) = on_the_wire(claimed(), Way(BUSINESS, HONG_KONG, ""), Dialect(validity="none", intermediates=False))
    assert (pdu.validity_period, pdu.registered_delivery) == ("", 1)


@pytest.mark.parametrize(
    ("state", "error", "verdict"),
    [
        (MessageState.DELIVERED, "000", Verdict(Status.DELIVERED, Reason.NONE)),
        (MessageState.DELIVERED, "001", Verdict(Status.DELIVERED, Reason.NONE)),
        (MessageState.EXPIRED, "", Verdict(Status.EXPIRED, Reason.PHONE_UNREACHABLE)),
        (MessageState.UNDELIVERABLE, "001", Verdict(Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER)),
        (MessageState.UNDELIVERABLE, "777", Verdict(Status.UNDELIVERABLE, Reason.OPERATOR_FAULT)),
        (MessageState.DELETED, "", Verdict(Status.UNDELIVERABLE, Reason.OPERATOR_FAULT)),
        (MessageState.UNKNOWN, "", Verdict(Status.UNDELIVERABLE, Reason.OPERATOR_FAULT)),
        (MessageState.REJECTED, "", Verdict(Status.UNDELIVERABLE, Reason.BLOCKED)),
        (MessageState.ENROUTE, "", Verdict(Status.RETRY, Reason.NO_RECEIPT)),
        (MessageState.ENROUTE, "032", Verdict(Status.RETRY, Reason.INBOX_FULL)),
        (MessageState.ENROUTE, "001", Verdict(Status.RETRY, Reason.NO_RECEIPT)),
        (MessageState.ACCEPTED, "", Verdict(None, Reason.NONE)),
        (0, "", Verdict(None, Reason.NONE)),
        (99, "", Verdict(None, Reason.NONE)),
    ],
)
def test_what_a_receipt_means(state: int, error: str, verdict: Verdict) -> None:
    assert Dialect(errors={"001": 303, "032": 305}).verdict(state, error) == verdict


@pytest.mark.parametrize(
    ("receipt_ids", "ref", "forms"),
    [
        ((), "00AB", {"AB", "ab", "00ab"}),
        ((), "1234", set()),
        (("hex",), "4D2", {"4d2", "1234"}),
        (("decimal",), "1234", {"4d2", "4D2"}),
        (("hex", "decimal"), "0010", {"10", "16", "a", "A"}),
        (("hex",), "no-hex", {"NO-HEX"}),
        (("hex",), "f" * 40, {"F" * 40}),
    ],
)
def test_the_other_forms_of_an_id(receipt_ids: tuple[Any, ...], ref: str, forms: set[str]) -> None:
    """Spec S77; case and zeros always, hex and decimal only where the operator is known for it."""
    assert set(Dialect(receipt_ids=receipt_ids).other_forms(ref)) == forms


def test_which_refusals_wait_and_which_are_for_good() -> None:
    dialect = Dialect(temporary=(8,), refusals={"1031": 312})
    assert [dialect.waits(status) for status in (0x58, 0x14, 0x04, 8, 0x0B, 1031)] == [True] * 4 + [False] * 2
    assert dialect.throttles(0x58)
    assert not dialect.throttles(8)
    assert dialect.refusal(0x0B) == Reason.UNKNOWN_SUBSCRIBER
    assert dialect.refusal(1031) == Reason.BLOCKED
    assert dialect.refusal(0x45) == Reason.OPERATOR_FAULT


@pytest.mark.parametrize("wrong", [{"speling": 1}, {"validity": "sometimes"}, {"errors": {"001": "x"}}])
def test_a_dialect_that_says_nothing_we_know_is_refused_with_words(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        read_dialect(wrong)


def test_sar_and_payload_instead_of_a_header() -> None:
    text = "花" * 80
    first, second = on_the_wire(
        claimed(text=text, parts_left=3), Way(BUSINESS, HONG_KONG, ""), Dialect(long_texts="sar")
    )
    assert (first.esm_class, len(first.short_message)) == (0, 134)
    assert dict(second.tlvs) == {
        Tag.SAR_MSG_REF_NUM: bytes([0, REFERENCE]),
        Tag.SAR_TOTAL_SEGMENTS: b"\2",
        Tag.SAR_SEGMENT_SEQNUM: b"\2",
    }
    (whole,) = on_the_wire(
        claimed(text=text, parts_left=3), Way(BUSINESS, HONG_KONG, ""), Dialect(long_texts="payload")
    )
    assert whole.short_message == b""
    assert dict(whole.tlvs) == {Tag.MESSAGE_PAYLOAD: text.encode("utf-16-be")}


def test_english_may_go_packed_and_under_another_data_coding() -> None:
    dialect = Dialect(packed_septets=True, english_data_coding=0xF0)
    (short,) = on_the_wire(claimed(text="hellohello"), Way(BUSINESS, HONG_KONG, ""), dialect)
    assert (short.data_coding, short.short_message.hex()) == (0xF0, "e8329bfd4697d9ec37")  # 3GPP 23.038's own example
    first, _ = on_the_wire(claimed(text="a" * 161, parts_left=3), Way(BUSINESS, HONG_KONG, ""), dialect)
    assert len(first.short_message) == 140
    assert unpack_septets(first.short_message[6:], fill_bits=1)[:153] == b"a" * 153


def test_the_validity_may_be_a_moment() -> None:
    (pdu,) = on_the_wire(claimed(), Way(BUSINESS, HONG_KONG, ""), Dialect(validity="absolute"))
    assert pdu.validity_period == "261123040000000+"


def test_addresses_service_type_and_further_parameters_are_data() -> None:
    dialect = Dialect(
        name_ton_npi=(5, 1),
        number_ton_npi=(2, 8),
        destination_ton_npi=(0, 0),
        service_type="BULK",
        tlvs={"1400": "01ff"},
        user_reference=True,
    )
    (named,) = on_the_wire(claimed(), Way(BUSINESS, HONG_KONG, ""), dialect)
    assert (named.source_addr_ton, named.source_addr_npi) == (5, 1)
    assert (named.dest_addr_ton, named.dest_addr_npi, named.service_type) == (0, 0, "BULK")
    reference = user_reference(100_001, 1).to_bytes(2, "big")
    assert dict(named.tlvs) == {0x1400: b"\x01\xff", Tag.USER_MESSAGE_REFERENCE: reference}
    (numbered,) = on_the_wire(claimed(sender="85298765432"), Way(BUSINESS, HONG_KONG, ""), dialect)
    assert (numbered.source_addr_ton, numbered.source_addr_npi) == (2, 8)
