"""Late schedules: batches that are held, or due so soon that their customers can no longer delete them (spec S51, S53).

Staff see how many messages and when, and neither recipients nor texts (spec S133).
"""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.messages import batches
from sampan.messages.announcing import announce
from sampan.messages.batches import CHANGES_END
from sampan.messages.planning import THIS_PLATFORM, terms_in_force
from sampan.messages.reports import waiting
from sampan.reasons import Reason, Refused

MOST_SHOWN = 200
ACTS = (Act.DELETE_SCHEDULE, Act.RELEASE_SCHEDULE)


@require_safe
@for_staff(*ACTS)
def schedules(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All of them, held ones first."""
    found = waiting.late(staffer.conn, timezone.now(), within=CHANGES_END, most=MOST_SHOWN)
    return page(request, staffer, "staff/schedules.html", here="staff:schedules", found=found, most=MOST_SHOWN)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(*ACTS)
def schedule(request: HttpRequest, staffer: Staffer, batch_id: int) -> HttpResponseBase:
    """One of them: delete it, or release it where it is held; with a reason."""
    now = timezone.now()
    if request.method == "POST":
        say(request, _do(request, staffer, batch_id))
        return redirect("staff:schedules")
    found = waiting.late(staffer.conn, now, within=CHANGES_END, most=MOST_SHOWN)
    batch = next((each for each in found if each.id == batch_id), None)
    if batch is None:
        raise Http404
    may_delete = staffer.may(Act.DELETE_SCHEDULE) and not batch.has_started
    may_release = staffer.may(Act.RELEASE_SCHEDULE) and batch.held_for is not None
    return page(
        request,
        staffer,
        "staff/schedule.html",
        here="staff:schedules",
        batch=batch,
        may_delete=may_delete,
        may_release=may_release,
    )


def _do(request: HttpRequest, staffer: Staffer, batch_id: int) -> str:
    """What the button says; gives the words for what was done."""
    now, why = timezone.now(), typed(request, "why")
    act = request.POST.get("do")
    if act == "delete":
        count = batches.delete_late(batch_id, by=staffer.person, why=why, now=now)
        return _("Batch %(id)s is deleted; messages: %(count)s") % {"id": batch_id, "count": count}
    if act == "release":
        terms = terms_in_force(staffer.conn, THIS_PLATFORM)
        announce(staffer.conn, batches.release_held(batch_id, terms, by=staffer.person, why=why, now=now))
        return _("Batch %(id)s is released") % {"id": batch_id}
    raise Refused(Reason.NO_CHOICE, "do")
