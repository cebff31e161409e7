"""The platform's processes, each a verb of its own, kept running by `sampan up`."""

import argparse
import asyncio
import gc
import logging
import os
import resource
import signal
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import uvloop

from sampan.ops import CannotStart
from sampan.ops.cli import use_platform
from sampan.ops.logins import simulator_account

SWITCH_INTERVAL_S = 0.0005  # so that neither a page being made nor a crowd of PDUs holds up the others for 5 ms
MOST_CONNECTIONS = 32_768  # of the deliverer of webhooks
YOUNG_OBJECTS = 50_000  # before the collector looks: a busy door makes thousands a second and keeps none


def set_up_logging() -> None:
    """One line of JSON an event, on stdout."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
    )


def set_up_process(arguments: argparse.Namespace) -> None:
    """Logging and Django, before anything else is read."""
    set_up_logging()
    use_platform(arguments)


def settle_down() -> None:
    """Everything is loaded: what stands now is not looked at by the collector again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


async def until_told_to_stop() -> None:
    """Wait for SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def run_loop(work: Callable[[], Awaitable[None]]) -> None:
    """An asyncio process, on uvloop."""
    uvloop.run(work())  # type: ignore[arg-type]


def web(arguments: argparse.Namespace) -> None:
    """Pages and APIs on one port; several such processes share it."""
    set_up_process(arguments)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    from granian.constants import Interfaces
    from granian.server.embed import Server

    from sampan.database import Snapshot
    from sampan.interfaces.web import Web
    from sampan.messages.planning import THIS_PLATFORM

    async def serve() -> None:
        application = Web(THIS_PLATFORM)
        Snapshot.listen_for_changes("web")
        server = Server(
            application,
            address=arguments.host,
            port=arguments.port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
        )
        serving = asyncio.create_task(server.serve())
        settle_down()
        await until_told_to_stop()
        server.stop()  # type: ignore[no-untyped-call]
        await serving
        await application.close()

    run_loop(serve)


def gateway(arguments: argparse.Namespace) -> None:
    """The links to operators."""
    set_up_process(arguments)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    from sampan.dispatch.gateway import Gateway

    async def hold() -> None:
        gateway = Gateway()
        running = asyncio.create_task(gateway.run())
        settle_down()
        await until_told_to_stop()
        running.cancel()
        await gateway.stop()

    run_loop(hold)


def smpp(arguments: argparse.Namespace) -> None:
    """The SMPP door for customers."""
    set_up_process(arguments)
    from sampan.database import Snapshot
    from sampan.interfaces.smpp_door.door import SETTINGS, SmppDoor
    from sampan.messages.planning import THIS_PLATFORM
    from sampan.smpp.server import Server

    async def serve() -> None:
        door = SmppDoor(THIS_PLATFORM, rate=arguments.rate)
        Snapshot.listen_for_changes("smpp")
        server = Server(door, SETTINGS)
        await server.start(arguments.host, arguments.port, _tls("SMPP", arguments))
        settle_down()
        await until_told_to_stop()
        await server.stop()
        await door.close()

    run_loop(serve)


def smtp(arguments: argparse.Namespace) -> None:
    """The SMTP door: mails become texts. Without uvloop, whose transports aiosmtpd's STARTTLS does not know."""
    set_up_process(arguments)
    from sampan.database import Snapshot
    from sampan.interfaces.smtp_door.authentic import Resolver
    from sampan.interfaces.smtp_door.door import SmtpDoor
    from sampan.interfaces.smtp_door.server import Server
    from sampan.messages.planning import THIS_PLATFORM

    async def serve() -> None:
        Snapshot.listen_for_changes("smtp")
        tls = _tls("SMTP", arguments)
        server = Server(SmtpDoor(THIS_PLATFORM, Resolver()), tls=tls, plain_on_loopback=arguments.plain_on_loopback)
        await server.start(arguments.host, arguments.port)
        settle_down()
        await until_told_to_stop()
        await server.stop()

    asyncio.run(serve())


def _tls(door: str, arguments: argparse.Namespace) -> ssl.SSLContext | None:
    """TLS where a certificate is named."""
    certificate = arguments.tls_certificate
    if not certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, arguments.tls_key or None)
    except OSError as error:
        raise CannotStart(f"The {door} door's certificate {certificate} cannot be used: {error}") from error
    return context


def webhooks(arguments: argparse.Namespace) -> None:
    """Customers' servers are told what happened."""
    set_up_process(arguments)
    from django.conf import settings

    from sampan.webhooks.deliverer import Deliverer

    async def deliver() -> None:
        allow_connections(MOST_CONNECTIONS)
        deliverer = Deliverer(settings.WEBHOOK_NETWORKS)
        running = asyncio.create_task(deliverer.run())
        settle_down()
        await until_told_to_stop()
        running.cancel()
        await deliverer.stop()

    run_loop(deliver)


def allow_connections(most: int) -> None:
    """Let this process have as many at once as the system allows it, up to `most`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def worker(arguments: argparse.Namespace) -> None:
    """What time brings; and the metrics."""
    set_up_process(arguments)
    from sampan.ops.metrics import serve_metrics
    from sampan.ops.worker import run_jobs

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    serve_metrics(arguments.metrics_host, arguments.metrics_port)
    settle_down()
    run_jobs(stop)


def simulator(arguments: argparse.Namespace) -> None:
    """An SMSC of our own, for trying. Where no --account is given it knows the installation's own."""
    set_up_logging()
    from sampan.smpp.simulator.process import run

    accounts = dict(account.split(":", 1) for account in arguments.account or ())
    if not accounts:
        accounts = dict([simulator_account(os.environ.get("SAMPAN_SECRET", ""))])
    run(
        host=arguments.host,
        port=arguments.port,
        control_port=arguments.control_port,
        accounts=accounts,
        time_scale=arguments.time_scale,
        seed=arguments.seed,
        memory=Path(arguments.memory) if arguments.memory else None,
    )
