"""What the simulator knows of every submit: its number, id, fate and state; and what went by, in figures."""

from collections.abc import Callable
from dataclasses import dataclass

from sampan.smpp.pdu import MessageState, Status, SubmitSm, decode
from sampan.smpp.simulator.behaviours import Behaviour
from sampan.smpp.simulator.record import Entry, Record

MOST_REMEMBERED = 1_000_000  # texts, to tell duplicates and to count tries


@dataclass
class Stats:
    """What went by since the start or the last reset."""

    submits: int = 0  # every submit, refused ones too; one of a submit_multi for each destination
    taken: int = 0
    distinct: int = 0  # among the taken, by destination and text
    duplicates: int = 0
    throttled: int = 0
    refused: int = 0  # for other reasons
    receipts: int = 0  # written; once more after a lost session
    receipts_acknowledged: int = 0
    replies: int = 0
    replies_acknowledged: int = 0
    deliveries_refused: int = 0
    binds: int = 0
    binds_refused: int = 0


class Journal:
    """The record and the figures."""

    def __init__(self, most_recorded: int, clock: Callable[[], float]) -> None:
        self.stats = Stats()
        self.record = Record(most_recorded)
        # Microseconds: an id is never given again after a restart, unless a million come in a second.
        self._ids_before = int(clock() * 1_000_000)
        self._behaviours: dict[str, int] = {}
        self._seen: dict[int, None] = {}
        self._tries: dict[int, int] = {}

    def write(
        self, octets: bytes, *, now: float, account: int, behaviour: Behaviour, status: int, key: int
    ) -> tuple[int, int]:
        """Write a submit down, taken or refused: its number and its id. `key`: the same for the same content."""
        self._count(status, key)
        message_id = self._ids_before + self.record.last + 1
        named = self._behaviours.setdefault(behaviour.name, len(self._behaviours))
        state = 0 if status else MessageState.ENROUTE
        return self.record.append(octets, (now, account, named, status, key, message_id), state), message_id

    def tried(self, key: int) -> int:
        """How often this content was tried before; and now once more."""
        tries = self._tries.get(key, 0)
        self._tries[key] = tries + 1
        if len(self._tries) > MOST_REMEMBERED:
            del self._tries[next(iter(self._tries))]
        return tries

    def find(self, account: int, message_id: str, source_addr: str) -> Entry | None:
        """A message that was taken, as query_sm and cancel_sm name it."""
        if not (message_id.isascii() and message_id.isdigit()):
            return None
        entry = self.record.get(int(message_id) - self._ids_before)
        if entry is None or entry.command_status or entry.account != account:
            return None
        body = decode(entry.octets).body
        return entry if isinstance(body, SubmitSm) and source_addr in {"", body.source_addr} else None

    def behaviour_name(self, index: int) -> str:
        """The name of a behaviour, by the index an entry keeps."""
        return next(name for name, each in self._behaviours.items() if each == index)

    def clear(self) -> None:
        """Forget everything but which numbers were given."""
        self.stats = Stats()
        for forgotten in (self.record, self._seen, self._tries):
            forgotten.clear()

    def _count(self, status: int, key: int) -> None:
        stats = self.stats
        stats.submits += 1
        if status == Status.ESME_RTHROTTLED:
            stats.throttled += 1
        elif status:
            stats.refused += 1
        else:
            stats.taken += 1
            if key in self._seen:
                stats.duplicates += 1
                return
            stats.distinct += 1
            self._seen[key] = None
            if len(self._seen) > MOST_REMEMBERED:
                del self._seen[next(iter(self._seen))]
