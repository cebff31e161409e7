"""Delivery receipts: what an operator says became of a message (SMPP 3.4 §5.2.12, §5.3.2, appendix B; spec S77, S78).

Operators write the text of a receipt as they please: fields missing, in another order, in other letters. Nothing here
raises; what cannot be read is None or empty.

Where both stand, the TLVs win: `receipted_message_id` over the text's `id` (kept in `id_in_text`, for some operators
write one in hex and the other in decimal), `message_state` over `stat` (kept in `stat`). `err` and
`network_error_code` are different things, and both are given.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from sampan.smpp import time_format
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DataCoding, DataSm, EsmClass, MessageState, ShortMessage, Tag, Tlv, integer, text, tlv

MOST_TEXT_OCTETS = 20  # of the message, quoted in its receipt (appendix B)
MESSAGE_TYPE, INTERMEDIATE = int(EsmClass.MESSAGE_TYPE), int(EsmClass.INTERMEDIATE_NOTIFICATION)
KINDS_OF_RECEIPTS = frozenset({int(EsmClass.DELIVERY_RECEIPT), INTERMEDIATE})

# The words of appendix B, and those some operators write instead.
STATES = {
    "ENROUTE": MessageState.ENROUTE,
    "DELIVRD": MessageState.DELIVERED,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "REJECTD": MessageState.REJECTED,
}
WORDS = {state: word for word, state in STATES.items()}
STATES |= {
    "DELIVERED": MessageState.DELIVERED,
    "UNDELIVERABLE": MessageState.UNDELIVERABLE,
    "UNDELIVERED": MessageState.UNDELIVERABLE,
    "ACCEPTED": MessageState.ACCEPTED,
    "REJECTED": MessageState.REJECTED,
}
# As appendix B has it, and most operators; anything else is taken apart by FIELD.
USUAL = re.compile(
    r"id:(\S+) sub:(\S+) dlvrd:(\S+) submit date:(\S+) done date:(\S+) stat:(\w+) err:(\w+)(?: text:(.*))?",
    re.IGNORECASE | re.DOTALL,
)
FIELD = re.compile(r"(?<![^\s,;])(id|sub|dlvrd|submit[ _]?date|done[ _]?date|stat|err|text) *: *", re.IGNORECASE)
A_STATE = re.compile(rf"\b(?:{'|'.join(STATES)})\b", re.IGNORECASE)
DATE_FORMS = {12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # by length, with the century


class NetworkError(NamedTuple):
    """network_error_code (§5.3.2.31): the network's type (3: GSM) and its own code."""

    network: int
    code: int


class DeliveryReceipt(NamedTuple):
    """A receipt as far as it could be read.

    `error` is the text's `err` as the operator wrote it; `submitted` and `delivered` count parts; `text` is the quoted
    beginning of the message; `intermediate` says that a final receipt may follow.
    """

    id: str | None
    state: MessageState | None
    error: str = ""
    submitted: int | None = None
    delivered: int | None = None
    submitted_at: datetime | None = None
    done_at: datetime | None = None
    text: str = ""
    intermediate: bool = False
    id_in_text: str | None = None
    stat: str = ""
    network_error: NetworkError | None = None


def is_receipt(pdu: ShortMessage | DataSm) -> bool:
    """Whether the delivery is the operator's word on a message, not a handset's reply.

    esm_class says so, or a receipted_message_id that only an SMSC can add. The text alone never does: any handset
    could send it.
    """
    kind = pdu.esm_class & MESSAGE_TYPE
    if kind in KINDS_OF_RECEIPTS:
        return True
    return kind == 0 and tlv(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID) is not None


def read_receipt(pdu: ShortMessage | DataSm, *, zone: tzinfo = UTC) -> DeliveryReceipt | None:
    """The receipt a deliver_sm or data_sm carries; None where it is a reply. `zone`: the operator's, for its dates."""
    if not is_receipt(pdu):
        return None
    octets = content_of(pdu).octets
    body = octets.decode("utf-16-be" if pdu.data_coding == DataCoding.UCS2 else "latin-1", "replace")
    id_, state = text(pdu.tlvs, Tag.RECEIPTED_MESSAGE_ID), integer(pdu.tlvs, Tag.MESSAGE_STATE)
    error = tlv(pdu.tlvs, Tag.NETWORK_ERROR_CODE)
    return _read(
        body,
        zone,
        id_=id_,
        state=_STATE_OF_NUMBER.get(state or 0),
        intermediate=pdu.esm_class & MESSAGE_TYPE == INTERMEDIATE,
        network_error=NetworkError(error[0], error[1] << 8 | error[2]) if error and len(error) == 3 else None,
    )


def read_text(body: str, *, zone: tzinfo = UTC) -> DeliveryReceipt:
    """The text form of appendix B, in whatever order, letters and completeness."""
    return _read(body, zone)


def write_text(receipt: DeliveryReceipt, *, zone: tzinfo = UTC) -> bytes:
    """The text form of appendix B, all fields, for a `short_message` in the SMSC's alphabet."""
    return (
        f"id:{receipt.id or ''} sub:{receipt.submitted or 0:03} dlvrd:{receipt.delivered or 0:03}"
        f" submit date:{_stamp(receipt.submitted_at, zone)} done date:{_stamp(receipt.done_at, zone)}"
        f" stat:{WORDS[receipt.state or MessageState.UNKNOWN]} err:{receipt.error or '000'}"
        f" text:{receipt.text[:MOST_TEXT_OCTETS]}"
    ).encode("latin-1", "replace")


def write_tlvs(receipt: DeliveryReceipt) -> tuple[Tlv, ...]:
    """The same as TLVs."""
    tlvs: list[Tlv] = []
    if receipt.id:
        tlvs.append((Tag.RECEIPTED_MESSAGE_ID, receipt.id.encode("latin-1") + b"\0"))
    if receipt.state:
        tlvs.append((Tag.MESSAGE_STATE, bytes((receipt.state,))))
    if receipt.network_error:
        network, code = receipt.network_error
        tlvs.append((Tag.NETWORK_ERROR_CODE, bytes((network,)) + code.to_bytes(2, "big")))
    return tuple(tlvs)


_STATE_OF_NUMBER = {int(state): state for state in MessageState}


def _read(
    body: str,
    zone: tzinfo,
    *,
    id_: str | None = None,
    state: MessageState | None = None,
    intermediate: bool = False,
    network_error: NetworkError | None = None,
) -> DeliveryReceipt:
    # Some end the text with C's NUL, some quote UCS-2 as it is; PostgreSQL keeps no NUL.
    body = body.rstrip("\0").replace("\0", " ")
    usual = USUAL.fullmatch(body)
    found: Sequence[str | None] = usual.groups() if usual else _take_apart(body)
    id_in_text, submitted, delivered, submitted_at, done_at, stat, error, quoted = found
    return DeliveryReceipt(
        id_ or id_in_text,
        state or STATES.get((stat or "").upper()),
        error or "",
        _count(submitted or ""),
        _count(delivered or ""),
        _date(submitted_at or "", zone),
        _date(done_at or "", zone),
        quoted or "",
        intermediate,
        id_in_text,
        stat or "",
        network_error,
    )


def _take_apart(body: str) -> list[str | None]:
    """What USUAL's groups hold, from a text of another form."""
    values: dict[str, str] = {}
    name, start = "", 0
    for field in FIELD.finditer(body):
        if name:
            values.setdefault(name, body[start : field.start()])
        name, start = field[1].lower()[:4], field.end()
        if name == "text":
            break
    if name:
        values.setdefault(name, body[start:])
    quoted = values.pop("text", "")
    words = {name: value.strip(" ,;\t\r\n").split(None, 1) for name, value in values.items()}
    # Some leave out `stat:` and write its word alone.
    if not words.get("stat") and (word := A_STATE.search(body, 0, len(body) - len(quoted))):
        words["stat"] = [word[0]]
    names = ("id", "sub", "dlvr", "subm", "done", "stat", "err")
    return [found[0] if (found := words.get(name)) else None for name in names] + [quoted]


def _count(figures: str) -> int | None:
    return int(figures) if figures.isascii() and figures.isdigit() and len(figures) <= 9 else None


@lru_cache(maxsize=4096)  # receipts come in crowds of the same minute
def _date(figures: str, zone: tzinfo) -> datetime | None:
    if len(figures) == 16:
        try:
            return time_format.parse_absolute(figures)
        except ValueError:
            return None
    if not (figures.isascii() and figures.isdigit()):
        return None
    for whole in (f"20{figures}", figures):
        try:
            found = datetime.strptime(whole, DATE_FORMS[len(whole)]).replace(tzinfo=zone)
        except (KeyError, ValueError):
            continue
        if found.year // 100 == 20:  # PostgreSQL keeps others that Python cannot read back
            return found
    return None


@lru_cache(maxsize=4096)
def _stamp(at: datetime | None, zone: tzinfo) -> str:
    return at.astimezone(zone).strftime("%y%m%d%H%M") if at else "0000000000"
