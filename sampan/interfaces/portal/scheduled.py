"""Scheduled: what waits for its time or is held, what it will cost, and whether the balance reaches (spec S51–S54)."""

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from sampan.interfaces.portal.access import Member, for_members, page
from sampan.messages.batches import CHANGES_END
from sampan.messages.reports import waiting
from sampan.messages.reports.waiting import WaitingBatch
from sampan.messages.tables import Batch

MOST_SHOWN = 200


class Row(NamedTuple):
    """A batch, what is left of the balance once it and those before it are held, and whether it can be changed."""

    batch: WaitingBatch
    left_pips: int
    may_change: bool


@require_safe
@for_members
def scheduled(request: HttpRequest, member: Member) -> HttpResponse:
    """The page."""
    now = timezone.now()
    batches = waiting.waiting(member.conn, member.customer.id, most=MOST_SHOWN + 1)
    left_pips = member.purse().available_pips
    rows = []
    for batch in batches[:MOST_SHOWN]:
        if batch.state == Batch.State.SCHEDULED:
            left_pips -= batch.price_pips
            rows.append(Row(batch, left_pips, batch.scheduled_at - now > CHANGES_END))
    return page(
        request,
        member,
        "portal/scheduled.html",
        here="scheduled",
        now=now,
        rows=rows,
        held=[batch for batch in batches if batch.state == Batch.State.HELD],
        has_more=len(batches) > MOST_SHOWN,
        quiet=member.customer.quiet_hours,
    )
