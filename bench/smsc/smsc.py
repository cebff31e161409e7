"""A small, fast SMSC: `python -m bench.smsc.smsc --port 2775`. Whoever comes may bind.

It answers submit_sm at once with a message_id of its own, and with `--dlr-delay` sends a DELIVRD for each that asked:
on the same session if that can receive, else on another of the same system_id, else when one binds.

SIGUSR1 prints the figures as a line of JSON, SIGUSR2 resets them; they are printed at the end (SIGTERM, SIGINT), too.
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import deque
from typing import NamedTuple, cast

import uvloop

from bench.smsc import wire
from bench.smsc.figures import Figures

LISTEN_BACKLOG = 512
LOOK_FOR_RECEIPTS_EVERY_S = 0.005
MOST_RECEIPTS_A_WRITE = 500
CLOSE_AFTER_UNBIND_S = 0.1
BURST_S = 0.1  # of its rate a session may use at once
MILLISECONDS = 1_000_000  # ns


class Settings(argparse.Namespace):
    """The command line."""

    port: int
    dlr_delay: float
    resp_delay: float
    rate: float
    track: bool
    ids: str
    dlr_ids: str
    dlr_form: str


class Due(NamedTuple):
    """A receipt, when it goes out, and where it goes."""

    at: float
    session: "Session"
    system_id: bytes
    body: bytes


class Smsc:
    """What all sessions share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.figures = Figures(settings.track)
        self.sessions: set[Session] = set()
        self.due: deque[Due] = deque()
        self._last_id = time.time_ns() // MILLISECONDS  # ids stay unique across restarts

    def next_ids(self) -> tuple[bytes, bytes]:
        """A message_id as the answer has it, and as its receipt has it."""
        self._last_id += 1
        forms = {"hex": b"%x" % self._last_id, "decimal": b"%d" % self._last_id}
        return forms[self.settings.ids], forms[self.settings.dlr_ids or self.settings.ids]

    def receiver_for(self, due: Due) -> "Session | None":
        """Where a receipt can go now."""
        for session in (due.session, *self.sessions):
            if session.mode in wire.MAY_RECEIVE and session.system_id == due.system_id and session in self.sessions:
                return session
        return None

    async def send_receipts(self) -> None:
        """What is due, in batches; where no receiver is bound it waits."""
        while True:
            await asyncio.sleep(LOOK_FOR_RECEIPTS_EVERY_S)
            now, batches = time.time(), dict[Session, list[bytes]]()
            while self.due and self.due[0].at <= now:
                session = self.receiver_for(self.due[0])
                if session is None or session.paused or len(batches.get(session, ())) >= MOST_RECEIPTS_A_WRITE:
                    break
                frame = wire.pdu(wire.DELIVER_SM, session.next_number(), self.due.popleft().body)
                batches.setdefault(session, []).append(frame)
            for session, frames in batches.items():
                session.send(b"".join(frames))
                self.figures.receipts += len(frames)
                self.figures.first_receipt = self.figures.first_receipt or time.time()

    def report(self) -> None:
        """Print the figures."""
        print(json.dumps(self.figures.as_dict(len(self.sessions))), flush=True)


class Session(asyncio.Protocol):
    """A connection."""

    def __init__(self, smsc: Smsc) -> None:
        self.mode = 0  # the command_id it was bound by
        self.system_id = b""
        self.paused = False
        self._smsc = smsc
        self._settings = smsc.settings
        self._rest = b""
        self._last_number = 0
        self._most_tokens = smsc.settings.rate * BURST_S + 1
        self._tokens, self._tokens_at = self._most_tokens, time.monotonic()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An ESME connected."""
        self._transport = cast(asyncio.Transport, transport)
        self._smsc.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """It is gone."""
        self._smsc.sessions.discard(self)

    def pause_writing(self) -> None:
        """It reads too slowly for receipts."""
        self.paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self.paused = False

    def next_number(self) -> int:
        """A sequence number of ours."""
        self._last_number = self._last_number % wire.MOST_SEQUENCE_NUMBER + 1
        return self._last_number

    def send(self, octets: bytes) -> None:
        """Write, where it is still there."""
        if not self._transport.is_closing():
            self._transport.write(octets)

    def data_received(self, data: bytes) -> None:
        """Answer all that one read brought by one write."""
        stream, end, out = self._rest + data, 0, list[bytes]()
        try:
            for command_id, status, number, octets, end in wire.split(stream):  # noqa: B007 - where the last one ends
                try:
                    self._handle(command_id, status, number, octets, out)
                except (ValueError, IndexError):
                    self._smsc.figures.bad += 1
                    out.append(wire.pdu(wire.GENERIC_NACK, number, status=wire.ESME_RINVCMDLEN))
        except wire.BrokenStream:
            self._smsc.figures.bad += 1
            self._transport.abort()
            return
        self._rest = stream[end:]
        if out and self._settings.resp_delay > 0:
            asyncio.get_running_loop().call_later(self._settings.resp_delay, self.send, b"".join(out))
        elif out:
            self.send(b"".join(out))

    def _handle(self, command_id: int, status: int, number: int, octets: bytes, out: list[bytes]) -> None:
        figures = self._smsc.figures
        if command_id == wire.SUBMIT_SM:
            out.append(self._on_submit(number, octets))
        elif command_id == wire.DELIVER_SM | wire.RESPONSE:
            figures.receipts_failed += status != 0
            figures.receipts_acked += status == 0
            figures.last_acked = time.time()
        elif command_id == wire.ENQUIRE_LINK:
            out.append(wire.pdu(wire.ENQUIRE_LINK | wire.RESPONSE, number))
        elif command_id in wire.BINDS:
            self.system_id, self.mode = wire.text_at(octets, wire.HEADER_OCTETS)[0], command_id
            figures.binds += 1
            out.append(wire.pdu(command_id | wire.RESPONSE, number, b"bench-smsc\0"))
        elif command_id == wire.UNBIND:
            out.append(wire.pdu(wire.UNBIND | wire.RESPONSE, number))
            asyncio.get_running_loop().call_later(CLOSE_AFTER_UNBIND_S, self._transport.close)
        elif not command_id & wire.RESPONSE:
            figures.other += 1
            out.append(wire.pdu(wire.GENERIC_NACK, number, status=wire.ESME_RINVCMDID))

    def _on_submit(self, number: int, octets: bytes) -> bytes:
        smsc, settings = self._smsc, self._settings
        if self.mode not in wire.MAY_SUBMIT:
            return wire.pdu(wire.SUBMIT_SM | wire.RESPONSE, number, status=wire.ESME_RINVBNDSTS)
        if settings.rate and not self._take_token():
            smsc.figures.throttled += 1
            return wire.pdu(wire.SUBMIT_SM | wire.RESPONSE, number, status=wire.ESME_RTHROTTLED)
        now, (message_id, id_in_receipt) = time.time(), smsc.next_ids()
        smsc.figures.submitted(now)
        if settings.track or settings.dlr_delay >= 0:
            submit = wire.read_submit(octets)
            if settings.track:
                smsc.figures.saw(submit.destination, submit.text)
            if submit.registered_delivery & 1 and settings.dlr_delay >= 0:
                body = wire.write_receipt(
                    id_in_receipt, submit, text=settings.dlr_form != "tlvs", tlvs=settings.dlr_form != "text"
                )
                smsc.due.append(Due(now + settings.dlr_delay, self, self.system_id, body))
        return wire.pdu(wire.SUBMIT_SM | wire.RESPONSE, number, message_id + b"\0")

    def _take_token(self) -> bool:
        now = time.monotonic()
        earned = (now - self._tokens_at) * self._settings.rate
        self._tokens, self._tokens_at = min(self._most_tokens, self._tokens + earned), now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def arguments() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="An SMSC to measure with.")
    parser.add_argument("--port", type=int, default=2775, help="0: any that is free; it is printed")
    parser.add_argument("--dlr-delay", type=float, default=-1, metavar="S", help="until the receipt; -1: none")
    parser.add_argument("--resp-delay", type=float, default=0, metavar="S", help="until the answer to a submit_sm")
    parser.add_argument("--rate", type=float, default=0, metavar="N", help="submits a second a session, then throttle")
    parser.add_argument("--track", action="store_true", help="tell duplicates: same number and text")
    parser.add_argument("--ids", choices=("hex", "decimal"), default="hex", help="of answers")
    parser.add_argument("--dlr-ids", choices=("hex", "decimal"), default="", help="of receipts (default: the same)")
    parser.add_argument("--dlr-form", choices=("both", "text", "tlvs"), default="both", help="of receipts")
    return parser.parse_args(namespace=Settings())


async def serve(settings: Settings) -> None:
    """An SMSC until SIGTERM or SIGINT."""
    loop, stop, smsc = asyncio.get_running_loop(), asyncio.Event(), Smsc(settings)
    loop.add_signal_handler(signal.SIGUSR1, smsc.report)
    loop.add_signal_handler(signal.SIGUSR2, smsc.figures.reset)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Session(smsc), "127.0.0.1", settings.port, backlog=LISTEN_BACKLOG)
    port = server.sockets[0].getsockname()[1]
    print(f"SMSC on 127.0.0.1:{port}", file=sys.stderr, flush=True)
    sending = asyncio.create_task(smsc.send_receipts())
    await stop.wait()
    sending.cancel()
    server.close()
    smsc.report()


if __name__ == "__main__":
    uvloop.run(serve(arguments()))
