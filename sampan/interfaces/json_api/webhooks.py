"""Webhooks: endpoints of your servers, what was delivered to them, and sending it again (spec S103)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from django.db import close_old_connections

from sampan.accounts.keys import Scope
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.interfaces.json_api.calls import (
    Answer,
    Call,
    Cursor,
    Done,
    Given,
    Id,
    Line,
    Moment,
    NoQuery,
    Operation,
    Tools,
    looked_up,
    looked_up_in_bulk,
    next_cursor,
    place_of,
)
from sampan.webhooks import endpoints, log
from sampan.webhooks.endpoints import Form
from sampan.webhooks.forms import webhook_id
from sampan.webhooks.tables import LONGEST_URL, WebhookDelivery, WebhookEndpoint

Q = TypeVar("Q")
B = TypeVar("B")
FORMS = {"callback": Form.CALLBACK, "signed-json": Form.SIGNED_JSON}
FORM_NAMES: dict[int, Literal["callback", "signed-json"]] = {
    Form.CALLBACK: "callback",
    Form.SIGNED_JSON: "signed-json",
}

Url = Annotated[str, msgspec.Meta(max_length=LONGEST_URL, description="Public, and https for signed JSON")]
Events = Annotated[list[Line], msgspec.Meta(description="Such as `message.delivered`, `message.*`, `reply.received`")]


class Endpoint(msgspec.Struct, omit_defaults=True):
    """An address of your server that is told of events."""

    id: str
    url: str
    form: Literal["callback", "signed-json"]
    events: list[str]
    name: str
    on: bool
    created_at: datetime
    off_because: str = ""
    secret: str = ""  # only in the answer that makes it


class EndpointList(msgspec.Struct):
    """All of them."""

    webhooks: list[Endpoint]


class NewEndpoint(Given):
    """An address to be told."""

    url: Url
    events: Events = msgspec.field(default_factory=list)
    form: Annotated[
        Literal["callback", "signed-json"],
        msgspec.Meta(description="A GET with eight parameters, or Standard Webhooks"),
    ] = "signed-json"
    name: Line = ""


class EndpointChange(Given):
    """What is to be otherwise; the rest stays."""

    url: Url | None = None
    events: Events | None = None
    name: Line | None = None
    on: bool | None = None


class Delivery(msgspec.Struct, omit_defaults=True):
    """One event for one endpoint."""

    id: str
    webhook_id: str  # as the header of that name says
    event: str
    at: datetime
    state: Literal["waiting", "taken", "given-up"]
    tries: int
    answer: str
    data: msgspec.Raw


class DeliveryList(msgspec.Struct, omit_defaults=True):
    """The latest first; kept for 7 days."""

    deliveries: list[Delivery]
    next_cursor: str = ""


class DeliveryQuery(Given):
    """Which deliveries."""

    state: Literal["waiting", "taken", "given-up"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=log.MOST_LISTED)] = log.MOST_LISTED
    cursor: Cursor = ""


class Period(Given):
    """From `since` to before `until`."""

    since: Moment
    until: Moment


class Replayed(msgspec.Struct):
    """How many are delivered once more."""

    deliveries: int


class Secret(msgspec.Struct):
    """A new secret; the old one signs too for 24 hours."""

    secret: str


STATES = {
    "waiting": WebhookDelivery.State.WAITING,
    "taken": WebhookDelivery.State.TAKEN,
    "given-up": WebhookDelivery.State.GIVEN_UP,
}
STATE_NAMES: dict[int, Any] = {state.value: name for name, state in STATES.items()}


def _by_orm(work: Callable[[Call[Q, B]], Any], *, in_bulk: bool) -> Callable[[Tools, Call[Q, B]], Awaitable[Answer]]:
    """An operation over Django's own connection of the thread, which is seen to be alive first."""

    def done(_conn: Connection, call: Call[Q, B]) -> Any:
        close_old_connections()
        return work(call)

    return looked_up_in_bulk(done) if in_bulk else looked_up(done)


def _shown(endpoint: WebhookEndpoint, secret: str = "") -> Endpoint:
    return Endpoint(
        id=str(endpoint.pk),
        url=endpoint.url,
        form=FORM_NAMES[endpoint.form],
        events=endpoint.events,
        name=endpoint.name,
        on=endpoint.off_since is None,
        created_at=endpoint.created_at,
        off_because="" if endpoint.off_why is None else str(WebhookEndpoint.Off(endpoint.off_why).label),
        secret=secret,
    )


def list_endpoints(call: Call[NoQuery, None]) -> EndpointList:
    """All of them."""
    return EndpointList([_shown(each) for each in endpoints.endpoints(call.customer_id)])


def add_endpoint(call: Call[NoQuery, NewEndpoint]) -> Endpoint:
    """With its secret, which is not shown again."""
    asked = call.body
    person = Person.objects.get(pk=call.holder.person_id)
    endpoint, secret = endpoints.add_endpoint(
        person, url=asked.url, form=FORMS[asked.form], events=asked.events, name=asked.name, now=call.now
    )
    return _shown(endpoint, secret or "")


def show_endpoint(call: Call[NoQuery, None]) -> Endpoint:
    """One."""
    return _shown(endpoints.find_endpoint(call.customer_id, call.number))


def change_endpoint(call: Call[NoQuery, EndpointChange]) -> Endpoint:
    """What is given is changed."""
    asked, known = call.body, endpoints.find_endpoint(call.customer_id, call.number)
    changed = endpoints.change_endpoint(
        call.customer_id,
        call.number,
        url=known.url if asked.url is None else asked.url,
        events=known.events if asked.events is None else asked.events,
        name=known.name if asked.name is None else asked.name,
    )
    if asked.on is not None:
        changed = endpoints.switch(call.customer_id, call.number, on=asked.on, now=call.now)
    return _shown(changed)


def remove_endpoint(call: Call[NoQuery, None]) -> Done:
    """It is told nothing more."""
    endpoints.remove_endpoint(call.customer_id, call.number, now=call.now)
    return Done(call.id)


def rotate_secret(call: Call[NoQuery, None]) -> Secret:
    """A new secret."""
    return Secret(endpoints.rotate_secret(call.customer_id, call.number, now=call.now))


def send_test(call: Call[NoQuery, None]) -> Delivery:
    """`webhook.test`."""
    return _delivery(endpoints.send_test(call.customer_id, call.number, now=call.now))


def list_deliveries(call: Call[DeliveryQuery, None]) -> DeliveryList:
    """What was sent and answered."""
    asked = call.query
    place = place_of(asked.cursor, tuple[Id])
    state = STATES[asked.state] if asked.state else None
    before = place[0] if place else None
    found = log.deliveries(call.customer_id, call.number, before=before, state=state, most=asked.limit)
    more = next_cursor(found[-1].pk) if len(found) == asked.limit else ""
    return DeliveryList([_delivery(each) for each in found], more)


def _delivery(delivery: WebhookDelivery) -> Delivery:
    return Delivery(
        id=str(delivery.pk),
        webhook_id=webhook_id(delivery.pk),
        event=delivery.kind,
        at=delivery.at,
        state=STATE_NAMES[delivery.state],
        tries=delivery.tries,
        answer=delivery.answer,
        data=msgspec.Raw(delivery.data.encode()),
    )


def replay(call: Call[NoQuery, Period]) -> Replayed:
    """What happened in that time, once more."""
    count = log.replay(call.customer_id, call.number, since=call.body.since, until=call.body.until, now=call.now)
    return Replayed(count)


def replay_one(call: Call[NoQuery, None]) -> Delivery:
    """This one, once more."""
    return _delivery(log.replay_one(call.customer_id, call.number, now=call.now))


def _operation(
    name: str, method: str, path: str, summary: str, handler: Any, *, in_bulk: bool = False, **more: Any
) -> Operation:
    return Operation(
        name=name,
        method=method,
        path=f"/v1/{path}",
        scope=Scope.MANAGE,
        summary=summary,
        handler=_by_orm(handler, in_bulk=in_bulk),
        refusals=(404, 409, 422) if "{id}" in path else (422,),
        **more,
    )


OPERATIONS = (
    _operation("list_webhooks", "GET", "webhooks", "Webhooks of yours", list_endpoints, answer=EndpointList),
    _operation(
        "add_webhook",
        "POST",
        "webhooks",
        "Have a server of yours told of events",
        add_endpoint,
        body=NewEndpoint,
        answer=Endpoint,
        status=201,
    ),
    _operation("show_webhook", "GET", "webhooks/{id}", "One webhook", show_endpoint, answer=Endpoint),
    _operation(
        "change_webhook",
        "PATCH",
        "webhooks/{id}",
        "Change a webhook, or switch it on or off",
        change_endpoint,
        body=EndpointChange,
        answer=Endpoint,
    ),
    _operation("remove_webhook", "DELETE", "webhooks/{id}", "Remove a webhook", remove_endpoint, answer=Done),
    _operation(
        "rotate_webhook_secret",
        "POST",
        "webhooks/{id}/secret",
        "Get a new secret; the old one signs too for 24 hours",
        rotate_secret,
        answer=Secret,
    ),
    _operation(
        "test_webhook", "POST", "webhooks/{id}/test", "Send `webhook.test`", send_test, answer=Delivery, status=202
    ),
    _operation(
        "list_deliveries",
        "GET",
        "webhooks/{id}/deliveries",
        "What was sent to a webhook, and its answers",
        list_deliveries,
        query=DeliveryQuery,
        answer=DeliveryList,
    ),
    _operation(
        "replay_deliveries",
        "POST",
        "webhooks/{id}/replay",
        "Deliver what happened in a period once more",
        replay,
        in_bulk=True,
        body=Period,
        answer=Replayed,
        status=202,
    ),
    _operation(
        "replay_delivery",
        "POST",
        "deliveries/{id}/replay",
        "Deliver one event once more",
        replay_one,
        answer=Delivery,
        status=202,
    ),
)
