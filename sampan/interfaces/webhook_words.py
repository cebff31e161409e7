"""What pages say of webhooks: their forms, events and states."""

from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint

Form = WebhookEndpoint.Form
Off = WebhookEndpoint.Off
State = WebhookDelivery.State

FORMS = {
    Form.SIGNED_JSON: (_("JSON, signed"), _("For new programs; all events")),
    Form.CALLBACK: (_("GET callback"), _("Eight parameters, as the HTTP API has them; messages only")),
}
EVENTS = {
    "message.*": _("Every change of a message"),
    "message.processing": _("An operator has it"),
    "message.retry": _("The phone cannot be reached yet"),
    "message.sent": _("Sent; the route gives no receipt (final)"),
    "message.delivered": _("Delivered (final)"),
    "message.expired": _("Expired (final)"),
    "message.undeliverable": _("Undeliverable (final)"),
    "batch.finished": _("The last message of a batch is final"),
    "reply.received": _("A reply came in"),
    "balance.low": _("The balance fell below your limit"),
    "sender_id.*": _("Every decision on a sender ID"),
    "sender_id.approved": _("A sender ID was approved"),
    "sender_id.refused": _("A request was sent back"),
    "sender_id.withdrawn": _("A sender ID was withdrawn"),
}
OFF = {
    Off.BY_MEMBER: _("Switched off by a member"),
    Off.GONE: _("The server answered 410 Gone, so it was switched off"),
    Off.FAILING: _("The server took nothing for a day, so it was switched off"),
}


class Look(NamedTuple):
    """How a state is drawn: a class of the stylesheet and icons.svg alike, and its word."""

    drawn: str
    word: object


STATES = {
    State.WAITING: Look("processing", _("Waiting")),
    State.TAKEN: Look("delivered", _("Taken")),
    State.GIVEN_UP: Look("undeliverable", _("Given up")),
}


def look_of(endpoint: WebhookEndpoint) -> Look:
    """How an endpoint is."""
    if endpoint.off_since is not None:
        return Look("off", _("Off"))
    return Look("warn", _("Failing")) if endpoint.failing_since is not None else Look("on", _("On"))
