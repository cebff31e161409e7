"""Settings: who of our staff may see what this customer sends, and what they looked at (spec S133)."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.accounts.acts import LONGEST_WHY
from sampan.accounts.privacy import windows
from sampan.accounts.tables import Person
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Refused

MOST_LOOKS = 100
MOST_WINDOWS = 20
UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def support_access(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The page; the owner's buttons open and close a window."""
    now = timezone.now()
    error = ""
    if request.method == "POST":
        try:
            _press(request, member)
        except Refused as refused:
            error = words_of_refusal(refused)
        else:
            return redirect("support-access")
    context = {
        "here": "settings",
        "tab": "support-access",
        "error": error,
        "window": windows.open_to_customer(member.customer.id, now),
        "windows": windows.windows_of(member.customer.id, now).order_by("-pk")[:MOST_WINDOWS],
        "looks": windows.looks_of(member.customer.id, now).order_by("-pk")[:MOST_LOOKS],
        "hours": windows.HOURS,
        "is_owner": member.person.role == Person.Role.OWNER,
    }
    return page(request, member, "portal/support-access.html", status=UNPROCESSABLE if error else 200, **context)


def _press(request: HttpRequest, member: Member) -> None:
    now = timezone.now()
    if request.POST.get("do") == "close":
        windows.close_window(by=member.person, now=now)
        return
    hours = request.POST.get("hours", "")
    chosen = next((each for each in windows.HOURS if str(each) == hours), 0)
    why = request.POST.get("why", "")[:LONGEST_WHY].replace("\0", "").strip()
    windows.open_window(hours=chosen, why=why, by=member.person, now=now)
