"""Documents that people upload for other people to read: told by their content, kept under DATA by random names.

Nothing here serves a file: who may have one is asked in accounts/documents.py. The name it came with is never used.
"""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from sampan import settings
from sampan.reasons import Reason, Refused

MOST_OCTETS = 4 * 1024 * 1024
FOLDER = "documents"
NAME_OCTETS = 16
PDF, JPEG, PNG = "application/pdf", "image/jpeg", "image/png"
ENDINGS = {PDF: ".pdf", JPEG: ".jpg", PNG: ".png"}
ACCEPTED = ",".join((*ENDINGS.values(), ".jpeg"))  # what a browser's file chooser offers

_STORED = re.compile(r"[0-9a-f]{32}\.(pdf|jpg|png)")
_PDF_TAIL_OCTETS = 1024  # of the end, where %%EOF stands


def media_type_of(octets: bytes) -> str:
    """What it is by its first and last octets. Raises Refused: empty, too large, or none of the three."""
    if len(octets) > MOST_OCTETS:
        raise Refused(Reason.DOCUMENT_TOO_LARGE, "document", f"{MOST_OCTETS // (1024 * 1024)} MB")
    if octets.startswith(b"%PDF-") and b"%%EOF" in octets[-_PDF_TAIL_OCTETS:]:
        return PDF
    if octets.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in octets:
        return JPEG
    if octets.startswith(b"\x89PNG\r\n\x1a\n") and b"IEND" in octets[-64:]:
        return PNG
    raise Refused(Reason.NOT_A_DOCUMENT, "document")


def keep(octets: bytes) -> str:
    """Write it, for this user alone to read; gives the random name it has from now on. Raises Refused."""
    name = secrets.token_hex(NAME_OCTETS) + ENDINGS[media_type_of(octets)]
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    return name


def read(name: str) -> bytes:
    """What was kept by this name. Raises FileNotFoundError."""
    if not _STORED.fullmatch(name):
        raise FileNotFoundError(name)
    return (_folder() / name).read_bytes()


def kept_before(moment: datetime) -> Iterator[str]:
    """The names of what was written before a moment."""
    folder = _folder()
    for file in folder.iterdir() if folder.is_dir() else ():
        if _STORED.fullmatch(file.name) and file.stat().st_mtime < moment.timestamp():
            yield file.name


def remove(name: str) -> None:
    """It is nobody's any more."""
    if _STORED.fullmatch(name):
        (_folder() / name).unlink(missing_ok=True)


def _folder() -> Path:
    return settings.DATA / FOLDER
