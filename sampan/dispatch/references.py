"""The 8-bit references that tie the parts of a long text: no two in flight to one handset are the same (spec S23)."""

from collections import OrderedDict

MOST_REMEMBERED = 100_000
REFERENCES = 256


class References:
    """For one operator account: each destination's own row of numbers."""

    def __init__(self) -> None:
        self._last: OrderedDict[int, int] = OrderedDict()

    def next(self, destination: int) -> int:
        """The reference after the last one to this destination; a new destination starts somewhere of its own."""
        reference = (self._last.pop(destination, destination * 31) + 1) % REFERENCES
        self._last[destination] = reference
        if len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)
        return reference
