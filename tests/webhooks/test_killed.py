"""kill -9 of the deliverer between the server's answer and our record of it loses nothing (spec S103)."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from sampan.database import Connection, Snapshot
from sampan.webhooks.events import Event, emit
from sampan.webhooks.tables import WebhookDelivery
from tests.webhooks.listening import make_endpoint
from tests.webhooks.receiving import Clock, Received, deliver_all, delivering, receiving, run
from tests.world import make_customer


def test_what_the_killed_deliverer_had_sent_comes_again_under_the_same_id(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    harbour = make_customer()
    Snapshot.forget_all()
    killed = asyncio.Event()

    async def work() -> None:
        async with receiving() as receiver:
            make_endpoint(harbour, receiver.url)
            events = [Event("message.delivered", harbour.pk, 100001 + place, {"place": place}) for place in range(50)]
            emit(database, events, now=datetime.now(UTC))
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "sampan", "webhooks", stdout=asyncio.subprocess.DEVNULL
            )

            async def answer_and_kill(_received: Received) -> web.Response:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
                killed.set()
                return web.Response()

            receiver.answer = answer_and_kill
            await killed.wait()
            receiver.answer = None
            first = {received.headers["webhook-id"] for received in receiver.received}
            async with delivering(Clock(datetime.now(UTC) + timedelta(minutes=2))) as deliverer:
                await deliver_all(deliverer)
            ids = [received.headers["webhook-id"] for received in receiver.received]
            assert all(ids.count(id_) == 2 for id_ in first)
            assert {event["data"]["place"] for event in receiver.events} == set(range(50))

    run(work())
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {WebhookDelivery.State.TAKEN}
