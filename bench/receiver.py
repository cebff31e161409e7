"""A customer's server as fast as Python makes one: answers 204 to everything and counts what it was told.

python -m bench.receiver PORT; GET /figures gives the counts.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


class Receiver(asyncio.Protocol):
    """One connection; requests have a Content-Length or no body."""

    ids: set[bytes] = set()  # noqa: RUF012 - of all connections
    requests = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connects."""
        self._transport = cast("asyncio.Transport", transport)
        self._octets = b""

    def data_received(self, data: bytes) -> None:
        """Answer each request that is whole."""
        self._octets += data
        while (end := self._octets.find(b"\r\n\r\n")) >= 0:
            head = self._octets[:end].lower()
            length = _header(head, b"content-length")
            rest = end + 4 + int(length or b"0")
            if len(self._octets) < rest:
                return
            self._octets = self._octets[rest:]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"get /figures"):
            body = json.dumps({"requests": Receiver.requests, "distinct": len(Receiver.ids)}).encode()
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        Receiver.requests += 1
        Receiver.ids.add(_header(head, b"webhook-id"))
        return ANSWER


def _header(head: bytes, name: bytes) -> bytes:
    at = head.find(b"\r\n" + name + b":")
    return head[at + len(name) + 3 :].partition(b"\r\n")[0].strip() if at >= 0 else b""


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
