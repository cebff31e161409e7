"""Octets on their way out, kept here and not in the transport while the peer does not read.

So when a connection dies it is known which requests were never written: their numbers are still here.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence

MOST_WRITE_OCTETS = 64 * 1024  # in one write to the transport


class Outgoing:
    """What waits to be written to one transport."""

    def __init__(self) -> None:
        self.octets = 0
        self.paused_at: float | None = None  # since when the transport takes nothing
        self._waiting: deque[tuple[bytes, Sequence[int]]] = deque()

    def add(self, octets: bytes, numbers: Sequence[int]) -> None:
        """Put octets at the end; `numbers` are the sequence numbers of the requests in them."""
        self._waiting.append((octets, numbers))
        self.octets += len(octets)

    def flush(self, transport: asyncio.Transport) -> None:
        """Write, until the transport does not take it all at once and has `paused_at` set, or all is written."""
        while self._waiting and self.paused_at is None and not transport.is_closing():
            pieces: list[bytes] = []
            size = 0
            while self._waiting and (not pieces or size + len(self._waiting[0][0]) <= MOST_WRITE_OCTETS):
                pieces.append(self._waiting.popleft()[0])
                size += len(pieces[-1])
            self.octets -= size
            transport.write(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def drain(self) -> Iterator[int]:
        """The numbers of the requests that were never written; the connection is gone."""
        while self._waiting:
            yield from self._waiting.popleft()[1]
        self.octets = 0
