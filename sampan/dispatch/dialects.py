"""How each operator's SMSC speaks: what goes on the wire, what its answers and receipts mean; as data (spec S72, S78).

Staff keep an operator's dialect as JSON beside it; `{}` is plain SMPP 3.4. An SMSC that deviates in a way these fields
cannot say gets a field of its own here and a behaviour in the simulator.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

import msgspec

from sampan.messages.tables import Status
from sampan.reasons import BY_NUMBER, Reason
from sampan.routing.directory import DestinationFacts, RouteFacts
from sampan.routing.tables import Destination
from sampan.smpp.addresses import Address, alphanumeric, international
from sampan.smpp.pdu import MessageState
from sampan.smpp.pdu import Status as CommandStatus

THROTTLES = frozenset({CommandStatus.ESME_RTHROTTLED, CommandStatus.ESME_RMSGQFUL})
LATER = THROTTLES | {CommandStatus.ESME_RINVBNDSTS}
# What a bare receipt means, where the operator's own code says nothing finer.
STATES = {
    MessageState.ENROUTE: (Status.RETRY, Reason.NO_RECEIPT),
    MessageState.DELIVERED: (Status.DELIVERED, Reason.NONE),
    MessageState.EXPIRED: (Status.EXPIRED, Reason.PHONE_UNREACHABLE),
    MessageState.DELETED: (Status.UNDELIVERABLE, Reason.OPERATOR_FAULT),
    MessageState.UNDELIVERABLE: (Status.UNDELIVERABLE, Reason.OPERATOR_FAULT),
    MessageState.UNKNOWN: (Status.UNDELIVERABLE, Reason.OPERATOR_FAULT),
    MessageState.REJECTED: (Status.UNDELIVERABLE, Reason.BLOCKED),
}
RETRY_REASONS = frozenset({Reason.PHONE_UNREACHABLE, Reason.INBOX_FULL, Reason.NO_RECEIPT})  # spec S71
REFUSALS: dict[int, Reason] = {
    CommandStatus.ESME_RINVDSTADR: Reason.UNKNOWN_SUBSCRIBER,
    CommandStatus.ESME_RINVSRCADR: Reason.SENDER_NOT_POSSIBLE,
}
MOST_HEX_DIGITS = 16
PARTS_OF_A_MESSAGE = 8

Octet = Annotated[int, msgspec.Meta(ge=0, le=255)]


class Verdict(NamedTuple):
    """What a receipt says: the status it leads to and why; no status where it says nothing new."""

    status: Status | None
    reason: Reason


class Dialect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operator's ways. The defaults are those of SMPP 3.4."""

    errors: dict[str, int] = {}  # the operator's code in a receipt (as text) → the number of a Reason
    refusals: dict[str, int] = {}  # command_status (decimal, as text) → the number of a Reason
    temporary: tuple[int, ...] = ()  # other command_status that mean "later"
    receipt_ids: tuple[Literal["hex", "decimal"], ...] = ()  # in which other forms receipts may bring the answer's id
    one_receipt: bool = False  # for a long message, instead of one a part
    intermediates: bool = True  # asks to be told of first failures, too (spec S71: 19)
    user_reference: bool = False  # sends user_message_reference, which receipts bring back (spec S76)
    queries: bool = True  # answers query_sm; asked of what has no receipt when its validity is over (spec S78)
    long_texts: Literal["udh", "sar", "payload"] = "udh"  # header, SAR parameters, or all in one message_payload
    packed_septets: bool = False  # English texts of 8 septets in 7 octets
    english_data_coding: Octet = 0
    validity: Literal["relative", "absolute", "none"] = "relative"
    name_ton_npi: tuple[Octet, Octet] = (5, 0)  # of a sender's name
    number_ton_npi: tuple[Octet, Octet] = (1, 1)  # of a sender's number
    destination_ton_npi: tuple[Octet, Octet] = (1, 1)
    service_type: str = ""
    tlvs: dict[str, str] = {}  # further ones of every submit_sm: tag and value in hex

    def verdict(self, state: int, error: str) -> Verdict:
        """Of a receipt's message_state and the operator's own code."""
        if state not in STATES:
            return Verdict(None, Reason.NONE)
        status, usual = STATES[MessageState(state)]
        reason = BY_NUMBER.get(self.errors.get(error, 0), usual)
        if status == Status.DELIVERED:
            return Verdict(status, Reason.NONE)
        if status == Status.RETRY and reason not in RETRY_REASONS:
            reason = Reason.NO_RECEIPT
        return Verdict(status, reason)

    def throttles(self, command_status: int) -> bool:
        """Whether the operator says that this is too fast."""
        return command_status in THROTTLES

    def waits(self, command_status: int) -> bool:
        """Whether a refused submit_sm was not taken and may be tried again later."""
        return command_status in LATER or command_status in self.temporary

    def refusal(self, command_status: int) -> Reason:
        """Why the operator refuses for good."""
        usual = REFUSALS.get(command_status, Reason.OPERATOR_FAULT)
        return BY_NUMBER.get(self.refusals.get(str(command_status), 0), usual)

    def other_forms(self, ref: str) -> Iterator[str]:
        """How the answer may have written an id that a receipt writes like this (spec S77)."""
        bare = ref.lstrip("0")
        yield from {bare, ref.lower(), ref.upper(), bare.lower(), bare.upper()} - {ref, ""}
        if "hex" in self.receipt_ids and len(ref) <= MOST_HEX_DIGITS and _is_hex(ref):
            yield str(int(ref, 16))
        if "decimal" in self.receipt_ids and ref.isascii() and ref.isdigit():
            yield from (f"{int(ref):x}", f"{int(ref):X}")


def _is_hex(ref: str) -> bool:
    return bool(ref) and all(character in "0123456789abcdefABCDEF" for character in ref)


def read_dialect(settings: object) -> Dialect:
    """The dialect staff wrote down. Raises msgspec.ValidationError, which says what is wrong."""
    return msgspec.convert(settings, Dialect)


class Way(NamedTuple):
    """What a claimed message needs to know of its route, destination and operator."""

    route: RouteFacts
    destination: DestinationFacts
    operator_sender: str  # where the customer's own is not possible

    @property
    def china(self) -> bool:
        """Counted, cut and signed as China wants it."""
        return self.destination.region == Destination.Region.CHINA


def source_of(sender: str, way: Way, dialect: Dialect) -> Address:
    """The source address (spec S61, S64)."""
    shown = sender if way.route.own_sender and not way.china else way.operator_sender
    if not shown:
        return Address(0, 0, "")
    if shown.isdecimal():
        return Address(*dialect.number_ton_npi, international(shown).digits)
    return Address(*dialect.name_ton_npi, alphanumeric(shown).digits)


def user_reference(message_id: int, part: int) -> int:
    """The user_message_reference of a part, 16 bits; with the destination it tells which part is meant (spec S76)."""
    return (message_id * PARTS_OF_A_MESSAGE + part) % (1 << 16)
