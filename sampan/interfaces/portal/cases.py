"""Support cases as the customer sees them: ask about a message, say whether tests arrived (spec S137)."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.words import words_of_refusal
from sampan.messages.cases import desk
from sampan.messages.cases.tables import CaseWord, SupportCase
from sampan.messages.reports.messages import message
from sampan.reasons import Refused

MOST_SHOWN = 100
UNPROCESSABLE = 422


@require_safe
@for_members
def cases(request: HttpRequest, member: Member) -> HttpResponseBase:
    """All of the customer's, the newest first."""
    found = SupportCase.objects.filter(customer_id=member.customer.id).order_by("-pk")[:MOST_SHOWN]
    return page(request, member, "portal/cases.html", here="cases", found=found)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def new_case(request: HttpRequest, member: Member, message_id: int) -> HttpResponseBase:
    """Ask about one message; where a case is open about it, that one is shown."""
    facts = message(member.conn, member.customer.id, message_id)
    if facts is None:
        raise Http404
    known = SupportCase.objects.filter(message_id=message_id, customer_id=member.customer.id, closed_at=None).first()
    if known:
        return redirect("case", known.pk)
    error, text = "", _text(request)
    if request.method == "POST":
        try:
            return redirect("case", desk.open_case(message_id, text, by=member.person, now=timezone.now()).pk)
        except Refused as refused:
            error = words_of_refusal(refused)
    context = {"here": "cases", "message": facts, "error": error, "text": text, "longest": desk.LONGEST_WORDS}
    return page(request, member, "portal/new-case.html", status=UNPROCESSABLE if error else 200, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def case(request: HttpRequest, member: Member, case_id: int) -> HttpResponseBase:
    """One case: what was said, and the tests to mark."""
    found = get_object_or_404(SupportCase, pk=case_id, customer_id=member.customer.id)
    error = ""
    if request.method == "POST":
        try:
            _press(request, member, case_id)
        except Refused as refused:
            error = words_of_refusal(refused)
        else:
            return redirect("case", case_id)
    context = {
        "here": "cases",
        "case": found,
        "words": found.words.exclude(speaker=CaseWord.Speaker.OPERATOR).select_related("by").order_by("pk"),
        "tests": found.tests.order_by("pk"),
        "error": error,
        "longest": desk.LONGEST_WORDS,
    }
    return page(request, member, "portal/case.html", status=UNPROCESSABLE if error else 200, **context)


def _press(request: HttpRequest, member: Member, case_id: int) -> None:
    now, do = timezone.now(), request.POST.get("do", "")
    act, _dash, number = do.partition("-")
    if act in ("received", "missing") and number.isascii() and number.isdecimal() and len(number) < 19:
        desk.mark_test(int(number), received=act == "received", by=member.person, now=now)
    elif do == "close":
        desk.close_case(case_id, by=member.person, now=now)
    else:
        desk.ask(case_id, _text(request), by=member.person, now=now)


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "")[: desk.LONGEST_WORDS + 1].replace("\0", "").strip()
