"""Endpoints of the tests' customers."""

from collections.abc import Sequence

from sampan.accounts.seals import seal
from sampan.accounts.tables import Customer, Person
from sampan.webhooks.events import listeners
from sampan.webhooks.tables import WebhookEndpoint
from tests.world import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Form = WebhookEndpoint.Form


def make_endpoint(
    customer: Customer,
    url: str = "http://127.0.0.1:9/",
    events: Sequence[str] = ("message.*",),
    *,
    form: WebhookEndpoint.Form = Form.SIGNED_JSON,
) -> WebhookEndpoint:
    """An endpoint as its members make one, whatever its address."""
    endpoint = WebhookEndpoint.objects.create(
        customer=customer,
        url=url,
        form=form,
        events=list(events),
        secret=seal(SECRET) if form == Form.SIGNED_JSON else None,
        created_at=NOW,
        created_by=Person.objects.get(customer=customer),
    )
    listeners.forget()
    return endpoint
