"""One batch: how far it has come, what happened, what it cost, its first messages, its buttons (spec S10, S102)."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.composing.parts import measure
from sampan.interfaces.portal import batch_acts
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.portal.batch_acts import CONFLICT
from sampan.interfaces.portal.own import own_batch
from sampan.interfaces.portal.review_law import added
from sampan.interfaces.tags import exact, full_moment, thousands
from sampan.interfaces.words import words_of_refusal
from sampan.messages.reports import batches, periods, waiting
from sampan.messages.reports.batches import BatchFacts, Progress
from sampan.messages.reports.shown import NEVER_SENT, OPEN, Shown
from sampan.messages.reports.waiting import Done
from sampan.messages.tables import Batch, BatchAct
from sampan.reasons import Refused

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


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def batch(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """The page of one batch, and what its buttons do."""
    now = timezone.now()
    facts = own_batch(member, batch_id)
    refused = ""
    if request.method == "POST":
        if not member.may_send:
            return page(request, member, "portal/may-not-send.html", status=403)
        try:
            batch_acts.do(member, batch_id, request.POST.get("do", ""), now)
        except Refused as refusal:  # somebody else was faster
            refused = words_of_refusal(refusal)
            facts = own_batch(member, batch_id)
        else:
            return redirect("batch", batch_id)
    return page(
        request,
        member,
        "portal/batch.html",
        status=CONFLICT if refused else 200,
        here="results" if facts.started_at else "scheduled",
        refused=refused,
        length=measure(facts.text),
        added=added(facts.footers, batches.regions(member.conn, member.customer.id, facts)) if facts.footers else [],
        **_changing(member, facts, now),
    )


@require_safe
@for_members
def batch_progress(request: HttpRequest, member: Member, batch_id: int) -> HttpResponseBase:
    """The parts of the page that change, for live.mjs."""
    now = timezone.now()
    facts = own_batch(member, batch_id)
    return render(request, "portal/batch-live.html", _changing(member, facts, now))


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
        "history": _history(facts, progress, waiting.done(member.conn, member.customer.id, facts.id), now),
        "acts": batch_acts.possible(facts, progress, now) if member.may_send else batch_acts.Acts(),
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
    if facts.held_for == Batch.HeldFor.SUSPENDED:
        return "held-suspended"
    if facts.resumes_at:
        return "quiet"
    if facts.state in STATES:
        return STATES[facts.state]
    if progress.waiting:
        return "sending"
    return "receipts" if any(progress.messages[shown] for shown in OPEN) else "ended"


DONE = {
    BatchAct.Kind.PAUSED: gettext_lazy("Paused"),
    BatchAct.Kind.RESUMED: gettext_lazy("Resumed, with everything asked again"),
    BatchAct.Kind.CANCELLED: gettext_lazy("Cancelled; what was not handed over is not sent"),
    BatchAct.Kind.DELETED: gettext_lazy("Deleted before it started"),
    BatchAct.Kind.RELEASED: gettext_lazy("Released, with everything asked again"),
    BatchAct.Kind.CHANGED: gettext_lazy("Changed"),
    BatchAct.Kind.HELD: gettext_lazy("Held until somebody releases it"),
    BatchAct.Kind.QUIET: gettext_lazy("Paused by quiet hours"),
}


def _done(done: Done) -> Event:
    """What somebody did; staff are not named."""
    name = _("our staff") if done.by_staff else done.person
    return Event(done.at, "", str(DONE[done.kind]), _("by %(name)s") % {"name": name} if name else "")


def _history(facts: BatchFacts, progress: Progress, done: list[Done], now: datetime) -> list[Event]:
    """What happened, the latest first, as far as the messages tell."""
    never_sent = sum(progress.messages[shown] for shown in NEVER_SENT)
    filtered = _("filtered and free: %(count)s") % {"count": thousands(never_sent)} if never_sent else ""
    messages = _("Messages: %(count)s") % {"count": thousands(progress.to_send)}
    under = "; ".join(filter(None, (messages, filtered)))
    events = [_done(each) for each in done]
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
    if progress.waiting and facts.started_at and facts.state == Batch.State.RUNNING:
        handed = {"done": thousands(progress.handed_over), "all": thousands(progress.to_send)}
        events.append(Event(now, "now", _("With the operators: %(done)s of %(all)s") % handed))
    elif progress.last_final_at and progress.last_taken_at and not any(progress.messages[shown] for shown in OPEN):
        events.append(Event(progress.last_final_at, "done", _("Last message ended")))
    return sorted(events, key=lambda event: event.at, reverse=True)
