"""Numbers that customers rent, in the console: set up, rented, ended (spec S110, S134)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Prefetch
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer
from sampan.billing.money import in_cents, pips_of
from sampan.inbound import numbers, settings
from sampan.inbound.tables import LONGEST_KEYWORD, Rental, RentedNumber
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Refused
from sampan.routing.tables import Operator

NUMBERS = "staff:numbers"
NUMBERS_SHOWN = 200
LONGEST_NUMBER = 20
MOST_RENT = Decimal(1_000_000)


class NumberForm(WhyForm):
    """A number of ours at an operator."""

    number = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=LONGEST_NUMBER,
        help_text=gettext_lazy("Digits, with the country code: 85264478200. Or a short number."),
    )
    operator = forms.ModelChoiceField(
        label=gettext_lazy("Operator that brings its replies"), queryset=Operator.objects.order_by("name")
    )
    is_shared = forms.BooleanField(label=gettext_lazy("Shared by keywords, by several customers"), required=False)


class RentForm(WhyForm):
    """Who rents it, by what keyword, at what rent."""

    customer = forms.ModelChoiceField(
        label=gettext_lazy("Customer"),
        queryset=Customer.objects.filter(status=Customer.Status.NORMAL, is_platform=False).order_by("name"),
    )
    keyword = forms.CharField(
        label=gettext_lazy("Keyword"),
        max_length=LONGEST_KEYWORD,
        help_text=gettext_lazy("One word of 2 to 20 letters or digits, with which replies begin."),
    )
    rent = forms.DecimalField(
        label=gettext_lazy("HK$ a month"),
        min_value=0,
        max_value=MOST_RENT,
        decimal_places=2,
        help_text=gettext_lazy("The first month is charged at once."),
    )

    def __init__(self, number: RentedNumber, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not number.is_shared:
            del self.fields["keyword"]


@require_safe
@for_staff(Act.SET_UP_NUMBER, Act.RENT_NUMBER)
def number_list(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All numbers of ours with who rents them."""
    running = Prefetch(
        "rentals",
        Rental.objects.filter(ended_at=None).select_related("customer").order_by("keyword"),
        to_attr="running",
    )
    found = RentedNumber.objects.filter(retired_at=None).select_related("operator").prefetch_related(running)
    rows = [(each, each.is_shared or not each.running) for each in found.order_by("number")[:NUMBERS_SHOWN]]
    return page(request, staffer, "staff/numbers.html", here=NUMBERS, rows=rows, most=NUMBERS_SHOWN)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SET_UP_NUMBER)
def new_number(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """One more."""
    form = NumberForm(request.POST or None)
    if form.is_valid():
        values = form.changes()
        try:
            numbers.add_number(
                values["operator"],
                values["number"],
                is_shared=values["is_shared"],
                by=staffer.person,
                why=form.reason,
                now=timezone.now(),
            )
        except Refused as refused:
            form.add_error("number", words_of_refusal(refused))
        else:
            say(request, _("The number is set up"))
            return redirect(NUMBERS)
    return _form(request, staffer, form, _("A new number"), _("Set it up"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.RENT_NUMBER, Act.SET_UP_NUMBER)
def rent_number(request: HttpRequest, staffer: Staffer, number_id: int) -> HttpResponseBase:
    """A customer rents it; or we have it no more."""
    number = get_object_or_404(RentedNumber, pk=number_id, retired_at=None)
    by: dict[str, Any] = {"by": staffer.person, "now": timezone.now()}
    if request.POST.get("do") == "remove":
        why = WhyForm(request.POST)
        if why.is_valid():
            numbers.retire_number(number.pk, why=why.reason, **by)
            say(request, _("The number is retired"))
            return redirect(NUMBERS)
    usual = settings.in_force(staffer.conn)
    rent = in_cents(usual.keyword_pips if number.is_shared else usual.number_pips).replace(",", "")
    pressed = request.POST if request.method == "POST" and request.POST.get("do") != "remove" else None
    form = RentForm(number, pressed, initial={"rent": rent})
    if form.is_valid():
        values = form.changes()
        try:
            numbers.rent(
                number.pk,
                values["customer"].pk,
                keyword=values.get("keyword", ""),
                monthly_pips=pips_of(str(values["rent"])),
                why=form.reason,
                **by,
            )
        except Refused as refused:
            field = refused.field if refused.field in form.fields else "customer"
            form.add_error(field, words_of_refusal(refused))
        else:
            say(request, _("%(number)s is rented to %(name)s") % {"number": number, "name": values["customer"].name})
            return redirect(NUMBERS)
    heading = _("Rent %(number)s to a customer") % {"number": number.number}
    remove = "" if number.rentals.filter(ended_at=None).exists() else _("Retire the number")
    return _form(request, staffer, form, heading, _("Rent it"), remove=remove)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.RENT_NUMBER)
def end_rental(request: HttpRequest, staffer: Staffer, rental_id: int) -> HttpResponseBase:
    """It ends now."""
    rental = get_object_or_404(Rental.objects.select_related("number", "customer"), pk=rental_id, ended_at=None)
    form = WhyForm(request.POST or None)
    if form.is_valid():
        numbers.end_rental(rental.pk, by=staffer.person, why=form.reason, now=timezone.now())
        say(request, _("The rent has ended"))
        return redirect(NUMBERS)
    named = f"{rental.number.number} {rental.keyword}".strip()
    heading = _("End %(number)s of %(name)s") % {"number": named, "name": rental.customer.name}
    return _form(request, staffer, form, heading, _("End it now"))


def _form(
    request: HttpRequest, staffer: Staffer, form: forms.Form, heading: str, press: str, **more: Any
) -> HttpResponseBase:
    context = {"heading": heading, "press": press, "form": form} | more
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=NUMBERS, status=status, **context)
