"""The one table of everything that can be asked of the JSON API."""

from sampan.interfaces.json_api import (
    address_book,
    batches,
    money,
    people,
    reading,
    replies,
    sending,
    verifications,
    webhooks,
)
from sampan.interfaces.json_api.calls import Operation

OPERATIONS: tuple[Operation, ...] = (
    *sending.OPERATIONS,
    *reading.OPERATIONS,
    *batches.OPERATIONS,
    *money.OPERATIONS,
    *address_book.OPERATIONS,
    *people.OPERATIONS,
    *replies.OPERATIONS,
    *webhooks.OPERATIONS,
    *verifications.OPERATIONS,
)


class Routes:
    """Which operation an address and a method mean. `{id}` stands for one segment."""

    def __init__(self, operations: tuple[Operation, ...] = OPERATIONS) -> None:
        self._by_path: dict[tuple[str, ...], dict[str, Operation]] = {}
        for operation in operations:
            segments = tuple(operation.path.split("/"))
            methods = self._by_path.setdefault(segments, {})
            assert operation.method not in methods, f"{operation.method} {operation.path} twice"
            methods[operation.method] = operation

    def find(self, path: str) -> tuple[dict[str, Operation], str]:
        """The operations at an address by their methods, and its id; none where nothing is there."""
        segments = tuple(path.split("/"))
        if exact := self._by_path.get(segments):
            return exact, ""
        for place in range(len(segments) - 1, 1, -1):
            pattern = (*segments[:place], "{id}", *segments[place + 1 :])
            if segments[place] and (found := self._by_path.get(pattern)):
                return found, segments[place]
        return {}, ""
