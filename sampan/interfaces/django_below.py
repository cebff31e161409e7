"""Django's pages under an ASGI application: one hop to a thread for each request (docs/decisions/0006-one-port.md).

Django's own ASGI handler hops once for each synchronous middleware and gave a quarter of the pages a second; ready-made
bridges lost threads to clients that hang up. So: the body is read before a thread is taken (a slow uploader costs no
thread), the page is made in one of a few threads, and a streaming answer gets a thread of its own, because Django's
connections belong to threads and its generator queries as it goes.
"""

import asyncio
import contextvars
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, NamedTuple

import django
import structlog
from django.core import signals
from django.core.exceptions import RequestDataTooBig
from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.db import connections
from django.http import HttpResponse
from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.urls import set_script_prefix

from sampan.interfaces.asgi import BodyTooLarge, Disconnected, Headers, Receive, Scope, Send, answer

MOST_BODY_OCTETS = 8 * 1024 * 1024
MOST_DROPPED_OCTETS = 64 * 1024 * 1024  # of a body that is too large: who is still sending it hears no answer
TOO_LARGE_PATH = "/too-large/"  # the page that is shown instead
BODY_WITHIN_S = 180.0
MOST_AT_ONCE = 200  # requests that wait for a thread, or have one
SPOOLED_OCTETS = 256 * 1024
STREAM_PIECE_OCTETS = 64 * 1024
PAGE_THREADS = 2  # pages are bound by the GIL: more threads made them slower
MOST_STREAMS = 4


PLAIN_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
BUSY = [*PLAIN_TEXT, (b"retry-after", b"2")]

log = structlog.get_logger()


class Page(NamedTuple):
    """A response as ASGI wants it; `stream` where its body comes piece by piece."""

    status: int
    headers: Headers
    body: bytes
    stream: "Stream | None"


class Stream:
    """The rest of a streaming response; used and closed on one thread."""

    def __init__(self, response: StreamingHttpResponse) -> None:
        self._response = response
        self._pieces: Iterator[bytes] = iter(response)

    def next_piece(self) -> bytes:
        """Some 64 kB; empty at the end."""
        collected: list[bytes] = []
        octets = 0
        for piece in self._pieces:
            collected.append(piece)
            octets += len(piece)
            if octets >= STREAM_PIECE_OCTETS:
                break
        return b"".join(collected)

    def close(self) -> None:
        """Close the generator, the response and this thread's connections."""
        self._response.close()
        connections.close_all()


class DjangoBelow(BaseHandler):
    """Answers what no faster door has taken."""

    def __init__(self) -> None:
        django.setup()
        self.load_middleware()
        self._threads = ThreadPoolExecutor(PAGE_THREADS, "pages")
        self._streams = asyncio.Semaphore(MOST_STREAMS)
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        with tempfile.SpooledTemporaryFile(SPOOLED_OCTETS) as body:
            try:
                async with asyncio.timeout(BODY_WITHIN_S):
                    await _read(receive, body)
            except Disconnected:
                return
            except TimeoutError:
                await answer(send, 408, b"The request took too long to arrive.\n", PLAIN_TEXT)
                return
            except BodyTooLarge:
                scope = {**scope, "method": "GET", "path": TOO_LARGE_PATH, "query_string": b""}
            if self._at_once >= MOST_AT_ONCE:
                await answer(send, 503, b"Too many requests are waiting. Try again in a moment.\n", BUSY)
                return
            self._at_once += 1
            try:
                await self._answer(scope, body, receive, send)
            finally:
                self._at_once -= 1

    async def _answer(self, scope: Scope, body: IO[bytes], receive: Receive, send: Send) -> None:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        page = await loop.run_in_executor(self._threads, context.run, self._page, scope, body)
        if page.stream is None:
            await answer(send, page.status, page.body, page.headers)
        else:
            await self._send_stream(page, page.stream, context, receive, send)

    def _page(self, scope: Scope, body: IO[bytes]) -> Page:
        """The response, made in a thread of its own context."""
        set_script_prefix("/")
        signals.request_started.send(sender=self.__class__, scope=scope)
        try:
            request = ASGIRequest(_with_one_cookie_header(scope), body)
        except UnicodeDecodeError:
            response: HttpResponseBase = HttpResponse(status=400)
        except RequestDataTooBig:
            response = HttpResponse(status=413)
        else:
            response = self.get_response(request)
        headers = [(name.lower().encode("ascii"), value.encode("latin1")) for name, value in response.items()]
        headers += [(b"set-cookie", cookie.OutputString().encode("latin1")) for cookie in response.cookies.values()]
        if isinstance(response, StreamingHttpResponse):
            return Page(response.status_code, headers, b"", Stream(response))
        content = response.content if isinstance(response, HttpResponse) else b""
        response.close()
        return Page(response.status_code, headers, content, None)

    async def _send_stream(
        self, page: Page, stream: Stream, context: contextvars.Context, receive: Receive, send: Send
    ) -> None:
        """Piece by piece until the end or until the client hangs up."""
        loop = asyncio.get_running_loop()
        async with self._streams:
            gone = asyncio.create_task(_hang_up(receive))
            thread = ThreadPoolExecutor(1, "stream")
            try:
                await send({"type": "http.response.start", "status": page.status, "headers": page.headers})
                while not gone.done():
                    piece = await loop.run_in_executor(thread, context.run, stream.next_piece)
                    await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
                    if not piece:
                        break
            except Exception as error:
                log.error("page.stream", error=repr(error))  # the client sees that it is cut off
                raise
            finally:
                gone.cancel()
                await loop.run_in_executor(thread, context.run, stream.close)
                thread.shutdown(wait=False)

    def close(self) -> None:
        """Finish the pages in hand."""
        self._threads.shutdown(wait=True)


async def _read(receive: Receive, body: IO[bytes]) -> None:
    """The request's body into a file. Raises Disconnected, BodyTooLarge."""
    octets = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        piece = message.get("body", b"")
        more = message.get("more_body", False)
        octets += len(piece)
        if octets <= MOST_BODY_OCTETS:
            body.write(piece)
        elif octets > MOST_DROPPED_OCTETS:
            raise BodyTooLarge
    body.seek(0)
    if octets > MOST_BODY_OCTETS:
        raise BodyTooLarge


async def _hang_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _with_one_cookie_header(scope: Scope) -> Scope:
    """HTTP/2 may split cookies over headers, and Django would join them by a comma."""
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    if len(cookies) < 2:
        return scope
    others = [(name, value) for name, value in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": [*others, (b"cookie", b"; ".join(cookies))]}
