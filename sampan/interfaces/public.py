"""Public pages: what it costs, and where it goes (spec S43, S138)."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sampan.accounts.tables import Customer, Person
from sampan.billing.money import in_pips
from sampan.billing.prices import price_list
from sampan.billing.tables import VolumeTier
from sampan.billing.tiers import FIRST_TIER
from sampan.billing.top_ups import LEAST_PIPS
from sampan.database import beneath_django
from sampan.interfaces.csv_files import csv_response
from sampan.routing.directory import DestinationFacts, RouteFacts, directory


class Way(NamedTuple):
    """One destination by one route: a unit's price for each tier, and for who looks, where that is a member."""

    destination: DestinationFacts
    route: RouteFacts
    tiers_pips: list[int | None]
    own_pips: int | None


def _ways(request: HttpRequest, tiers: list[int]) -> list[Way]:
    """What has a price now, Hong Kong first; routes that nobody carries are not offered."""
    now, customer = timezone.now(), _customer(request)
    with beneath_django() as conn:
        places, prices = directory.get(conn), price_list.get(conn)
    ways = []
    for destination_id, route_id in prices.ways():
        destination, route = places.destinations.get(destination_id), places.routes.get(route_id)
        if destination is None or route is None or not route.carriers:
            continue
        listed = [prices.unit_pips(destination_id, route_id, tier, now) for tier in tiers]
        own = None
        if customer is not None:
            own = prices.unit_pips(destination_id, route_id, customer.tier, now, customer_id=customer.pk)
        if any(listed):
            ways.append(Way(destination, route, listed, own))
    return sorted(ways, key=lambda way: (way.destination.region, way.destination.name, way.route.id))


def _customer(request: HttpRequest) -> Customer | None:
    person = request.user
    return person.customer if isinstance(person, Person) else None


def _tiers() -> list[VolumeTier]:
    return list(VolumeTier.objects.order_by("tier")) or [VolumeTier(tier=FIRST_TIER, from_pips=LEAST_PIPS)]


@require_safe
def prices(request: HttpRequest) -> HttpResponse:
    """The price list, and one's own prices for a member."""
    tiers = _tiers()
    ways = _ways(request, [each.tier for each in tiers])
    context = {"tiers": tiers, "ways": ways, "customer": _customer(request), "here": "prices"}
    return render(request, "public/prices.html", context)


@require_safe
def prices_csv(request: HttpRequest) -> HttpResponseBase:
    """The price list as a file."""
    tiers = [each.tier for each in _tiers()]
    own = _customer(request) is not None
    head = ["destination", "route", *(f"tier_{tier}_hkd" for tier in tiers), *(["your_hkd"] if own else [])]
    rows = (
        [
            way.destination.name,
            way.route.code,
            *(in_pips(pips) if pips else "" for pips in way.tiers_pips),
            *([in_pips(way.own_pips) if way.own_pips else ""] if own else []),
        ]
        for way in _ways(request, tiers)
    )
    return csv_response("prices.csv", head, rows)


@require_safe
def coverage(request: HttpRequest) -> HttpResponse:
    """Destinations and routes, and what each supports."""
    context = {"ways": _ways(request, [FIRST_TIER]), "here": "coverage"}
    return render(request, "public/coverage.html", context)
