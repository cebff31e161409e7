"""The data folder of one installation: its secret, the address of its database, what runs, and who may run it.

secret          the master secret of settings.py, made once; without it nothing encrypted can be read again
database-url    the address of the database, so that every verb with `--data` finds it
ready.json      what runs and where, while `sampan up` runs
up.lock         held by `sampan up`, whose process number it holds
programs.lock   held until the last program of that `up` has ended, even if `up` itself was killed
postgres/       the embedded PostgreSQL (postgres.py)
"""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sampan.ops import CannotStart
from sampan.ops.private import read_or_make_secret, write_private

STOPPING_WITHIN_S = 80.0  # what a killed supervisor leaves running ends within the guard's seconds
LOOK_EVERY_S = 0.1


class Installation:
    """One data folder. Making the object touches nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._database_url = self.folder / "database-url"
        self.ready_file = self.folder / "ready.json"

    @property
    def postgres_folder(self) -> Path:
        """Where the embedded PostgreSQL lives."""
        return self.folder / "postgres"

    def make(self) -> None:
        """Make the folder, readable by its owner alone; one that is there stays as it is. Raises CannotStart."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.folder} cannot be made ({error.strerror}). Choose another with --data"
            ) from error
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise CannotStart(
                f"This user may not write in the data folder {self.folder}."
                " Start Sampan as the user who made it, or choose another folder with --data"
            )

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder for one `sampan up`; gives the descriptor to hand to the supervisor's `held`.

        Raises CannotStart where another `up` runs. Where one was killed, this waits for its programs to end.
        """
        with (self.folder / "up.lock").open("a+") as up, (self.folder / "programs.lock").open("a") as programs:
            if not _try_to_lock(up.fileno()):
                up.seek(0)
                raise CannotStart(
                    f"Sampan already runs on {self.folder} (process {up.read().strip()})."
                    " Stop that one, or choose another folder with --data"
                )
            up.truncate(0)
            up.write(f"{os.getpid()}\n")
            up.flush()
            deadline = time.monotonic() + STOPPING_WITHIN_S
            while not _try_to_lock(programs.fileno()):
                if time.monotonic() > deadline:
                    raise CannotStart(f"Programs of an earlier Sampan still run on {self.folder}. End them")
                time.sleep(LOOK_EVERY_S)
            yield programs.fileno()

    def secret(self) -> str:
        """The master secret; `sampan up` makes it, once."""
        return read_or_make_secret(self.folder / "secret")

    def write_database_url(self, url: str) -> None:
        """Remember where the database is, for the verbs that are run beside `sampan up`."""
        write_private(self._database_url, url + "\n")

    def environment(self) -> dict[str, str]:
        """What settings.py reads, for a verb on this folder. Raises CannotStart where `sampan up` never ran."""
        try:
            url = self._database_url.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise CannotStart(
                f"There is no installation in {self.folder} that this user may use ({error.strerror})."
                " Run `sampan up` on it first, or name the right folder with --data"
            ) from error
        return {"SAMPAN_DATA": str(self.folder), "SAMPAN_DATABASE_URL": url, "SAMPAN_SECRET": self.secret()}

    def write_ready(self, what: Mapping[str, Any]) -> None:
        """Tell in ready.json what runs and where. It names demo passwords, so only the owner reads it."""
        write_private(self.ready_file, json.dumps(what, indent=2, ensure_ascii=False) + "\n")

    def read_ready(self) -> dict[str, Any] | None:
        """What runs and where, or None where nothing does."""
        with contextlib.suppress(FileNotFoundError):
            ready: dict[str, Any] = json.loads(self.ready_file.read_text(encoding="utf-8"))
            return ready
        return None

    def forget_ready(self) -> None:
        """Remove ready.json at the stop (where `up` is killed, the guard does)."""
        self.ready_file.unlink(missing_ok=True)


def _try_to_lock(descriptor: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
