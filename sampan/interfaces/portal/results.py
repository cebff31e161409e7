"""Delivery results: a period's messages by status and hour, row by row, and as a file (spec S100)."""

import re
from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_safe

from sampan.accounts.tables import SenderId
from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.portal.access import Member, for_members, for_senders, page
from sampan.interfaces.portal.charts import hours_chart, shares_chart
from sampan.interfaces.portal.export import head, lines
from sampan.interfaces.portal.results_form import EPOCH, ResultsForm
from sampan.interfaces.tags import iso_day
from sampan.interfaces.xlsx_files import xlsx_response
from sampan.messages import resend
from sampan.messages.planning import THIS_PLATFORM, terms_in_force
from sampan.messages.reports import batches, periods
from sampan.messages.reports.periods import Place
from sampan.messages.reports.shown import Shown

ROWS_A_PAGE = 50
MOST_IN_XLSX = 100_000  # a spreadsheet is written whole before any of it is sent
BATCHES_OFFERED = 20
BATCHES_TO_RESEND = 50
UNPROCESSABLE = 422
EXTRA_FIELDS = ("reason", "sender", "route", "source")
_PLACE = re.compile(r"([0-9]{1,16})-([0-9]{1,18})")


def _asked(request: HttpRequest, member: Member) -> ResultsForm:
    given = {name: str(value) for name, value in request.GET.items()}
    given["since"], given["until"] = given.pop("from", ""), given.pop("to", "")
    routes = terms_in_force(member.conn, THIS_PLATFORM).directory.routes.values()
    senders = SenderId.objects.filter(customer_id=member.customer.id).order_by("text")
    return ResultsForm(
        given,
        customer_id=member.customer.id,
        senders=list(senders.values_list("text", flat=True).distinct()),
        routes=sorted(routes, key=lambda route: route.id),
        now=timezone.now(),
    )


@require_safe
@for_members
def results(request: HttpRequest, member: Member) -> HttpResponse:
    """The page: the search, totals, the day by hours, and one page of rows."""
    return _page(request, member, _asked(request, member))


def _page(request: HttpRequest, member: Member, form: ResultsForm) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "here": "results",
        "first": request.GET.get("from", ""),
        "last": request.GET.get("to", ""),
        "more": "more" in request.GET or any(request.GET.get(name) for name in EXTRA_FIELDS),
        "wider": _with(request.GET, more="1"),
        "batches": batches.newest_of_portal(member.conn, member.customer.id, most=BATCHES_OFFERED),
    }
    if not form.is_valid():
        return page(request, member, "portal/results.html", status=UNPROCESSABLE, **context)
    search = form.search()
    totals = periods.totals(member.conn, search)
    after = _place(request.GET.get("after", ""))
    found = periods.rows(member.conn, search, most=ROWS_A_PAGE + 1, after=after)
    rows = found[:ROWS_A_PAGE]
    context |= {
        "first": form.cleaned_data["first"].isoformat(),
        "last": form.cleaned_data["last"].isoformat(),
        "totals": totals,
        "by_status": [(shown, totals.messages[shown]) for shown in Shown if totals.messages[shown]],
        "shares": shares_chart(totals),
        "hours": hours_chart(totals),
        "rows": rows,
        "older": _with(request.GET, after=_written(rows[-1].place)) if len(found) > ROWS_A_PAGE else "",
        "newest": _with(request.GET) if after else "",
        "export": _with(request.GET),
    }
    return page(request, member, "portal/results.html", **context)


def _with(query: QueryDict, **changes: str) -> str:
    """The query once more, with changes, from the first row on."""
    given = query.copy()
    given.pop("after", None)
    for name, value in changes.items():
        given[name] = value
    return given.urlencode()


def _written(place: Place) -> str:
    return f"{round(place.created_at.timestamp() * 1_000_000)}-{place.id}"


def _place(text: str) -> Place | None:
    match = _PLACE.fullmatch(text)
    if not match:
        return None
    return Place(EPOCH + timedelta(microseconds=int(match[1])), int(match[2]))


@require_safe
@for_senders
def resend_of_search(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Action → Resend: the batches of the search that have something to send again (spec S101)."""
    form = _asked(request, member)
    if not form.is_valid():
        return _page(request, member, form)
    found = resend.candidates(member.conn, form.search(), most=BATCHES_TO_RESEND)
    if len(found) == 1:
        return redirect("resend", found[0].batch_id)
    back = _with(request.GET)
    return page(
        request, member, "portal/resend-which.html", here="results", found=found, most=BATCHES_TO_RESEND, back=back
    )


@require_safe
@for_members
def results_file(request: HttpRequest, member: Member, kind: str) -> HttpResponseBase:
    """All messages of the search as `csv`, written while they are sent, or as `xlsx`."""
    form = _asked(request, member)
    if form.is_valid() and kind == "xlsx":
        form.bound_by(MOST_IN_XLSX, periods.totals(member.conn, form.search()).count)
    if not form.is_valid():
        return _page(request, member, form)
    search = form.search()
    name = f"messages-{iso_day(search.since)}-{iso_day(search.until - timedelta(days=1))}.{kind}"
    write = xlsx_response if kind == "xlsx" else csv_response
    return write(name, head(), lines(search, member.customer.zone))
