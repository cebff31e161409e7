"""One SMPP session, as far as both sides are alike: cut, answer, keep alive, wait for answers, unbind, close."""

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import structlog

from sampan.smpp.framing import Frame, Framer
from sampan.smpp.pdu import (
    LAYOUTS,
    RESPONSE,
    Body,
    Command,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    PduError,
    Status,
    Unbind,
    UnbindResp,
    command_of,
    decode_body,
    encode,
    read_message_id,
)
from sampan.smpp.session.outgoing import Outgoing
from sampan.smpp.session.terms import Answer, CommandRefused, Counts, Limits, Numbered, SessionClosed, State, WindowFull
from sampan.smpp.window import NOTHING, Token, Window

log = structlog.get_logger()

MOST_OUTGOING_OCTETS = 1024 * 1024  # waiting for a peer that does not read; beyond, we do not read either
CLOSE_GRACE_S = 5  # for the last octets to leave before a closing connection is cut
MOST_CALLS = 100  # query_sm and the like, under way at once
LONGEST_TICK_S = 1.0
SHORTEST_TICK_S = 0.01
TICKS_OF_A_TIMEOUT = 4


class Session(asyncio.Protocol):
    """One connection. `ClientSession` and `ServerSession` add what differs."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = State.OPEN
        self.counts = Counts()
        self.peer = ""
        self.close_reason = ""
        self._loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        self._room_changed = asyncio.Event()
        self._framer = Framer(limits.most_pdu_octets)
        self._window = Window(limits.window, limits.response_timeout_s)
        self._outgoing = Outgoing()
        self._calls: dict[int, tuple[int, asyncio.Future[Body]]] = {}  # the command_id to answer with, and who waits
        self._answers: list[Answer] = []
        self._late_answers: list[Answer] = []
        self._unanswered_requests = 0  # of the peer's
        self._in_batch = False
        self._holds = False
        self._closing = False
        self._was_bound = False
        self._enquired_at: float | None = None
        self._heard_at = self._active_at = self._loop.time()
        self._handlers: dict[int, Callable[[Frame], None]] = {
            Command.ENQUIRE_LINK: self._on_enquire_link,
            Command.ENQUIRE_LINK_RESP: lambda _: None,  # to have heard anything is enough
            Command.UNBIND: self._on_unbind,
            Command.UNBIND_RESP: self._on_call_answered,
            Command.GENERIC_NACK: self._on_generic_nack,
        }
        times = (limits.response_timeout_s, limits.enquire_link_s, limits.inactivity_s)
        shortest = min(time for time in times if time is not None)
        self._tick_s = min(LONGEST_TICK_S, max(SHORTEST_TICK_S, shortest / TICKS_OF_A_TIMEOUT))

    # What callers use.

    @property
    def room(self) -> int:
        """How many more requests the window takes."""
        return self._window.room

    async def wait_for_room(self) -> int:
        """Until the window takes a request more; its room. SessionClosed where the session closes before."""
        while self._window.room <= 0 and not self._closing:
            self._room_changed.clear()
            await self._room_changed.wait()
        if self._closing:
            raise SessionClosed(self.close_reason)
        return self._window.room

    def sequence_numbers(self, count: int) -> list[int]:
        """The next sequence numbers, for requests that are written down elsewhere before they go on the wire."""
        return self._window.allot(count)

    async def unbind(self) -> None:
        """End the session by the standard's handshake, or after its time-out without it."""
        if self.state.bound and not self._closing:
            self.state = State.UNBOUND
            try:
                await self._call(Unbind(), self.limits.unbind_timeout_s)
            except (TimeoutError, SessionClosed, CommandRefused, WindowFull, PduError) as error:
                log.info("smpp.unbind.unanswered", peer=self.peer, error=str(error))
        self._close("unbound by us")
        await self._closed.wait()

    def hold_reading(self, hold: bool) -> None:
        """Read no more until this is taken back; the peer will feel it."""
        self._holds = hold
        self._flush()

    def abort(self, reason: str) -> None:
        """Cut the connection at once."""
        self._close(reason)
        self._transport.abort()

    async def wait_closed(self) -> str:
        """Until the session is closed; why it is."""
        await self._closed.wait()
        return self.close_reason

    # What the two sides fill in.

    def _hand_over(self) -> None:
        """Give the owner what this read brought."""

    def _expired(self, tokens: list[Token]) -> None:
        """Tell the owner which requests had no answer in time."""

    def _lost(self, unanswered: list[Token], unsent: list[Token]) -> None:
        """Tell the owner that the connection is gone."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport is there."""
        self._transport = cast(asyncio.Transport, transport)
        # A peer that does not read is felt at once, and what it has not been sent stays ours. (With a limit of 0,
        # asyncio's TLS pauses for ever: it compares by "at least".)
        self._transport.set_write_buffer_limits(high=1, low=0)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else ""
        self._timer = self._loop.call_later(self._tick_s, self._on_tick)

    def data_received(self, data: bytes) -> None:
        """Octets came in."""
        self._heard_at = self._loop.time()
        self._in_batch = True
        try:
            self._read(data)
        except Exception:  # noqa: BLE001 - the loop's top
            self._on_fault()
        try:
            self._hand_over()
        except Exception:  # noqa: BLE001 - the loop's top
            self._on_fault()
        self._in_batch = False
        self._flush()
        if self._window.room > 0:
            self._room_changed.set()

    def pause_writing(self) -> None:
        """The peer does not read for now."""
        self._outgoing.paused_at = self._loop.time()

    def resume_writing(self) -> None:
        """It reads again."""
        self._outgoing.paused_at = None
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whatever way."""
        self._closing = True
        self.close_reason = self.close_reason or (f"connection lost: {exc}" if exc else "closed by the peer")
        self.state = State.CLOSED
        self._timer.cancel()
        unsent = self._window.withdraw(self._outgoing.drain())
        unanswered = self._window.drain()
        for number in self._calls:
            self._fail_call(number, SessionClosed(self.close_reason))
        self._closed.set()
        self._room_changed.set()
        log.info("smpp.closed", peer=self.peer, reason=self.close_reason, **vars(self.counts))
        try:
            self._lost(unanswered, unsent)
        except Exception:  # noqa: BLE001 - the loop's top
            self._on_fault()

    # Reading.

    def _read(self, data: bytes) -> None:
        if self._closing:
            return
        for frame in self._framer.feed(data):
            try:
                self._handlers.get(frame[0], self._on_other)(frame)
            except PduError as error:
                self._on_malformed(frame, error)
            if self._closing:
                return
        if self._framer.broken_at is not None:
            self.counts.malformed += 1
            self._write(encode(GenericNack(), self._framer.broken_at, Status.ESME_RINVCMDLEN))
            self._close("the peer sent a command_length no PDU has")

    def _on_enquire_link(self, frame: Frame) -> None:
        self._write(encode(EnquireLinkResp(), frame[2]))

    def _on_unbind(self, frame: Frame) -> None:
        self._hand_over()  # what stands before it may be answered before it
        self.state = State.UNBOUND
        self._write(encode(UnbindResp(), frame[2]))
        self._close("unbound by the peer")

    def _on_answer(self, frame: Frame) -> None:
        _, status, number, octets = frame
        self._answered(number, status, read_message_id(octets))

    def _on_generic_nack(self, frame: Frame) -> None:
        _, status, number, _ = frame
        status = status or Status.ESME_RUNKNOWNERR
        if number in self._calls:
            self._fail_call(number, CommandRefused(status))
        else:
            self._answered(number, status, "")

    def _answered(self, number: int, status: int, message_id: str) -> None:
        if (token := self._window.answer(number)) is not NOTHING:
            self._answers.append((token, status, message_id))
        elif (token := self._window.answer_late(number)) is not NOTHING:
            self.counts.late_responses += 1
            self._late_answers.append((token, status, message_id))
        else:
            self._on_unmatched(number)

    def _on_call_answered(self, frame: Frame) -> None:
        command_id, status, number, octets = frame
        expected, call = self._calls.get(number, (0, None))
        if call is None or call.done() or command_id != expected:
            self._on_unmatched(number)
        elif status:
            call.set_exception(CommandRefused(status))
        else:
            call.set_result(decode_body(command_id, octets))

    def _fail_call(self, number: int, error: Exception) -> None:
        _, call = self._calls[number]
        if not call.done():
            call.set_exception(error)

    def _on_unmatched(self, number: int) -> None:
        self.counts.unmatched_responses += 1
        if self.counts.unmatched_responses == 1:
            log.warning("smpp.unmatched", peer=self.peer, sequence_number=number)

    def _on_other(self, frame: Frame) -> None:
        """What this side does not know or not serve. A response is never answered: two peers could go on for ever."""
        command_id, _, number, _ = frame
        self.counts.unknown_commands += 1
        if self.counts.unknown_commands == 1:
            log.warning("smpp.unknown_command", peer=self.peer, command_id=f"{command_id:#010x}")
        if not command_id & RESPONSE:
            self._write(encode(GenericNack(), number, Status.ESME_RINVCMDID))

    def _on_malformed(self, frame: Frame, error: PduError) -> None:
        self.counts.malformed += 1
        if self.counts.malformed == 1:
            log.warning("smpp.malformed", peer=self.peer, command_id=f"{frame[0]:#010x}", error=str(error))
        if frame[0] & RESPONSE and frame[2] in self._calls:
            self._fail_call(frame[2], error)
        self._refuse(frame, error.status)

    def _refuse(self, frame: Frame, status: int) -> None:
        """Answer a request with an error, where it is a request that has an answer."""
        command_id, _, number, _ = frame
        response = LAYOUTS.get(command_id | RESPONSE)
        if response is not None and not command_id & RESPONSE:
            self._write(encode(response.body_type(), number, status))

    def _refuse_in_this_state(self, frame: Frame) -> None:
        self.counts.wrong_states += 1
        self._refuse(frame, Status.ESME_RINVBNDSTS)

    def _on_fault(self) -> None:
        """A bug of ours or of the owner: this session goes, the others go on."""
        self.counts.faults += 1
        log.exception("smpp.fault", peer=self.peer)
        self._close("a fault on our side")

    # Writing.

    def _count_answers(self, count: int) -> None:
        if count > self._unanswered_requests:
            raise ValueError(f"{count} answers, but {self._unanswered_requests} requests wait for one")
        self._unanswered_requests -= count

    def _numbered(self, items: Sequence[tuple[Token, Body]]) -> list[Numbered]:
        numbers = self._window.allot(len(items))
        return [(number, token, encode(body, number)) for number, (token, body) in zip(numbers, items, strict=True)]

    def _request(self, items: Sequence[Numbered]) -> None:
        if self._closing:
            raise SessionClosed(self.close_reason)
        if len(items) > self._window.room:
            raise WindowFull(f"{len(items)} requests, the window has room for {self._window.room}")
        numbers = [number for number, _, _ in items]
        self._active_at = self._loop.time()
        self._window.open(numbers, [token for _, token, _ in items], now=self._active_at)
        self._write(b"".join([frame for _, _, frame in items]), numbers)

    async def _call(self, body: Body, timeout_s: float) -> Body:
        """One request and its answer, for what is rare.

        TimeoutError, CommandRefused, SessionClosed, WindowFull, or PduError where the answer cannot be read.
        """
        if self._closing:
            raise SessionClosed(self.close_reason)
        if len(self._calls) >= MOST_CALLS:
            raise WindowFull(f"{MOST_CALLS} calls wait for their answers")
        number = self._window.allot(1)[0]
        frame = encode(body, number)
        call: asyncio.Future[Body] = self._loop.create_future()
        self._calls[number] = command_of(body) | RESPONSE, call
        self._write(frame)
        try:
            async with asyncio.timeout(timeout_s):
                return await call
        except TimeoutError:
            raise TimeoutError(f"no answer to {command_of(body).name.lower()} in {timeout_s} s") from None
        finally:
            del self._calls[number]

    def _write(self, octets: bytes, numbers: Sequence[int] = ()) -> None:
        self._outgoing.add(octets, numbers)
        if not self._in_batch:
            self._flush()

    def _flush(self) -> None:
        self._outgoing.flush(self._transport)
        if self._closing or self._transport.is_closing():
            return
        # Read no more while the peer reads nothing, or while the owner is behind with its answers.
        full = self._outgoing.octets > MOST_OUTGOING_OCTETS
        behind = full or self._unanswered_requests > self.limits.most_requests or self._holds
        if behind == self._transport.is_reading():
            (self._transport.pause_reading if behind else self._transport.resume_reading)()

    def _close(self, reason: str) -> None:
        """Write what can be written, then close; cut the connection where the peer lets that wait."""
        if self._closing:
            return
        self._closing = True
        self.state = State.UNBOUND
        self.close_reason = reason
        self._outgoing.flush(self._transport)
        self._transport.close()
        self._timer.cancel()
        self._timer = self._loop.call_later(CLOSE_GRACE_S, self._transport.abort)

    # Time.

    def _on_tick(self) -> None:
        try:
            self._check_times(self._loop.time())
        except Exception:  # noqa: BLE001 - the loop's top
            self._on_fault()
        if not self._closing:
            self._timer = self._loop.call_later(self._tick_s, self._on_tick)

    def _check_times(self, now: float) -> None:
        limits, paused_at = self.limits, self._outgoing.paused_at
        if paused_at is not None and now - paused_at > limits.response_timeout_s:
            self.abort("the peer reads nothing")
            return
        if expired := self._window.expire(now=now):
            self._room_changed.set()
            self._expired(expired)
        if limits.inactivity_s is not None and now - self._active_at > limits.inactivity_s and self.state.bound:
            self._ending = self._loop.create_task(self.unbind())
        self._keep_alive(now)

    def _keep_alive(self, now: float) -> None:
        if not self._transport.is_reading():  # it is we who do not listen
            self._heard_at = now
        if self._enquired_at is not None and self._heard_at >= self._enquired_at:
            self._enquired_at = None
        if self._enquired_at is not None:
            if now - self._enquired_at > self.limits.response_timeout_s:
                self.abort("no answer to enquire_link")
        elif (
            self.limits.enquire_link_s is not None
            and now - self._heard_at >= self.limits.enquire_link_s
            and self.state.bound
        ):
            self._enquired_at = now
            self._write(encode(EnquireLink(), self._window.allot(1)[0]))
