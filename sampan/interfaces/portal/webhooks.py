"""Settings: the customer's webhooks, what was delivered to them, and replaying it (spec S103)."""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.permissions import Permission
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.webhook_words import EVENTS, FORMS, OFF, STATES, look_of
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Reason, Refused
from sampan.webhooks import endpoints, log
from sampan.webhooks import forms as wire
from sampan.webhooks.tables import LONGEST_NAME, LONGEST_URL, WebhookDelivery, WebhookEndpoint

UNPROCESSABLE = 422
LISTED = 50
TIME = "%Y-%m-%dT%H:%M"  # as browsers write it
LONGEST_ID_DIGITS = 18
FILTERS = {"failed": WebhookDelivery.State.GIVEN_UP, "waiting": WebhookDelivery.State.WAITING}
Form = WebhookEndpoint.Form
Off = WebhookEndpoint.Off


class EndpointForm(forms.Form):
    """An endpoint as it is typed."""

    url = forms.CharField(max_length=LONGEST_URL)
    name = forms.CharField(max_length=LONGEST_NAME, required=False)
    events = forms.MultipleChoiceField(choices=list(EVENTS.items()))

    messages: ClassVar = {
        "url": {"required": _("There is no URL. Write where your server listens.")},
        "events": {
            "required": _("No event is chosen. Tick at least one."),
            "invalid_choice": _("Not one of these. Tick those of the list."),
        },
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, messages in self.messages.items():
            self.fields[name].error_messages |= messages


class NewEndpointForm(EndpointForm):
    """One to be made, of a form that it keeps."""

    form = forms.TypedChoiceField(
        choices=[(each.value, words) for each, (words, _hint) in FORMS.items()],
        coerce=lambda value: Form(int(value)),
        error_messages={"required": _("Choose one of these."), "invalid_choice": _("Choose one of these.")},
    )


class ReplayForm(forms.Form):
    """A span of time, by the customer's clock."""

    messages: ClassVar = {"invalid": _("Not a time. Choose one."), "required": _("There is no time. Choose one.")}

    since = forms.DateTimeField(input_formats=[TIME], error_messages=messages)
    until = forms.DateTimeField(input_formats=[TIME], error_messages=messages)


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def webhooks(request: HttpRequest, member: Member) -> HttpResponse:
    """All of them, and making one; its secret is shown in the answer that makes it, and never again."""
    initial = {"form": Form.SIGNED_JSON.value, "events": ["message.*"]}
    form = NewEndpointForm(request.POST if request.method == "POST" else None, initial=initial)
    made, secret = None, None
    if form.is_bound and form.is_valid():
        try:
            made, secret = endpoints.add_endpoint(member.person, **form.cleaned_data, now=timezone.now())
        except Refused as refused:
            form.add_error(refused.field, words_of_refusal(refused))
        else:
            if secret is None:
                return redirect("webhook", made.pk)
            form = NewEndpointForm(initial=initial)
    counts = log.counts(member.customer.id, timezone.now())
    return page(
        request,
        member,
        "portal/webhooks.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="settings",
        tab="webhooks",
        rows=[_row(each, counts) for each in endpoints.endpoints(member.customer.id)],
        most=endpoints.MOST_OF_A_CUSTOMER,
        made=made,
        secret=secret,
        form=form,
        forms=[(each.value, *words) for each, words in FORMS.items()],
        events=EVENTS.items(),
    )


def _row(endpoint: WebhookEndpoint, counts: dict[int, log.Counts]) -> dict[str, Any]:
    return {
        "endpoint": endpoint,
        "look": look_of(endpoint),
        "form": FORMS[Form(endpoint.form)][0],
        "counts": counts.get(endpoint.pk),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def webhook(request: HttpRequest, member: Member, webhook_id: int) -> HttpResponse:
    """One of them: how it is, its log, and all that can be done to it."""
    try:
        endpoint = endpoints.find_endpoint(member.customer.id, webhook_id)
        act = request.POST.get("do", "") if request.method == "POST" else ""
        if act in _ACTS:
            return _ACTS[act](request, member, endpoint)
        return _show(request, member, endpoint)
    except Refused as refused:
        if refused.reason == Reason.NO_SUCH_WEBHOOK:
            raise Http404 from refused
        return _show(request, member, endpoint, error=words_of_refusal(refused))


def _show(request: HttpRequest, member: Member, endpoint: WebhookEndpoint, **found: Any) -> HttpResponse:
    shown = request.GET.get("shown", "")
    before = _id(request.GET.get("before", ""))
    customer_id, now = member.customer.id, timezone.now()
    rows = log.deliveries(customer_id, endpoint.pk, before=before, state=FILTERS.get(shown), most=LISTED + 1)
    older = QueryDict(mutable=True)
    if len(rows) > LISTED:
        older.update({"shown": shown, "before": f"{rows[LISTED - 1].pk}"})
    said = request.session.pop("webhook_said", "")
    values = {"url": endpoint.url, "name": endpoint.name, "events": endpoint.events}
    hour_ago = timezone.localtime(now - timedelta(hours=1))
    context: dict[str, Any] = {
        "form": EndpointForm(initial=values),
        "replaying": ReplayForm(initial={"since": f"{hour_ago:{TIME}}", "until": f"{timezone.localtime(now):{TIME}}"}),
        "secret": None,
        "error": "",
    }
    context |= found
    is_wrong = context["error"] or context["form"].errors or context["replaying"].errors
    return page(
        request,
        member,
        "portal/webhook.html",
        status=UNPROCESSABLE if is_wrong else 200,
        here="settings",
        tab="webhooks",
        endpoint=endpoint,
        look=look_of(endpoint),
        form_words=FORMS[Form(endpoint.form)][0],
        is_signed=endpoint.form == Form.SIGNED_JSON,
        off_words=OFF[Off(endpoint.off_why)] if endpoint.off_why else "",
        ends_at=endpoint.failing_since and endpoint.failing_since + timedelta(days=1),
        events=[(name, words) for name, words in EVENTS.items() if name in endpoints.events_of(Form(endpoint.form))],
        deliveries=[(each, STATES[WebhookDelivery.State(each.state)]) for each in rows[:LISTED]],
        shown=shown,
        older=older.urlencode(),
        is_first=before is None,
        kept_days=log.KEPT.days,
        said=said,
        **context,
    )


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID_DIGITS else None


def _back(request: HttpRequest, endpoint: WebhookEndpoint, said: object) -> HttpResponse:
    request.session["webhook_said"] = str(said)
    return redirect("webhook", endpoint.pk)


def _change(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    form = EndpointForm(request.POST)
    if form.is_valid():
        try:
            endpoints.change_endpoint(member.customer.id, endpoint.pk, **form.cleaned_data)
        except Refused as refused:
            form.add_error(refused.field, words_of_refusal(refused))
        else:
            return _back(request, endpoint, _("Kept"))
    return _show(request, member, endpoint, form=form)


def _switch(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    on = request.POST["do"] == "on"
    endpoints.switch(member.customer.id, endpoint.pk, on=on, now=timezone.now())
    return _back(request, endpoint, _("Switched on") if on else _("Switched off"))


def _remove(_request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    endpoints.remove_endpoint(member.customer.id, endpoint.pk, now=timezone.now())
    return redirect("webhooks")


def _rotate(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    secret = endpoints.rotate_secret(member.customer.id, endpoint.pk, now=timezone.now())
    return _show(request, member, endpoint, secret=secret)


def _test(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    endpoints.send_test(member.customer.id, endpoint.pk, now=timezone.now())
    return _back(request, endpoint, _("A test is on its way; look at it again in a moment"))


def _replay(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    form = ReplayForm(request.POST)
    if not form.is_valid():
        return _show(request, member, endpoint, replaying=form)
    since, until = form.cleaned_data["since"], form.cleaned_data["until"]
    count = log.replay(member.customer.id, endpoint.pk, since=since, until=until, now=timezone.now())
    return _back(request, endpoint, _("Deliveries that go once more: %(count)s") % {"count": f"{count:,}"})


def _replay_one(request: HttpRequest, member: Member, endpoint: WebhookEndpoint) -> HttpResponse:
    delivery_id = _id(request.POST.get("delivery", ""))
    if delivery_id is None:
        raise Http404
    log.replay_one(member.customer.id, delivery_id, now=timezone.now())
    return _back(request, endpoint, _("It goes once more"))


_ACTS = {
    "change": _change,
    "on": _switch,
    "off": _switch,
    "remove": _remove,
    "rotate": _rotate,
    "test": _test,
    "replay": _replay,
    "again": _replay_one,
}


@require_http_methods(["GET", "HEAD"])
@for_permission(Permission.MANAGE_KEYS)
def webhook_delivery(request: HttpRequest, member: Member, delivery_id: int) -> HttpResponse:
    """What was sent in one delivery, and what the server answered."""
    try:
        delivery = log.find_delivery(member.customer.id, delivery_id)
    except Refused as refused:
        raise Http404 from refused
    return page(
        request,
        member,
        "portal/webhook-delivery.html",
        here="settings",
        tab="webhooks",
        delivery=delivery,
        look=STATES[WebhookDelivery.State(delivery.state)],
        sent=sent_words(delivery),
    )


def sent_words(delivery: WebhookDelivery) -> str:
    """The request as it is written: without its signature, which changes with each try."""
    endpoint = delivery.endpoint
    told = wire.Delivery(delivery.pk, delivery.kind, delivery.at, delivery.begun_at, delivery.tries, delivery.data)
    request = wire.request_of(wire.Endpoint(endpoint.url, Form(endpoint.form), 0, []), told, delivery.at)
    if request.body is None:
        return f"{request.method} {request.url}"
    return f"{request.method} {request.url}\nwebhook-id: {request.headers['webhook-id']}\n\n{request.body.decode()}"
