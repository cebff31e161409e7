"""What a session is described with: its states, limits, counts, and what can go wrong (SMPP 3.4 §2.2, §7.2)."""

from dataclasses import dataclass
from enum import Enum

from sampan.smpp.framing import MOST_PDU_OCTETS
from sampan.smpp.pdu import Command, Status
from sampan.smpp.window import Token

Answer = tuple[Token, int, str]  # token, command_status, message_id


class State(Enum):
    """Session states (SMPP 3.4 §2.2), and what each allows."""

    OPEN = "open"
    BOUND_TX = "bound_tx"
    BOUND_RX = "bound_rx"
    BOUND_TRX = "bound_trx"
    UNBOUND = "unbound"
    CLOSED = "closed"

    @property
    def bound(self) -> bool:
        """Whether a bind stands."""
        return self in {State.BOUND_TX, State.BOUND_RX, State.BOUND_TRX}

    @property
    def may_submit(self) -> bool:
        """Whether the ESME may hand messages to the SMSC."""
        return self in {State.BOUND_TX, State.BOUND_TRX}

    @property
    def may_deliver(self) -> bool:
        """Whether the SMSC may hand messages to the ESME."""
        return self in {State.BOUND_RX, State.BOUND_TRX}


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
