"""Stylesheet, icons and modules, from memory: they wait for no thread of the pages.

Their address has the digest of them all in it (settings.py), so that browsers keep them for good, modules find each
other by plain relative names, and nothing has to be collected or rewritten before a start.
"""

import gzip
from pathlib import Path
from typing import NamedTuple

from sampan.interfaces.asgi import Headers, Receive, Scope, Send, answer

TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".mjs": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
KEPT = [
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"vary", b"accept-encoding"),
    (b"x-content-type-options", b"nosniff"),
]


class File(NamedTuple):
    """One file as it is sent."""

    octets: bytes
    packed: bytes
    content_type: bytes


class StaticFiles:
    """The door to all files of a folder; each kind of file that stands there must be in TYPES."""

    def __init__(self, folder: Path, url: str) -> None:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        self.addresses = {f"{url}{path.relative_to(folder).as_posix()}": _read(path) for path in paths}

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"", [(b"allow", b"GET, HEAD")])
            return
        file = self.addresses[scope["path"]]
        packed = any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
        octets = file.packed if packed else file.octets
        headers: Headers = [
            *KEPT,
            (b"content-type", file.content_type),
            (b"content-length", str(len(octets)).encode()),
            *([(b"content-encoding", b"gzip")] if packed else []),
        ]
        await answer(send, 200, b"" if scope["method"] == "HEAD" else octets, headers)


def _read(path: Path) -> File:
    octets = path.read_bytes()
    return File(octets, gzip.compress(octets, mtime=0), TYPES[path.suffix])
