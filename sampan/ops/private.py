"""Small files that nobody else may read: secrets, addresses with a password, what runs."""

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

SECRET_OCTETS = 32


def write_private(path: Path, text: str) -> None:
    """Replace the file at once or not at all; only its owner reads it (0600). It outlives a power cut."""
    descriptor, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(unfinished).unlink()
        raise


def read_or_make_secret(path: Path) -> str:
    """The secret kept in the file, made at the first call. The caller sees to it that nobody else makes it at once."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(SECRET_OCTETS) + "\n")
    return path.read_text(encoding="utf-8").strip()
