"""Customers as staff see them: accounts and figures, numbers and texts only through a window (spec S133).

A part of the console that does something to a customer adds its page to LINKS.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sampan.accounts.acts import Act
from sampan.accounts.privacy import windows
from sampan.accounts.tables import AuditEntry, Customer, RefusedAddress
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.dispatch.parts import part_results
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.paging import paged
from sampan.messages.reports import looked_into, periods
from sampan.messages.reports.messages import message as facts_of
from sampan.messages.reports.periods import Search
from sampan.messages.reports.shown import Shown

HERE = "staff:customers"
LONGEST_ID_DIGITS = 18
LINES_SHOWN = 10
ADDRESSES_SHOWN = 5
ROWS_SHOWN = 50
FIGURES_OVER = timedelta(days=7)


class PageLink(NamedTuple):
    """A page about one customer, by its address' name; it takes `customer_id`."""

    page: str
    words: Promise
    acts: tuple[Act, ...]


STATE_ACTS = (Act.SUSPEND_CUSTOMER, Act.CLOSE_CUSTOMER, Act.WITHDRAW_SENDER, Act.RESET_SECOND_FACTOR)
LINKS: Sequence[PageLink] = (
    PageLink("staff:account", gettext_lazy("State, sender IDs"), STATE_ACTS),
    PageLink("staff:purse", gettext_lazy("Money, group"), (Act.SEE_MONEY, Act.RECORD_CERTIFICATE)),
    PageLink("staff:own-data", gettext_lazy("Retention, data"), (Act.KEEP_RESULTS, Act.ERASE_CUSTOMER)),
    PageLink("staff:purpose", gettext_lazy("Purpose"), (Act.FIX_PURPOSE,)),
)


@require_safe
@for_staff(Act.SEE_CUSTOMERS)
def customers(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All of them, the newest first; found by name, login name, or a message of theirs."""
    asked = request.GET.get("find", "").replace("\0", "").strip()
    is_id = asked.isascii() and asked.isdecimal() and len(asked) <= LONGEST_ID_DIGITS
    if is_id and looked_into.outline(staffer.conn, int(asked)):
        return redirect("staff:message", int(asked))
    every = Customer.objects.all()
    if asked:
        every = every.filter(Q(name__icontains=asked) | Q(members__login_name__icontains=asked)).distinct()
    return page(request, staffer, "staff/customers.html", here=HERE, found=paged(request, every), asked=asked)


@require_safe
@for_staff(Act.SEE_CUSTOMERS)
def customer(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """One customer."""
    found = get_object_or_404(Customer, pk=customer_id)
    now = timezone.now()
    totals = periods.totals(staffer.conn, Search(customer_id=customer_id, since=now - FIGURES_OVER, until=now))
    balances = ledger.balances(staffer.conn, [customer_id]) if staffer.may(Act.SEE_MONEY) else {}
    lines = AuditEntry.objects.filter(customer=found).select_related("by").order_by("-pk")[:LINES_SHOWN]
    context: dict[str, Any] = {
        "customer": found,
        "members": found.members.order_by("pk"),
        "senders": found.sender_ids.filter(withdrawn_at=None).order_by("text"),
        "networks": found.allowed_networks.order_by("network"),
        "refused": RefusedAddress.objects.filter(customer=found).order_by("-last_at", "-pk")[:ADDRESSES_SHOWN],
        "by_status": [(shown, totals.messages[shown]) for shown in Shown if totals.messages[shown]],
        "available_pips": balances.get((customer_id, Account.Kind.AVAILABLE)),
        "held_pips": balances.get((customer_id, Account.Kind.HELD)),
        "lines": lines if staffer.may(Act.READ_AUDIT) else [],
        "window": windows.open_to_customer(customer_id, now),
        "abuse_case": windows.abuse_case_of(customer_id, now) if staffer.may(Act.OPEN_ABUSE_CASE) else None,
        "may_open": staffer.may(Act.OPEN_ABUSE_CASE),
        "may_look": staffer.may(Act.LOOK),
        "links": [link for link in LINKS if any(staffer.may(act) for act in link.acts)],
    }
    return page(request, staffer, "staff/customer.html", here=HERE, **context)


@require_POST
@for_staff(Act.OPEN_ABUSE_CASE, Act.CLOSE_ABUSE_CASE)
def abuse_case(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """Open or close one."""
    found = get_object_or_404(Customer, pk=customer_id)
    now, why = timezone.now(), typed(request, "why")
    if request.POST.get("do") == "close":
        windows.close_abuse_case(found, why=why, by=staffer.person, now=now)
        say(request, _("The abuse case is closed; the customer can see it and every look now"))
    else:
        windows.open_abuse_case(found, why=why, by=staffer.person, now=now)
        say(request, _("The abuse case is open for 7 days; every look is logged"))
    return redirect("staff:customer", customer_id)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.LOOK)
def messages(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """The latest messages, masked; by a press, and logged, with their numbers."""
    found = get_object_or_404(Customer, pk=customer_id)
    now = timezone.now()
    if request.method == "POST":
        windows.look(customer_id, f"latest {ROWS_SHOWN} messages", by=staffer.person, now=now)
    search = Search(customer_id=customer_id, since=now - FIGURES_OVER, until=now)
    rows = periods.rows(staffer.conn, search, most=ROWS_SHOWN)
    context: dict[str, Any] = {
        "customer": found,
        "rows": rows,
        "is_looking": request.method == "POST",
        "window": windows.window_for(staffer.person, customer_id, now),
    }
    return page(request, staffer, "staff/messages.html", here=HERE, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SEE_CUSTOMERS)
def message(request: HttpRequest, staffer: Staffer, message_id: int) -> HttpResponseBase:
    """One message with all that operators said; by a press, and logged, with its number and text."""
    outline = looked_into.outline(staffer.conn, message_id)
    if outline is None:
        raise Http404
    now = timezone.now()
    if request.method == "POST":
        windows.look(outline.customer_id, f"message {message_id}", by=staffer.person, now=now)
    facts = facts_of(staffer.conn, outline.customer_id, message_id)
    if facts is None:
        raise Http404
    context: dict[str, Any] = {
        "customer": Customer.objects.get(pk=outline.customer_id),
        "outline": outline,
        "message": facts,
        "results": part_results(staffer.conn, message_id),
        "traces": looked_into.traces(staffer.conn, message_id),
        "is_looking": request.method == "POST",
        "window": windows.window_for(staffer.person, outline.customer_id, now) if staffer.may(Act.LOOK) else None,
    }
    return page(request, staffer, "staff/message.html", here=HERE, **context)
