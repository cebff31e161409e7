"""What was submitted, the last million parts of it, in a form that costs little: octets in blocks.

Objects would take ten times the memory, and Python's garbage collection would walk over them again and again.
"""

import struct
from collections import deque
from collections.abc import Container
from typing import NamedTuple

BLOCK_ENTRIES = 4096
HEAD = struct.Struct(">dHHIqQ")  # time, account, behaviour, command_status, hash of destination and text, message id


class Entry(NamedTuple):
    """One submit: `number` counts from 1; `octets` is the PDU; `state` its message_state, 0 where it was not taken."""

    number: int
    time: float
    account: int
    behaviour: int
    command_status: int
    content_hash: int
    message_id: int
    octets: bytes
    state: int


class _Block:
    __slots__ = ("ends", "first", "octets", "states")

    def __init__(self, first: int) -> None:
        self.first = first
        self.octets = bytearray()
        self.ends: list[int] = []
        self.states = bytearray()


class Record:
    """Entries by number; beyond `most` the oldest block goes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._blocks: deque[_Block] = deque()
        self.last = 0  # number of the newest entry

    @property
    def first(self) -> int:
        """The number of the oldest entry that is still here; one more than `last` where there is none."""
        return self._blocks[0].first if self._blocks else self.last + 1

    def append(self, octets: bytes, head: tuple[float, int, int, int, int, int], state: int) -> int:
        """Write down; the entry's number. `head`: the fields from `time` to `message_id`."""
        if not self._blocks or len(self._blocks[-1].ends) == BLOCK_ENTRIES:
            self._blocks.append(_Block(self.last + 1))
            while len(self._blocks) > 1 and self.last - self._blocks[1].first + 1 >= self._most:
                self._blocks.popleft()
        block = self._blocks[-1]
        block.octets += HEAD.pack(*head)
        block.octets += octets
        block.ends.append(len(block.octets))
        block.states.append(state)
        self.last += 1
        return self.last

    def get(self, number: int) -> Entry | None:
        """The entry of this number; None where it is gone or was never there."""
        block = self._block_of(number)
        if block is None:
            return None
        place = number - block.first
        start = block.ends[place - 1] if place else 0
        octets = bytes(block.octets[start + HEAD.size : block.ends[place]])
        return Entry._make((number, *HEAD.unpack_from(block.octets, start), octets, block.states[place]))

    def set_state(self, number: int, state: int) -> None:
        """A message has come to another message_state."""
        if block := self._block_of(number):
            block.states[number - block.first] = state

    def since(self, number: int, limit: int) -> list[Entry]:
        """The entries after this number, oldest first, at most `limit`."""
        start = max(number + 1, self.first)
        found = (self.get(each) for each in range(start, min(start + limit, self.last + 1)))
        return [entry for entry in found if entry is not None]

    def numbers_of(self, hashes: Container[int]) -> dict[int, list[int]]:
        """The entries that were taken with such a hash of their content: their numbers by it. It looks at all."""
        found: dict[int, list[int]] = {}
        for block in self._blocks:
            start = 0
            for place, end in enumerate(block.ends):
                _, _, _, status, content_hash, _ = HEAD.unpack_from(block.octets, start)
                if content_hash in hashes and not status:
                    found.setdefault(content_hash, []).append(block.first + place)
                start = end
        return found

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        self._blocks.clear()

    def _block_of(self, number: int) -> _Block | None:
        if not self.first <= number <= self.last:
            return None
        return self._blocks[(number - self._blocks[0].first) // BLOCK_ENTRIES]
