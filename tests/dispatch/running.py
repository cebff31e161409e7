"""A simulator and gateways that really run, on one event loop, against the tests' database."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from sampan.database import Connection, Snapshot
from sampan.dispatch.dispatcher import utc_now
from sampan.dispatch.gateway import Gateway
from sampan.messages.announcing import announce, places_of
from sampan.messages.planning import Draft, plan
from sampan.messages.submit import Accepted, submit
from sampan.ops.demo import simulator_dialect
from sampan.routing.tables import Operator
from sampan.smpp.pdu import SubmitSm, decode
from sampan.smpp.simulator import Simulator, SimulatorSettings
from tests.world import make_places, terms

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # tests ask the ORM between two steps of their loop; nothing else runs
LOOK_EVERY_S = 0.02
PATIENCE_S = 20.0


async def eventually(condition: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """What the condition gives once it is true; an AssertionError where that takes too long."""
    async with asyncio.timeout(within_s):
        while not (found := condition()):  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(LOOK_EVERY_S)
        return found


@contextlib.asynccontextmanager
async def simulator(**settings: Any) -> AsyncIterator[Simulator]:
    """An SMSC on a free port, that knows the account of `make_places`."""
    smsc = Simulator(SimulatorSettings(port=0, accounts={"sampan": "secret"}, **settings))
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()


@contextlib.asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    """A gateway process, as a task."""
    it = Gateway()
    running = asyncio.create_task(it.run())
    try:
        yield it
    finally:
        running.cancel()
        await it.stop()
        Snapshot.stop_listening()


def places_at(smsc: Simulator, **changes: Any) -> Operator:
    """Routes and prices, and the operator at this simulator."""
    return make_places(port=smsc.port, **(simulator_dialect() | changes))


def accept(conn: Connection, draft: Draft) -> Accepted:
    """Submit now, by the real clock, and ring the bell."""
    now = utc_now()
    planned = plan(draft, terms(conn), now)
    (outcome,) = submit(conn, [planned], now)
    assert isinstance(outcome, Accepted), outcome
    announce(conn, places_of([planned]))
    return outcome


def statuses(conn: Connection, ids: list[int]) -> dict[int, tuple[int, int]]:
    """Status and shown reason of messages."""
    rows = conn.execute("SELECT id, status, reason FROM message WHERE id = ANY(%s)", [ids]).fetchall()
    return {id_: (status, reason if reason < 1000 else reason // 10) for id_, status, reason in rows}


def count(conn: Connection, table: str) -> int:
    """How many rows a table has."""
    row = conn.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def destinations(smsc: Simulator) -> set[str]:
    """To whom the simulator has been given parts, and has taken them."""
    entries = smsc.journal.record.since(0, smsc.journal.record.last)
    return {cast(SubmitSm, decode(each.octets).body).destination_addr for each in entries if each.state}
