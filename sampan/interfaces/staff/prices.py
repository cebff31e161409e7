"""The price list and customers' own prices as files to take out and put back (spec S43, S83)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer
from sampan.billing import price_files
from sampan.billing.price_files import LISTED_HEAD, OWN_HEAD, Flaw, NothingTaken, PriceFile
from sampan.billing.tables import VolumeTier
from sampan.billing.tiers import change_tiers
from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.money_words import amount_of
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed

HERE = "staff:prices"
MOST_OCTETS = 2 * 1024 * 1024
UNPROCESSABLE = 422

TIERS_OFFERED = range(1, 6)

Put = Callable[..., PriceFile]


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_PRICES)
def prices(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The list for all tiers."""
    if request.method == "POST":
        return _put(request, staffer, None, price_files.put_list)
    return page(request, staffer, "staff/prices.html", here=HERE, **_context(None, []))


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_PRICES)
def own_prices(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """One customer's own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    if request.method == "POST":
        return _put(request, staffer, customer, lambda text, **who: price_files.put_own(customer, text, **who))
    return page(request, staffer, "staff/prices.html", here=HERE, **_context(customer, []))


def _put(request: HttpRequest, staffer: Staffer, customer: Customer | None, put: Put) -> HttpResponseBase:
    given = request.FILES.get("file")
    octets = given.read(MOST_OCTETS + 1) if given else b""
    try:
        if len(octets) > MOST_OCTETS:
            raise NothingTaken(PriceFile([], [], 0, [Flaw(1, "", price_files.Fault.TOO_MANY)]))
        text = octets.decode("utf-8-sig", "replace")
        taken = put(text, why=typed(request, "why"), by=staffer.person, now=timezone.now())
    except NothingTaken as nothing:
        context = _context(customer, nothing.file.flaws)
        return page(request, staffer, "staff/prices.html", here=HERE, status=UNPROCESSABLE, **context)
    counts = {"new": len(taken.new), "changed": len(taken.changed), "same": taken.unchanged}
    say(request, _("Prices added: %(new)s, changed: %(changed)s, as before: %(same)s") % counts)
    return redirect(request.get_full_path())


def _context(customer: Customer | None, flaws: list[Flaw]) -> dict[str, Any]:
    known = dict(VolumeTier.objects.values_list("tier", "from_pips"))
    head = OWN_HEAD if customer else LISTED_HEAD
    return {
        "customer": customer,
        "flaws": flaws,
        "head": ", ".join(head),
        "tiers": [(tier, known.get(tier)) for tier in TIERS_OFFERED],
    }


@require_POST
@for_staff(Act.CHANGE_PRICES)
def tiers(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Which top-up brings which tier; a tier without an amount is none."""
    given = {tier: typed(request, f"tier-{tier}") for tier in TIERS_OFFERED}
    amounts = {tier: amount_of(text) for tier, text in given.items() if text}
    change_tiers(amounts, why=typed(request, "why"), by=staffer.person, now=timezone.now())
    say(request, _("The tiers are changed, from the next top-up on"))
    return redirect("staff:prices")


@require_safe
@for_staff(Act.CHANGE_PRICES)
def prices_file(_request: HttpRequest, _staffer: Staffer) -> HttpResponseBase:
    """The whole list."""
    return csv_response("price-list.csv", LISTED_HEAD, price_files.list_lines())


@require_safe
@for_staff(Act.CHANGE_PRICES)
def own_prices_file(_request: HttpRequest, _staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """One customer's own."""
    customer = get_object_or_404(Customer, pk=customer_id)
    return csv_response(f"prices-{customer.pk}.csv", OWN_HEAD, price_files.own_lines(customer.pk))
