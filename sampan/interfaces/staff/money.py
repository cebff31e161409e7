"""Money that waits for finance: top-ups to look for, entries for a second person, the daily check of the books."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.billing import entries, top_ups
from sampan.billing.tables import BookCheck, StaffEntry, TopUp
from sampan.interfaces.money_mails import tell_of_entry, tell_of_top_up
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.paging import paged

TOP_UPS, ENTRIES, BOOKS = "staff:top-ups", "staff:entries", "staff:books"
MOST_WAITING, CHECKS_SHOWN = 200, 60
Kind, State = StaffEntry.Kind, StaffEntry.State


@require_safe
@for_staff(Act.CREDIT_TOP_UP)
def filed(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """What customers say they paid, the oldest first; and those decided last."""
    waiting = TopUp.objects.filter(state=TopUp.State.FILED).select_related("customer").order_by("filed_at", "pk")
    decided = TopUp.objects.exclude(state=TopUp.State.FILED).select_related("customer")
    found = paged(request, decided)
    return page(request, staffer, "staff/top-ups.html", here=TOP_UPS, waiting=waiting[:MOST_WAITING], found=found)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CREDIT_TOP_UP)
def top_up(request: HttpRequest, staffer: Staffer, top_up_id: int) -> HttpResponseBase:
    """One top-up: credit it, refuse it with words, or take it back."""
    found = get_object_or_404(TopUp.objects.select_related("customer", "document", "filed_by"), pk=top_up_id)
    if request.method == "POST":
        _decide(request, staffer, found)
        return redirect("staff:top-ups")
    context: dict[str, Any] = {
        "top_up": found,
        "alike": top_ups.alike(found),
        "waiting": found.entries.filter(state=State.WAITING).first(),
        "needs_two": entries.credit_needs_second_person(found, by=staffer.person, now=timezone.now()),
    }
    return page(request, staffer, "staff/top-up.html", here=TOP_UPS, **context)


@transaction.atomic
def _decide(request: HttpRequest, staffer: Staffer, top_up: TopUp) -> None:
    now, why, person = timezone.now(), typed(request, "why"), staffer.person
    match request.POST.get("do"):
        case "refuse":
            top_ups.refuse_top_up(top_up.pk, words=why, by=person, now=now)
            tell_of_top_up(top_up.pk, now)
            say(request, _("%(top_up)s is refused; the customer sees your words") % {"top_up": top_up})
        case "reverse":
            _said(request, entries.enter_for_top_up(Kind.REVERSAL, top_up.pk, why=why, by=person, now=now), now)
        case _:
            _said(request, entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why=why, by=person, now=now), now)


def _said(request: HttpRequest, entry: StaffEntry, now: datetime) -> None:
    """In the transaction of the entry: customers are told of their top-ups."""
    tell_of_entry(entry, now)
    if entry.state == State.WAITING:
        say(request, _("%(entry)s waits for a second person") % {"entry": entry})
    else:
        say(request, _("%(entry)s is done, and the balance is as it should be") % {"entry": entry})


@require_safe
@for_staff(Act.DECIDE_MONEY)
def waiting_entries(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Entries that need a second person, the oldest first; and all others."""
    every = StaffEntry.objects.select_related("customer", "other_customer", "made_by", "decided_by")
    waiting = every.filter(state=State.WAITING).order_by("made_at", "pk")
    found = paged(request, every.exclude(state=State.WAITING))
    return page(request, staffer, "staff/entries.html", here=ENTRIES, waiting=waiting[:MOST_WAITING], found=found)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.DECIDE_MONEY)
def entry(request: HttpRequest, staffer: Staffer, entry_id: int) -> HttpResponseBase:
    """One entry: confirm or refuse it; who entered it may only take it back."""
    every = StaffEntry.objects.select_related("customer", "other_customer", "made_by", "decided_by", "top_up")
    found = get_object_or_404(every, pk=entry_id)
    if request.method == "POST":
        now = timezone.now()
        if request.POST.get("do") == "refuse":
            entries.refuse(entry_id, words=typed(request, "why"), by=staffer.person, now=now)
            say(request, _("%(entry)s is refused; nothing has moved") % {"entry": found})
        else:
            with transaction.atomic():
                _said(request, entries.confirm(entry_id, by=staffer.person, now=now), now)
        return redirect("staff:entries")
    is_own = found.made_by_id == staffer.person.pk
    return page(request, staffer, "staff/entry.html", here=ENTRIES, entry=found, is_own=is_own)


@require_safe
@for_staff(Act.SEE_MONEY)
def books(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """What the daily reconciliations found."""
    checks = BookCheck.objects.order_by("-day")[:CHECKS_SHOWN]
    return page(request, staffer, "staff/books.html", here=BOOKS, checks=checks)
