"""The little of ASGI that the doors of our own share: reading a bounded body, sending a whole answer."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]


class BodyTooLarge(Exception):
    """The request's body is larger than the door reads."""


class Disconnected(Exception):
    """The client went away before its request was whole."""


async def read_body(receive: Receive, most_octets: int) -> bytes:
    """The whole body. Raises BodyTooLarge, Disconnected."""
    pieces: list[bytes] = []
    octets = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece = message.get("body", b"")
        octets += len(piece)
        if octets > most_octets:
            raise BodyTooLarge
        pieces.append(piece)
        if not message.get("more_body"):
            return b"".join(pieces)


async def answer(send: Send, status: int, body: bytes, headers: Headers) -> None:
    """One whole response."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
