"""One batch: how far it has come, what happened, what it cost, and its first messages (spec S102)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sampan.composing.parts import measure
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.tags import exact, full_moment, thousands
from sampan.messages.reports import batches, periods
from sampan.messages.reports.batches import BatchFacts, Progress
from sampan.messages.reports.shown import NEVER_SENT, OPEN, Shown
from sampan.messages.tables import Batch

FIRST_MESSAGES = 8
STATES_SHOWN = (
    Shown.DELIVERED,
    Shown.SENT,
    Shown.PROCESSING,
    Shown.RETRY,
    Shown.UNKNOWN,
    Shown.WAITING,
    Shown.SCHEDULING,
    Shown.EXPIRED,
    Shown.UNDELIVERABLE,
    Shown.FILTERED,
    Shown.UPLOAD_FAILED,
)


class Event(NamedTuple):
    """One line of what happened."""

    at: datetime
    kind: str  # a class of the timeline: now, trouble, done or nothing
    words: str
    under: str = ""


@require_safe
@for_members
def batch(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """The page of one batch."""
    now = timezone.now()
    facts = _own_batch(member, batch_id)
    return page(
        request,
        member,
        "portal/batch.html",
        here="results",
        length=measure(facts.text),
        **_changing(member, facts, now),
    )


@require_safe
@for_members
def batch_progress(request: HttpRequest, member: Member, batch_id: int) -> HttpResponseBase:
    """The parts of the page that change, for live.mjs."""
    now = timezone.now()
    facts = _own_batch(member, batch_id)
    return render(request, "portal/batch-live.html", _changing(member, facts, now))


def _own_batch(member: Member, batch_id: int) -> BatchFacts:
    found = batches.batches(member.conn, member.customer.id, [batch_id])
    if not found:
        raise Http404
    return found[0]


def _changing(member: Member, facts: BatchFacts, now: datetime) -> dict[str, Any]:
    """What the parts of the page that change need."""
    progress = batches.progress(member.conn, member.customer.id, facts, now)
    counts = [(shown, progress.messages[shown]) for shown in STATES_SHOWN if progress.messages[shown]]
    return {
        "batch": facts,
        "progress": progress,
        "counts": counts,
        "now": now,
        "state": _state(facts, progress),
        "history": _history(facts, progress, now),
        "first": _first_messages(member, facts),
        "is_over": not any(progress.messages[shown] for shown in OPEN),
    }


def _first_messages(member: Member, facts: BatchFacts) -> list[periods.Row]:
    moment = facts.created_at
    search = periods.Search(
        customer_id=member.customer.id, since=moment, until=moment + timedelta(microseconds=1), batch_id=facts.id
    )
    return periods.rows(member.conn, search, most=FIRST_MESSAGES, newest_first=False)


STATES = {
    Batch.State.SCHEDULED: "scheduled",
    Batch.State.PAUSED: "paused",
    Batch.State.HELD: "held",
    Batch.State.CANCELLED: "cancelled",
}


def _state(facts: BatchFacts, progress: Progress) -> str:
    """Where the batch as a whole is, by its name in words.py."""
    if facts.state in STATES:
        return STATES[facts.state]
    if progress.waiting:
        return "sending"
    return "receipts" if any(progress.messages[shown] for shown in OPEN) else "ended"


def _history(facts: BatchFacts, progress: Progress, now: datetime) -> list[Event]:
    """What happened, the latest first, as far as the messages tell."""
    never_sent = sum(progress.messages[shown] for shown in NEVER_SENT)
    filtered = _("filtered and free: %(count)s") % {"count": thousands(never_sent)} if never_sent else ""
    messages = _("Messages: %(count)s") % {"count": thousands(progress.to_send)}
    under = "; ".join(filter(None, (messages, filtered)))
    events = []
    held = _("%(amount)s held") % {"amount": exact(progress.held_at_first_pips)}
    if facts.scheduled_at is None:
        events.append(Event(facts.created_at, "", f"{_('Accepted')}, {held}", under))
    else:
        due = _("for %(time)s") % {"time": full_moment(facts.scheduled_at)}
        events.append(Event(facts.created_at, "", f"{_('Scheduled')} {due}", under))
        if facts.started_at:
            events.append(Event(facts.started_at, "", f"{_('Came due')}, {held}"))
    if progress.first_taken_at:
        events.append(Event(progress.first_taken_at, "", _("First message taken by an operator")))
    if progress.first_delivered_at:
        events.append(Event(progress.first_delivered_at, "done", _("First message delivered")))
    if progress.last_taken_at and not progress.waiting and progress.to_send > 1:
        events.append(Event(progress.last_taken_at, "", _("Last message taken by an operator")))
    if progress.waiting and facts.started_at:
        done = {"done": thousands(progress.handed_over), "all": thousands(progress.to_send)}
        events.append(Event(now, "now", _("With the operators: %(done)s of %(all)s") % done))
    elif progress.last_final_at and progress.last_taken_at and not any(progress.messages[shown] for shown in OPEN):
        events.append(Event(progress.last_final_at, "done", _("Last message ended")))
    return sorted(events, key=lambda event: event.at, reverse=True)
