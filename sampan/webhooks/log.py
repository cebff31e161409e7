"""The log of deliveries: what was sent and answered, sent again when asked, gone after a week (spec S103)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count

from sampan.database import Connection
from sampan.reasons import Reason, Refused
from sampan.webhooks.endpoints import find_endpoint
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint

KEPT = timedelta(days=7)
MOST_LISTED = 100
MOST_REPLAYED = 100_000
MOST_FORGOTTEN_AT_ONCE = 10_000

State = WebhookDelivery.State


class Counts(NamedTuple):
    """Of one endpoint's deliveries of the last 24 hours."""

    taken: int
    waiting: int
    given_up: int


def deliveries(
    customer_id: int,
    endpoint_id: int,
    *,
    before: int | None = None,
    state: WebhookDelivery.State | None = None,
    most: int = MOST_LISTED,
) -> list[WebhookDelivery]:
    """The latest first; those after the delivery `before` in that order. Raises Refused."""
    endpoint = find_endpoint(customer_id, endpoint_id)
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    if before is not None:
        last = find_delivery(customer_id, before)
        rows = rows.filter(at__lte=last.at).exclude(at=last.at, pk__gte=last.pk)
    if state is not None:
        rows = rows.filter(state=state)
    return list(rows.order_by("-at", "-id")[: min(most, MOST_LISTED)])


def find_delivery(customer_id: int, delivery_id: int) -> WebhookDelivery:
    """One of the customer's. Raises Refused."""
    rows = WebhookDelivery.objects.select_related("endpoint").filter(pk=delivery_id, customer_id=customer_id)
    delivery = rows.filter(endpoint__removed_at=None).first()
    if delivery is None:
        raise Refused(Reason.NO_SUCH_WEBHOOK, "delivery", str(delivery_id))
    return delivery


def counts(customer_id: int, now: datetime) -> dict[int, Counts]:
    """Of each of the customer's endpoints that had something to deliver."""
    found: dict[int, dict[int, int]] = {}
    rows = WebhookDelivery.objects.filter(
        endpoint__customer_id=customer_id, endpoint__removed_at=None, at__gte=now - timedelta(days=1)
    )
    for endpoint_id, state, count in rows.values_list("endpoint_id", "state").annotate(Count("id")):
        found.setdefault(endpoint_id, {})[state] = count
    return {
        endpoint_id: Counts(*(states.get(state, 0) for state in (State.TAKEN, State.WAITING, State.GIVEN_UP)))
        for endpoint_id, states in found.items()
    }


@transaction.atomic
def replay(customer_id: int, endpoint_id: int, *, since: datetime, until: datetime, now: datetime) -> int:
    """What happened in that time and does not wait is delivered once more, under the same ids; gives how many.

    In order per message, for another 24 hours. Raises Refused.
    """
    endpoint = _switched_on(customer_id, endpoint_id)
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, at__gte=since, at__lt=until).exclude(state=State.WAITING)
    if len(rows.values_list("pk")[: MOST_REPLAYED + 1]) > MOST_REPLAYED:
        raise Refused(Reason.TOO_MUCH_TO_REPLAY, "since", f"{MOST_REPLAYED:,}")
    return rows.update(state=State.WAITING, begun_at=now, next_at=now, tries=0)


@transaction.atomic
def replay_one(customer_id: int, delivery_id: int, *, now: datetime) -> WebhookDelivery:
    """This one is delivered once more; one that waits, now. Raises Refused."""
    delivery = find_delivery(customer_id, delivery_id)
    _switched_on(customer_id, delivery.endpoint_id)
    delivery.state, delivery.begun_at, delivery.next_at, delivery.tries = State.WAITING, now, now, 0
    delivery.save(update_fields=["state", "begun_at", "next_at", "tries"])
    return delivery


def _switched_on(customer_id: int, endpoint_id: int) -> WebhookEndpoint:
    endpoint = find_endpoint(customer_id, endpoint_id, lock=True)
    if endpoint.off_since is not None:
        raise Refused(Reason.WEBHOOK_OFF, "webhook", str(endpoint_id))
    return endpoint


ENDPOINTS = "SELECT id, removed_at IS NOT NULL FROM webhook_endpoint ORDER BY id"
FORGET = f"""
    DELETE FROM webhook_delivery WHERE id IN (
        SELECT id FROM webhook_delivery
         WHERE endpoint_id = %(endpoint)s AND at < %(before)s AND (state <> {State.WAITING.value} OR %(removed)s)
         ORDER BY at LIMIT %(most)s)"""
FORGET_ENDPOINT = """
    DELETE FROM webhook_endpoint e WHERE id = %(endpoint)s
       AND NOT EXISTS (SELECT FROM webhook_delivery WHERE endpoint_id = e.id)"""


def forget_old_deliveries(conn: Connection, now: datetime) -> int:
    """Deliveries past their time, and all of endpoints that were removed; gives how many."""
    count = 0
    for endpoint_id, is_removed in conn.execute(ENDPOINTS).fetchall():
        values = {
            "endpoint": endpoint_id,
            "removed": is_removed,
            "before": now + KEPT if is_removed else now - KEPT,
            "most": MOST_FORGOTTEN_AT_ONCE,
        }
        count += conn.execute(FORGET, values).rowcount
        if is_removed:
            conn.execute(FORGET_ENDPOINT, values)
    return count
