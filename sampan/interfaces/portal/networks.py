"""Settings: the networks that the account's APIs may be called from, and who was turned away (spec S125)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.accounts import allow_lists
from sampan.accounts.permissions import Permission
from sampan.accounts.tables import AllowedNetwork, RefusedAddress
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Refused

LONGEST_NETWORK, LONGEST_ID_DIGITS = 43, 18
UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def networks(request: HttpRequest, member: Member) -> HttpResponse:
    """The page, and its buttons."""
    typed, error = request.POST.get("network", "")[:LONGEST_NETWORK], ""
    note = request.POST.get("note", "").replace("\0", "").strip()
    if request.method == "POST":
        try:
            _press(request, member, typed, note)
        except Refused as refused:
            error = words_of_refusal(refused)
        else:
            return redirect("networks")
    return page(
        request,
        member,
        "portal/networks.html",
        status=UNPROCESSABLE if error else 200,
        here="settings",
        tab="networks",
        networks=AllowedNetwork.objects.filter(customer_id=member.customer.id).order_by("added_at", "pk"),
        refused=RefusedAddress.objects.filter(customer_id=member.customer.id).order_by("-last_at", "-pk"),
        typed=typed,
        note=note[: allow_lists.LONGEST_NOTE],
        error=error,
        own_address=request.META.get("REMOTE_ADDR", ""),
    )


def _press(request: HttpRequest, member: Member, typed: str, note: str) -> None:
    """What was pressed. Raises Refused."""
    given = request.POST.get("id", "")
    if request.POST.get("do") == "add":
        allow_lists.allow(member.person, typed, note=note, now=timezone.now())
    elif given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS:
        allow_lists.disallow(member.person, int(given))
