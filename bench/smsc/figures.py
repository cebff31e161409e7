"""What the SMSC has counted."""

from collections import Counter
from typing import Any


class Figures:
    """Counts since the start or the last reset; times are seconds since 1970."""

    def __init__(self, track: bool) -> None:
        self._track = track
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.binds = self.submits = self.throttled = self.other = self.bad = 0
        self.receipts = self.receipts_acked = self.receipts_failed = self.duplicates = 0
        self.first = self.last = self.first_receipt = self.last_acked = 0.0
        self.of_second: Counter[int] = Counter()
        self.seen: set[tuple[bytes, bytes]] = set()

    def submitted(self, now: float) -> None:
        """A submit was taken."""
        self.submits += 1
        self.first, self.last = self.first or now, now
        self.of_second[int(now)] += 1

    def saw(self, destination: bytes, text: bytes) -> None:
        """Remember what was sent to whom, to tell a duplicate."""
        if (destination, text) in self.seen:
            self.duplicates += 1
        self.seen.add((destination, text))

    def as_dict(self, sessions: int) -> dict[str, Any]:
        """For JSON. `distinct` and `duplicates` are None where they are not tracked."""
        took_s, acked_s = self.last - self.first, self.last_acked - self.first_receipt
        return {
            "submits": self.submits,
            "submits_per_s": _rate(self.submits, took_s),
            "peak_1s": max(self.of_second.values(), default=0),
            "first": round(self.first, 3),
            "last": round(self.last, 3),
            "seconds": round(took_s, 3),
            "throttled": self.throttled,
            "distinct": len(self.seen) if self._track else None,
            "duplicates": self.duplicates if self._track else None,
            "receipts": self.receipts,
            "receipts_acked": self.receipts_acked,
            "receipts_failed": self.receipts_failed,
            "receipts_acked_per_s": _rate(self.receipts_acked, acked_s),
            "binds": self.binds,
            "sessions": sessions,
            "other": self.other,
            "bad": self.bad,
        }


def _rate(count: int, seconds: float) -> float | None:
    return round(count / seconds, 1) if seconds > 0 else None
