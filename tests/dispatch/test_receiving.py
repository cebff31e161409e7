"""Receipts that wait in the inbox, while the database is slow (spec S77)."""

import asyncio
from datetime import datetime, timedelta

from sampan.database import Connection, DatabaseThreads
from sampan.dispatch import inbox
from sampan.dispatch.inbox import Receipt
from sampan.dispatch.receiving import Receiving
from sampan.dispatch.tables import InboxReceipt
from sampan.routing.directory import load_directory
from sampan.routing.operators import load_operators
from tests.dispatch.steps import DELIVERED, DIALECT
from tests.world import NOW, make_places


def test_a_receipt_that_is_looked_for_by_two_looks_at_once_has_one_try_less(database: Connection) -> None:
    """Else the answer that it waits for, recorded late, would find it put off by ten minutes."""
    operator = make_places()
    found = Receipt(1, "ab12", 85261234567, DELIVERED, "000", False, "")
    inbox.postpone(database, inbox.keep(database, operator.pk, [found], NOW))

    def later() -> datetime:
        return NOW + timedelta(seconds=2)

    async def scenario() -> None:
        threads = DatabaseThreads(2, "tests", by_key=True)
        receiving = Receiving(load_operators(database)[operator.pk], DIALECT, threads, later, lambda then: then())
        directory = load_directory(database)
        await asyncio.gather(receiving.look((), directory), receiving.look((), directory))
        await receiving.drained()
        threads.close()

    asyncio.run(scenario())
    waiting = InboxReceipt.objects.get()
    assert (waiting.tries, waiting.retry_at) == (2, NOW + timedelta(seconds=10))
