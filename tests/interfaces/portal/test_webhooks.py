"""The owner makes webhooks, sees what was delivered, and replays it (spec S103)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot
from sampan.webhooks.events import Event, emit
from sampan.webhooks.switching import switch_off
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint
from tests.interfaces.portal.pages import errors_of, html, location, signed_in, words
from tests.webhooks.listening import Form, make_endpoint
from tests.world import make_customer

HERE = "/account/webhooks/"
TYPED = {"url": "https://shop.example/sms", "name": "shop", "form": "2", "events": ["message.*", "balance.low"]}
State = WebhookDelivery.State


@pytest.fixture
def harbour(database: Connection) -> Customer:
    Snapshot.forget_all()
    return make_customer()


def page_of(endpoint: WebhookEndpoint) -> str:
    return f"{HERE}{endpoint.pk}/"


def low(conn: Connection, customer: Customer, count: int = 1) -> None:
    emit(
        conn,
        [Event("balance.low", customer.pk, id_, {"available": "12.00"}) for id_ in range(1, count + 1)],
        now=timezone.now(),
    )


def secret_in(response: Any) -> str:
    found = re.search(r'id="new-secret">(whsec_[^<]+)<', html(response))
    assert found
    return found[1]


def test_the_secret_is_shown_once(harbour: Customer) -> None:
    client = signed_in()
    assert "None yet. Give the URL of your server below" in words(client.get(HERE))
    made = client.post(HERE, TYPED)
    assert made.status_code == 200
    assert secret_in(made).startswith("whsec_")
    again = client.get(HERE)
    assert "whsec_" not in html(again)
    assert "shop https://shop.example/sms; JSON, signed On balance.low, message.*" in words(again)


def test_a_callback_needs_nothing_but_its_url_and_ticks(harbour: Customer) -> None:
    typed = TYPED | {"url": "http://shop.example/cb.aspx", "form": "1", "events": ["message.delivered"]}
    made = signed_in().post(HERE, typed)
    endpoint = WebhookEndpoint.objects.get()
    assert location(made) == page_of(endpoint)
    assert (endpoint.form, endpoint.events, endpoint.secret) == (Form.CALLBACK, ["message.delivered"], None)


@pytest.mark.parametrize(
    ("typed", "field", "error"),
    [
        ({"url": ""}, "url", "There is no URL. Write where your server listens."),
        ({"url": "https://10.0.0.1/"}, "url", "10.0.0.1 is no public address. Use one that can be reached from the"),
        ({"url": "http://shop.example/"}, "url", "Signed webhooks go by https only. Begin the URL with https://."),
        ({"events": []}, "events", "No event is chosen. Tick at least one."),
        ({"events": ["message.read"]}, "events", "Not one of these. Tick those of the list."),
        ({"form": "1", "events": ["balance.low"]}, "events", "No event is chosen, or one that this form does not have"),
        ({"form": "3"}, "form", "Choose one of these."),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    harbour: Customer, typed: dict[str, Any], field: str, error: str
) -> None:
    refused = signed_in().post(HERE, TYPED | typed)
    assert refused.status_code == 422
    assert errors_of(refused)[field].startswith(error)
    assert not WebhookEndpoint.objects.exists()


def test_it_is_changed_switched_tried_and_removed(harbour: Customer) -> None:
    client, endpoint = signed_in(), make_endpoint(harbour)
    here = page_of(endpoint)
    changed = {"do": "change", "url": "https://new.example/", "name": "", "events": ["batch.finished"]}
    assert location(client.post(here, changed)) == here
    assert "Kept" in words(client.get(here))
    client.post(here, {"do": "test"})
    assert WebhookDelivery.objects.get().kind == "webhook.test"
    client.post(here, {"do": "off"})
    off = words(client.get(here))
    assert "Switched off by a member" in off
    assert "Send a test" not in off
    assert "switched off. Switch it on first." in words(client.post(here, {"do": "test"}))
    client.post(here, {"do": "on"})
    old = WebhookEndpoint.objects.get().secret
    secret_in(client.post(here, {"do": "rotate"}))
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.events, endpoint.off_since) == ("https://new.example/", ["batch.finished"], None)
    assert endpoint.old_secret == old
    assert location(client.post(here, {"do": "remove"})) == HERE
    assert client.get(here).status_code == 404


def test_the_log_shows_what_was_sent_and_answered_and_it_goes_once_more(
    harbour: Customer, database: Connection
) -> None:
    client, endpoint = signed_in(), make_endpoint(harbour, events=["balance.low"])
    low(database, harbour, 60)
    WebhookDelivery.objects.update(
        state=State.TAKEN, tries=1, answer_status=200, answer="<script>", answer_ms=84, answered_at=timezone.now()
    )
    here = page_of(endpoint)
    page = client.get(here)
    assert html(page).count("balance.low</a>") == 50
    assert "balance.low 60 Taken 200 <script> 84 ms 1" in words(page)
    assert "<script>" not in re.sub(r"<script [^>]+>", "", html(page))
    older = re.search(r'href="(\?[^"]*before=\d+)"', html(page))
    assert older
    assert html(client.get(here + older[1].replace("&amp;", "&"))).count("balance.low</a>") == 10
    assert "Nothing here." in words(client.get(f"{here}?shown=failed"))
    delivery = WebhookDelivery.objects.order_by("id")[0]
    sent = words(client.get(f"{HERE}deliveries/{delivery.pk}/"))
    assert f"webhook-id: msg_{delivery.pk}" in sent
    assert '"data":{"available":"12.00"}' in sent
    client.post(here, {"do": "again", "delivery": delivery.pk})
    delivery.refresh_from_db()
    assert delivery.state == State.WAITING


def test_all_of_a_time_is_replayed_by_the_customers_clock(harbour: Customer, database: Connection) -> None:
    client, endpoint = signed_in(), make_endpoint(harbour, events=["balance.low"])
    low(database, harbour, 3)
    WebhookDelivery.objects.update(state=State.GIVEN_UP)
    now = timezone.now().astimezone(timezone.get_default_timezone())
    span = {
        "since": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "until": f"{now + timedelta(minutes=2):%Y-%m-%dT%H:%M}",
    }
    here = page_of(endpoint)
    client.post(here, {"do": "replay"} | span)
    assert "Deliveries that go once more: 3" in words(client.get(here))
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.WAITING}
    refused = client.post(here, {"do": "replay", "since": "yesterday", "until": ""})
    assert errors_of(refused) == {"since": "Not a time. Choose one.", "until": "There is no time. Choose one."}


def test_one_that_fails_or_was_switched_off_says_so(harbour: Customer) -> None:
    client, endpoint = signed_in(), make_endpoint(harbour)
    endpoint.failing_since = timezone.now()
    endpoint.save()
    assert "It has taken nothing since" in words(client.get(page_of(endpoint)))
    assert "Failing" in words(client.get(HERE))
    switch_off(endpoint.pk, WebhookEndpoint.Off.FAILING, timezone.now())
    assert "took nothing for a day, so it was switched off" in words(client.get(page_of(endpoint)))
