"""Settings: all that is kept of this customer, as one file; and what deleted results came to (spec S130)."""

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sampan.accounts.tables import Customer, Person
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.tags import iso_day, thousands
from sampan.interfaces.words import words_of_refusal
from sampan.messages.retention import closing, own
from sampan.reasons import Refused

UNPROCESSABLE = 422
MOST_MONTHS_SHOWN = 84


@require_safe
@for_members
def own_data(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The page."""
    return _own_data(request, member)


def _own_data(request: HttpRequest, member: Member, *, said: str = "", error: str = "") -> HttpResponseBase:
    context = {
        "said": said,
        "error": error,
        "here": "settings",
        "tab": "own-data",
        "months": closing.closed_months(member.conn, member.customer.id, most=MOST_MONTHS_SHOWN),
        "kept_months": Customer.objects.values_list("results_kept_months", flat=True).get(pk=member.customer.id),
        "is_owner": member.person.role == Person.Role.OWNER,
    }
    return page(request, member, "portal/own-data.html", status=UNPROCESSABLE if error else 200, **context)


@for_members
@require_POST
def erase(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Results and replies go before their time; the owner ticks that this is meant."""
    if "sure" not in request.POST:
        return _own_data(request, member, error=_("Nothing was erased. Tick that you mean it."))
    try:
        count = own.erase_results(by=member.person, now=timezone.now())
    except Refused as refused:
        return _own_data(request, member, error=words_of_refusal(refused))
    return _own_data(request, member, said=_("Results that were erased: %(count)s") % {"count": thousands(count)})


@for_members
@require_POST
def download(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The file, written while it is sent; for the owner alone, for it holds everything."""
    if member.person.role != Person.Role.OWNER:
        return render(request, "portal/may-not-send.html", {"member": member, "purse": member.purse()}, status=403)
    now = timezone.now()
    answer = StreamingHttpResponse(own.export(member.customer.id, now), content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="sampan-{member.customer.id}-{iso_day(now)}.zip"'
    return answer
