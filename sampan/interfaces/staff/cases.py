"""Support cases in the console: answer, send tests, write down what the operator said (spec S137)."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.interfaces.staff.access import Staffer, for_staff, page, say
from sampan.interfaces.staff.paging import paged
from sampan.messages.cases import desk
from sampan.messages.cases.tables import SupportCase
from sampan.messages.platform import platform_account
from sampan.routing.tables import Route
from sampan.settings import PLATFORM_SENDER

HERE = "staff:cases"


@require_safe
@for_staff(Act.ANSWER_CASE)
def cases(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Those that wait for staff, the longest first; then all, the newest first."""
    waiting = SupportCase.objects.filter(closed_at=None, waits_for_staff=True).order_by("waits_since")
    context = {
        "waiting": waiting.select_related("customer")[:100],
        "found": paged(request, SupportCase.objects.select_related("customer")),
    }
    return page(request, staffer, "staff/cases.html", here=HERE, status=200, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.ANSWER_CASE)
def case(request: HttpRequest, staffer: Staffer, case_id: int) -> HttpResponseBase:
    """One case."""
    found = get_object_or_404(SupportCase.objects.select_related("customer"), pk=case_id)
    if request.method == "POST":
        _press(request, staffer, case_id)
        return redirect("staff:case", case_id)
    ours = platform_account(staffer.conn)
    context = {
        "case": found,
        "words": found.words.select_related("by").order_by("pk"),
        "tests": found.tests.select_related("sent_by").order_by("pk"),
        "senders": sorted(ours.senders | {PLATFORM_SENDER}),
        "routes": Route.objects.order_by("code"),
        "longest": desk.LONGEST_WORDS,
        "longest_test": desk.LONGEST_TEST,
        "may_test": staffer.may(Act.SEND_TEST),
    }
    return page(request, staffer, "staff/case.html", here=HERE, status=200, **context)


def _press(request: HttpRequest, staffer: Staffer, case_id: int) -> None:
    now, do = timezone.now(), request.POST.get("do", "")
    text = request.POST.get("text", "")[: desk.LONGEST_WORDS + 1].replace("\0", "").strip()
    if do == "test":
        sender, route = (request.POST.get(name, "")[:20].replace("\0", "") for name in ("sender", "route"))
        desk.send_test(case_id, sender=sender, route=route, text=text, by=staffer.person, now=now)
        say(request, _("The test is sent; the customer is asked whether it arrived"))
    elif do == "operator":
        desk.note_operator(case_id, text, by=staffer.person, now=now)
        say(request, _("The operator’s word is written down"))
    elif do == "close":
        desk.close_case(case_id, by=staffer.person, now=now)
        say(request, _("The case is closed"))
    else:
        desk.answer(case_id, text, by=staffer.person, now=now)
        say(request, _("The customer sees your answer"))
