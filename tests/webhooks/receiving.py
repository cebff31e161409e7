"""Customers' servers: real ones, on the loopback, that answer as they are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import msgspec
from aiohttp import web

from sampan.webhooks.deliverer import Deliverer
from tests.world import NOW

LOOPBACK = (ip_network("127.0.0.0/8"),)
PATIENCE_S = 20.0


@dataclass
class Received:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """Its JSON."""
        event: dict[str, Any] = msgspec.json.decode(self.body)
        return event


@dataclass
class Receiver:
    """A customer's server. `answer` makes its answers; by default 200."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Awaitable[web.Response]] | None = None

    async def handle(self, request: web.Request) -> web.Response:
        """Keep it, then answer."""
        received = Received(
            request.method, request.path, dict(request.query), dict(request.headers), await request.read()
        )
        self.received.append(received)
        return await self.answer(received) if self.answer else web.Response(text="thank you")

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was told, in the order in which it came."""
        return [received.event for received in self.received]


def answering(
    status: int, text: str = "", headers: dict[str, str] | None = None
) -> Callable[[Received], Awaitable[web.Response]]:
    """Always the same answer."""

    async def answer(_received: Received) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return answer


@asynccontextmanager
async def receiving(host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Receiver]:
    """A server that is up while the block runs."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/sms"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass
class Clock:
    """The time, which passes when the test says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def passes(self, span: timedelta) -> None:
        """So much later."""
        self.now += span


@asynccontextmanager
async def delivering(clock: Clock) -> AsyncIterator[Deliverer]:
    """A deliverer that may go to the loopback."""
    deliverer = Deliverer(LOOPBACK, clock=clock)
    try:
        yield deliverer
    finally:
        await deliverer.stop()


async def deliver_all(deliverer: Deliverer) -> None:
    """Everything that is due by its clock."""
    while await deliverer.turn():
        await deliverer.drained()


def run(work: Coroutine[Any, Any, None]) -> None:
    """The test's coroutine, which does not hang."""
    asyncio.run(asyncio.wait_for(work, PATIENCE_S))
