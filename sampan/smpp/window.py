"""Requests that wait for their answer, by sequence number (SMPP 3.4 §2.7.1, §2.9, §7.2). No input or output of its own.

Each request carries a token of its owner's. In bulk on purpose: one deadline for all that is written at once.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from sampan.smpp.pdu import MOST_SEQUENCE_NUMBER

MOST_LATE = 10_000  # requests past their time whose answer would still be known

Token = Any  # whatever the owner wants back; the session does not look at it
NOTHING = object()  # no request waits under this number


class Window:
    """At most `size` requests at a time, each answered within `response_timeout_s`."""

    def __init__(self, size: int, response_timeout_s: float) -> None:
        self.size = size
        self._response_timeout_s = response_timeout_s
        self._last_number = 0
        self._waiting: dict[int, Token] = {}
        self._late: dict[int, Token] = {}
        self._deadlines: deque[tuple[float, Sequence[int]]] = deque()

    @property
    def room(self) -> int:
        """How many more requests may be written."""
        return self.size - len(self._waiting)

    def allot(self, count: int) -> list[int]:
        """The next sequence numbers, 1 to 0x7FFFFFFF and round again, none that still waits."""
        numbers: list[int] = []
        while len(numbers) < count:
            self._last_number = self._last_number % MOST_SEQUENCE_NUMBER + 1
            if self._last_number not in self._waiting and self._last_number not in self._late:
                numbers.append(self._last_number)
        return numbers

    def open(self, numbers: Sequence[int], tokens: Sequence[Token], *, now: float) -> None:
        """These requests wait from now on."""
        self._waiting.update(zip(numbers, tokens, strict=True))
        self._deadlines.append((now + self._response_timeout_s, numbers))

    def answer(self, number: int) -> Token:
        """The token of the request this answers, which waits no longer; NOTHING where none waits under the number."""
        return self._waiting.pop(number, NOTHING)

    def answer_late(self, number: int) -> Token:
        """The token of the request this answers after its time; NOTHING where there is none, or it is forgotten."""
        return self._late.pop(number, NOTHING)

    def expire(self, *, now: float) -> list[Token]:
        """The tokens whose time is over. Their room is free again; a late answer to them is still known."""
        expired: list[Token] = []
        while self._deadlines and self._deadlines[0][0] <= now:
            for number in self._deadlines.popleft()[1]:
                token = self._waiting.pop(number, NOTHING)
                if token is not NOTHING:
                    expired.append(token)
                    self._late[number] = token
        while len(self._late) > MOST_LATE:
            del self._late[next(iter(self._late))]
        return expired

    def withdraw(self, numbers: Iterable[int]) -> list[Token]:
        """The tokens of requests that were never written after all."""
        found = (self._waiting.pop(number, NOTHING) for number in numbers)
        return [token for token in found if token is not NOTHING]

    def drain(self) -> list[Token]:
        """The tokens of all that still waits; the connection is gone."""
        tokens = list(self._waiting.values())
        self._waiting.clear()
        self._late.clear()
        self._deadlines.clear()
        return tokens
