"""What a client sends, read as it comes: small bodies by everybody, large ones by a few at once, one of an account.

So nobody keeps others out by sending slowly, and what is in memory has an end. A large body keeps its place until it is
answered, for the work on it takes as much memory as the body itself.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from sampan.interfaces.asgi import Disconnected, Receive
from sampan.interfaces.json_api import problems
from sampan.interfaces.json_api.calls import Operation
from sampan.interfaces.json_api.problems import Wrong
from sampan.reasons import Reason, Refused

MOST_BODY_OCTETS = 16 * 1024 * 1024
SMALL_BODY_OCTETS = 64 * 1024  # larger ones are decoded beside the loop
MOST_LARGE_BODIES = 4
MOST_LARGE_OF_ACCOUNT = 1
BODY_WITHIN_S = 60.0
PLACE_WITHIN_S = 30.0


class Bodies:
    """Reads the bodies of one process. Made on its event loop."""

    def __init__(self) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {}
        self._large = asyncio.Semaphore(MOST_LARGE_BODIES)
        self._large_of: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def read(
        self,
        operation: Operation,
        headers: Mapping[bytes, bytes],
        receive: Receive,
        *,
        customer_id: int,
        held: AsyncExitStack,
    ) -> Any:
        """The body, checked by its type; `held` keeps the place of a large one. Raises Wrong, Refused, Disconnected."""
        media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if media_type != b"application/json" or headers.get(b"content-encoding", b"identity") != b"identity":
            raise Wrong(problems.NOT_JSON_TYPE)
        decoder = self._decoders.setdefault(operation.name, msgspec.json.Decoder(operation.body))
        announced = headers.get(b"content-length", b"")
        octets = int(announced) if announced.isdigit() else 0
        if octets > MOST_BODY_OCTETS:
            raise _too_large()
        body = _Body(receive)
        if octets <= SMALL_BODY_OCTETS:
            await body.read(SMALL_BODY_OCTETS)
            if body.is_whole and body.count <= SMALL_BODY_OCTETS:
                return _decoded(decoder, body.octets)
        await self._take_place(customer_id, held)
        await body.read(MOST_BODY_OCTETS)
        if body.count > MOST_BODY_OCTETS:
            raise _too_large()
        return await asyncio.to_thread(_decoded, decoder, body.octets)

    async def _take_place(self, customer_id: int, held: AsyncExitStack) -> None:
        """One of the account's places for large bodies, then one of all. Raises Refused(OVERLOADED)."""
        own = self._large_of.get(customer_id) or asyncio.Semaphore(MOST_LARGE_OF_ACCOUNT)
        self._large_of[customer_id] = own
        try:
            async with asyncio.timeout(PLACE_WITHIN_S):
                await held.enter_async_context(own)
                await held.enter_async_context(self._large)
        except TimeoutError:
            raise Refused(Reason.OVERLOADED) from None


class _Body:
    """What came of one body so far."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._pieces: list[bytes] = []
        self.count = 0
        self.is_whole = False

    async def read(self, most_octets: int) -> None:
        """Until it is whole, or has more octets than these. Raises Wrong, Disconnected."""
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                while not self.is_whole and self.count <= most_octets:
                    await self._read_piece()
        except TimeoutError:
            raise Wrong(problems.BODY_TOO_SLOW) from None

    async def _read_piece(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece = message.get("body", b"")
        self.count += len(piece)
        self._pieces.append(piece)
        self.is_whole = not message.get("more_body")

    @property
    def octets(self) -> bytes:
        """All of it."""
        return b"".join(self._pieces)


def _too_large() -> Wrong:
    return Wrong(problems.BODY_TOO_LARGE, f"A body has at most {MOST_BODY_OCTETS // 2**20} MiB. Split it")


def _decoded(decoder: msgspec.json.Decoder[Any], octets: bytes) -> Any:
    try:
        return decoder.decode(octets)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Wrong(problems.NOT_JSON, f"The body is no JSON in UTF-8: {error}") from None


def invalid(error: msgspec.ValidationError) -> Wrong:
    """What is wrong and where, as `to[3].fields`."""
    words, _, path = str(error).partition(" - at ")
    named = words.partition("field `")[2].rstrip("`")
    field = ".".join(part for part in (path.strip("`").removeprefix("$").removeprefix("."), named) if part)
    return Wrong(problems.INVALID, words, field=field)
