"""A one-time password waits for nobody's bulk, and no bulk for another's (spec S9). Counted in parts, not in time."""

import asyncio
from functools import partial

from sampan.database import Connection
from sampan.messages.tables import Purpose
from sampan.smpp.simulator import Simulator
from tests.dispatch.running import accept, count, destinations, eventually, gateway, places_at, simulator, statuses
from tests.world import draft_of, make_customer, make_mallory

RATE = 200
BULK = 2_000
CODES = 10
MOST_BETWEEN = RATE // 2  # parts of others that may pass between acceptance and wire: half a second of the rate


def has_come(smsc: Simulator, number: int) -> bool:
    return str(number) in destinations(smsc)


def test_codes_pass_the_bulk_of_another_customer_by_a_slow_operator(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.rate_parts_per_s = RATE
            operator.save()
            harbour, mallory = make_customer(balance="5000"), make_mallory()
            bulk = draft_of(
                database, harbour, [85261000000 + n for n in range(BULK)], purpose=Purpose.PROMOTIONAL, text="花" * 80
            )
            passed = []
            async with gateway():
                accept(database, bulk)
                await eventually(lambda: smsc.journal.stats.submits > 100)
                for n in range(CODES):
                    code = draft_of(database, mallory, [85290000000 + n], sender="Mallory", text=f"Code {n}")
                    before = smsc.journal.stats.submits
                    accept(database, code)
                    await eventually(partial(has_come, smsc, 85290000000 + n))
                    passed.append(smsc.journal.stats.submits - before)
                assert count(database, "queued") > 0, "the bulk ended before the codes: nothing was shown"
            assert max(passed) < MOST_BETWEEN, passed

    asyncio.run(scenario())


def test_two_customers_bulk_goes_in_turn(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.rate_parts_per_s = RATE
            operator.save()
            harbour, mallory = make_customer(balance="5000"), make_mallory()
            promotional = {"purpose": Purpose.PROMOTIONAL}
            async with gateway():
                accept(database, draft_of(database, harbour, [85261000000 + n for n in range(BULK)], **promotional))
                await eventually(lambda: smsc.journal.stats.submits > 100)
                before = smsc.journal.stats.submits
                own = [85290000000 + n for n in range(40)]
                ids = accept(database, draft_of(database, mallory, own, sender="Mallory", **promotional)).message_ids
                await eventually(lambda: all(status in (4, 22) for status, _ in statuses(database, ids).values()))
                others = smsc.journal.stats.submits - before - len(own)
            assert others < 2 * len(own) + MOST_BETWEEN

    asyncio.run(scenario())
