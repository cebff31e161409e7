"""Our side of a link to an operator: bind, submit in batches, take deliveries, query and cancel (SMPP 3.4 §2.2, §4).

The owner stores before it acknowledges: a deliver_sm is answered by `acknowledge`, and never by the session itself
(spec S77). The owner minds the window: `submit` raises where there is no room.
"""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import NamedTuple, Protocol, cast

from sampan.smpp.framing import Frame
from sampan.smpp.pdu import (
    HEADER,
    HEADER_OCTETS,
    INTERFACE_VERSION,
    RESPONSE,
    BindReceiver,
    BindResp,
    BindTransceiver,
    BindTransmitter,
    CancelSm,
    Command,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    PduError,
    QuerySm,
    QuerySmResp,
    Status,
    SubmitSm,
    Tag,
    decode_body,
    encode,
    integer,
)
from sampan.smpp.session import (
    STATE_AFTER,
    Answer,
    CommandRefused,
    Limits,
    Numbered,
    Session,
    SessionClosed,
    State,
    status_name,
)
from sampan.smpp.window import Token

FIRST_BACKOFF_S = 1.0
MOST_BACKOFF_S = 60.0
MOST_DOUBLINGS = 10


class BindMode(Enum):
    """What a session is for: the PDU that binds it."""

    TRANSMITTER = BindTransmitter
    RECEIVER = BindReceiver
    TRANSCEIVER = BindTransceiver


@dataclass(frozen=True, kw_only=True)
class Operator:
    """Where to connect and what to bind with. `tls` verifies as its context says, against `host`."""

    host: str
    port: int
    system_id: str
    password: str = field(default="", repr=False)
    mode: BindMode = BindMode.TRANSCEIVER
    system_type: str = ""
    interface_version: int = INTERFACE_VERSION
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    tls: ssl.SSLContext | None = None
    connect_timeout_s: float = 10.0
    bind_timeout_s: float = 10.0


class Delivery(NamedTuple):
    """What an operator hands us, to be acknowledged by its sequence number."""

    sequence_number: int
    body: DeliverSm | DataSm


class LinkOwner(Protocol):
    """Whoever owns a link. Called in the session's loop, with what one read brought; it must not block."""

    def on_bound(self, session: "ClientSession") -> None:
        """The bind stands. Deliveries may come from now on, before `connect` returns."""

    def on_answers(self, answers: list[Answer]) -> None:
        """Requests were answered: (token, command_status, message_id) each."""

    def on_expired(self, tokens: list[Token]) -> None:
        """Requests had no answer in time: their outcome is unknown, their room is free (spec S76)."""

    def on_late(self, answers: list[Answer]) -> None:
        """Requests were answered after all that had expired."""

    def on_deliveries(self, deliveries: list[Delivery]) -> None:
        """Receipts and replies. Acknowledge them once they are stored (spec S77)."""

    def on_closed(self, reason: str, unanswered: list[Token], unsent: list[Token]) -> None:
        """The bound session is gone. Unanswered: the outcome is unknown. Unsent: proven never written (spec S76)."""


class BindRefused(CommandRefused):
    """The operator did not let us bind."""

    def __str__(self) -> str:
        return f"the operator refused the bind with command_status {status_name(self.status)}"


def backoff_s(attempt: int, rng: Random) -> float:
    """How long to wait before connecting again: doubling from 1 s to 60 s, less up to a half at random.

    `attempt` counts from 0. The chance keeps many links from coming back all at once.
    """
    longest = min(MOST_BACKOFF_S, FIRST_BACKOFF_S * 2.0 ** min(attempt, MOST_DOUBLINGS))
    return longest * rng.uniform(0.5, 1.0)


class ClientSession(Session):
    """A link. `connect` makes a bound one."""

    def __init__(self, owner: LinkOwner, limits: Limits) -> None:
        super().__init__(limits)
        self.peer_system_id = ""
        self.peer_version: int | None = None  # sc_interface_version, where the operator says it
        self._owner = owner
        self._deliveries: list[Delivery] = []
        self._data_numbers: set[int] = set()  # of deliveries that came as data_sm
        self._handlers |= {
            Command.SUBMIT_SM_RESP: self._on_answer,
            Command.DATA_SM_RESP: self._on_answer,
            Command.DELIVER_SM: self._on_delivery,
            Command.DATA_SM: self._on_delivery,
            Command.ALERT_NOTIFICATION: lambda _: None,  # nothing here waits for a handset
            Command.BIND_TRANSMITTER_RESP: self._on_bind_answered,
            Command.BIND_RECEIVER_RESP: self._on_bind_answered,
            Command.BIND_TRANSCEIVER_RESP: self._on_bind_answered,
            Command.QUERY_SM_RESP: self._on_call_answered,
            Command.CANCEL_SM_RESP: self._on_call_answered,
        }

    def submit(self, items: Sequence[tuple[Token, SubmitSm | DataSm]]) -> None:
        """Write many requests in one write.

        All or none: after PduError (a field breaks a limit), WindowFull or SessionClosed none was written.
        """
        self.submit_frames(self._numbered(items))

    def submit_frames(self, items: Sequence[Numbered]) -> None:
        """The same of whole PDUs, each with its sequence number, which was drawn before."""
        if not self.state.may_submit:
            raise SessionClosed(self.close_reason or f"a session that is {self.state.words} cannot submit")
        self._request(items)

    def acknowledge(self, numbers: Sequence[int], status: int = Status.ESME_ROK) -> None:
        """Answer deliveries, which their owner has stored. On a closed session it does nothing: they come again.

        ValueError where there are more numbers than deliveries wait.
        """
        if self._closing:
            return
        self._count_answers(len(numbers))
        tail = encode(DeliverSmResp(), 0, status)[HEADER_OCTETS:]
        length = HEADER_OCTETS + len(tail)
        frames: list[bytes] = []
        for number in numbers:
            command_id = Command.DELIVER_SM_RESP
            if number in self._data_numbers:
                self._data_numbers.discard(number)
                command_id = Command.DATA_SM_RESP
            frames += (HEADER.pack(length, command_id, status, number), tail)
        self._write(b"".join(frames))

    async def query(self, body: QuerySm) -> QuerySmResp:
        """What became of a message. TimeoutError, CommandRefused or SessionClosed where there is no answer to that."""
        return cast(QuerySmResp, await self._call(body, self.limits.response_timeout_s))

    async def cancel(self, body: CancelSm) -> None:
        """Call a message back. CommandRefused where it was too late; TimeoutError, SessionClosed."""
        await self._call(body, self.limits.response_timeout_s)

    async def bind(self, operator: Operator) -> None:
        """The bind handshake. TimeoutError, BindRefused, or SessionClosed (where the answer cannot be read, too)."""
        body = operator.mode.value(
            operator.system_id,
            operator.password,
            operator.system_type,
            operator.interface_version,
            operator.addr_ton,
            operator.addr_npi,
            operator.address_range,
        )
        try:
            answer = cast(BindResp, await self._call(body, operator.bind_timeout_s))
        except CommandRefused as refusal:
            raise BindRefused(refusal.status) from None
        except PduError as error:
            raise SessionClosed(f"the operator's answer to the bind cannot be read: {error}") from None
        self.peer_system_id = answer.system_id
        self.peer_version = integer(answer.tlvs, Tag.SC_INTERFACE_VERSION)

    def _on_bind_answered(self, frame: Frame) -> None:
        command_id, status, number, _ = frame
        expected, _ = self._calls.get(number, (0, None))
        self._on_call_answered(frame)
        # Here, and not when the waiting task goes on: deliveries may stand right behind in the same read.
        if command_id == expected and not status and self.state is State.OPEN:
            self.state = STATE_AFTER[Command(command_id & ~RESPONSE)]
            self._was_bound = True
            self._owner.on_bound(self)

    def _on_delivery(self, frame: Frame) -> None:
        command_id, _, number, octets = frame
        if not self.state.may_deliver:
            self._refuse_in_this_state(frame)
            return
        self._deliveries.append(Delivery(number, cast(DeliverSm | DataSm, decode_body(command_id, octets))))
        self._unanswered_requests += 1
        if command_id == Command.DATA_SM:
            self._data_numbers.add(number)

    def _hand_over(self) -> None:
        if self._answers:
            answers, self._answers = self._answers, []
            self._owner.on_answers(answers)
        if self._late_answers:
            late, self._late_answers = self._late_answers, []
            self._owner.on_late(late)
        if self._deliveries:
            self._active_at = self._heard_at
            deliveries, self._deliveries = self._deliveries, []
            self._owner.on_deliveries(deliveries)

    def _expired(self, tokens: list[Token]) -> None:
        self._owner.on_expired(tokens)

    def _lost(self, unanswered: list[Token], unsent: list[Token]) -> None:
        if self._was_bound:
            self._owner.on_closed(self.close_reason, unanswered, unsent)


async def connect(operator: Operator, owner: LinkOwner, limits: Limits | None = None) -> ClientSession:
    """A bound session.

    OSError (ssl.SSLError too) where there is no connection, TimeoutError where it or the bind takes too long,
    BindRefused where the operator says no, SessionClosed where it hangs up or answers nonsense.
    """
    loop = asyncio.get_running_loop()
    session = ClientSession(owner, limits or Limits())
    try:
        async with asyncio.timeout(operator.connect_timeout_s):
            transport, _ = await loop.create_connection(lambda: session, operator.host, operator.port, ssl=operator.tls)
    except TimeoutError:
        words = f"no connection to {operator.host}:{operator.port} in {operator.connect_timeout_s} s"
        raise TimeoutError(words) from None
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        await session.bind(operator)
    except BaseException:
        session.abort("not bound")
        raise
    return session
