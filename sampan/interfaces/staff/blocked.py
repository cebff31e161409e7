"""Addresses that guess passwords: blocked at the APIs, or made to wait at the pages (spec S125)."""

from ipaddress import ip_address

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts import blocking
from sampan.accounts.acts import Act
from sampan.accounts.sign_in import MOST_FAILURES_OF_BOTH
from sampan.accounts.tables import BlockedAddress
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.reasons import Reason, Refused

MOST_SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.UNBLOCK_ADDRESS)
def blocked(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The list; a press lets one in again."""
    now = timezone.now()
    if request.method == "POST":
        address = _address(typed(request, "address"))
        blocking.unblock(address, by=staffer.person, why=typed(request, "why"), now=now)
        say(request, _("%(address)s is let in again") % {"address": address})
        return redirect("staff:blocked")
    context = {
        "found": BlockedAddress.objects.filter(until__gt=now).order_by("-since")[:MOST_SHOWN],
        "guessing": blocking.guessing_at_pages(staffer.conn, MOST_FAILURES_OF_BOTH, now),
    }
    return page(request, staffer, "staff/blocked.html", here="staff:blocked", status=200, **context)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise Refused(Reason.NOT_BLOCKED, "address", text) from None
