"""One HTTP request to a customer's server and what came back; bounded in time and octets, only to where it may go."""

import asyncio
import os
import re
import ssl
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from sampan.webhooks.address_guard import Network, NotPublic, socket_maker
from sampan.webhooks.forms import Delivery, Request
from sampan.webhooks.leases import LONGEST_RETRY_AFTER_S, Answer
from sampan.webhooks.tables import LONGEST_ANSWER

TIMEOUT_S = 15.0
CONNECT_TIMEOUT_S = 5.0
KEPT_ALIVE_S = 30.0
MOST_ANSWER_OCTETS = 16_384  # more, and the connection is closed
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def open_client(allowed: Sequence[Network]) -> aiohttp.ClientSession:
    """A client that keeps its connections, follows nothing, remembers nothing. On a running loop; close it."""
    connector = aiohttp.TCPConnector(
        limit=0,  # each endpoint has its own (courier.py)
        keepalive_timeout=KEPT_ALIVE_S,
        ssl=ssl.create_default_context(),
        socket_factory=socket_maker(allowed),
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def send(client: aiohttp.ClientSession, delivery: Delivery, request: Request, now: datetime) -> Answer:
    """Make the request. Whatever the server does gives an Answer."""
    began_s = time.perf_counter()
    status, retry_after_s = None, None
    try:
        async with client.request(
            request.method,
            URL(request.url, encoded=True),
            headers=request.headers,
            data=request.body,
            allow_redirects=False,
        ) as response:
            status = response.status
            retry_after_s = _retry_after_s(response, now)
            words = _words(await _beginning(response))
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        words = "" if status else _words_of(error)
    return Answer(delivery, status, round((time.perf_counter() - began_s) * 1000), words, retry_after_s)


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The answer, or its first octets where it has too many: leaving the rest closes the connection."""
    octets = b""
    while len(octets) < MOST_ANSWER_OCTETS and (more := await response.content.readany()):
        octets += more
    return octets


def _retry_after_s(response: aiohttp.ClientResponse, now: datetime) -> float | None:
    """How long 429 and 503 ask to wait (RFC 9110 §10.2.3): in seconds, or until a time; at most an hour."""
    said = response.headers.get("Retry-After", "")
    if response.status not in (429, 503) or not said:
        return None
    if said.isascii() and said.isdecimal():
        seconds = float(said[:6])
    else:
        try:
            until = parsedate_to_datetime(said)
        except ValueError:
            return None
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _words(octets: bytes) -> str:
    return _UNPRINTABLE.sub(" ", octets[: 4 * LONGEST_ANSWER].decode("utf-8", "replace")).strip()[:LONGEST_ANSWER]


def _words_of(error: Exception) -> str:
    """Why there was no answer, for the log that the customer reads."""
    causes = [error, *getattr(error, "exceptions", ()), getattr(error, "os_error", None), error.__cause__]
    for cause in causes:
        if isinstance(cause, NotPublic):
            return f"Refused: {cause}"
    if isinstance(error, TimeoutError | asyncio.TimeoutError):
        return f"No answer within {TIMEOUT_S:.0f} s"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "The host name has no address"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return _words(f"TLS: {error}".encode())
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return f"No connection to {error.host}: {os.strerror(error.os_error.errno)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "The connection was closed without an answer"
    return _words(str(error).encode()) or type(error).__name__
