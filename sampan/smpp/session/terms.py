"""What a session is described with: its states, limits, counts, and what can go wrong (SMPP 3.4 §2.2, §7.2)."""

from dataclasses import dataclass
from enum import Enum

from sampan.smpp.framing import MOST_PDU_OCTETS
from sampan.smpp.pdu import Command, Status
from sampan.smpp.window import Token

Answer = tuple[Token, int, str]  # token, command_status, message_id
Numbered = tuple[int, Token, bytes]  # a request: sequence number, token, the whole PDU


class State(Enum):
    """Session states (SMPP 3.4 §2.2): what each is called, whether a bind stands, and who may hand over messages."""

    def __init__(self, words: str, bound: bool, may_submit: bool, may_deliver: bool) -> None:
        self.words = words
        self.bound = bound
        self.may_submit = may_submit  # the ESME to the SMSC
        self.may_deliver = may_deliver  # the SMSC to the ESME

    OPEN = "open", False, False, False
    BOUND_TX = "bound as a transmitter", True, True, False
    BOUND_RX = "bound as a receiver", True, False, True
    BOUND_TRX = "bound as a transceiver", True, True, True
    UNBOUND = "unbound", False, False, False
    CLOSED = "closed", False, False, False


STATE_AFTER = {
    Command.BIND_TRANSMITTER: State.BOUND_TX,
    Command.BIND_RECEIVER: State.BOUND_RX,
    Command.BIND_TRANSCEIVER: State.BOUND_TRX,
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one session may take and how long it waits (SMPP 3.4 §7.2). None: no such limit."""

    window: int = 10  # requests of ours without an answer
    response_timeout_s: float = 30.0
    enquire_link_s: float | None = 30.0  # of silence, then an enquire_link
    inactivity_s: float | None = None  # without a message either way, then unbind
    unbind_timeout_s: float = 5.0
    most_pdu_octets: int = MOST_PDU_OCTETS
    most_requests: int = 1000  # of the peer's without an answer of ours


@dataclass
class Counts:
    """What went by that should not."""

    malformed: int = 0
    unknown_commands: int = 0
    wrong_states: int = 0
    unmatched_responses: int = 0
    late_responses: int = 0
    beyond_window: int = 0
    faults: int = 0


class SessionClosed(ConnectionError):
    """The session is closed, or closed while it was waited for; the argument says why."""


class CommandRefused(Exception):
    """The peer answered with an error."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return f"refused with command_status {status_name(self.status)}"


class WindowFull(Exception):
    """More requests than there is room for; none of them was written."""


def status_name(status: int) -> str:
    """A command_status by its standard name, or its number."""
    return Status(status).name if status in Status.__members__.values() else f"{status:#010x}"
