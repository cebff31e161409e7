"""What was taken, in a file that outlives `kill -9`, so that the next simulator still tells what it is given twice.

Eight octets a part, written before the answer: what the ESME saw answered is in it. It does not outlive the machine.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

KEY = struct.Struct(">q")
MOST_READ = 1_000_000  # of the newest


class Memory:
    """The hashes of what was taken, in their order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b", buffering=0)

    def read(self) -> Iterator[int]:
        """What earlier simulators took."""
        count = self._path.stat().st_size // KEY.size
        self._file.truncate(count * KEY.size)  # a kill may have cut the last one short
        self._file.seek(max(0, count - MOST_READ) * KEY.size)
        return (key for (key,) in KEY.iter_unpack(self._file.read()))

    def write(self, key: int) -> None:
        """One more was taken."""
        self._file.write(KEY.pack(key))

    def clear(self) -> None:
        """Forget all."""
        self._file.truncate(0)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self._path.unlink(missing_ok=True)
