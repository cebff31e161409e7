"""A connection of an ESME at the simulator that can go bad: read slowly, hang, or end in several ways."""

import asyncio
import socket
import struct
from collections import deque

from sampan.smpp.server import Server, ServerSession
from sampan.smpp.simulator.faults.kinds import Ending, HalfOpen, Reset, Unbind

LETS_THROUGH_EVERY_S = 0.05
SMALL_BUFFER_OCTETS = 4096  # of the kernel, so that a slow reader is felt soon
NO_LINGER = struct.pack("ii", 1, 0)  # closing resets


class Line(ServerSession):
    """One session, with the faults of its own."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.number = 0  # from its bind on
        self.withholds = False  # answers, for it is about to end
        self._gone = False
        self._leaves_by: Ending | None = None
        self._to_withhold = 0
        self._hangs = False
        self._trickle: Trickle | None = None

    @property
    def room(self) -> int:
        """How many more deliveries can be written."""
        return 0 if self._hangs else super().room

    @property
    def is_gone(self) -> bool:
        """Whether it has ended, is ending or hangs: what comes now is never read."""
        return self._gone or self._closing

    @property
    def condition(self) -> str:
        """What is wrong with it, for whoever looks."""
        if self._hangs:
            return "half-open"
        if self.withholds:
            return "about to end"
        return "reads slowly" if self._trickle is not None else ""

    def leave(self, ending: Ending) -> None:
        """Withhold so many answers as the ending says, then end so; soon in any case."""
        if self.withholds or self.is_gone:
            return
        self.withholds, self._leaves_by, self._to_withhold = True, ending, ending.unanswered
        if self._to_withhold:
            self._patience = self._loop.call_later(ending.within_s, self._go)
        else:
            self._go()

    def withhold(self) -> None:
        """One request will not be answered; after the last of them it ends."""
        self.forget()
        self._to_withhold -= 1
        if self._to_withhold == 0:
            self._patience.cancel()
            self._go()

    def forget(self) -> None:
        """One request will never be answered, and no longer counts as waiting."""
        self._count_answers(1)

    def write_octets(self, octets: bytes) -> None:
        """Write what need not be a PDU."""
        if not self._closing:
            self._write(octets)

    def read_slowly(self, octets_per_s: int) -> None:
        """Read no more than that, until it may read freely."""
        if self._trickle is None and not self._closing:
            self._set_option(socket.SO_RCVBUF, SMALL_BUFFER_OCTETS)
            self._trickle = Trickle(self, self._transport, octets_per_s)

    def read_freely(self) -> None:
        """As fast as it can."""
        if self._trickle is not None:
            self._trickle.end()
            self._trickle = None

    def hang(self, for_s: float) -> None:
        """Neither read nor write any more, and stay; after that time it is cut."""
        self._gone = self._hangs = True
        self._outgoing.paused_at = self._loop.time()  # as if the peer took nothing
        self.hold_reading(True)
        self._timer.cancel()
        self._timer = self._loop.call_later(for_s, self.cut, "half-open for long enough")

    def cut(self, reason: str, *, reset: bool = False) -> None:
        """End at once and without a word: what is not written yet never will be."""
        self._gone = True
        deque(self._outgoing.drain(), maxlen=0)
        if reset:
            self._set_option(socket.SO_LINGER, NO_LINGER)
        self.abort(reason)

    def finish(self, reason: str) -> None:
        """Write what waits, and end without a word."""
        self._flush()
        self.cut(reason)

    def recover(self) -> None:
        """As if there had been no fault; a session that hangs is gone for the SMSC."""
        self.read_freely()
        if self.withholds and not self.is_gone:
            self._patience.cancel()
            self.withholds = False
        if self._hangs:
            self.cut("half-open until now")

    def resume_writing(self) -> None:
        """The ESME reads again."""
        if not self._hangs:
            super().resume_writing()

    def _go(self) -> None:
        if self._closing:
            return
        self._flush()  # what was answered before is out
        self._gone = True
        match self._leaves_by:
            case Unbind():
                self._unbinding = self._loop.create_task(self.unbind())
            case HalfOpen(hold_s=hold_s):
                self.hang(hold_s)
            case ending:
                self.cut("ended by a fault", reset=isinstance(ending, Reset))

    def _set_option(self, option: int, value: int | bytes) -> None:
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, option, value)


class Trickle(asyncio.Protocol):
    """Stands between a transport and its line, and lets so many octets a second through."""

    def __init__(self, line: Line, transport: asyncio.Transport, octets_per_s: int) -> None:
        self._line, self._transport = line, transport
        self._every_s = max(LETS_THROUGH_EVERY_S, 1 / octets_per_s)
        self._octets_each_time = int(octets_per_s * self._every_s)
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None
        transport.set_protocol(self)

    def end(self) -> None:
        """Let everything through, from now on by the straight way."""
        if self._timer is not None:
            self._timer.cancel()
        self._transport.set_protocol(self._line)
        if self._held:
            self._line.data_received(self._held)
        self._line.hold_reading(False)

    def data_received(self, data: bytes) -> None:
        """More than may pass at once, perhaps."""
        self._held += data
        self._line.hold_reading(True)
        self._wait()

    def pause_writing(self) -> None:
        """The peer does not read."""
        self._line.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._line.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, and what is held was never read."""
        if self._timer is not None:
            self._timer.cancel()
        self._line.connection_lost(exc)

    def _wait(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._every_s, self._let_through)

    def _let_through(self) -> None:
        self._timer = None
        now, self._held = self._held[: self._octets_each_time], self._held[self._octets_each_time :]
        self._line.data_received(now)
        if self._held:
            self._wait()
        elif not self._line.is_gone:
            self._line.hold_reading(False)
