"""The door of the JSON API: who calls, what is asked, and the answer; all by the table of operations.

As at the HTTP API a key is proven once and then remembered, and single messages go through the process's group commit.
"""

import asyncio
import gzip
import itertools
import re
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import cache
from math import ceil
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

import msgspec
import structlog

from sampan.accounts.allow_lists import admit
from sampan.accounts.blocking import blocks, note_failure
from sampan.accounts.keys import USE_NOTED_EVERY, Holder, holder_of, note_use, remembered_holder
from sampan.database import DatabaseThreads
from sampan.interfaces.asgi import Disconnected, Headers, Receive, Scope, Send, answer
from sampan.interfaces.at_once import MOST_OF_ACCOUNT, AtOnce
from sampan.interfaces.json_api import problems
from sampan.interfaces.json_api.bodies import Bodies, invalid
from sampan.interfaces.json_api.calls import Answer, Call, Operation, Tools
from sampan.interfaces.json_api.document import document
from sampan.interfaces.json_api.operations import Routes
from sampan.interfaces.json_api.problems import Wrong, wrong_of
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform
from sampan.reasons import Reason, Refused

DOOR = "JSON"  # as people see it
DOCUMENT = "/v1/openapi.json"
BULK_THREADS = 2
MOST_PARAMETERS = 20
LONGEST_REFERENCE = 255
LONGEST_REQUEST_ID = 100
WORTH_PACKING_OCTETS = 1_400  # what fits one packet is not made smaller
PACKING = 1
ANSWER_WITHIN_S = 60.0
MOST_USES_REMEMBERED = 10_000

JSON = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
PROBLEM = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
BEARER = [(b"www-authenticate", b"Bearer")]

PROCESS = secrets.token_hex(6)  # stands in the request ids of this process; a chance for each would cost a system call
_numbers = itertools.count(1)

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SPACE_FOR_PLUS = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]+) (?=\d\d:\d\d$)")  # as `+` before an offset arrives

log = structlog.get_logger()


class Request(NamedTuple):
    """One request as it came."""

    scope: Scope
    headers: Mapping[bytes, bytes]
    receive: Receive
    address: str
    at: datetime


class JsonApi:
    """One ASGI application. Made on the event loop of its process."""

    def __init__(self, intake: Intake, threads: DatabaseThreads, platform: Platform) -> None:
        self._bulk = DatabaseThreads(BULK_THREADS, "json bulk")
        self._tools = Tools(intake, threads, self._bulk, platform)
        self._routes = Routes()
        self._bodies = Bodies()
        self._places = AtOnce(MOST_OF_ACCOUNT)
        self._used: dict[int, datetime] = {}
        self._document = msgspec.json.encode(document())
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Write what is to be written, then let go of the database."""
        await asyncio.gather(*self._tasks)
        self._bulk.close()

    async def turn_away(self, scope: Scope, send: Send) -> None:
        """Answer one request of an address that has too many."""
        request_id = _request_id(dict(scope["headers"]))
        wrong = wrong_of(Refused(Reason.OVERLOADED))
        headers = [*PROBLEM, *wrong.headers, (b"x-request-id", request_id.encode())]
        await answer(send, wrong.kind.status, msgspec.json.encode(wrong.problem(request_id)), headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        address = str((scope.get("client") or ("", 0))[0])
        request = Request(scope, dict(scope["headers"]), receive, address, datetime.now(UTC))
        request_id = _request_id(request.headers)
        try:
            status, body, more = await self._answer(request)
            sent = [*JSON, *more]
        except Disconnected:
            return
        except Wrong as wrong:
            status, body = wrong.kind.status, msgspec.json.encode(wrong.problem(request_id))
            sent = [*PROBLEM, *wrong.headers]
        sent.append((b"x-request-id", request_id.encode()))
        if len(body) >= WORTH_PACKING_OCTETS:
            sent.append((b"vary", b"accept-encoding"))
            if b"gzip" in request.headers.get(b"accept-encoding", b""):
                body = await asyncio.to_thread(gzip.compress, body, PACKING, mtime=0)
                sent.append((b"content-encoding", b"gzip"))
        sent.append((b"content-length", str(len(body)).encode()))
        await answer(send, status, body, sent)

    async def _answer(self, request: Request) -> tuple[int, bytes, Headers]:
        """Status, body and headers. Raises Wrong, Disconnected."""
        path = request.scope["path"]
        try:
            await self._turn_away_blocked(request)
            if path == DOCUMENT and request.scope["method"] == "GET":
                return 200, self._document, ()
            operation, id_ = self._operation(request)
            holder = await self._holder(request, operation)
            with self._places.place(holder.customer.id):
                return await self._done(operation, id_, holder, request)
        except Refused as refused:
            raise wrong_of(refused) from None
        except (Wrong, Disconnected):
            raise
        except Exception as error:  # noqa: BLE001 - the door's top: the client gets its answer, the log the cause
            log.error("json_api.failed", path=path, error=repr(error))
            raise Wrong(problems.OF_REASONS[Reason.UNEXPECTED]) from None

    async def _turn_away_blocked(self, request: Request) -> None:
        """Raises Wrong for an address that is let in no more for now (spec S125)."""
        blocked = blocks.current()
        if blocked is None:
            blocked = await self._tools.threads.run(blocks.get)
        until = blocked.get(request.address)
        left_s = ceil((until - request.at).total_seconds()) if until else 0
        if left_s > 0:
            raise Wrong(problems.ADDRESS_BLOCKED, headers=[(b"retry-after", str(left_s).encode())])

    def _operation(self, request: Request) -> tuple[Operation, str]:
        methods, id_ = self._routes.find(request.scope["path"])
        if not methods:
            raise Wrong(problems.NOT_FOUND)
        operation = methods.get(request.scope["method"])
        if operation is None:
            raise Wrong(problems.METHOD_NOT_ALLOWED, headers=[(b"allow", ", ".join(sorted(methods)).encode())])
        return operation, unquote(id_)

    async def _holder(self, request: Request, operation: Operation) -> Holder:
        """Who calls. Raises Wrong, Refused."""
        now, address = request.at, request.address
        scheme, _, given = request.headers.get(b"authorization", b"").decode("latin1").strip().partition(" ")
        key = given.strip()
        if scheme.lower() != "bearer" or not key:
            raise Wrong(problems.UNAUTHORIZED, headers=BEARER)
        holder = remembered_holder(key) or await self._proven(key, request)
        if holder.expires_at is not None and now >= holder.expires_at:
            raise Wrong(problems.KEY_EXPIRED, headers=BEARER)
        if not holder.let_in(address, now):
            raise Wrong(problems.KEY_NOT_FROM_HERE, value=address)
        await admit(self._tools.threads, holder.customer, door=DOOR, address=address, now=now)
        self._note_use(holder.key_id, now)
        if operation.live_only and holder.is_test:
            raise Refused(Reason.NOT_FOR_TESTS, "authorization", operation.summary)
        if operation.scope not in holder.scopes:
            raise Wrong(problems.SCOPE_MISSING, f"This needs the scope `{operation.scope}`", value=operation.scope)
        return holder

    async def _proven(self, key: str, request: Request) -> Holder:
        try:
            return await self._tools.threads.run(holder_of, key)
        except Refused as refused:
            if request.address:
                await self._tools.threads.run(note_failure, refused.value, DOOR, request.address, request.at)
            detail = "This key is unknown or was revoked. Make one in the portal, under Settings, API keys"
            raise Wrong(problems.OF_REASONS[Reason.BAD_CREDENTIALS], detail, headers=BEARER) from None

    def _note_use(self, key_id: int, now: datetime) -> None:
        """Written beside the answer, at most once a minute by this process."""
        used_at = self._used.get(key_id)
        if used_at is not None and now - used_at < USE_NOTED_EVERY:
            return
        if len(self._used) >= MOST_USES_REMEMBERED:
            self._used.clear()
        self._used[key_id] = now
        task = asyncio.get_running_loop().create_task(self._write_use(key_id, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_use(self, key_id: int, now: datetime) -> None:
        try:
            await self._tools.threads.run(note_use, key_id, now)
        except Exception as error:  # noqa: BLE001 - the task's top: nobody waits for it
            log.warning("json_api.use_not_noted", error=repr(error))

    async def _done(
        self, operation: Operation, id_: str, holder: Holder, request: Request
    ) -> tuple[int, bytes, Headers]:
        """The operation's answer, encoded."""
        query = _query(operation, request.scope["query_string"])
        reference = _reference(operation, request.headers)
        async with AsyncExitStack() as held:
            body = None
            if operation.body is not None:
                body = await self._bodies.read(
                    operation, request.headers, request.receive, customer_id=holder.customer.id, held=held
                )
            call = Call(holder, request.at, id_, query, body, reference)
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    made: Answer = await operation.handler(self._tools, call)
            except TimeoutError:
                kind = problems.STILL_IN_WORK if reference else problems.OF_REASONS[Reason.UNEXPECTED]
                raise Wrong(kind, headers=[(b"retry-after", b"5")]) from None
            return made.status or operation.status, msgspec.json.encode(made.content), made.headers


def _query(operation: Operation, query_string: bytes) -> Any:
    try:
        pairs = parse_qsl(
            query_string.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
        values = {name: _SPACE_FOR_PLUS.sub(r"\1+", value) for name, value in pairs}
        if len(values) < len(pairs):
            raise Wrong(problems.INVALID, "A parameter is given twice")
        for name in values.keys() & _times_of(operation.query):
            if not _DATE.match(values[name]):  # not strict, a number is a time, too
                raise Wrong(problems.INVALID, "A time is given as RFC 3339 has it, with its offset", field=name)
        return msgspec.convert(values, operation.query, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except ValueError:
        raise Wrong(problems.INVALID, "The query cannot be read") from None


@cache
def _times_of(query: type[msgspec.Struct]) -> frozenset[str]:
    """The parameters that are times."""
    return frozenset(field.name for field in msgspec.structs.fields(query) if "datetime" in str(field.type))


def _reference(operation: Operation, headers: Mapping[bytes, bytes]) -> str:
    """The Idempotency-Key of a call that takes one. Raises Wrong for one that cannot be kept."""
    given = headers.get(b"idempotency-key")
    if given is None or not operation.takes_reference:
        return ""
    text = given.decode("latin1")
    if not 1 <= len(text) <= LONGEST_REFERENCE or not (text.isascii() and text.isprintable()):
        detail = f"An Idempotency-Key has 1 to {LONGEST_REFERENCE} characters of ASCII"
        raise Wrong(problems.INVALID, detail, field="idempotency-key")
    return text


def _request_id(headers: Mapping[bytes, bytes]) -> str:
    """The client's own, where it gave a sensible one; it stands in the answer and in problems."""
    given = headers.get(b"x-request-id", b"").decode("latin1")
    if 1 <= len(given) <= LONGEST_REQUEST_ID and given.isascii() and given.isprintable():
        return given
    return f"req_{PROCESS}{next(_numbers):x}"
