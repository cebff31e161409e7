"""The HTTP API that existing clients are written against: plain text, four addresses (spec S120, docs/api/http.md).

Always HTTP 200 with `KEY:value` or `ERROR:n`. The parameters are checked in the contract's order before anybody is
looked up, so that a client's mistake is told from a wrong password.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from math import ceil
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfo

import structlog

from sampan.accounts.access import Caller, authenticate, remembered
from sampan.accounts.allow_lists import admit
from sampan.accounts.blocking import blocks, note_failure
from sampan.billing import ledger
from sampan.billing.money import in_cents
from sampan.billing.tables import Account
from sampan.composing.alphabet import Coding, is_gsm
from sampan.database import Connection, DatabaseThreads
from sampan.interfaces.asgi import BodyTooLarge, Disconnected, Receive, Scope, Send, answer, read_body
from sampan.interfaces.at_once import MOST_OF_ACCOUNT, AtOnce
from sampan.messages.intake import Intake
from sampan.messages.lookup import queue_length, shown_status
from sampan.messages.planning import Draft
from sampan.messages.submit import Accepted
from sampan.messages.tables import Purpose, Source
from sampan.reasons import Reason, Refused
from sampan.routing.directory import ECONOMIC_ROUTE

MOST_BODY_OCTETS = 64 * 1024
MOST_RECIPIENTS = 20
LONGEST_CREDENTIAL = 20
LONGEST_SENDER = 16
LONGEST_REFERENCE = 100
ANSWER_WITHIN_S = 30.0
ECONOMIC_SENDER = "RANDOMID"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
PURPOSES = {
    "transactional": Purpose.TRANSACTIONAL,
    "promotional": Purpose.PROMOTIONAL,
    "1": Purpose.TRANSACTIONAL,
    "2": Purpose.PROMOTIONAL,
}

PLAIN_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
RETRY_SOON = [*PLAIN_TEXT, (b"retry-after", b"1")]
DOOR = "HTTP"  # as staff see it among the blocked addresses

# What each refusal is called here (docs/api/http.md); every Reason a draft can meet has its number.
CODES = {
    Reason.UNEXPECTED: 1,
    Reason.BAD_CREDENTIALS: 2,
    Reason.ACCOUNT_DISABLED: 3,
    Reason.TOO_FAR_AHEAD: 5,
    Reason.NO_TEXT: 6,
    Reason.TOO_LONG: 6,
    Reason.NO_FOOTER: 6,
    Reason.SENDER_NOT_YOURS: 8,
    Reason.SENDER_NOT_POSSIBLE: 8,
    Reason.NO_ROUTE: 8,  # RANDOMID, and no economic route
    Reason.UNKNOWN_MESSAGE: 9,
    Reason.BALANCE_TOO_LOW: 16,
    Reason.NOT_A_MOBILE: 17,
    Reason.ILLEGAL_WORD: 18,
    Reason.REFERENCE_REUSED: 240,
    Reason.NOT_IN_ALPHABET: 241,
    Reason.BAD_TEXT: 241,
    Reason.NO_RECIPIENT: 243,
    Reason.TOO_MANY_RECIPIENTS: 243,
}
TIMED_OUT = 20

_HEX = re.compile(r"(?:[0-9A-Fa-f]{4})*")
_RECIPIENTS = re.compile(r"[0-9+, ]*")
_DATE_AND_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d) +(\d\d?):(\d\d)(?::(\d\d))?", re.ASCII)
_SMSD_ID = re.compile(r"[0-9]{6,18}")
_DANGEROUS = re.compile(r"[\x00-\x09\x0b\x0e-\x1f]")

Parameters = dict[str, str]

log = structlog.get_logger()


class Wrong(Exception):
    """A request that gets `ERROR:code`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def parse_parameters(query: bytes) -> Parameters:
    """Names (in small letters) to values; the first of each. Raises Wrong(249).

    A second `senderid` makes it too long: as wrong as one that is (245), and told in its turn.
    """
    parameters: Parameters = {}
    for pair in query.split(b"&"):
        name_octets, _, value_octets = pair.partition(b"=")
        if not name_octets:
            continue
        try:
            name = name_octets.decode().lower()
            if b"+" in value_octets or b"%" in value_octets:
                value_octets = unquote_to_bytes(value_octets.replace(b"+", b" "))
            value = value_octets.decode()
        except UnicodeDecodeError:
            raise Wrong(249) from None
        if _DANGEROUS.search(value):
            raise Wrong(249)
        if name not in parameters:
            parameters[name] = value
        elif name == "senderid":
            parameters[name] = "*" * (LONGEST_SENDER + 1)
    return parameters


def _require(parameters: Parameters, *names: str) -> None:
    if any(name not in parameters for name in names):
        raise Wrong(240)


def _text(content: str, language: str) -> str:
    """The text of `content`; 241 for bad hex or for what English cannot carry."""
    if language == "1":
        if not is_gsm(content):
            raise Wrong(241)
        return content
    if not _HEX.fullmatch(content):
        raise Wrong(241)
    try:
        text = bytes.fromhex(content).decode("utf-16-be")
    except UnicodeDecodeError:
        raise Wrong(241) from None
    if _DANGEROUS.search(text):
        raise Wrong(249)
    return text


def _recipients(value: str) -> list[str]:
    """The numbers; a `+` is forgiven, also one that the query string turned into a space."""
    if not _RECIPIENTS.fullmatch(value):
        raise Wrong(243)
    numbers = [number.lstrip("+ ").rstrip() for number in value.split(",")]
    numbers = [number for number in numbers if number]
    if not 1 <= len(numbers) <= MOST_RECIPIENTS or any(" " in number or "+" in number for number in numbers):
        raise Wrong(243)
    return numbers


def _scheduled_at(value: str) -> datetime | None:
    """The moment of `dos`; None for now."""
    if value.lower() == "now":
        return None
    match = _DATE_AND_TIME.fullmatch(value.strip())
    if not match:
        raise Wrong(244)
    try:
        return datetime(*[int(part or 0) for part in match.groups()], tzinfo=HONG_KONG).astimezone(UTC)  # type: ignore[misc, arg-type]
    except (ValueError, OverflowError):
        raise Wrong(244) from None


def read_send(parameters: Parameters) -> Callable[[Caller], Draft]:
    """Checks the form of a send; gives the draft that it is, once the caller is known."""
    _require(parameters, "username", "password", "content", "langeng", "recipient", "dos", "senderid")
    language = parameters["langeng"]
    text = _text(parameters["content"], language) if language in ("0", "1") else ""
    if language not in ("0", "1"):
        raise Wrong(242)
    recipients = _recipients(parameters["recipient"])
    scheduled_at = _scheduled_at(parameters["dos"])
    sender = parameters["senderid"]
    if len(sender) > LONGEST_SENDER:
        raise Wrong(245)
    register = parameters.get("dncr")
    purpose = parameters.get("purpose")
    if register not in (None, "0", "1") or (purpose is not None and purpose.lower() not in PURPOSES):
        raise Wrong(248)
    reference = parameters.get("client_ref", "")
    if len(reference) > LONGEST_REFERENCE:
        raise Wrong(240)
    economic = sender.upper() == ECONOMIC_SENDER
    said = PURPOSES[purpose.lower()] if purpose else (Purpose.PROMOTIONAL if economic else None)

    def draft(caller: Caller) -> Draft:
        return Draft(
            customer=caller.customer,
            person_id=caller.person_id,
            source=Source.HTTP,
            recipients=recipients,
            text=text,
            sender="" if economic else sender,
            route=ECONOMIC_ROUTE if economic else "",
            coding=Coding.GSM7 if language == "1" else Coding.UCS2,
            purpose=said,
            scheduled_at=scheduled_at,
            register_filter=None if register is None else register == "1",
            client_reference=reference,
            all_or_nothing=True,
        )

    return draft


class HttpApi:
    """The four addresses, as one ASGI application. Made on the event loop of its process."""

    def __init__(self, intake: Intake, threads: DatabaseThreads) -> None:
        self._intake = intake
        self._threads = threads
        self._places = AtOnce(MOST_OF_ACCOUNT)
        self.addresses: dict[str, Callable[[Parameters, str], Awaitable[str]]] = {
            "/misweb/f_sendsms.aspx": self.send,
            "/misweb/f_getsmsdstatus.aspx": self.status,
            "/misweb/f_getuserbalance.aspx": self.balance,
            "/misweb/f_getserverqueue.aspx": self.queue,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        address = str((scope.get("client") or ("", 0))[0])
        try:
            if blocked_s := await self._blocked_for_s(address):
                await answer(send, 429, b"", [*PLAIN_TEXT, (b"retry-after", str(blocked_s).encode())])
                return
            query = scope["query_string"]
            reply_to = self.addresses[scope["path"].lower()]
            async with asyncio.timeout(ANSWER_WITHIN_S):
                if scope["method"] == "POST":
                    query = b"&".join((query, await read_body(receive, MOST_BODY_OCTETS)))
                reply = await reply_to(parse_parameters(query), address)
        except Disconnected:
            return
        except Wrong as wrong:
            reply = f"ERROR:{wrong.code}"
        except BodyTooLarge:
            reply = "ERROR:243"
        except Refused as refused:
            if refused.reason == Reason.BAD_CREDENTIALS and address:
                await self._threads.run(note_failure, refused.value, DOOR, address, datetime.now(UTC))
            if refused.reason == Reason.OVERLOADED:
                await answer(send, 429, b"", RETRY_SOON)
                return
            if refused.reason == Reason.ADDRESS_NOT_ALLOWED:
                await answer(send, 403, f"{refused}\n".encode(), PLAIN_TEXT)
                return
            reply = f"ERROR:{CODES[refused.reason]}"
        except TimeoutError:
            reply = f"ERROR:{TIMED_OUT}"
        except Exception as error:  # noqa: BLE001 - the door's top: the client gets its answer, the log the cause
            log.error("http_api.failed", path=scope["path"], error=repr(error))
            reply = f"ERROR:{CODES[Reason.UNEXPECTED]}"
        await answer(send, 200, reply.encode(), PLAIN_TEXT)

    async def _blocked_for_s(self, address: str) -> int:
        """For how long this address is let in no more; 0 where it is (spec S125)."""
        blocked = blocks.current()
        if blocked is None:
            blocked = await self._threads.run(blocks.get)
        until = blocked.get(address)
        return max(0, ceil((until - datetime.now(UTC)).total_seconds())) if until else 0

    async def _caller(self, parameters: Parameters, address: str) -> Caller:
        login_name, secret = parameters["username"], parameters["password"]
        caller = remembered(login_name, secret)
        if caller is None:
            if len(login_name) > LONGEST_CREDENTIAL or len(secret) > LONGEST_CREDENTIAL:
                raise Wrong(CODES[Reason.BAD_CREDENTIALS])
            caller = await self._threads.run(authenticate, login_name, secret)
        await admit(self._threads, caller.customer, door=DOOR, address=address, now=datetime.now(UTC))
        return caller

    async def send(self, parameters: Parameters, address: str) -> str:
        """`SMSDID:100001,100002`: one ID a recipient, in their order."""
        draft = read_send(parameters)
        caller = await self._caller(parameters, address)
        with self._places.place(caller.customer.id):
            outcome = await self._intake.submit(draft(caller))
        if not isinstance(outcome, Accepted):
            raise outcome
        return "SMSDID:" + ",".join(map(str, outcome.message_ids))

    async def status(self, parameters: Parameters, address: str) -> str:
        """`STATUS:22;ERRORCODE:300`."""
        _require(parameters, "username", "password", "smsdid")
        if not _SMSD_ID.fullmatch(parameters["smsdid"]):
            raise Wrong(246)
        caller = await self._caller(parameters, address)
        found = await self._threads.run(shown_status, caller.customer.id, int(parameters["smsdid"]))
        if found is None:
            raise Refused(Reason.UNKNOWN_MESSAGE)
        return f"STATUS:{found.status.value};ERRORCODE:{found.reason.shown}"

    async def balance(self, parameters: Parameters, address: str) -> str:
        """`BALANCE:1000.23`: HK$ available, rounded down to the cent."""
        _require(parameters, "username", "password")
        caller = await self._caller(parameters, address)
        pips = await self._threads.run(_available, caller.customer.id)
        return "BALANCE:" + in_cents(pips).replace(",", "")

    async def queue(self, parameters: Parameters, address: str) -> str:
        """`QUEUE:1000`: this customer's messages that wait their turn."""
        _require(parameters, "username", "password")
        caller = await self._caller(parameters, address)
        return f"QUEUE:{await self._threads.run(queue_length, caller.customer.id)}"


def _available(conn: Connection, customer_id: int) -> int:
    return ledger.balances(conn, [customer_id])[customer_id, Account.Kind.AVAILABLE]
