"""Operators and links with their live state; pause, drain, resume; holding all sending (spec S42, S53)."""

from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sampan.accounts.acts import Act
from sampan.dispatch import operating, pulse
from sampan.dispatch.pulse import OperatorPulse
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.operator_forms import LinkForm, NewOperatorForm, OperatorForm
from sampan.messages import holding
from sampan.messages.tables import PlatformState
from sampan.routing.tables import Link, Operator

RUN = {"pause": Operator.State.PAUSED, "drain": Operator.State.DRAINING, "resume": Operator.State.ACTIVE}
HERE = "staff:operators"


@require_safe
@for_staff(Act.RUN_OPERATOR, Act.CHANGE_OPERATOR)
def operators(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All of them."""
    context = _live(staffer) | {
        "may_hold": staffer.may(Act.HOLD_SENDING),
        "may_release": staffer.may(Act.RELEASE_SENDING),
        "may_change": staffer.may(Act.CHANGE_OPERATOR),
    }
    return page(request, staffer, "staff/operators.html", here=HERE, **context)


@require_safe
@for_staff(Act.RUN_OPERATOR, Act.CHANGE_OPERATOR)
def operators_live(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The part of the page that refreshes itself."""
    return render(request, "staff/operators-live.html", _live(staffer))


def _live(staffer: Staffer) -> dict[str, Any]:
    found = pulse.pulses(staffer.conn, timezone.now())
    links = [link for operator in found for link in operator.links]
    return {
        "operators": found,
        "links": len(links),
        "bound": sum(link.bound for link in links),
        "waiting": sum(operator.waiting for operator in found),
        "unanswered": sum(operator.unanswered for operator in found),
        "without_receipt": sum(operator.without_receipt for operator in found),
        "unknown": sum(operator.unknown for operator in found),
        "sending": PlatformState.objects.filter(pk=1, sending_held=True).first(),
        "as_of": timezone.now(),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.RUN_OPERATOR, Act.CHANGE_OPERATOR)
def operator(request: HttpRequest, staffer: Staffer, operator_id: int) -> HttpResponseBase:
    """One operator: run it, change it."""
    found = _found(staffer, operator_id)
    now = timezone.now()
    form = OperatorForm(initial=Operator.objects.values().get(pk=operator_id))
    if request.method == "POST" and (do := request.POST.get("do", "")) in RUN:
        operating.run_operator(operator_id, RUN[do], by=staffer.person, why=typed(request, "why"), now=now)
        say(request, _("%(name)s is changed") % {"name": found.name})
        return redirect("staff:operator", operator_id)
    if request.method == "POST":
        form = OperatorForm(request.POST)
        if form.is_valid():
            operating.change_operator(operator_id, form.changes(), by=staffer.person, why=form.reason, now=now)
            say(request, _("%(name)s is changed") % {"name": found.name})
            return redirect("staff:operator", operator_id)
    context = {"operator": found, "form": form, "may_change": staffer.may(Act.CHANGE_OPERATOR)}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/operator.html", here=HERE, status=status, **context)


def _found(staffer: Staffer, operator_id: int) -> OperatorPulse:
    for each in pulse.pulses(staffer.conn, timezone.now()):
        if each.id == operator_id:
            return each
    raise Http404


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_OPERATOR)
def new_operator(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """An operator with its first link."""
    form = NewOperatorForm(request.POST or None)
    if form.is_valid():
        link = form.as_new()
        name, codes = link.pop("name"), link.pop("routes")
        made = operating.new_operator(
            name=name, route_codes=codes, link=link, by=staffer.person, why=form.reason, now=timezone.now()
        )
        say(request, _("%(name)s is connected") % {"name": name})
        return redirect("staff:operator", made.pk)
    context = {"heading": _("New operator"), "press": _("Connect the operator")}
    return _form(request, staffer, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_OPERATOR)
def new_link(request: HttpRequest, staffer: Staffer, operator_id: int) -> HttpResponseBase:
    """One more bind."""
    found = get_object_or_404(Operator, pk=operator_id)
    form = LinkForm(request.POST or None)
    if form.is_valid():
        operating.new_link(operator_id, form.as_new(), by=staffer.person, why=form.reason, now=timezone.now())
        say(request, _("%(name)s has one more link") % {"name": found.name})
        return redirect("staff:operator", operator_id)
    context = {"heading": _("New link of %(name)s") % {"name": found.name}, "press": _("Add the link")}
    return _form(request, staffer, form, context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_OPERATOR)
def link(request: HttpRequest, staffer: Staffer, link_id: int) -> HttpResponseBase:
    """One bind: change or remove it."""
    found = get_object_or_404(Link, pk=link_id)
    now = timezone.now()
    if request.POST.get("do") == "remove":
        operating.remove_link(link_id, by=staffer.person, why=typed(request, "why"), now=now)
        say(request, _("Link %(link)s is removed") % {"link": found})
        return redirect("staff:operator", found.operator_id)
    form = LinkForm(request.POST or None, initial=Link.objects.values().get(pk=link_id))
    if form.is_valid():
        changes, password = form.as_changes()
        operating.change_link(link_id, changes, password=password, by=staffer.person, why=form.reason, now=now)
        say(request, _("Link %(link)s is changed") % {"link": found})
        return redirect("staff:operator", found.operator_id)
    context = {"heading": f"{found}", "press": _("Change the link"), "remove": _("Remove the link")}
    return _form(request, staffer, form, context)


def _form(request: HttpRequest, staffer: Staffer, form: LinkForm, context: dict[str, str]) -> HttpResponseBase:
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=HERE, status=status, form=form, **context)


@require_POST
@for_staff(Act.HOLD_SENDING, Act.RELEASE_SENDING)
def sending(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Hold all sending, or release it."""
    now, why = timezone.now(), typed(request, "why")
    if request.POST.get("do") == "release":
        holding.go_on_sending(by=staffer.person, why=why, now=now)
        say(request, _("Sending goes on"))
    else:
        holding.stop_sending(by=staffer.person, why=why, now=now)
        say(request, _("All sending is held. What the operators have is on its way."))
    return redirect("staff:operators")
