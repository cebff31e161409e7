"""What an ESME submits, read: its text, its numbers, its times. Pure; raises Refused, NotServed."""

from datetime import datetime
from typing import NamedTuple

from sampan.accounts.tables import LONGEST_VALIDITY_MINUTES, SHORTEST_VALIDITY_MINUTES
from sampan.composing.alphabet import decode_gsm
from sampan.interfaces.smpp_door.words import NotServed
from sampan.reasons import Reason, Refused
from sampan.smpp import time_format
from sampan.smpp.concatenation import CONCATENATED_8_BIT, CONCATENATED_16_BIT, Concatenation, Content, content_of
from sampan.smpp.pdu import DataCoding, DataSm, EsmClass, Status, SubmitMulti, SubmitSm, Tag, integer

SECONDS_OF_A_MINUTE = 60
LINE_BREAKS = b"\r\n"
ECONOMIC_SENDER = "RANDOMID"  # as at the HTTP API (spec S40)


class Submitted(NamedTuple):
    """A submit as its ESME meant it; `part` where it is one of several."""

    sender: str
    source_ton_npi: int  # TON × 256 + NPI
    octets: bytes
    data_coding: int
    part: Concatenation | None
    registered: int
    scheduled_at: datetime | None
    validity_minutes: int | None

    @property
    def times(self) -> tuple[datetime | None, int | None]:
        """When it goes, and for how long the operator tries."""
        return self.scheduled_at, self.validity_minutes

    @property
    def coded(self) -> tuple[int, bytes]:
        """The data_coding and the octets."""
        return self.data_coding, self.octets


def read_submit(body: SubmitSm | SubmitMulti | DataSm, now: datetime) -> Submitted:
    """The submit. Raises Refused with BAD_TIME or BAD_VALIDITY; NotServed for headers that say more than a place."""
    content = content_of(body)
    _require_text(body.esm_class, content)
    if isinstance(body, DataSm):
        scheduled_at, validity = None, _minutes_of_seconds(integer(body.tlvs, Tag.QOS_TIME_TO_LIVE))
    else:
        scheduled_at = _time(body.schedule_delivery_time, now, Reason.BAD_TIME, "schedule_delivery_time")
        expires_at = _time(body.validity_period, now, Reason.BAD_VALIDITY, "validity_period")
        start = scheduled_at if scheduled_at and not body.validity_period.endswith("R") else now
        validity = _minutes_of_seconds((expires_at - start).total_seconds() if expires_at else None)
    return Submitted(
        sender=body.source_addr.lstrip("+"),
        source_ton_npi=body.source_addr_ton << 8 | body.source_addr_npi,
        octets=content.octets,
        data_coding=body.data_coding,
        part=content.concatenation if content.concatenation and content.concatenation.total > 1 else None,
        registered=body.registered_delivery,
        scheduled_at=scheduled_at,
        validity_minutes=validity,
    )


def _require_text(esm_class: int, content: Content) -> None:
    """What other headers say (ports of programs, shift tables, pictures) is lost where the text is sent as a text.

    And then a handset shows octets that no person should see, so that is told before it costs.
    """
    if not esm_class & EsmClass.UDHI:
        return
    identifiers = {identifier for identifier, _ in content.elements}
    if not identifiers or not identifiers <= {CONCATENATED_8_BIT, CONCATENATED_16_BIT}:
        raise NotServed(Status.ESME_RINVESMCLASS)


def decode(octets: bytes, data_coding: int) -> str:
    """The text. Raises Refused(BAD_TEXT) for what is none, or in a coding that carries other things than texts."""
    try:
        if data_coding == DataCoding.SMSC_DEFAULT:
            return _of_septets(octets)
        if data_coding == DataCoding.IA5:
            return _of_septets(octets) if _is_gsm_in_truth(octets) else octets.decode("ascii")
        if data_coding == DataCoding.LATIN_1:
            return octets.decode("latin-1")
        if data_coding == DataCoding.UCS2:
            return octets.decode("utf-16-be")
    except UnicodeDecodeError:
        raise Refused(Reason.BAD_TEXT, "short_message") from None
    raise Refused(Reason.BAD_TEXT, "data_coding", str(data_coding))


def _of_septets(octets: bytes) -> str:
    """As handsets read them; but an octet that is no septet, of Latin-1 or UTF-8 most likely, is not sent as a mark."""
    if not octets.isascii():
        raise Refused(Reason.BAD_TEXT, "short_message")
    return decode_gsm(octets)


def _is_gsm_in_truth(octets: bytes) -> bool:
    """npm smpp and others send the GSM alphabet as IA5; control characters, which no text has, give it away."""
    return any(octet < 0x20 and octet not in LINE_BREAKS for octet in octets)


def _time(text: str, now: datetime, reason: Reason, field: str) -> datetime | None:
    try:
        return time_format.parse(text, now=now)
    except (ValueError, OverflowError):
        raise Refused(reason, field, text) from None


def _minutes_of_seconds(seconds: float | None) -> int | None:
    """Within what the platform offers (spec S70): SMSCs cut a validity to theirs, and ESMEs count on it."""
    if seconds is None:
        return None
    minutes = round(seconds / SECONDS_OF_A_MINUTE)
    return max(SHORTEST_VALIDITY_MINUTES, min(minutes, LONGEST_VALIDITY_MINUTES))


def number_of(address: str) -> str:
    """The digits of a destination: country code and number."""
    return address.removeprefix("+").removeprefix("00")
