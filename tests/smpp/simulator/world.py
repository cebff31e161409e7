"""A simulator and links bound at it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sampan.smpp.client import BindMode, ClientSession, Operator, connect
from sampan.smpp.pdu import DeliverSm, QuerySm, SubmitSm
from sampan.smpp.receipt import DeliveryReceipt, read_receipt
from sampan.smpp.session import CommandRefused, Limits
from sampan.smpp.simulator import Simulator, SimulatorSettings
from sampan.smpp.simulator.faults import read_faults
from tests.smpp.peers import Events, Link, StoringLink

ACCOUNTS = {"florist": "secret", "charity": "hope"}


def settings(**more: Any) -> SimulatorSettings:
    """A simulator for the florist and the charity, on a port of the kernel's choice."""
    chosen: dict[str, Any] = {"port": 0, "accounts": ACCOUNTS, "enquire_link_s": None} | more
    return SimulatorSettings(**chosen)


@asynccontextmanager
async def open_simulator(**more: Any) -> AsyncIterator[Simulator]:
    """A simulator that listens."""
    simulator = Simulator(settings(**more))
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop(timeout_s=0.05)


async def bind(
    simulator: Simulator,
    link: Link | None = None,
    *,
    system_id: str = "florist",
    password: str | None = None,
    mode: BindMode = BindMode.TRANSCEIVER,
    interface_version: int = 0x34,
) -> Link:
    """A link bound at the simulator, which acknowledges what it gets."""
    operator = Operator(
        host="127.0.0.1",
        port=simulator.port,
        system_id=system_id,
        password=ACCOUNTS[system_id] if password is None else password,
        mode=mode,
        interface_version=interface_version,
    )
    link = link or StoringLink()
    session: ClientSession = await connect(operator, link, Limits(window=1000, enquire_link_s=None))
    link.session = session
    return link


def arm(simulator: Simulator, *faults: dict[str, Any]) -> None:
    """These faults, as the control takes them, and no others."""
    simulator.set_faults(read_faults(json.dumps({"faults": faults, "seed": 7}).encode()).faults, seed=7)


def to(number: int, text: bytes = b"Your roses are ready", **more: Any) -> SubmitSm:
    """The florist's text to 852510000NN, with a receipt."""
    fields: dict[str, Any] = {"registered_delivery": 1, "short_message": text} | more
    return SubmitSm("", 5, 0, "Florist", 1, 1, f"852510000{number:02}", **fields)


async def receipts(events: Events, count: int = 1) -> list[DeliveryReceipt]:
    """The receipts that came, as soon as they are so many."""
    deliveries = await events.until("deliveries", count)
    read = [read_receipt(delivery.body) for delivery in deliveries]
    return [receipt for receipt in read if receipt is not None]


async def eventually(condition: Callable[[], object]) -> None:
    """Until the condition is true; the test's own patience bounds it."""
    while not condition():  # noqa: ASYNC110 - what it looks at tells nobody when it changes
        await asyncio.sleep(0.01)


async def settle(link: Link) -> None:
    """Until the simulator has read all the link has written: it answers in order."""
    with pytest.raises(CommandRefused):
        await link.session.query(QuerySm("no such message"))


def body_of(events: Events, place: int = 0) -> DeliverSm:
    """A delivery that came."""
    body = events.told["deliveries"][place].body
    assert isinstance(body, DeliverSm)
    return body
