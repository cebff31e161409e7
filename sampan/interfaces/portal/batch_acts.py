"""What a member does to a batch: pause, resume, release, and stop it (spec S10, S51, S53)."""

from datetime import datetime
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.interfaces.portal.access import Member, for_senders, page
from sampan.interfaces.portal.own import own_batch
from sampan.interfaces.words import words_of_refusal
from sampan.messages import batches
from sampan.messages.announcing import announce
from sampan.messages.batches import CHANGES_END
from sampan.messages.planning import THIS_PLATFORM, terms_in_force
from sampan.messages.reports import batches as batch_reports
from sampan.messages.reports.batches import BatchFacts, Progress
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Batch
from sampan.reasons import Refused

CONFLICT = 409


class Acts(NamedTuple):
    """What may be done to a batch now. `stop` says how: delete, stop (within its last hour) or cancel; else nothing."""

    pause: bool = False
    resume: bool = False
    release: bool = False
    change: bool = False
    stop: str = ""
    resend: bool = False


def possible(batch: BatchFacts, progress: Progress, now: datetime) -> Acts:
    """The acts that a batch's state allows."""
    resend = bool(progress.messages[Shown.EXPIRED] + progress.messages[Shown.UNDELIVERABLE])
    if batch.state == Batch.State.SCHEDULED and batch.scheduled_at:
        early = batch.scheduled_at - now > CHANGES_END
        return Acts(change=early, stop="delete" if early else "stop")
    if batch.state == Batch.State.HELD:
        return Acts(release=True, stop="cancel" if batch.started_at else "delete", resend=resend)
    if batch.state == Batch.State.PAUSED:
        return Acts(resume=batch.resumes_at is None, stop="cancel", resend=resend)
    runs = batch.state == Batch.State.RUNNING and bool(progress.waiting)
    return Acts(pause=runs, stop="cancel" if runs else "", resend=resend)


def do(member: Member, batch_id: int, act: str, now: datetime) -> None:
    """Pause, resume or release, as the button says; another word does nothing. Raises Refused."""
    conn, whose = member.conn, {"customer_id": member.customer.id, "person_id": member.person.pk}
    if act == "pause":
        batches.pause(conn, batch_id, now, **whose)
    elif act in ("resume", "release"):
        work = batches.resume if act == "resume" else batches.release
        announce(conn, work(conn, batch_id, terms_in_force(conn, THIS_PLATFORM), now, **whose))


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def stop(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """Ask once more, then delete or cancel. What was asked is done, or refused where it is too late for it."""
    now = timezone.now()
    facts = own_batch(member, batch_id)
    if request.method != "POST":
        return _ask(request, member, facts, now)
    work = batches.delete if request.POST.get("how") == "delete" else batches.cancel
    try:
        work(member.conn, batch_id, now, customer_id=member.customer.id, person_id=member.person.pk)
    except Refused as refused:
        return _ask(request, member, own_batch(member, batch_id), now, refused)
    return redirect("batch", batch_id)


def _ask(
    request: HttpRequest, member: Member, facts: BatchFacts, now: datetime, refused: Refused | None = None
) -> HttpResponse:
    progress = batch_reports.progress(member.conn, member.customer.id, facts, now)
    return page(
        request,
        member,
        "portal/stop.html",
        status=CONFLICT if refused else 200,
        here="results" if facts.started_at else "scheduled",
        batch=facts,
        progress=progress,
        how=possible(facts, progress, now).stop,
        refused=words_of_refusal(refused) if refused else "",
    )
