"""What goes on the wire: a claimed message as the submit_sm of its operator. What many messages share is made once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import lru_cache

from sampan.compliance.footers import with_footer
from sampan.composing.alphabet import Coding, encode, pack_septets
from sampan.composing.parts import compose
from sampan.dispatch.claims import Claimed
from sampan.dispatch.dialects import Dialect, Way, source_of, user_reference
from sampan.dispatch.references import References
from sampan.dispatch.results import bit
from sampan.smpp import time_format
from sampan.smpp.concatenation import Concatenation, sar_tlvs, write_header
from sampan.smpp.pdu import EsmClass, RegisteredDelivery, SubmitSm, Tag, Tlv

HEADER_OCTETS = 6  # of a concatenation header (spec S23)
MOST_KEPT = 1_024  # of each thing that messages share

Wired = tuple[int, int, SubmitSm]  # the number of the (first) part, the bits of the parts, what carries them


class Wire:
    """Of one operator, until its settings change."""

    def __init__(self, dialect: Dialect, references: References) -> None:
        self._dialect = dialect
        self._references = references
        self._tlvs = tuple((int(tag, 16), bytes.fromhex(value)) for tag, value in dialect.tlvs.items())
        self._header_octets = HEADER_OCTETS if dialect.long_texts == "udh" else 0
        self._plain = lru_cache(MOST_KEPT)(self._make_plain)
        self._octets = lru_cache(MOST_KEPT)(self._make_octets)

    def submits(self, claimed: Claimed, way: Way, now: datetime) -> list[Wired]:
        """One submit_sm a part that is left, or one for all where the operator takes a long text whole.

        Raises Refused or ValueError where the text is composed otherwise than when it was accepted.
        """
        china = way.china
        text = with_footer(claimed.text, claimed.footers, way.destination.region, claimed.message_id)
        coding = Coding(claimed.coding)
        octets = self._octets(text, coding, china, claimed.signature if china else "")
        if claimed.parts_left >> len(octets):
            raise ValueError(f"{len(octets)} parts now, more when it was accepted")
        plain = self._plain(claimed.sender, way, coding, self._validity(claimed, china, now))
        destination = str(claimed.recipient)
        if len(octets) == 1:
            tlvs = self._with_reference(plain.tlvs, claimed.message_id, 1)
            return [(1, 1, plain._replace(destination_addr=destination, short_message=octets[0], tlvs=tlvs))]
        to = plain._replace(destination_addr=destination)
        if self._dialect.long_texts == "payload":
            tlvs = self._with_reference((*plain.tlvs, (Tag.MESSAGE_PAYLOAD, b"".join(octets))), claimed.message_id, 1)
            return [(1, claimed.parts_left, to._replace(tlvs=tlvs))]
        return list(self._parts(claimed, to, octets))

    def _parts(self, claimed: Claimed, to: SubmitSm, octets: tuple[bytes, ...]) -> Iterator[Wired]:
        reference = self._references.next(claimed.recipient)
        for number, part in enumerate(octets, 1):
            if not claimed.parts_left & bit(number):
                continue
            tie = Concatenation(reference, len(octets), number)
            if self._dialect.long_texts == "sar":
                tlvs = self._with_reference((*to.tlvs, *sar_tlvs(tie)), claimed.message_id, number)
                yield number, bit(number), to._replace(short_message=part, tlvs=tlvs)
            else:
                tlvs = self._with_reference(to.tlvs, claimed.message_id, number)
                with_header = write_header(tie) + part
                yield number, bit(number), to._replace(esm_class=EsmClass.UDHI, short_message=with_header, tlvs=tlvs)

    def _with_reference(self, tlvs: tuple[Tlv, ...], message_id: int, part: int) -> tuple[Tlv, ...]:
        if not self._dialect.user_reference:
            return tlvs
        return (*tlvs, (Tag.USER_MESSAGE_REFERENCE, user_reference(message_id, part).to_bytes(2, "big")))

    def _validity(self, claimed: Claimed, china: bool, now: datetime) -> str:
        if china or self._dialect.validity == "none":
            return ""
        if self._dialect.validity == "relative":
            return relative_validity(claimed.validity_minutes)
        return time_format.format_absolute(now + timedelta(minutes=claimed.validity_minutes))

    def _make_octets(self, text: str, coding: Coding, china: bool, signature: str) -> tuple[bytes, ...]:
        """The octets of each part, without a header."""
        composed = compose(text, china=china, coding=None if china else coding, signature=signature)
        parts = [encode(part, coding) for part in composed.parts]
        if coding == Coding.GSM7 and self._dialect.packed_septets:
            header_octets = self._header_octets if len(parts) > 1 else 0
            parts = [pack_septets(part, -header_octets * 8 % 7) for part in parts]
        return tuple(parts)

    def _make_plain(self, sender: str, way: Way, coding: Coding, validity: str) -> SubmitSm:
        """Without what differs from message to message."""
        dialect = self._dialect
        source = source_of(sender, way, dialect)
        registered = 0
        if way.route.receipts:
            notices = RegisteredDelivery.INTERMEDIATE_NOTIFICATION if dialect.intermediates else 0
            registered = RegisteredDelivery.RECEIPT | notices
        return SubmitSm(
            service_type=dialect.service_type,
            source_addr_ton=source.ton,
            source_addr_npi=source.npi,
            source_addr=source.digits,
            dest_addr_ton=dialect.destination_ton_npi[0],
            dest_addr_npi=dialect.destination_ton_npi[1],
            validity_period=validity,
            registered_delivery=registered,
            data_coding=coding if coding == Coding.UCS2 else dialect.english_data_coding,
            tlvs=self._tlvs,
        )


@lru_cache(maxsize=1_024)
def relative_validity(minutes: int) -> str:
    """`000000020000000R`: how long the operator tries, from when it takes the message (spec S70)."""
    return time_format.format_relative(timedelta(minutes=minutes))
