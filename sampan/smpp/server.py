"""The other side of a link: ESMEs bind to us, submit, and are delivered to (SMPP 3.4 §2.2, §4).

The simulator is one such door; the one for customers is another (spec S124). Who owns the door answers requests when it
likes, many at once (`respond`), and hands deliveries over while the session's window has room (`deliver`).
"""

import asyncio
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, cast

import structlog

from sampan.smpp.framing import Frame
from sampan.smpp.pdu import (
    INTERFACE_VERSION,
    LAYOUTS,
    RESPONSE,
    Bind,
    BindResp,
    Body,
    CancelSmResp,
    Command,
    DataSm,
    DataSmResp,
    DeliverSm,
    QuerySmResp,
    ReplaceSmResp,
    Status,
    SubmitMultiResp,
    SubmitSmResp,
    Tag,
    check_read,
    decode_body,
    encode,
)
from sampan.smpp.session import STATE_AFTER, Answer, Limits, Session, SessionClosed
from sampan.smpp.window import Token

log = structlog.get_logger()

LISTEN_BACKLOG = 512
REQUESTS = (
    Command.SUBMIT_SM,
    Command.SUBMIT_MULTI,
    Command.DATA_SM,
    Command.QUERY_SM,
    Command.CANCEL_SM,
    Command.REPLACE_SM,
)
SUBMIT_SM = int(Command.SUBMIT_SM)  # an enum's attribute costs as much as a dict's look-up, for every message


class Request(NamedTuple):
    """What an ESME asks, to be answered by its sequence number; `octets` is the PDU as it came."""

    sequence_number: int
    body: Body
    octets: bytes


class DoorOwner(Protocol):
    """Whoever owns a door. Called in its loop, with what one read brought; it must not block."""

    async def authenticate(self, session: "ServerSession", bind: Bind) -> int:
        """The command_status to answer a bind with: ESME_ROK lets it in."""

    def on_bound(self, session: "ServerSession") -> None:
        """A session may submit, be delivered to, or both (`session.state`)."""

    def on_requests(self, session: "ServerSession", requests: list[Request]) -> None:
        """Well-formed requests, to be answered by `session.respond`, now or later; to throttle is to answer so."""

    def on_answers(self, session: "ServerSession", answers: list[Answer]) -> None:
        """Deliveries were answered, late ones among them: (token, command_status, message_id) each."""

    def on_expired(self, session: "ServerSession", tokens: list[Token]) -> None:
        """Deliveries had no answer in time; their room is free."""

    def on_closed(self, session: "ServerSession", reason: str, undelivered: list[Token]) -> None:
        """A bound session is gone, and these deliveries without an answer."""


@dataclass(frozen=True, kw_only=True)
class DoorSettings:
    """What a door says of itself, and takes."""

    system_id: str = "sampan"
    limits: Limits = field(default_factory=Limits)
    over_window_status: int = Status.ESME_RTHROTTLED  # for requests beyond `limits.most_requests`
    long_credentials: bool = False  # beyond the standard's 15 and 8 octets, which few ESMEs keep to
    bind_timeout_s: float = 10.0
    most_sessions: int = 1000
    most_unbound_of_address: int | None = None  # connections that have not bound yet
    answers_before_unbind_s: float = 0.0  # for requests in hand to be answered before a session ends


class ServerSession(Session):
    """A connection of an ESME."""

    def __init__(self, server: "Server") -> None:
        super().__init__(server.settings.limits)
        self.system_id = ""
        self.interface_version = INTERFACE_VERSION
        self.opened_at = self._heard_at
        self._server = server
        self._owner = server.owner
        self._requests: list[Request] = []
        self._asked: dict[int, int] = {}  # command_id of unanswered requests that are no submit_sm
        self._binding: asyncio.Task[None] | None = None
        self._unbinding: asyncio.Task[None] | None = None
        self._is_ending = False
        self._all_answered = asyncio.Event()
        self._handlers |= dict.fromkeys(REQUESTS, self._on_request)
        self._handlers |= dict.fromkeys(STATE_AFTER, self._on_bind)
        self._handlers |= {Command.DELIVER_SM_RESP: self._on_answer, Command.DATA_SM_RESP: self._on_answer}

    def respond(self, answers: Iterable[tuple[int, int, str]]) -> bool:
        """Answer requests: (sequence_number, command_status, message_id) each. On a closed session nothing: False."""
        if self._closing:
            return False
        frames: list[bytes] = []
        for number, status, message_id in answers:
            command_id = self._asked.pop(number, SUBMIT_SM) if self._asked else SUBMIT_SM
            frames.append(encode(_response(command_id, message_id), number, status))
        self._count_answers(len(frames))
        self._write(b"".join(frames))
        return True

    def respond_with(self, number: int, body: Body, status: int = Status.ESME_ROK) -> None:
        """Answer one request by a body of its own: a query_sm_resp, a submit_multi_resp that did not reach all."""
        if self._closing:
            return
        self._count_answers(1)
        self._asked.pop(number, None)
        self._write(encode(body, number, status))

    def deliver(self, items: Sequence[tuple[Token, DeliverSm | DataSm]]) -> None:
        """Write many deliveries in one write; PduError, WindowFull or SessionClosed: none was written."""
        if not self.state.may_deliver:
            raise SessionClosed(self.close_reason or f"a session that is {self.state.words} takes no deliveries")
        self._request(self._numbered(items))

    async def unbind(self) -> None:
        """End the session by the standard's handshake, once what is in hand is answered."""
        await self._answer_all()
        await super().unbind()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An ESME connected."""
        super().connection_made(transport)
        self._server.opened(self)

    def _on_bind(self, frame: Frame) -> None:
        command_id, _, number, octets = frame
        if self.state.bound or self._binding is not None:
            self._refuse(frame, Status.ESME_RALYBND)
            return
        bind = cast(Bind, decode_body(command_id, octets))
        check_read(bind._replace(system_id="", password="") if self._server.settings.long_credentials else bind)
        self._binding = self._loop.create_task(self._bind(Command(command_id), number, bind))

    async def _bind(self, command: Command, number: int, bind: Bind) -> None:
        try:
            status = await self._owner.authenticate(self, bind)
        except Exception as error:  # noqa: BLE001 - the task's top: the ESME gets an answer
            self.counts.faults += 1
            log.error("smpp.authenticate", peer=self.peer, error=repr(error))
            status = Status.ESME_RSYSERR
        self._binding = None
        if self._closing:
            return
        body_type: type[BindResp] = LAYOUTS[command | RESPONSE].body_type
        # An ESME of an older version must not be sent optional parameters (§1.5, §4.1.2).
        tlvs = ((int(Tag.SC_INTERFACE_VERSION), bytes((INTERFACE_VERSION,))),)
        body = body_type(self._server.settings.system_id, tlvs if bind.interface_version >= INTERFACE_VERSION else ())
        self._write(encode(body, number, status))
        if status:
            log.info("smpp.bind.refused", peer=self.peer, system_id=bind.system_id, status=status)
            self._close("the bind was refused")
            return
        self.system_id, self.interface_version = bind.system_id, bind.interface_version
        self.state = STATE_AFTER[command]
        self._was_bound = True
        try:
            self._owner.on_bound(self)
        except Exception:  # noqa: BLE001 - the task's top
            self._on_fault()

    def _on_unbind(self, frame: Frame) -> None:
        self._hand_over()
        if self._unanswered_requests and self._server.settings.answers_before_unbind_s and self._unbinding is None:
            self._unbinding = self._loop.create_task(self._unbind_later(frame))
        elif self._unbinding is None:
            super()._on_unbind(frame)

    async def _unbind_later(self, frame: Frame) -> None:
        """An ESME that hears no answer to what it sent before its unbind sends it again, and handsets get it twice."""
        await self._answer_all()
        if not self._closing:
            super()._on_unbind(frame)

    async def _answer_all(self) -> None:
        """Take no more requests, and let those in hand be answered, within a time."""
        self._is_ending = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._server.settings.answers_before_unbind_s):
                while self._unanswered_requests and not self._closing:
                    self._all_answered.clear()
                    await self._all_answered.wait()

    def _count_answers(self, count: int) -> None:
        super()._count_answers(count)
        if not self._unanswered_requests:
            self._all_answered.set()

    def _on_request(self, frame: Frame) -> None:
        command_id, _, number, octets = frame
        if not self.state.may_submit:
            self._refuse_in_this_state(frame)
            return
        if self._unanswered_requests >= self.limits.most_requests or self._is_ending:
            self.counts.beyond_window += 1
            self._refuse(frame, self._server.settings.over_window_status)
            return
        body = decode_body(command_id, octets)
        check_read(body)
        self._requests.append(Request(number, body, octets))
        self._unanswered_requests += 1
        if command_id != SUBMIT_SM:
            self._asked[number] = command_id

    def _hand_over(self) -> None:
        if self._answers or self._late_answers:
            answers = self._answers + self._late_answers
            self._answers, self._late_answers = [], []
            self._owner.on_answers(self, answers)
        if self._requests:
            self._active_at = self._heard_at
            requests, self._requests = self._requests, []
            self._owner.on_requests(self, requests)

    def _check_times(self, now: float) -> None:
        if not self._was_bound and now - self.opened_at > self._server.settings.bind_timeout_s:
            self._close("did not bind in time")
            return
        super()._check_times(now)

    def _expired(self, tokens: list[Token]) -> None:
        self._owner.on_expired(self, tokens)

    def _lost(self, unanswered: list[Token], unsent: list[Token]) -> None:
        self._server.closed(self)
        self._all_answered.set()
        if self._binding is not None:
            self._binding.cancel()
        if self._was_bound:
            self._owner.on_closed(self, self.close_reason, unanswered + unsent)


class Server:
    """A door: a listening socket and its sessions."""

    def __init__(
        self,
        owner: DoorOwner,
        settings: DoorSettings | None = None,
        session_type: type[ServerSession] = ServerSession,
    ) -> None:
        self.owner = owner
        self.settings = settings or DoorSettings()
        self._session_type = session_type
        self.sessions: set[ServerSession] = set()
        self.turned_away = 0  # connections beyond `most_sessions` and `most_unbound_of_address`

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> int:
        """Listen; the port (of the kernel's choice where 0 was asked). OSError where it is taken."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: self._session_type(self),
            host,
            port,
            ssl=tls,
            ssl_handshake_timeout=self.settings.bind_timeout_s if tls else None,
            backlog=LISTEN_BACKLOG,
        )
        return cast(int, self._listening.sockets[0].getsockname()[1])

    async def stop(self, timeout_s: float = 5.0) -> None:
        """Listen no more, unbind every session, and cut what is left after the time-out."""
        self._listening.close()
        sessions = list(self.sessions)
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(session.unbind() for session in sessions))
        except TimeoutError:
            for session in sessions:
                session.abort("we stop")
            await asyncio.gather(*(session.wait_closed() for session in sessions))

    async def crash(self) -> None:
        """Listen no more and end every session without a word. `start` listens again."""
        self._listening.close()
        sessions = list(self.sessions)
        for session in sessions:
            session.abort("a crash")
        await asyncio.gather(*(session.wait_closed() for session in sessions))

    def opened(self, session: ServerSession) -> None:
        """A session of ours has its connection."""
        if len(self.sessions) >= self.settings.most_sessions or self._is_crowded_by(session):
            self.turned_away += 1
            session.abort("too many sessions")
            return
        self.sessions.add(session)

    def _is_crowded_by(self, session: ServerSession) -> bool:
        """Whether its address has so many connections that never bind: they would leave no room for others."""
        most = self.settings.most_unbound_of_address
        if most is None:
            return False
        host, _, _ = session.peer.rpartition(":")
        return sum(not each.state.bound and each.peer.rpartition(":")[0] == host for each in self.sessions) >= most

    def closed(self, session: ServerSession) -> None:
        """A session of ours has lost it."""
        self.sessions.discard(session)


_RESPONSES: dict[int, Any] = {
    Command.SUBMIT_SM: SubmitSmResp,
    Command.SUBMIT_MULTI: SubmitMultiResp,
    Command.DATA_SM: DataSmResp,
}
_RESPONSES_WITHOUT_ID: dict[int, Body] = {
    Command.QUERY_SM: QuerySmResp(),
    Command.CANCEL_SM: CancelSmResp(),
    Command.REPLACE_SM: ReplaceSmResp(),
}


def _response(command_id: int, message_id: str) -> Body:
    without_id = _RESPONSES_WITHOUT_ID.get(command_id)
    return cast(Body, _RESPONSES[command_id](message_id)) if without_id is None else without_id
