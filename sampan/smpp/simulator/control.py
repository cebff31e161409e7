"""The simulator's control: HTTP and JSON on a port of its own, for tests and for people who try things out.

GET /stats · GET /messages?since=N&limit=M · GET /duplicates?limit=M · GET /unanswered?limit=M · GET /sessions
GET /behaviours · PUT /behaviour · GET, PUT, DELETE /faults · POST /replies · POST /restart · POST /reset
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import parse_qs

import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from sampan.smpp.addresses import international
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DeliverSm, MessageState, ShortMessage, Ton, decode
from sampan.smpp.simulator.behaviours import behaviour_with
from sampan.smpp.simulator.faults import read_faults
from sampan.smpp.simulator.outbox import Account
from sampan.smpp.simulator.record import Entry
from sampan.smpp.simulator.smsc import IsDown, Simulator
from sampan.smpp.simulator.texts import decode_text, encode_reply

MOST_BODY_OCTETS = 1024 * 1024
MOST_MESSAGES = 10_000  # of one answer
USUAL_MESSAGES = 1000
LONGEST_DOWN_S = 3600
LISTENING_TRIES = 200
TRY_EVERY_S = 0.01
NUMBER = "^[0-9]{1,15}$"
NO_FAULTS = b'{"faults": []}'


class ControlError(Exception):
    """A request that cannot be served: the HTTP status, and what is wrong in words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status, words)
        self.status = status
        self.words = words


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """The body of PUT /behaviour. Without a behaviour, the rule for these numbers is taken back."""

    numbers: str
    behaviour: str | None = None
    changes: dict[str, Any] = msgspec.field(default_factory=dict, name="with")


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /replies: a handset's message to a number or name of ours."""

    sender: Annotated[str, msgspec.Meta(pattern=NUMBER)] = msgspec.field(name="from")
    to: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    text: str
    system_id: str | None = None  # whose the number is; need not be said where only one account has bound
    backwards: bool = False  # the last part first


class Restart(msgspec.Struct, forbid_unknown_fields=True):
    """The body of POST /restart. Without `keep_receipts`, what was on its way to us is forgotten."""

    down_s: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_DOWN_S)]
    keep_receipts: bool = True


class Control:
    """An ASGI application over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._references = 0
        self._routes: dict[tuple[str, str], Callable[[Mapping[str, str], bytes], object]] = {
            ("GET", "/stats"): lambda _, __: self.stats(),
            ("GET", "/messages"): lambda query, _: self.messages(query),
            ("GET", "/duplicates"): lambda query, _: self.duplicates(query),
            ("GET", "/unanswered"): lambda query, _: self.unanswered(query),
            ("GET", "/sessions"): lambda _, __: self.sessions(),
            ("GET", "/behaviours"): lambda _, __: dict(self._simulator.rules.as_list()),
            ("PUT", "/behaviour"): lambda _, body: self.set_behaviour(_read(body, Rule)),
            ("GET", "/faults"): lambda _, __: self.faults(),
            ("PUT", "/faults"): lambda _, body: self.set_faults(body),
            ("DELETE", "/faults"): lambda _, __: self.set_faults(NO_FAULTS),
            ("POST", "/restart"): lambda _, body: self.restart(_read(body, Restart)),
            ("POST", "/replies"): lambda _, body: self.reply(_read(body, Reply)),
            ("POST", "/reset"): lambda _, __: self._simulator.reset(),
        }

    def stats(self) -> dict[str, int]:
        """Figures since the start or the last reset; those of what is to come are of now."""
        simulator = self._simulator
        outboxes = [account.outbox for account in simulator.accounts.values()]
        return asdict(simulator.journal.stats) | {
            "sessions": simulator.sessions,
            "waiting": sum(outbox.waiting for outbox in outboxes),
            "in_flight": sum(outbox.in_flight for outbox in outboxes),
            "to_come": simulator.to_come,
            "lost": sum(outbox.lost for outbox in outboxes),
            "unanswered": simulator.journal.unanswered,
            "last": simulator.journal.record.last,
            "down": int(simulator.is_down),
        }

    def messages(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The submits after `since`, oldest first, at most `limit`."""
        since = _figure(query, "since", 0, usual=0)
        return self._messages(self._simulator.journal.record.since(since, _limit(query)))

    def duplicates(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """What was taken more than once: the first submit of each, `times`, and the numbers (`n`) of all."""
        found = self._simulator.journal.find_repeated(_limit(query))
        firsts = self._messages([repeated.entries[0] for repeated in found])
        return [
            {
                "destination": first["destination"]["address"],
                "text": first["text"],
                "part": first["part"],
                "times": repeated.times,
                "n": [entry.number for entry in repeated.entries],
            }
            for first, repeated in zip(firsts, found, strict=True)
        ]

    def unanswered(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """What was taken and whose answer was not written, or not yet; oldest first, at most `limit`."""
        return self._messages(self._simulator.journal.find_unanswered(_limit(query)))

    def sessions(self) -> list[dict[str, Any]]:
        """Who is bound."""
        return [
            {
                "session": line.number,
                "system_id": line.system_id,
                "state": line.state.words,
                "peer": line.peer,
                "condition": line.condition,
            }
            for line in self._simulator.lines
        ]

    def faults(self) -> dict[str, Any]:
        """The seed, and each fault as it was set; how often it could have happened, did, and whether it is over."""
        faults = self._simulator.faults
        return {"seed": faults.seed, "faults": faults.as_list(now=asyncio.get_running_loop().time())}

    def set_faults(self, body: bytes) -> dict[str, Any]:
        """These faults and no others."""
        try:
            chosen = read_faults(body)
        except ValueError as error:
            raise ControlError(400, str(error)) from None
        self._simulator.set_faults(chosen.faults, chosen.seed)
        return self.faults()

    def restart(self, restart: Restart) -> dict[str, Any]:
        """Down, and up again."""
        try:
            ended = self._simulator.restart(restart.down_s, keep_receipts=restart.keep_receipts)
        except IsDown:
            raise ControlError(409, "it is down from the last restart; GET /stats says when it is up") from None
        return {"sessions": ended, "down_s": restart.down_s}

    def set_behaviour(self, rule: Rule) -> dict[str, Any]:
        """Give numbers another behaviour, or take that back."""
        try:
            behaviour = behaviour_with(rule.behaviour, rule.changes) if rule.behaviour is not None else None
            self._simulator.rules.set(rule.numbers, behaviour)
        except ValueError as error:
            raise ControlError(400, str(error)) from None
        return {"numbers": rule.numbers, "behaviour": behaviour}

    def reply(self, reply: Reply) -> dict[str, Any]:
        """A handset's message to us, in as many parts as it needs."""
        account = self._account(reply.system_id)
        self._references = self._references % 0xFF + 1
        try:
            pieces = list(encode_reply(reply.text, self._references))
        except ValueError as error:
            raise ControlError(400, str(error)) from None
        sender = international(reply.sender)
        to = international(reply.to) if reply.to.isdecimal() else None
        parts = [
            DeliverSm(
                source_addr_ton=sender.ton,
                source_addr_npi=sender.npi,
                source_addr=sender.digits,
                dest_addr_ton=to.ton if to else Ton.ALPHANUMERIC,
                dest_addr_npi=to.npi if to else 0,
                destination_addr=reply.to,
                esm_class=esm_class,
                data_coding=coding,
                short_message=octets,
            )
            for esm_class, coding, octets in pieces
        ]
        self._simulator.reply(account, parts[::-1] if reply.backwards else parts)
        return {"system_id": account.system_id, "parts": len(parts)}

    def _account(self, system_id: str | None) -> Account:
        accounts = self._simulator.accounts
        if system_id is None and len(accounts) == 1:
            return next(iter(accounts.values()))
        if system_id is None:
            words = f"say whose the number is by system_id; {len(accounts)} accounts have bound"
            raise ControlError(400, words)
        if system_id not in accounts:
            raise ControlError(404, f"nobody has bound as {system_id!r}")
        return accounts[system_id]

    def _messages(self, entries: Sequence[Entry]) -> list[dict[str, Any]]:
        names = {account.index: account.system_id for account in self._simulator.accounts.values()}
        return [self._message(entry, names.get(entry.account, "")) for entry in entries]

    def _message(self, entry: Entry, system_id: str) -> dict[str, Any]:
        body = decode(entry.octets).body
        assert isinstance(body, ShortMessage)
        content = content_of(body)
        return {
            "n": entry.number,
            "time": entry.time,
            "system_id": system_id,
            "source": {"ton": body.source_addr_ton, "npi": body.source_addr_npi, "address": body.source_addr},
            "destination": {"ton": body.dest_addr_ton, "npi": body.dest_addr_npi, "address": body.destination_addr},
            "text": decode_text(content.octets, body.data_coding),
            "data_coding": body.data_coding,
            "octets": content.octets.hex(),
            "esm_class": body.esm_class,
            "udh": [{"identifier": identifier, "octets": value.hex()} for identifier, value in content.elements],
            "part": content.concatenation._asdict() if content.concatenation else None,
            "service_type": body.service_type,
            "protocol_id": body.protocol_id,
            "priority_flag": body.priority_flag,
            "schedule_delivery_time": body.schedule_delivery_time,
            "validity_period": body.validity_period,
            "registered_delivery": body.registered_delivery,
            "tlvs": [{"tag": tag, "octets": value.hex()} for tag, value in body.tlvs],
            "behaviour": self._simulator.journal.behaviour_name(entry.behaviour),
            "command_status": entry.command_status,
            "message_id": "" if entry.command_status else str(entry.message_id),
            "state": MessageState(entry.state).name if entry.state else "",
            "answered": None if entry.command_status else self._simulator.journal.is_answered(entry.number),
        }

    async def __call__(
        self,
        scope: Mapping[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        """One HTTP request."""
        try:
            body = await _body(receive)
            status, answer = 200, self._answer(scope["method"], scope["path"], scope["query_string"], body)
        except ControlError as error:
            status, answer = error.status, {"error": error.words}
        octets = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(octets)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": octets})

    def _answer(self, method: str, path: str, query_string: bytes, body: bytes) -> object:
        route = self._routes.get((method, path))
        if route is None:
            allowed = [allowed for allowed, of in self._routes if of == path]
            if allowed:
                raise ControlError(405, f"{path} takes {' or '.join(allowed)}, not {method}")
            known = ", ".join(f"{method} {path}" for method, path in self._routes)
            raise ControlError(404, f"there is no {path}; there are {known}")
        query = {name: values[-1] for name, values in parse_qs(query_string.decode("latin-1")).items()}
        return route(query, body)


class ControlServer:
    """The control on its port, in the loop of the simulator."""

    def __init__(self, simulator: Simulator, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._server = Server(
            Control(simulator),
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            websockets=False,
            log_enabled=False,
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve. OSError where the port is taken."""
        # granian shares a port with whoever else shares it (SO_REUSEPORT), and would not say so.
        with socket.create_server((self._host, self._port), reuse_port=False):
            pass
        self._serving = asyncio.create_task(self._server.serve())
        for _ in range(LISTENING_TRIES):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(self._host, self._port)
                writer.close()
                return
            await asyncio.sleep(TRY_EVERY_S)
        raise OSError(f"the control does not come up on {self._host}:{self._port}")

    async def stop(self) -> None:
        """Serve no more."""
        if self._serving is not None:
            self._server.stop()  # type: ignore[no-untyped-call]
            await self._serving


async def _body(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> bytes:
    octets, more = b"", True
    while more:
        message = await receive()
        octets += message.get("body", b"")
        more = message.get("more_body", False)
        if len(octets) > MOST_BODY_OCTETS:
            raise ControlError(413, f"the body has more than {MOST_BODY_OCTETS} octets")
    return octets


def _read(body: bytes, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ControlError(400, f"the body cannot be read: {error}") from None


def _limit(query: Mapping[str, str]) -> int:
    return min(_figure(query, "limit", 1, usual=USUAL_MESSAGES), MOST_MESSAGES)


def _figure(query: Mapping[str, str], name: str, least: int, *, usual: int) -> int:
    figures = query.get(name, str(usual))
    if not (figures.isascii() and figures.isdigit() and len(figures) <= 18 and int(figures) >= least):
        raise ControlError(400, f"{name} is {figures!r}, it must be a whole number from {least} on")
    return int(figures)
