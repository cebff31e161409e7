"""API keys: made and shown once, revoked (spec S123, S136)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.keys import CHARACTERS, SHORT_CHARACTERS, add_key
from sampan.accounts.permissions import Permission
from sampan.accounts.tables import ApiKey, Customer
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Reason, Refused

MOST_KEYS = 20
LONGEST_NAME, LONGEST_ID_DIGITS = 60, 18
UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; a new key is shown in the answer that makes it, and never again."""
    made, name, error = "", request.POST.get("name", "")[:LONGEST_NAME].strip(), ""
    standing = ApiKey.objects.filter(customer_id=member.customer.id, revoked_at=None)
    act = request.POST.get("do", "") if request.method == "POST" else ""
    if act == "new":
        if not name:
            error = _("There is no name. Say where the key will be used.")
        elif standing.count() >= MOST_KEYS:
            error = words_of_refusal(Refused(Reason.TOO_MANY_KEYS, "name", str(MOST_KEYS)))
        else:
            characters = SHORT_CHARACTERS if request.POST.get("short") else CHARACTERS
            made = add_key(member.person, name=name, now=timezone.now(), characters=characters)
    elif act:
        _do(request, member, act)
        return redirect("keys")
    return page(
        request,
        member,
        "portal/keys.html",
        status=UNPROCESSABLE if error else 200,
        here="settings",
        tab="keys",
        keys=standing.select_related("person").order_by("created_at"),
        made=made,
        name=name,
        error=error,
        password_allowed=Customer.objects.get(pk=member.customer.id).api_password_allowed,
    )


def _do(request: HttpRequest, member: Member, act: str) -> None:
    given = request.POST.get("key", "")
    if act == "revoke" and given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS:
        own = ApiKey.objects.filter(pk=int(given), customer_id=member.customer.id, revoked_at=None)
        own.update(revoked_at=timezone.now())
    elif act == "password":
        allowed = request.POST.get("refuse") != "on"
        Customer.objects.filter(pk=member.customer.id).update(api_password_allowed=allowed)
