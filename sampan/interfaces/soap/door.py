"""/soap/ as one ASGI application: the contract by GET, requests by POST, and a fault for all that goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from math import ceil

import structlog
from django.conf import settings

from sampan.accounts.access import authenticate, remembered
from sampan.accounts.allow_lists import admit
from sampan.accounts.blocking import blocks, note_failure
from sampan.database import DatabaseThreads
from sampan.interfaces.asgi import Disconnected, Headers, Receive, Scope, Send, answer
from sampan.interfaces.at_once import MOST_OF_ACCOUNT, AtOnce
from sampan.interfaces.soap.answers import Fault, fault, fault_of, response
from sampan.interfaces.soap.contract import wsdl
from sampan.interfaces.soap.operations import Operations, Pieces
from sampan.interfaces.soap.reading import Asked, Malformed, Reader, Version
from sampan.messages.intake import Intake
from sampan.reasons import Reason, Refused

ADDRESSES = ("/soap/", "/soap")
DOOR = "SOAP"  # as staff see it among the blocked addresses
MOST_BODY_OCTETS = 16 * 1024 * 1024
MOST_DROPPED_OCTETS = 64 * 1024 * 1024  # of a body that is not read on: who is still sending it hears no answer
LARGE_OCTETS = 256 * 1024
MOST_LARGE_AT_ONCE = 8  # requests; what each keeps of 100,000 recipients is about 10 MB
BODY_WITHIN_S = 120.0
ANSWER_WITHIN_S = 120.0

PLAIN_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
BLOCKED = "Too many wrong passwords came from this address. Wait, or call us"
TIMED_OUT = "It took too long. Repeat it; with clientRef nothing is sent twice"
HOW = b"POST SOAP 1.1 or 1.2 here. The contract is at /soap/?wsdl\n"

log = structlog.get_logger()


class SoapDoor:
    """Made on the event loop of its process."""

    def __init__(self, intake: Intake, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._operations = Operations(intake, threads)
        self._places = AtOnce(MOST_OF_ACCOUNT)
        self._large = AtOnce(MOST_LARGE_AT_ONCE)
        self.addresses = ADDRESSES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] == "POST":
            await self._answer(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and scope["query_string"].lower() in (b"wsdl", b"singlewsdl"):
            headers = [(b"content-type", b"text/xml; charset=utf-8"), (b"cache-control", b"no-store")]
            await answer(send, 200, wsdl(_address(scope)), headers)
        else:
            await answer(send, 405, HOW, [*PLAIN_TEXT, (b"allow", b"POST")])

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = str((scope.get("client") or ("", 0))[0])
        reader, body = Reader(), Body(receive)
        try:
            with ExitStack() as held:
                outcome = await self._outcome(reader, body, address, held)
                if not isinstance(outcome, Fault):
                    await _stream(send, reader.version, outcome)
                    return
            await body.drop()
            await _tell(send, reader.version, outcome)
        except Disconnected:
            return

    async def _outcome(
        self, reader: Reader, body: "Body", address: str, held: ExitStack
    ) -> AsyncIterator[bytes] | Fault:
        """The response, whose results are looked up as it goes; or why there is none. Raises Disconnected."""
        try:
            if blocked_s := await self._blocked_for_s(address):
                raise Malformed("AddressBlocked", BLOCKED, retry_after_s=blocked_s)
            asked = await self._read(reader, body, held)
            async with asyncio.timeout(ANSWER_WITHIN_S):
                pieces = await self._serve(asked, address, held)
            return response(reader.version, asked.operation, *pieces)
        except (Refused, Malformed) as error:
            if isinstance(error, Refused) and error.reason == Reason.BAD_CREDENTIALS and address:
                await self._threads.run(note_failure, error.value, DOOR, address, datetime.now(UTC))
            return fault_of(error)
        except TimeoutError:
            return Fault("TimedOut", TIMED_OUT, is_ours=True)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - the door's top: the client gets its answer, the log the cause
            log.error("soap.failed", error=repr(error))
            return fault_of(Refused(Reason.UNEXPECTED))

    async def _blocked_for_s(self, address: str) -> int:
        """For how long this address is let in no more; 0 where it is (spec S125)."""
        blocked = blocks.current()
        if blocked is None:
            blocked = await self._threads.run(blocks.get)
        until = blocked.get(address)
        return max(0, ceil((until - datetime.now(UTC)).total_seconds())) if until else 0

    async def _read(self, reader: Reader, body: "Body", held: ExitStack) -> Asked:
        """The request, read as it comes; a large one has one of a few places until it is answered."""
        async with asyncio.timeout(BODY_WITHIN_S):
            is_large = False
            async for piece in body:
                if body.octets > MOST_BODY_OCTETS:
                    raise Malformed("TooLarge", f"A request has at most {MOST_BODY_OCTETS >> 20} MiB. Split it")
                if body.octets > LARGE_OCTETS and not is_large:
                    held.enter_context(self._large.place(DOOR))
                    is_large = True
                reader.feed(piece)
        return reader.close()

    async def _serve(self, asked: Asked, address: str, held: ExitStack) -> Pieces:
        login_name, secret = asked.values["username"], asked.values["password"]
        caller = remembered(login_name, secret)
        if caller is None:
            caller = await self._threads.run(authenticate, login_name, secret)
        await admit(self._threads, caller.customer, door=DOOR, address=address, now=datetime.now(UTC))
        held.enter_context(self._places.place(caller.customer.id))
        return await self._operations.by_name[asked.operation](asked, caller)


class Body:
    """What a client sends, piece by piece. Raises Disconnected where it goes away first."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._is_whole = False
        self.octets = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._is_whole:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Disconnected
            self._is_whole = not message.get("more_body")
            piece = message.get("body", b"")
            self.octets += len(piece)
            yield piece

    async def drop(self) -> None:
        """Read on without looking: many clients listen only when they have sent all."""
        most = self.octets + MOST_DROPPED_OCTETS
        with suppress(Disconnected, TimeoutError):
            async with asyncio.timeout(BODY_WITHIN_S):
                async for _ in self:
                    if self.octets > most:
                        return


def _address(scope: Scope) -> str:
    """Where this door is called: as the installation says, else as the client wrote it."""
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL}/soap/"
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    return f"{scope.get('scheme', 'http')}://{host}/soap/" if host else "/soap/"


def _headers(version: Version) -> Headers:
    return [(b"content-type", f"{version.media_type}; charset=utf-8".encode()), (b"cache-control", b"no-store")]


async def _tell(send: Send, version: Version, why: Fault) -> None:
    """A fault: 500 in both versions, as clients of WCF expect it; 429 where the client should come again."""
    retry = [(b"retry-after", str(why.retry_after_s).encode())] if why.retry_after_s else []
    await answer(send, 429 if retry else 500, fault(version, why), [*_headers(version), *retry])


async def _stream(send: Send, version: Version, pieces: AsyncIterator[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": _headers(version)})
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
