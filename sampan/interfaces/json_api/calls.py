"""A call of the JSON API once it is understood, and how an operation is written down."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

from sampan.accounts.keys import Holder, Scope
from sampan.billing.money import in_pips
from sampan.database import Connection, DatabaseThreads
from sampan.interfaces.asgi import Headers
from sampan.interfaces.json_api.problems import BAD_CURSOR, NOT_FOUND, Wrong
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform

Q = TypeVar("Q")
B = TypeVar("B")
T = TypeVar("T")

LONGEST_ID_DIGITS = 18
MOST_ROWS, USUAL_ROWS = 1_000, 100
LONGEST_CURSOR = 200

Limit = Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS, description=f"How many, at most {MOST_ROWS:,}")]
Cursor = Annotated[str, msgspec.Meta(max_length=LONGEST_CURSOR, description="`next_cursor` of the page before")]
Id = Annotated[int, msgspec.Meta(ge=0, lt=10**LONGEST_ID_DIGITS)]
Line = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=100)]
Moment = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339, with its offset")]


class Given(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What a client gives: a field that is unknown is refused by name, never passed over."""


class NoQuery(Given):
    """An operation without parameters."""


class Page(Given):
    """One page of a list."""

    limit: Limit = USUAL_ROWS
    cursor: Cursor = ""


class Done(msgspec.Struct):
    """It is done."""

    id: str


@dataclass(frozen=True, slots=True)
class Tools:
    """What operations work with."""

    intake: Intake
    threads: DatabaseThreads  # for what is quick
    bulk: DatabaseThreads  # for what takes a second or so
    platform: Platform


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request by a key that may make it."""

    holder: Holder
    now: datetime
    id: str  # of the address; "" where it has none
    query: Q
    body: B
    reference: str  # Idempotency-Key

    @property
    def customer_id(self) -> int:
        """Whose things it is about."""
        return self.holder.customer.id

    @property
    def own_reference(self) -> str:
        """The Idempotency-Key as it is kept. A test's is no door's else: it begins as no client's can."""
        return f"\x1f{self.reference}" if self.reference and self.holder.is_test else self.reference

    @property
    def number(self) -> int:
        """The id of the address. Raises Wrong(NOT_FOUND) where nothing of ours could have it."""
        if not (self.id.isascii() and self.id.isdecimal()) or len(self.id) > LONGEST_ID_DIGITS:
            raise Wrong(NOT_FOUND)
        return int(self.id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `status` where it is not the operation's usual one."""

    content: Any
    status: int | None = None
    headers: Headers = ()


Handler = Callable[[Tools, Call[Any, Any]], Awaitable[Answer]]


def looked_up(work: Callable[[Connection, Call[Q, B]], Any]) -> Callable[[Tools, Call[Q, B]], Awaitable[Answer]]:
    """An operation that is done in one of the threads for what is quick."""

    async def handler(tools: Tools, call: Call[Q, B]) -> Answer:
        return Answer(await tools.threads.run(work, call))

    return handler


def looked_up_in_bulk(
    work: Callable[[Connection, Call[Q, B]], Any],
) -> Callable[[Tools, Call[Q, B]], Awaitable[Answer]]:
    """The same of what may take a second: it keeps nobody waiting who asks for his balance, or is to be let in."""

    async def handler(tools: Tools, call: Call[Q, B]) -> Answer:
        return Answer(await tools.bulk.run(work, call))

    return handler


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that can be asked: where, by whom, with what, and what comes back."""

    name: str  # operationId
    method: str
    path: str  # `{id}` in it is the one thing it is about
    scope: Scope
    summary: str
    words: str = ""  # more of it, for the page
    handler: Handler
    query: type[Given] = NoQuery
    body: type[Any] | None = None
    answer: type[Any]
    status: int = 200
    refusals: Sequence[int] = field(default=())  # HTTP statuses beyond those that any request may meet
    takes_reference: bool = False  # Idempotency-Key
    live_only: bool = False  # nothing of it is a test's


def hkd(pips: int) -> str:
    """HK$ as programs read it: 12_345_678 → '1234.5678'."""
    return in_pips(pips).replace(",", "")


def next_cursor(*place: object) -> str:
    """Where a page ended, for a client to give back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def place_of(cursor: str, kind: type[T]) -> T | None:
    """The place in a cursor, a tuple of `kind`; None for the first page. Raises Wrong(BAD_CURSOR)."""
    if not cursor:
        return None
    try:
        octets = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return msgspec.json.decode(octets, type=kind)
    except (msgspec.DecodeError, binascii.Error, UnicodeEncodeError, ValueError):
        raise Wrong(BAD_CURSOR, field="cursor", value=cursor) from None
