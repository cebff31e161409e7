"""What members do with their endpoints and the log; nobody does it with another's (spec S103)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from sampan.webhooks import endpoints, log
from sampan.webhooks.events import FINAL_MESSAGE_EVENTS, Event, emit
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint
from tests.webhooks.listening import Form
from tests.webhooks.receiving import Clock, answering, deliver_all, delivering, receiving, run
from tests.world import NOW, make_customer, make_mallory

State = WebhookDelivery.State
URL = "https://shop.example/sms"


@pytest.fixture
def harbour(database: Connection, monkeypatch: pytest.MonkeyPatch) -> Customer:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the tests look into tables while servers run
    Snapshot.forget_all()
    return make_customer()


def owner_of(customer: Customer) -> Person:
    return Person.objects.get(customer=customer)


def add(customer: Customer, url: str = URL, *events: str) -> tuple[WebhookEndpoint, str]:
    endpoint, secret = endpoints.add_endpoint(
        owner_of(customer), url=url, form=Form.SIGNED_JSON, events=events or ("message.*",), now=NOW
    )
    assert secret is not None
    return endpoint, secret


def low(customer: Customer, conn: Connection, *subjects: int, now: datetime = NOW) -> None:
    emit(conn, [Event("balance.low", customer.pk, id_, {"available": "1.00"}) for id_ in subjects], now=now)


def refusal(act: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def test_the_secret_is_sealed_at_rest(harbour: Customer) -> None:
    """spec S136"""
    endpoint, secret = add(harbour)
    assert secret.startswith("whsec_")
    assert endpoint.secret is not None
    assert secret.removeprefix("whsec_").encode() not in bytes(endpoint.secret)


def test_a_callback_is_told_of_every_end_unless_its_events_are_chosen(harbour: Customer) -> None:
    """So a client of the HTTP API only gives its URL."""
    callback, secret = endpoints.add_endpoint(
        owner_of(harbour), url="http://shop.example/cb.aspx", form=Form.CALLBACK, now=NOW
    )
    assert secret is None
    assert tuple(callback.events) == FINAL_MESSAGE_EVENTS
    assert (
        refusal(
            lambda: endpoints.add_endpoint(
                owner_of(harbour), url=URL, form=Form.CALLBACK, events=["balance.low"], now=NOW
            )
        )
        == Reason.WEBHOOK_EVENTS
    )


@pytest.mark.parametrize(
    ("url", "events", "reason"),
    [
        ("gopher://shop.example/", ["message.*"], Reason.WEBHOOK_URL),
        ("https://169.254.169.254/latest/meta-data", ["message.*"], Reason.WEBHOOK_NOT_PUBLIC),
        ("http://shop.example/", ["message.*"], Reason.WEBHOOK_NOT_TLS),
        (URL, [], Reason.WEBHOOK_EVENTS),
        (URL, ["message.read"], Reason.WEBHOOK_EVENTS),
        (URL, ["*"], Reason.WEBHOOK_EVENTS),
    ],
)
def test_what_cannot_be_is_refused(harbour: Customer, url: str, events: list[str], reason: Reason) -> None:
    assert refusal(
        lambda: endpoints.add_endpoint(owner_of(harbour), url=url, form=Form.SIGNED_JSON, events=events, now=NOW)
    ) == (reason)
    assert endpoints.endpoints(harbour.pk) == []


def test_there_are_at_most_so_many(harbour: Customer) -> None:
    for _ in range(endpoints.MOST_OF_A_CUSTOMER):
        add(harbour)
    assert refusal(lambda: add(harbour)) == Reason.TOO_MANY_WEBHOOKS


def test_nobody_reaches_what_is_anothers(harbour: Customer, database: Connection) -> None:
    """Mallory: not to see, change, remove, try, replay; it is as if it did not exist."""
    endpoint, _ = add(harbour, URL, "balance.low")
    low(harbour, database, 1)
    delivery = WebhookDelivery.objects.get()
    mallory = make_mallory().pk
    day = timedelta(days=1)
    acts: list[Callable[[], object]] = [
        lambda: endpoints.find_endpoint(mallory, endpoint.pk),
        lambda: endpoints.change_endpoint(
            mallory, endpoint.pk, url="https://m.example/", events=["message.*"], name=""
        ),
        lambda: endpoints.remove_endpoint(mallory, endpoint.pk, now=NOW),
        lambda: endpoints.switch(mallory, endpoint.pk, on=False, now=NOW),
        lambda: endpoints.rotate_secret(mallory, endpoint.pk, now=NOW),
        lambda: endpoints.send_test(mallory, endpoint.pk, now=NOW),
        lambda: log.deliveries(mallory, endpoint.pk),
        lambda: log.find_delivery(mallory, delivery.pk),
        lambda: log.replay(mallory, endpoint.pk, since=NOW - day, until=NOW + day, now=NOW),
        lambda: log.replay_one(mallory, delivery.pk, now=NOW),
    ]
    assert {refusal(act) for act in acts} == {Reason.NO_SUCH_WEBHOOK}
    assert endpoints.endpoints(mallory) == []
    assert log.counts(mallory, NOW) == {}
    assert endpoints.find_endpoint(harbour.pk, endpoint.pk) == endpoint


def test_the_old_secret_signs_too_for_a_day(harbour: Customer, database: Connection) -> None:
    async def work() -> None:
        today = datetime.now(UTC)
        clock = Clock(today)
        async with receiving() as receiver, delivering(clock) as deliverer:
            endpoint, old = add(harbour, receiver.url, "balance.low")
            new = endpoints.rotate_secret(harbour.pk, endpoint.pk, now=today)
            low(harbour, database, 1, now=today)
            await deliver_all(deliverer)
            first = receiver.received[0]
            headers = {name.lower(): value for name, value in first.headers.items()}
            for secret in (old, new):
                assert Webhook(secret).verify(first.body, headers)["type"] == "balance.low"
            endpoints.rotate_secret(harbour.pk, endpoint.pk, now=today - timedelta(hours=25))
            low(harbour, database, 2, now=today)
            await deliver_all(deliverer)
            second = receiver.received[1]
            headers = {name.lower(): value for name, value in second.headers.items()}
            with pytest.raises(WebhookVerificationError):
                Webhook(new).verify(second.body, headers)

    run(work())


def test_a_test_goes_to_this_endpoint_alone_in_its_own_form(harbour: Customer, database: Connection) -> None:
    async def work() -> None:
        async with receiving() as receiver, receiving() as other, delivering(Clock()) as deliverer:
            endpoint, _ = add(harbour, receiver.url)
            add(harbour, other.url)
            callback, _ = endpoints.add_endpoint(
                owner_of(harbour), url=other.url, form=Form.CALLBACK, name="old", now=NOW
            )
            endpoints.send_test(harbour.pk, endpoint.pk, now=NOW)
            endpoints.send_test(harbour.pk, callback.pk, now=NOW)
            await deliver_all(deliverer)
            assert [event["type"] for event in receiver.events] == ["webhook.test"]
            (called,) = other.received
            assert called.query["smsdid"] == "100000"  # nobody's
            assert called.query["content"] == "0054006500730074"

    run(work())
    endpoint = endpoints.endpoints(harbour.pk)[0]
    for _ in range(endpoints.MOST_TESTS_WAITING):
        endpoints.send_test(harbour.pk, endpoint.pk, now=NOW)
    assert refusal(lambda: endpoints.send_test(harbour.pk, endpoint.pk, now=NOW)) == Reason.WEBHOOK_TESTS_WAIT
    endpoints.switch(harbour.pk, endpoint.pk, on=False, now=NOW)
    assert refusal(lambda: endpoints.send_test(harbour.pk, endpoint.pk, now=NOW)) == Reason.WEBHOOK_OFF


def test_what_was_given_up_is_replayed_by_its_time(harbour: Customer, database: Connection) -> None:
    """Under the same ids; after the endpoint was switched on again."""

    async def work() -> None:
        clock = Clock()
        async with receiving() as receiver, delivering(clock) as deliverer:
            endpoint, _ = add(harbour, receiver.url, "balance.low")
            low(harbour, database, 1)
            low(harbour, database, 2, now=NOW + timedelta(minutes=1))
            low(harbour, database, 3, now=NOW + timedelta(minutes=2))
            clock.passes(timedelta(minutes=3))
            receiver.answer = answering(410)
            await deliver_all(deliverer)
            receiver.answer = None
            receiver.received.clear()

            def replay() -> int:
                since, until = NOW + timedelta(minutes=1), NOW + timedelta(minutes=3)
                return log.replay(harbour.pk, endpoint.pk, since=since, until=until, now=clock())

            assert refusal(replay) == Reason.WEBHOOK_OFF
            endpoints.switch(harbour.pk, endpoint.pk, on=True, now=clock())
            assert replay() == 2
            await deliver_all(deliverer)
            assert len(receiver.received) == 2
            first = WebhookDelivery.objects.order_by("id")[0]
            assert first.state == State.GIVEN_UP
            log.replay_one(harbour.pk, first.pk, now=clock())
            await deliver_all(deliverer)
            assert receiver.received[-1].headers["webhook-id"] == f"msg_{first.pk}"

    run(work())
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.TAKEN}


def test_the_log_is_read_page_by_page_the_latest_first(harbour: Customer, database: Connection) -> None:
    endpoint, _ = add(harbour, URL, "balance.low")
    low(harbour, database, *range(1, 6))
    low(harbour, database, 6, now=NOW + timedelta(minutes=1))
    first = log.deliveries(harbour.pk, endpoint.pk, most=4)
    rest = log.deliveries(harbour.pk, endpoint.pk, before=first[-1].pk, most=4)
    assert [each.subject_id for each in first + rest] == [6, 5, 4, 3, 2, 1]
    assert log.deliveries(harbour.pk, endpoint.pk, state=State.GIVEN_UP) == []
    assert log.counts(harbour.pk, NOW)[endpoint.pk] == (0, 6, 0)


def test_the_log_goes_after_a_week_and_with_its_endpoint(harbour: Customer, database: Connection) -> None:
    endpoint, _ = add(harbour, URL, "balance.low")
    low(harbour, database, 1, 2)
    WebhookDelivery.objects.filter(subject_id=1).update(state=State.TAKEN)
    assert log.forget_old_deliveries(database, NOW + timedelta(days=6)) == 0
    assert log.forget_old_deliveries(database, NOW + timedelta(days=8)) == 1  # what waits, waits
    endpoints.remove_endpoint(harbour.pk, endpoint.pk, now=NOW)
    assert refusal(lambda: log.find_delivery(harbour.pk, WebhookDelivery.objects.get().pk)) == Reason.NO_SUCH_WEBHOOK
    assert log.forget_old_deliveries(database, NOW) == 1
    assert WebhookEndpoint.objects.count() == 0
