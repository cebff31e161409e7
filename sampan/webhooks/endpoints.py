"""What a customer does with its endpoints: makes, changes, removes, switches, tries, gives a new secret (spec S103).

Every function asks for the customer's own alone; another's is NO_SUCH_WEBHOOK, as if it did not exist.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from sampan.accounts.seals import seal
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from sampan.webhooks.address_guard import check_url
from sampan.webhooks.events import EVENTS, FINAL_MESSAGE_EVENTS, GROUPS, MESSAGE_EVENTS, TEST, listeners
from sampan.webhooks.forms import new_secret
from sampan.webhooks.switching import give_up_waiting
from sampan.webhooks.tables import LONGEST_NAME, WebhookDelivery, WebhookEndpoint

MOST_OF_A_CUSTOMER = 10
MOST_TESTS_WAITING = 3
OLD_SECRET_SIGNS = timedelta(hours=24)

Form = WebhookEndpoint.Form
Off = WebhookEndpoint.Off


def events_of(form: WebhookEndpoint.Form) -> tuple[str, ...]:
    """What an endpoint of this form may choose: names of events, and of groups of them."""
    return (*MESSAGE_EVENTS, "message.*") if form == Form.CALLBACK else (*EVENTS, *GROUPS)


def endpoints(customer_id: int) -> list[WebhookEndpoint]:
    """The customer's, in the order in which they were made."""
    return list(WebhookEndpoint.objects.filter(customer_id=customer_id, removed_at=None).order_by("id"))


def find_endpoint(customer_id: int, endpoint_id: int, *, lock: bool = False) -> WebhookEndpoint:
    """One of the customer's. Raises Refused."""
    rows = WebhookEndpoint.objects.select_for_update() if lock else WebhookEndpoint.objects.all()
    endpoint = rows.filter(pk=endpoint_id, customer_id=customer_id, removed_at=None).first()
    if endpoint is None:
        raise Refused(Reason.NO_SUCH_WEBHOOK, "webhook", str(endpoint_id))
    return endpoint


@transaction.atomic
def add_endpoint(
    person: Person,
    *,
    url: str,
    form: WebhookEndpoint.Form,
    events: Collection[str] = (),
    name: str = "",
    now: datetime,
) -> tuple[WebhookEndpoint, str | None]:
    """A new endpoint, and its secret where it has one, which is not shown again. Raises Refused.

    A callback for which no events are chosen is told of every end of a message, as clients of the HTTP API expect.
    """
    assert person.customer_id is not None, "staff have no webhooks"
    if form == Form.CALLBACK:
        events = events or FINAL_MESSAGE_EVENTS
    _check(url, form, events)
    Customer.objects.select_for_update(no_key=True).get(pk=person.customer_id)
    if len(endpoints(person.customer_id)) >= MOST_OF_A_CUSTOMER:
        raise Refused(Reason.TOO_MANY_WEBHOOKS, "url", str(MOST_OF_A_CUSTOMER))
    secret = new_secret() if form == Form.SIGNED_JSON else None
    endpoint = WebhookEndpoint.objects.create(
        customer_id=person.customer_id,
        name=name[:LONGEST_NAME],
        url=url,
        form=form,
        events=_in_order(events),
        secret=seal(secret) if secret else None,
        created_at=now,
        created_by=person,
    )
    _changed()
    return endpoint, secret


@transaction.atomic
def change_endpoint(
    customer_id: int, endpoint_id: int, *, url: str, events: Collection[str], name: str
) -> WebhookEndpoint:
    """Another address, other events. What waits goes to the new address. Raises Refused."""
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    _check(url, Form(endpoint.form), events)
    if url != endpoint.url:  # how the old server did says nothing of the new one
        endpoint.failures, endpoint.failing_since, endpoint.resume_at = 0, None, None
    endpoint.url, endpoint.events, endpoint.name = url, _in_order(events), name[:LONGEST_NAME]
    endpoint.save(update_fields=["url", "events", "name", "failures", "failing_since", "resume_at"])
    _changed()
    return endpoint


@transaction.atomic
def remove_endpoint(customer_id: int, endpoint_id: int, *, now: datetime) -> None:
    """It is told nothing more; its deliveries go with it (log.py). Raises Refused."""
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    endpoint.removed_at = now
    endpoint.save(update_fields=["removed_at"])
    _changed()


@transaction.atomic
def switch(customer_id: int, endpoint_id: int, *, on: bool, now: datetime) -> WebhookEndpoint:
    """On: it is told from now on, as if it had never failed. Off: what waits for it is given up. Raises Refused."""
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    if on:
        endpoint.off_since = endpoint.off_why = endpoint.failing_since = endpoint.resume_at = None
        endpoint.failures = 0
    elif endpoint.off_since is None:
        endpoint.off_since, endpoint.off_why = now, Off.BY_MEMBER
        give_up_waiting(endpoint)
    endpoint.save(update_fields=["off_since", "off_why", "failing_since", "resume_at", "failures"])
    _changed()
    return endpoint


@transaction.atomic
def rotate_secret(customer_id: int, endpoint_id: int, *, now: datetime) -> str:
    """A new secret; the old one signs too for 24 hours. Raises Refused where it has none (a callback)."""
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    if endpoint.secret is None:
        raise Refused(Reason.NO_SUCH_WEBHOOK, "webhook", str(endpoint_id))
    secret = new_secret()
    endpoint.old_secret, endpoint.old_secret_until = endpoint.secret, now + OLD_SECRET_SIGNS
    endpoint.secret = seal(secret)
    endpoint.save(update_fields=["secret", "old_secret", "old_secret_until"])
    return secret


@transaction.atomic
def send_test(customer_id: int, endpoint_id: int, *, now: datetime) -> WebhookDelivery:
    """Tell this endpoint, and no other, of nothing: `webhook.test`. Raises Refused."""
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    if endpoint.off_since is not None:
        raise Refused(Reason.WEBHOOK_OFF, "webhook", str(endpoint_id))
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint, kind=TEST, state=WebhookDelivery.State.WAITING)
    if waiting.count() >= MOST_TESTS_WAITING:
        raise Refused(Reason.WEBHOOK_TESTS_WAIT, "webhook", str(MOST_TESTS_WAITING))
    return WebhookDelivery.objects.create(
        endpoint=endpoint,
        customer_id=customer_id,
        at=now,
        begun_at=now,
        next_at=now,
        subject_id=0,
        kind=TEST,
        data='{"words":"It works."}',
    )


def _check(url: str, form: WebhookEndpoint.Form, events: Collection[str]) -> None:
    check_url(url, form, settings.WEBHOOK_NETWORKS)
    unknown = sorted(set(events) - set(events_of(form)))
    if unknown or not events:
        raise Refused(Reason.WEBHOOK_EVENTS, "events", unknown[0][:40] if unknown else "")


def _in_order(events: Collection[str]) -> list[str]:
    return [event for event in (*EVENTS, *GROUPS) if event in events]


def _changed() -> None:
    """This process need not wait to hear of it."""
    transaction.on_commit(listeners.forget)


CUSTOMER_GONE = "UPDATE webhook_endpoint SET removed_at = %s WHERE customer_id = %s AND removed_at IS NULL"


def remove_all(conn: Connection, customer_id: int, now: datetime) -> None:
    """The account is erased: its endpoints, and with them their deliveries."""
    conn.execute(CUSTOMER_GONE, [now, customer_id])
