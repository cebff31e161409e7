"""Submits as fast as a window allows: `python -m bench.smsc.submitter`. Measures an SMSC, or an SMPP door, by itself.

Each of its transceivers keeps as many submits without an answer as the window has. When all are answered (and, with
`--dlr`, all receipts are here) it prints one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import time
from typing import Any, cast

import uvloop

from bench.smsc import wire

FIRST_NUMBER = 85261000000
STEPS = 0.5, 0.99


class Settings(argparse.Namespace):
    """The command line."""

    port: int
    user: bytes
    password: bytes
    conns: int
    window: int
    count: int
    timeout: float
    dlr: bool
    text: bytes


class Esme(asyncio.Protocol):
    """One transceiver. `done` is set when it has got through its share."""

    def __init__(self, settings: Settings, count: int, done: asyncio.Future[None]) -> None:
        self.taken = self.refused = self.receipts = 0
        self.latencies_s: list[float] = []
        self.done = done
        self._settings = settings
        self._count = count
        self._rest = b""
        self._sent = 0
        self._last_number = 1
        self._sent_at: dict[int, float] = {}
        tail = b"\0\0\0\0\0\0%c\0\0\0%c%b" % (settings.dlr, len(settings.text), settings.text)
        self._before, self._after = b"\0\1\1SAMPAN\0\1\1", tail

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bind."""
        self._transport = cast(asyncio.Transport, transport)
        body = b"%b\0%b\0\0%c\0\0\0" % (self._settings.user, self._settings.password, wire.VERSION)
        self._transport.write(wire.pdu(wire.BIND_TRANSCEIVER, 1, body))

    def connection_lost(self, exc: Exception | None) -> None:
        """Too early, if not done."""
        self._fail(exc or ConnectionError("closed by the peer"))

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Count answers, send as many anew, acknowledge receipts."""
        stream, end, out, answered = self._rest + data, 0, list[bytes](), 0
        for command_id, status, number, _, end in wire.split(stream):  # noqa: B007 - where the last one ends
            if command_id == wire.SUBMIT_SM | wire.RESPONSE:
                answered += 1
                self.latencies_s.append(time.perf_counter() - self._sent_at.pop(number))
                self.taken += status == 0
                self.refused += status != 0
            elif command_id == wire.BIND_TRANSCEIVER | wire.RESPONSE and status:
                self._fail(ConnectionError(f"the bind was refused with command_status {status:#x}"))
            elif command_id == wire.BIND_TRANSCEIVER | wire.RESPONSE:
                answered = self._settings.window
            elif command_id == wire.DELIVER_SM:
                self.receipts += 1
                out.append(wire.pdu(wire.DELIVER_SM | wire.RESPONSE, number, b"\0"))
            elif command_id == wire.ENQUIRE_LINK:
                out.append(wire.pdu(wire.ENQUIRE_LINK | wire.RESPONSE, number))
        self._rest = stream[end:]
        self._transport.write(b"".join([*out, *self._submits(answered)]))
        waits_for_receipts = self._settings.dlr and self.receipts < self.taken
        if self.taken + self.refused >= self._count and not waits_for_receipts and not self.done.done():
            self.done.set_result(None)

    def _submits(self, room: int) -> list[bytes]:
        frames: list[bytes] = []
        now = time.perf_counter()
        for _ in range(min(room, self._count - self._sent)):
            self._sent += 1
            self._last_number += 1
            self._sent_at[self._last_number] = now
            body = b"%b%d%b" % (self._before, FIRST_NUMBER + self._sent, self._after)
            frames.append(wire.pdu(wire.SUBMIT_SM, self._last_number, body))
        return frames

    def _fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def figures(esmes: list[Esme], took_s: float) -> dict[str, Any]:
    """What all transceivers saw together."""
    latencies_s = sorted(latency for esme in esmes for latency in esme.latencies_s)
    half_ms, nearly_all_ms = (round(latencies_s[int(len(latencies_s) * step)] * 1000, 2) for step in STEPS)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "ok": sum(esme.taken for esme in esmes),
        "err": sum(esme.refused for esme in esmes),
        "seconds": round(took_s, 3),
        "submits_per_s": round(len(latencies_s) / took_s),
        "receipts": sum(esme.receipts for esme in esmes),
        "p50_ms": half_ms,
        "p99_ms": nearly_all_ms,
        "client_cpu_s": round(used.ru_utime + used.ru_stime, 2),
    }


def arguments() -> Settings:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Submit as fast as a window allows.")
    parser.add_argument("--port", type=int, default=2775)
    parser.add_argument("--user", type=str.encode, default=b"bench")
    parser.add_argument("--password", type=str.encode, default=b"secret")
    parser.add_argument("--conns", type=int, default=1, metavar="N", help="transceivers")
    parser.add_argument("--window", type=int, default=100, metavar="N", help="submits of each without an answer")
    parser.add_argument("--count", type=int, default=100_000, metavar="N", help="submits of all together")
    parser.add_argument("--timeout", type=float, default=300, metavar="S")
    parser.add_argument("--dlr", action="store_true", help="ask for receipts, and wait for them")
    parser.add_argument("--text", type=str.encode, default=b"Your code is 123456. It is valid for 5 minutes.")
    return parser.parse_args(namespace=Settings())


async def submit(settings: Settings) -> None:
    """Bind, submit, print."""
    loop, esmes = asyncio.get_running_loop(), list[Esme]()
    began_s = time.perf_counter()
    for _ in range(settings.conns):
        esme = Esme(settings, settings.count // settings.conns, loop.create_future())
        await loop.create_connection(lambda esme=esme: esme, "127.0.0.1", settings.port)  # type: ignore[misc]
        esmes.append(esme)
    async with asyncio.timeout(settings.timeout):
        await asyncio.gather(*(esme.done for esme in esmes))
    print(json.dumps(figures(esmes, time.perf_counter() - began_s)))
    for esme in esmes:
        esme.close()


if __name__ == "__main__":
    uvloop.run(submit(arguments()))
