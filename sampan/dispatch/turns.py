"""Who goes next in one lane of one operator: a message of each customer in turn (spec S9). Pure.

Only a little is held in memory; the rest stays in the queue and is asked for customer by customer. A customer whose
last answer was full has more; of the others one asks again when told (`wake`). Ids commit out of order, so who is
asked again is asked from where they stood a second or two ago; a look at everybody begins at the bottom.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence

from sampan.dispatch.claims import Claimed, Turn

BOTTOM = 0


class Turns:
    """One lane."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[int, deque[Claimed]] = OrderedDict()  # customers in the order of their turns
        self._held: set[int] = set()  # ids in memory, here or being handed over
        self._after: dict[int, int] = {}  # customers to ask → the id to ask from
        self._floor: dict[int, int] = {}  # where one stood at least a second ago
        self._stood: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def is_hungry(self) -> bool:
        """Whether somebody is known or believed to have more in the queue."""
        return bool(self._after)

    def wake(self, customers: Iterable[int]) -> None:
        """These have queued something."""
        for customer in customers:
            self._after.setdefault(customer, self._floor.get(customer, BOTTOM))

    def look_at(self, customers: Iterable[int]) -> None:
        """A look at everybody found these waiting; ask them from the bottom. To be called about once a second."""
        self._floor, self._stood = self._stood, {}
        for customer in customers:
            self._after[customer] = BOTTOM

    def ask(self, room: int) -> list[Turn]:
        """Whom to ask for how many, so that about `room` messages come, the same number from each."""
        if not self._after or room <= 0:
            return []
        each = max(1, room // len(self._after))
        asked = list(self._after.items())[: max(1, room)]
        return [Turn(customer, after, each) for customer, after in asked]

    def add(self, asked: Sequence[Turn], rows: Iterable[Claimed]) -> None:
        """The answer to what was asked."""
        counts = dict.fromkeys((turn.customer_id for turn in asked), 0)
        for row in rows:
            counts[row.customer_id] += 1
            self._stood[row.customer_id] = max(self._stood.get(row.customer_id, BOTTOM), row.message_id)
            self._after[row.customer_id] = row.message_id
            if row.message_id not in self._held:
                self._held.add(row.message_id)
                self._waiting.setdefault(row.customer_id, deque()).append(row)
                self._count += 1
        for turn in asked:
            if counts[turn.customer_id] < turn.limit:
                self._after.pop(turn.customer_id, None)
            else:  # asked again after those who have not been asked yet
                self._after[turn.customer_id] = self._after.pop(turn.customer_id)

    def take(self, most_parts: int) -> list[Claimed]:
        """The next messages in turn, until they have this many parts; at least one where there is any room."""
        taken: list[Claimed] = []
        parts = 0
        while self._waiting and parts < most_parts:
            customer, messages = next(iter(self._waiting.items()))
            message = messages.popleft()
            self._waiting.move_to_end(customer)
            if not messages:
                del self._waiting[customer]
            self._count -= 1
            taken.append(message)
            parts += message.parts_left.bit_count()
        return taken

    def let_go(self, message_ids: Iterable[int]) -> None:
        """These were handed over, or went back to the queue: they are not in memory any more."""
        self._held.difference_update(message_ids)

    def clear(self) -> None:
        """Forget what is in memory; all of it is still in the queue."""
        for messages in self._waiting.values():
            self._held.difference_update(message.message_id for message in messages)
        self._waiting.clear()
        self._after.clear()
        self._count = 0
