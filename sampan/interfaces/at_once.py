"""So many of each at once and no more: requests of one account, of one address (spec S125)."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sampan.reasons import Reason, Refused

MOST_OF_ACCOUNT = 1_000  # of messages.intake.MOST_PENDING, so that one account cannot have all places
MOST_OF_ADDRESS = 100


class AtOnce:
    """Counts what goes on, by key. Of one thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._going_on: Counter[Hashable] = Counter()

    def is_full(self, key: Hashable) -> bool:
        """Whether as many go on as may."""
        return self._going_on[key] >= self._most

    @contextmanager
    def place(self, key: Hashable) -> Iterator[None]:
        """Within, one more goes on. Raises Refused(OVERLOADED) where too many do."""
        if self.is_full(key):
            raise Refused(Reason.OVERLOADED)
        self._going_on[key] += 1
        try:
            yield
        finally:
            self._going_on[key] -= 1
            if not self._going_on[key]:
                del self._going_on[key]
