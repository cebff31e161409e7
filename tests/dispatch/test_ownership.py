"""Several gateways: each operator's links belong to one, evenly, and pass on when it goes or dies (house.md)."""

import asyncio
import os
import subprocess
import sys
from functools import partial
from itertools import count

import pytest
from msgspec.structs import replace

from sampan.database import Connection
from sampan.dispatch import leases
from sampan.dispatch.gateway import Gateway
from sampan.ops.demo import simulator_dialect
from sampan.routing.operators import add_operator
from tests.dispatch.running import accept, eventually, gateway, places_at, simulator, statuses
from tests.world import draft_of, make_customer

TAKEN_OVER_WITHIN_S = 15.0


def add_operators(port: int, count: int) -> None:
    for n in range(count):
        add_operator(
            name=f"operator-{n}",
            host="127.0.0.1",
            port=port,
            system_id="sampan",
            password="secret",
            route_codes=["overseas"],
            dialect=simulator_dialect(),
        )


def test_gateways_share_the_operators_without_being_told(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            add_operators(smsc.port, 3)
            async with gateway() as first:
                await eventually(lambda: len(first.owned) == 4)
                async with gateway() as second:
                    await eventually(lambda: len(first.owned) == len(second.owned) == 2)
                    assert not first.owned & second.owned
                await eventually(lambda: len(first.owned) == 4)

    asyncio.run(scenario())


def are_delivered(conn: Connection, ids: list[int]) -> bool:
    return statuses(conn, ids) == dict.fromkeys(ids, (22, 300))


def test_one_that_dies_without_a_word_is_succeeded_and_hands_over_nothing_more(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            draft = draft_of(database, harbour)
            dead = Gateway()
            running = asyncio.create_task(dead.run())
            await eventually(lambda: smsc.sessions)
            running.cancel()  # from here on it renews nothing, as if it were stopped
            async with gateway() as heir:
                await eventually(lambda: heir.owned, within_s=TAKEN_OVER_WITHIN_S)
                for recipient in count(85261000000):
                    ids = accept(database, replace(draft, recipients=[recipient])).message_ids
                    await eventually(partial(are_delivered, database, ids))
                    if not dead.owned:  # it tried one, and was told that it is not the owner
                        break
                assert smsc.journal.stats.duplicates == 0
            dead.abort("the test is over")

    asyncio.run(scenario())


def test_a_dead_process_of_this_machine_is_known_to_be_dead_at_once() -> None:
    """So that a gateway killed and started again does not wait for its own old lease."""
    here = leases.new_owner()
    assert not leases.is_dead(here)
    process = subprocess.Popen([sys.executable, "-c", ""])
    owner = here.replace(f" {os.getpid()} ", f" {process.pid} ")
    process.wait()
    assert leases.is_dead(owner)


@pytest.mark.parametrize("owner", ["", "-", "another-machine/pid:[1] 1 abc", "- 999999 abc", "nonsense"])
def test_of_processes_elsewhere_nobody_can_say(owner: str) -> None:
    assert not leases.is_dead(owner)
