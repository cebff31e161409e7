"""Replies in the console: those that found no customer, and the words that unsubscribe (spec S110, S112, S133)."""

from typing import Any

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.billing.money import in_cents, pips_of
from sampan.inbound import settings, unmatched
from sampan.inbound.tables import Rental, Reply
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.staff.numbers import MOST_RENT
from sampan.interfaces.words import words_of_refusal
from sampan.messages.announcing import announce
from sampan.messages.planning import THIS_PLATFORM
from sampan.reasons import Refused

UNMATCHED, SETTINGS = "staff:unmatched", "staff:reply-settings"
ROWS_A_PAGE = 50
LONGEST_ID_DIGITS = 18
LONGEST_WORDS = 1_000


@require_safe
@for_staff(Act.MATCH_REPLY)
def unmatched_list(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Replies without a customer: their number, their first word, no more."""
    before = request.GET.get("before", "")
    last = int(before) if before.isdecimal() and len(before) <= LONGEST_ID_DIGITS else None
    rows = unmatched.unmatched(staffer.conn, before=last, most=ROWS_A_PAGE + 1)
    older = rows[ROWS_A_PAGE - 1].id if len(rows) > ROWS_A_PAGE else None
    context: dict[str, Any] = {"rows": rows[:ROWS_A_PAGE], "older": older, "before": before}
    return page(request, staffer, "staff/unmatched.html", here=UNMATCHED, **context)


class RentalField(forms.ModelChoiceField):  # type: ignore[type-arg] # Django knows no arguments when it runs
    """One of the rents that run, by its number, keyword and customer."""

    def label_from_instance(self, obj: Rental) -> str:
        """85264478201 flowers · Harbour Florist."""
        return f"{obj.number.number} {obj.keyword}".strip() + f" · {obj.customer.name}"


class MatchForm(WhyForm):
    """By which rent it is whose."""

    rental = RentalField(
        label=gettext_lazy("Whose it is"),
        queryset=Rental.objects.filter(ended_at=None)
        .select_related("number", "customer")
        .order_by("number__number", "keyword"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.MATCH_REPLY)
def match(request: HttpRequest, staffer: Staffer, reply_id: int) -> HttpResponseBase:
    """Say whose it is, or that it is nobody's."""
    if not Reply.objects.filter(pk=reply_id, customer=None).exists():
        raise Http404
    by: dict[str, Any] = {"by": staffer.person, "now": timezone.now()}
    if request.POST.get("do") == "remove":
        why = WhyForm(request.POST)
        if why.is_valid():
            unmatched.dismiss(reply_id, why=why.reason, **by)
            say(request, _("The reply is dismissed"))
            return redirect(UNMATCHED)
    pressed = request.POST if request.method == "POST" and request.POST.get("do") != "remove" else None
    form = MatchForm(pressed)
    if form.is_valid():
        rental = form.cleaned_data["rental"]
        _customer, places = unmatched.match(reply_id, rental.pk, THIS_PLATFORM, why=form.reason, **by)
        announce(staffer.conn, places)
        say(request, _("The reply stands in the inbox of %(name)s") % {"name": rental.customer.name})
        return redirect(UNMATCHED)
    found = get_object_or_404(Reply, pk=reply_id)
    heading = _("A reply to %(number)s") % {"number": found.number or _("no number")}
    context = {"heading": heading, "press": _("It is theirs"), "form": form, "remove": _("It is nobody’s: dismiss it")}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=UNMATCHED, status=status, **context)


class SettingsForm(WhyForm):
    """Words that unsubscribe, and usual rents."""

    stop_words = forms.CharField(
        label=gettext_lazy("Words that unsubscribe, one a line"),
        max_length=LONGEST_WORDS,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=gettext_lazy("As the whole message, in any case and width."),
    )
    china_stop_words = forms.CharField(
        label=gettext_lazy("Of handsets in mainland China also"),
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    number_rent = forms.DecimalField(
        label=gettext_lazy("Usual rent of a number, HK$ a month"), min_value=0, max_value=MOST_RENT, decimal_places=2
    )
    keyword_rent = forms.DecimalField(
        label=gettext_lazy("Usual rent of a keyword, HK$ a month"), min_value=0, max_value=MOST_RENT, decimal_places=2
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SET_REPLIES)
def reply_settings(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All of it on one page; rents that run keep their price."""
    usual = settings.in_force(staffer.conn)
    initial = {
        "stop_words": "\n".join(sorted(usual.stop_words)),
        "china_stop_words": "\n".join(sorted(usual.china_stop_words)),
        "number_rent": in_cents(usual.number_pips).replace(",", ""),
        "keyword_rent": in_cents(usual.keyword_pips).replace(",", ""),
    }
    form = SettingsForm(request.POST or None, initial=initial)
    if form.is_valid():
        values = form.cleaned_data
        try:
            settings.change_settings(
                values["stop_words"].splitlines(),
                values["china_stop_words"].splitlines(),
                number_pips=pips_of(str(values["number_rent"])),
                keyword_pips=pips_of(str(values["keyword_rent"])),
                by=staffer.person,
                why=form.reason,
                now=timezone.now(),
            )
        except Refused as refused:
            form.add_error(refused.field, words_of_refusal(refused))
        else:
            say(request, _("Saved"))
            return redirect(SETTINGS)
    context = {"heading": _("Words that unsubscribe, and rents"), "press": _("Save"), "form": form}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=SETTINGS, status=status, **context)
