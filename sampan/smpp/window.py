"""Requests that wait for their answer, by sequence number (SMPP 3.4 §2.7.1, §2.9, §7.2). No input or output of its own.

Each request carries a token of its owner's.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sampan.smpp.pdu import MOST_SEQUENCE_NUMBER

MOST_LATE = 10_000  # requests past their time whose answer would still be known

Token = Any  # whatever the owner wants back; the session does not look at it
NOTHING = object()  # no request waits under this number
_NO_REQUEST = (NOTHING, 0.0)


class Window:
    """At most `size` requests at a time, each answered within `response_timeout_s`."""

    def __init__(self, size: int, response_timeout_s: float) -> None:
        self.size = size
        self._response_timeout_s = response_timeout_s
        self._last_number = 0
        self._waiting: dict[int, tuple[Token, float]] = {}  # with their deadlines, which ascend
        self._late: dict[int, Token] = {}

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
        deadline = now + self._response_timeout_s
        self._waiting.update((number, (token, deadline)) for number, token in zip(numbers, tokens, strict=True))

    def answer(self, number: int) -> Token:
        """The token of the request this answers, which waits no longer; NOTHING where none waits under the number."""
        return self._waiting.pop(number, _NO_REQUEST)[0]

    def answer_late(self, number: int) -> Token:
        """The token of the request this answers after its time; NOTHING where there is none, or it is forgotten."""
        return self._late.pop(number, NOTHING)

    def expire(self, *, now: float) -> list[Token]:
        """The tokens whose time is over. Their room is free again; a late answer to them is still known."""
        expired: dict[int, Token] = {}
        for number, (token, deadline) in self._waiting.items():
            if deadline > now:
                break
            expired[number] = token
        for number in expired:
            del self._waiting[number]
        self._late |= expired
        while len(self._late) > MOST_LATE:
            del self._late[next(iter(self._late))]
        return list(expired.values())

    def withdraw(self, numbers: Iterable[int]) -> list[Token]:
        """The tokens of requests that were never written after all."""
        found = [self.answer(number) for number in numbers]
        return [token for token in found if token is not NOTHING]

    def drain(self) -> list[Token]:
        """The tokens of all that still waits; the connection is gone."""
        tokens = [token for token, _ in self._waiting.values()]
        self._waiting.clear()
        self._late.clear()
        return tokens
