"""What waits reaches the customer's server: at least once, in order for each message, for 24 hours (spec S103)."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, Snapshot
from sampan.webhooks.events import Event, emit
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint
from tests.webhooks.listening import SECRET, Form, make_endpoint
from tests.webhooks.receiving import Clock, Received, answering, deliver_all, delivering, receiving, run
from tests.world import NOW, make_customer

State = WebhookDelivery.State
Off = WebhookEndpoint.Off
TOLD = {
    "id": "100001",
    "to": "85261234567",
    "sender": "HarbourFlo",
    "begins": "你好嗎?a",
    "due_at": "2026-11-23T02:00:00.000000Z",
    "status_code": 22,
    "reason_code": 300,
    "charged_hkd": "0.2900",
}


@pytest.fixture(autouse=True)
def nobody_listens(database: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the tests look into tables while servers run
    Snapshot.forget_all()
    yield
    Snapshot.forget_all()


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


def tell(
    conn: Connection, customer: Customer, *message_ids: int, kind: str = "message.delivered", now: datetime = NOW
) -> None:
    emit(conn, [Event(kind, customer.pk, id_, TOLD | {"id": str(id_)}) for id_ in message_ids], now=now)


def states() -> list[int]:
    return list(WebhookDelivery.objects.order_by("id").values_list("state", flat=True))


def test_the_reference_implementation_verifies_what_is_sent(database: Connection, harbour: Customer) -> None:
    """standardwebhooks, of PyPI; it refuses what is older than 5 minutes, so the time is today's."""

    async def work() -> None:
        today = datetime.now(UTC)
        async with receiving() as receiver, delivering(Clock(today)) as deliverer:
            make_endpoint(harbour, receiver.url)
            tell(database, harbour, 100001, now=today)
            await deliver_all(deliverer)
            (received,) = receiver.received
            assert received.method == "POST"
            assert received.headers["Content-Type"] == "application/json"
            event = Webhook(SECRET).verify(received.body, {k.lower(): v for k, v in received.headers.items()})
            assert event["type"] == "message.delivered"
            assert datetime.fromisoformat(event["timestamp"]) == today
            assert event["data"] == TOLD
            assert event["sequence"] == WebhookDelivery.objects.get().pk
            forged = received.body.replace(b"100001", b"100002")
            with pytest.raises(WebhookVerificationError):
                Webhook(SECRET).verify(forged, {k.lower(): v for k, v in received.headers.items()})

    run(work())
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.answer_status) == (State.TAKEN, 1, 200)
    assert delivery.answer == "thank you"
    assert delivery.answer_ms is not None


def test_the_callback_has_the_eight_parameters_of_the_http_api(database: Connection, harbour: Customer) -> None:
    """http_api.md; the customer's own query stays."""

    async def work() -> None:
        async with receiving() as receiver, delivering(Clock()) as deliverer:
            make_endpoint(harbour, f"{receiver.url}?shop=7", ["message.delivered"], form=Form.CALLBACK)
            tell(database, harbour, 100001)
            await deliver_all(deliverer)
            (received,) = receiver.received
            assert (received.method, received.body) == ("GET", b"")
            assert received.query == {
                "shop": "7",
                "smsdid": "100001",
                "recipient": "85261234567",
                "senderid": "HarbourFlo",
                "content": "4F60597D55CE003F0061",
                "dos": "2026-11-23 10:00",
                "smsdstatus": "22",
                "smsderrorcode": "300",
                "charged": "0.29",
            }

    run(work())


def test_events_of_one_message_come_in_order_though_the_first_fails(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver, delivering(clock) as deliverer:
            make_endpoint(harbour, receiver.url)
            for kind in ("message.processing", "message.retry", "message.delivered"):
                tell(database, harbour, 100001, 100002, kind=kind)

            async def fail_once(received: Received) -> web.Response:
                is_first = sum(each.event["data"]["id"] == "100001" for each in receiver.received) == 1
                return web.Response(status=500 if is_first and received.event["data"]["id"] == "100001" else 204)

            receiver.answer = fail_once
            await deliver_all(deliverer)
            kinds = [event["type"] for event in receiver.events if event["data"]["id"] == "100001"]
            assert kinds == ["message.processing"]  # the others wait for it
            clock.passes(timedelta(seconds=10))
            await deliver_all(deliverer)
            for id_ in ("100001", "100002"):
                told = [event for event in receiver.events if event["data"]["id"] == id_]
                kinds = list(dict.fromkeys(event["type"] for event in told))
                assert kinds == ["message.processing", "message.retry", "message.delivered"]
                assert sorted(event["sequence"] for event in told) == [event["sequence"] for event in told]

    run(work())
    assert set(states()) == {State.TAKEN}


def test_a_receiver_that_is_away_for_an_hour_misses_nothing(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        clock = Clock()
        ids = list(range(100001, 100301))
        async with delivering(clock) as deliverer:
            async with receiving() as receiver:
                make_endpoint(harbour, receiver.url)
                port = int(receiver.url.split(":")[2].split("/")[0])
            tries = 0
            tell(database, harbour, *ids[:150])
            for _minute in range(60):
                await deliver_all(deliverer)
                clock.passes(timedelta(minutes=1))
            tell(database, harbour, *ids[150:])
            tries = sum(WebhookDelivery.objects.values_list("tries", flat=True))
            assert set(states()) == {State.WAITING}
            assert tries < 100  # a dead server is asked seldom, whatever waits for it
            async with receiving(port=port) as receiver:
                clock.passes(timedelta(minutes=10))
                await deliver_all(deliverer)
                assert sorted(int(event["data"]["id"]) for event in receiver.events) == ids

    run(work())
    assert set(states()) == {State.TAKEN}
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.failures, endpoint.failing_since, endpoint.resume_at) == (0, None, None)


def test_after_a_day_of_failures_it_is_switched_off_with_a_mail(database: Connection, harbour: Customer) -> None:
    Person.objects.filter(customer=harbour).update(email="owner@harbour.example")

    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver, delivering(clock) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(500, "<b>out\n of order</b>")
            tell(database, harbour, 100001, 100002)
            for _hour in range(23):
                await deliver_all(deliverer)
                clock.passes(timedelta(hours=1))
            assert WebhookEndpoint.objects.get().off_since is None
            clock.passes(timedelta(hours=3))
            await deliver_all(deliverer)

    run(work())
    endpoint = WebhookEndpoint.objects.get()
    assert endpoint.off_why == Off.FAILING
    assert set(states()) == {State.GIVEN_UP}
    assert WebhookDelivery.objects.all()[0].answer == "<b>out  of order</b>"
    mail = Mail.objects.get()
    assert mail.to == "owner@harbour.example"
    assert endpoint.url in mail.text


def test_410_switches_off_at_once_and_nothing_more_is_written(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        async with receiving() as receiver, delivering(Clock()) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(410)
            tell(database, harbour, 100001)
            await deliver_all(deliverer)

    run(work())
    assert WebhookEndpoint.objects.get().off_why == Off.GONE
    Snapshot.forget_all()
    tell(database, harbour, 100002)
    assert states() == [State.GIVEN_UP]


@pytest.mark.parametrize(("status", "asked"), [(429, "120"), (503, "Mon, 23 Nov 2026 02:02:00 GMT")])
def test_retry_after_is_obeyed(database: Connection, harbour: Customer, status: int, asked: str) -> None:
    """RFC 9110 §10.2.3: seconds, or a time."""

    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver, delivering(clock) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(status, headers={"Retry-After": asked})
            tell(database, harbour, 100001)
            await deliver_all(deliverer)
            receiver.answer = None
            tell(database, harbour, 100002)
            clock.passes(timedelta(seconds=100))
            await deliver_all(deliverer)
            assert len(receiver.received) == 1
            clock.passes(timedelta(seconds=30))
            await deliver_all(deliverer)
            assert len(receiver.received) == 3

    run(work())
    assert set(states()) == {State.TAKEN}


def test_redirects_are_not_followed(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        async with receiving() as receiver, receiving() as elsewhere, delivering(Clock()) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(302, headers={"Location": elsewhere.url})
            tell(database, harbour, 100001)
            await deliver_all(deliverer)
            assert elsewhere.received == []

    run(work())
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.answer_status) == (State.WAITING, 302)


def test_a_slow_endpoint_harms_no_other(database: Connection, harbour: Customer) -> None:
    """The slow one is answered only when the fast one has everything."""

    async def work() -> None:
        async with receiving() as slow, receiving() as fast, delivering(Clock()) as deliverer:
            make_endpoint(harbour, slow.url, ["message.*"])
            make_endpoint(harbour, fast.url, ["message.*"])
            everything = asyncio.Event()

            async def wait(_received: Received) -> web.Response:
                await everything.wait()
                return web.Response()

            async def count(_received: Received) -> web.Response:
                if len(fast.received) == 500:
                    everything.set()
                return web.Response()

            slow.answer, fast.answer = wait, count
            tell(database, harbour, *range(100001, 100501))
            await deliver_all(deliverer)
            assert len(slow.received) == len(fast.received) == 500

    run(work())
    assert set(states()) == {State.TAKEN}


def test_what_was_answered_and_not_recorded_comes_again(database: Connection, harbour: Customer) -> None:
    """As after kill -9: the lease of the one who is gone runs out, and another delivers it with the same id."""

    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver:
            make_endpoint(harbour, receiver.url)
            tell(database, harbour, 100001)
            WebhookEndpoint.objects.update(owner="gone", lease_until=NOW + timedelta(seconds=30))
            async with delivering(clock) as deliverer:
                await deliver_all(deliverer)
                assert receiver.received == []
                clock.passes(timedelta(seconds=31))
                await deliver_all(deliverer)
            assert len(receiver.received) == 1

    run(work())


def test_what_the_server_says_is_kept_short_and_harmless(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        async with receiving() as receiver, delivering(Clock()) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(400, "\x00\x1b[31m" + "花" * 100_000)
            tell(database, harbour, 100001)
            await deliver_all(deliverer)

    run(work())
    answer = WebhookDelivery.objects.get().answer
    assert answer.startswith("[31m花")
    assert len(answer) == 200


def test_bodies_are_the_same_each_time(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver, delivering(clock) as deliverer:
            make_endpoint(harbour, receiver.url)
            receiver.answer = answering(500)
            tell(database, harbour, 100001)
            await deliver_all(deliverer)
            clock.passes(timedelta(minutes=1))
            await deliver_all(deliverer)
            first, second = receiver.received
            assert first.body == second.body
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
            assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
            assert json.loads(first.body)["data"] == TOLD

    run(work())


def test_two_deliverers_at_once_deliver_everything_once(database: Connection, harbour: Customer) -> None:
    async def work() -> None:
        clock = Clock()
        async with receiving() as first, receiving() as second, delivering(clock) as one, delivering(clock) as other:
            make_endpoint(harbour, first.url)
            make_endpoint(harbour, second.url)
            tell(database, harbour, *range(100001, 100201))
            await asyncio.gather(deliver_all(one), deliver_all(other))
            for receiver in (first, second):
                ids = [event["data"]["id"] for event in receiver.events]
                assert (len(ids), len(set(ids))) == (200, 200)

    run(work())
    assert set(states()) == {State.TAKEN}
