"""A submit as an SMSC looks at it: whether it can be taken, how long it is valid, and the receipts it asks for."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

from sampan.smpp import time_format
from sampan.smpp.concatenation import Content, content_of, split_header
from sampan.smpp.pdu import (
    INTERFACE_VERSION,
    DeliverSm,
    EsmClass,
    MessageState,
    RegisteredDelivery,
    Status,
    SubmitSm,
    Tag,
    tlv,
)
from sampan.smpp.receipt import MOST_TEXT_OCTETS, DeliveryReceipt, NetworkError, write_text, write_tlvs
from sampan.smpp.simulator.behaviours import Step
from sampan.smpp.simulator.line import Line
from sampan.smpp.simulator.texts import decode_text, fits

DEFAULT_VALIDITY_S = 24 * 3600.0
GSM = 3  # network type in network_error_code (§5.3.2.31)
INTERMEDIATE = frozenset({MessageState.ENROUTE, MessageState.ACCEPTED})
# As plain integers, for every message needs them and an enum's attribute is slow.
DELIVERED, OK, UDHI = int(MessageState.DELIVERED), Status.ESME_ROK, int(EsmClass.UDHI)
RECEIPT, FAILURE = int(RegisteredDelivery.RECEIPT), int(RegisteredDelivery.RECEIPT_OF_FAILURE)
RECEIPTS = RECEIPT | FAILURE
NOTIFICATION, MESSAGE_PAYLOAD = int(RegisteredDelivery.INTERMEDIATE_NOTIFICATION), int(Tag.MESSAGE_PAYLOAD)
FINAL_KIND, INTERMEDIATE_KIND = int(EsmClass.DELIVERY_RECEIPT), int(EsmClass.INTERMEDIATE_NOTIFICATION)


@dataclass(slots=True, eq=False)
class Message:
    """One part the simulator has taken. Times are seconds since 1970, `id` is what its answer said."""

    number: int
    id: int
    body: SubmitSm
    session: Line
    taken_at: float
    validity_s: float


def refusal(body: SubmitSm, content: Content) -> Status:
    """Why an SMSC would not take it, or ESME_ROK."""
    if not body.destination_addr:
        return Status.ESME_RINVDSTADR
    in_payload = tlv(body.tlvs, MESSAGE_PAYLOAD)
    if body.esm_class & UDHI and split_header(in_payload or body.short_message) is None:
        return Status.ESME_RINVESMCLASS
    whole = len(body.short_message)
    if in_payload is None and not fits(whole - len(content.octets), len(content.octets), body.data_coding):
        return Status.ESME_RINVMSGLEN
    return OK


def content_hash(body: SubmitSm, content: Content) -> int:
    """The same for the same text to the same number, whatever the reference that ties its parts together.

    It is the same in every process, so that a simulator that was killed knows it again (`memory`).
    """
    part = content.concatenation
    place = f" {part.number}/{part.total}" if part else ""
    named = f"{body.destination_addr} {body.data_coding}{place}\0".encode("latin-1") + content.octets
    return int.from_bytes(blake2b(named, digest_size=8).digest(), "big", signed=True)


def waits(body: SubmitSm, now: float) -> tuple[float, float]:
    """How long until it may be delivered, and how long it is valid from then on, in seconds.

    ValueError where a time has no form of the standard's.
    """
    if not body.schedule_delivery_time and not body.validity_period:
        return 0.0, DEFAULT_VALIDITY_S
    at = datetime.fromtimestamp(now, UTC)
    scheduled = time_format.parse(body.schedule_delivery_time, now=at)
    expires = time_format.parse(body.validity_period, now=at)
    begins_s = max(0.0, (scheduled - at).total_seconds()) if scheduled else 0.0
    validity_s = max(0.0, (expires - at).total_seconds() - begins_s) if expires else DEFAULT_VALIDITY_S
    return begins_s, validity_s


def wants_receipt(registered_delivery: int, state: MessageState) -> bool:
    """Whether registered_delivery asks to be told of this state (§5.2.17)."""
    if state in INTERMEDIATE:
        return bool(registered_delivery & NOTIFICATION)
    asked = registered_delivery & RECEIPTS
    return asked == RECEIPT or (asked == FAILURE and state != DELIVERED)


def receipt_pdu(message: Message, step: Step, state: MessageState, now: float, *, text: bool, tlvs: bool) -> DeliverSm:
    """The deliver_sm that says a message came to this state; as text, as TLVs, or both."""
    body = message.body
    octets = content_of(body).octets
    receipt = DeliveryReceipt(
        id=str(message.id) if step.id == "decimal" else _OTHER_IDS[step.id].format(message.id),
        state=state,
        error=step.error,
        submitted=1,
        delivered=1 if state == DELIVERED else 0,
        submitted_at=_minute(message.taken_at // 60),
        done_at=_minute(now // 60),
        text=decode_text(octets[: 2 * MOST_TEXT_OCTETS], body.data_coding),
        network_error=NetworkError(GSM, int(step.error)) if step.error != "000" else None,
    )
    optional = write_tlvs(receipt) if tlvs and message.session.interface_version >= INTERFACE_VERSION else ()
    if optional and (reference := tlv(body.tlvs, Tag.USER_MESSAGE_REFERENCE)):
        optional += ((Tag.USER_MESSAGE_REFERENCE, reference),)
    kind = INTERMEDIATE_KIND if state in INTERMEDIATE else FINAL_KIND
    return DeliverSm(
        "",
        body.dest_addr_ton,
        body.dest_addr_npi,
        body.destination_addr,
        body.source_addr_ton,
        body.source_addr_npi,
        body.source_addr,
        kind,
        short_message=write_text(receipt) if text else b"",
        tlvs=optional,
    )


# With a 9 before it an id is one that the journal would give in the year 4900.
_OTHER_IDS = {"hex": "{:x}", "unknown": "9{}"}


@lru_cache(maxsize=256)  # receipts say no more than the minute, and come in crowds of the same
def _minute(minute: float) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
