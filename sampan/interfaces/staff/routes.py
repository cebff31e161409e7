"""Routes with who carries them, and destinations with their prefixes (spec S40–S43)."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.dispatch import operating
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.operator_forms import CarrierForm, DestinationForm, RouteForm
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination, Operator, Route

HERE = "staff:routes"


@require_safe
@for_staff(Act.CHANGE_ROUTES)
def routes(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All routes and destinations."""
    every = Route.objects.order_by("code").prefetch_related("carriers__operator")
    carried = [(route, sorted(route.carriers.all(), key=lambda each: (each.position, each.pk))) for route in every]
    destinations = Destination.objects.select_related("route").order_by("region", "name")
    return page(request, staffer, "staff/routes.html", here=HERE, carried=carried, destinations=destinations)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_ROUTES)
def route(request: HttpRequest, staffer: Staffer, route_id: int) -> HttpResponseBase:
    """One route: what it is, and in which order operators carry it."""
    found = get_object_or_404(Route, pk=route_id)
    if request.method == "POST" and "operator" in request.POST:
        _carry(request, staffer, found)
        return redirect("staff:route", route_id)
    form = RouteForm(request.POST or None, initial=Route.objects.values().get(pk=route_id))
    if form.is_valid():
        operating.change_route(route_id, form.changes(), by=staffer.person, why=form.reason, now=timezone.now())
        say(request, _("Route %(code)s is changed") % {"code": found.code})
        return redirect("staff:route", route_id)
    carriers = list(found.carriers.select_related("operator").order_by("position", "pk"))
    others = Operator.objects.exclude(pk__in=[each.operator_id for each in carriers]).order_by("name")
    context = {"route": found, "form": form, "carriers": carriers, "others": others}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/route.html", here=HERE, status=status, **context)


def _carry(request: HttpRequest, staffer: Staffer, found: Route) -> None:
    """An operator's place among those who carry the route."""
    form = CarrierForm(request.POST)
    form.fields["why"].required = False
    removes = request.POST.get("do") == "remove"
    if not form.is_valid() and not (removes and "operator" in form.cleaned_data):
        raise Refused(Reason.NO_CHOICE, "operator")
    operator = get_object_or_404(Operator, pk=form.cleaned_data["operator"])
    place = None if removes else (form.cleaned_data["position"], form.cleaned_data["share"])
    operating.set_carrier(
        found.pk, operator.pk, place, by=staffer.person, why=typed(request, "why"), now=timezone.now()
    )
    say(request, _("Route %(code)s is changed") % {"code": found.code})


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_ROUTES)
def destination(request: HttpRequest, staffer: Staffer, destination_id: int | None = None) -> HttpResponseBase:
    """One destination; a new one without an id."""
    found = get_object_or_404(Destination, pk=destination_id) if destination_id is not None else None
    initial = (
        {"name": found.name, "region": found.region, "prefixes": ", ".join(found.prefixes), "route": found.route_id}
        if found
        else {"region": Destination.Region.OVERSEAS.value}
    )
    form = DestinationForm(request.POST or None, initial=initial)
    if form.is_valid():
        operating.change_destination(
            destination_id, form.changes(), by=staffer.person, why=form.reason, now=timezone.now()
        )
        say(request, _("%(name)s is kept") % {"name": form.cleaned_data["name"]})
        return redirect("staff:routes")
    status = UNPROCESSABLE if form.errors else 200
    heading = found.name if found else _("New destination")
    context = {"heading": heading, "press": _("Keep the destination"), "form": form}
    return page(request, staffer, "staff/form.html", here=HERE, status=status, **context)
