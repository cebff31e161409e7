"""A gateway keeps pace: its window hides an operator's delay, its receipts do not wait for its submits."""

import asyncio
import time

from sampan.database import Connection
from sampan.smpp.simulator.behaviours import behaviour_with
from tests.dispatch.running import accept, eventually, gateway, places_at, simulator, statuses
from tests.world import draft_of, make_customer

MESSAGES, DELAY_S, WINDOW = 300, 0.04, 10
DELIVERED = (22, 300)


def test_a_window_of_ten_sends_many_times_what_one_by_one_would(database: Connection) -> None:
    """One at a time, 300 messages with answers after 40 ms take 12 s."""

    async def scenario() -> None:
        async with simulator() as smsc:
            smsc.rules.set("*", behaviour_with("delivered", {"answer_after_s": DELAY_S}))
            places_at(smsc)
            draft = draft_of(database, make_customer(balance="5000"), [85261000000 + n for n in range(MESSAGES)])
            async with gateway():
                await eventually(lambda: smsc.journal.stats.binds)
                begun_at = time.monotonic()
                accept(database, draft)
                await eventually(lambda: smsc.journal.stats.taken == MESSAGES)
                assert time.monotonic() - begun_at < MESSAGES * DELAY_S / (WINDOW / 2)

    asyncio.run(scenario())


def test_receipts_are_stored_while_submits_go_on(database: Connection) -> None:
    """Of the first half of a bulk the receipts are acknowledged before the bulk is through."""

    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.rate_parts_per_s = MESSAGES
            operator.save()
            draft = draft_of(database, make_customer(balance="5000"), [85261000000 + n for n in range(MESSAGES * 4)])
            async with gateway():
                ids = accept(database, draft).message_ids
                await eventually(lambda: smsc.journal.stats.receipts_acknowledged >= MESSAGES)
                assert smsc.journal.stats.taken < MESSAGES * 4, "the bulk was through: nothing was shown"
                await eventually(lambda: set(statuses(database, ids).values()) == {DELIVERED})

    asyncio.run(scenario())
