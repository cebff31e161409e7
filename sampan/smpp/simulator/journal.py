"""What the simulator knows of every submit: its number, id, fate and state; and what went by, in figures."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from sampan.smpp.pdu import MessageState, Status, SubmitSm, decode
from sampan.smpp.simulator.behaviours import Behaviour
from sampan.smpp.simulator.memory import Memory
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
    receipts_due: int = 0  # each once
    receipts: int = 0  # written; once more after a lost session
    receipts_acknowledged: int = 0
    receipts_forgotten: int = 0  # in a restart
    replies: int = 0
    replies_acknowledged: int = 0
    deliveries_refused: int = 0
    binds: int = 0
    binds_refused: int = 0
    restarts: int = 0


class Repeated(NamedTuple):
    """A content that was taken more than once: how often, and the submits as far as the record goes."""

    times: int
    entries: list[Entry]


class Journal:
    """The record and the figures."""

    def __init__(self, most_recorded: int, clock: Callable[[], float], memory: Path | None = None) -> None:
        self.stats = Stats()
        self.record = Record(most_recorded)
        # Microseconds: an id is never given again after a restart, unless a million come in a second.
        self._ids_before = int(clock() * 1_000_000)
        self._behaviours: dict[str, int] = {}
        self._seen: dict[int, None] = {}
        self._repeated: dict[int, int] = {}  # how often it was taken, where that is more than once
        self._unanswered: dict[int, None] = {}  # numbers
        self._tries: dict[int, int] = {}
        self._memory = Memory(memory) if memory else None
        for key in self._memory.read() if self._memory else ():
            self._count(Status.ESME_ROK, key)

    def write(
        self, octets: bytes, *, now: float, account: int, behaviour: Behaviour, status: int, key: int
    ) -> tuple[int, int]:
        """Write a submit down, taken or refused: its number and its id. `key`: the same for the same content."""
        self._count(status, key)
        if self._memory is not None and not status:
            self._memory.write(key)
        message_id = self._ids_before + self.record.last + 1
        named = self._behaviours.setdefault(behaviour.name, len(self._behaviours))
        state = 0 if status else MessageState.ENROUTE
        return self.record.append(octets, (now, account, named, status, key, message_id), state), message_id

    def tried(self, key: int) -> int:
        """How often this content was tried before; and now once more."""
        tries = self._tries.get(key, 0)
        self._tries[key] = tries + 1
        _forget_oldest(self._tries)
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

    def note_unanswered(self, message_id: str) -> None:
        """A submit that was taken is not answered, or not yet. (An id that is empty is none that was taken.)"""
        if message_id:
            self._unanswered[int(message_id) - self._ids_before] = None
            _forget_oldest(self._unanswered)

    def note_answered(self, message_id: str) -> None:
        """Its answer was written after all."""
        if message_id:
            self._unanswered.pop(int(message_id) - self._ids_before, None)

    @property
    def unanswered(self) -> int:
        """How many of the taken have no answer that was written."""
        return len(self._unanswered)

    def is_answered(self, number: int) -> bool:
        """Whether the answer to this submit was written."""
        return number not in self._unanswered

    def find_unanswered(self, limit: int) -> list[Entry]:
        """The taken without an answer, oldest first, at most `limit`, as far as the record goes."""
        found = (self.record.get(number) for number in islice(self._unanswered, limit))
        return [entry for entry in found if entry is not None]

    def find_repeated(self, limit: int) -> list[Repeated]:
        """What was taken more than once, at most `limit` of it. It looks through the whole record."""
        wanted = dict(islice(self._repeated.items(), limit))
        if not wanted:
            return []
        numbers = self.record.numbers_of(wanted)
        return [
            Repeated(times, [entry for number in numbers[key] if (entry := self.record.get(number)) is not None])
            for key, times in wanted.items()
            if key in numbers
        ]

    def behaviour_name(self, index: int) -> str:
        """The name of a behaviour, by the index an entry keeps."""
        return next(name for name, each in self._behaviours.items() if each == index)

    def clear(self) -> None:
        """Forget everything but which numbers were given."""
        self.stats = Stats()
        for forgotten in (self.record, self._seen, self._tries, self._repeated, self._unanswered):
            forgotten.clear()
        if self._memory is not None:
            self._memory.clear()

    def close(self) -> None:
        """An orderly end: the next simulator begins as new."""
        if self._memory is not None:
            self._memory.remove()

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
                self._repeated[key] = self._repeated.get(key, 1) + 1
                _forget_oldest(self._repeated)
                return
            stats.distinct += 1
            self._seen[key] = None
            if len(self._seen) > MOST_REMEMBERED:  # not by a call: this is for every submit
                del self._seen[next(iter(self._seen))]


def _forget_oldest(remembered: dict[int, Any]) -> None:
    if len(remembered) > MOST_REMEMBERED:
        del remembered[next(iter(remembered))]
