"""Recurring batches: how often each is sent, its next runs, and the button that ends it (spec S54)."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sampan.interfaces.portal.access import FORBIDDEN, Member, for_members, page
from sampan.messages import recurring
from sampan.messages.recurring import Clock, Every
from sampan.messages.reports import batches
from sampan.messages.reports.batches import BatchFacts
from sampan.messages.tables import Batch, Recurrence
from sampan.reasons import BY_NUMBER, Reason, Refused

MOST_SHOWN = 100
RUNS_SHOWN = 5


@dataclass(frozen=True)
class Series:
    """A series, the run that stands ahead, and those after it."""

    row: Recurrence
    ahead: BatchFacts | None
    later: list[datetime]

    @property
    def reason(self) -> Reason | None:
        """Why it ended, where a run was refused."""
        return BY_NUMBER[self.row.reason] if self.row.reason else None


@require_safe
@for_members
def recurrences(request: HttpRequest, member: Member) -> HttpResponse:
    """All series, those that go on first."""
    rows = Recurrence.objects.filter(customer_id=member.customer.id).defer("numbers", "text").select_related("person")
    rows = rows.order_by("-ended_at", "-created_at")[:MOST_SHOWN]  # in PostgreSQL null comes first when descending
    now = timezone.now()
    return page(request, member, "portal/recurrences.html", here="scheduled", series=_series(member, list(rows), now))


def _series(member: Member, rows: list[Recurrence], now: datetime) -> list[Series]:
    ids = [row.batch_id for row in rows if row.batch_id]
    facts = {batch.id: batch for batch in batches.batches(member.conn, member.customer.id, ids)}
    series = []
    for row in rows:
        batch = facts.get(row.batch_id or 0)
        ahead = batch if batch and batch.state == Batch.State.SCHEDULED else None
        clock = Clock(Every(row.every), row.first_on, row.at, ZoneInfo(row.time_zone), row.until)
        later = [] if row.ended_at else list(islice(clock.after(max(now, row.run_at or now)), RUNS_SHOWN))
        series.append(Series(row, ahead, later))
    return series


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def recurrence(request: HttpRequest, member: Member, recurrence_id: int) -> HttpResponse:
    """One series; its button ends it."""
    row = Recurrence.objects.filter(pk=recurrence_id, customer_id=member.customer.id).defer("numbers").first()
    if row is None:
        raise Http404
    now = timezone.now()
    if request.method == "POST":
        if not member.may_send:
            return page(request, member, "portal/may-not-send.html", status=FORBIDDEN)
        return _end(member, recurrence_id, now)
    (series,) = _series(member, [row], now)
    return page(request, member, "portal/recurrence.html", here="scheduled", series=series)


def _end(member: Member, recurrence_id: int, now: datetime) -> HttpResponse:
    """To the run that can no longer be deleted, where there is one."""
    whose = {"customer_id": member.customer.id, "person_id": member.person.pk}
    try:
        left = recurring.end(member.conn, recurrence_id, now, **whose)
    except Refused:  # it has ended already
        left = None
    return redirect("stop", left) if left else redirect("recurrence", recurrence_id)
