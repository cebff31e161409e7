"""Settings: one's own signing in."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from sampan.interfaces import own_access
from sampan.interfaces.portal.access import Member, for_members, page

FRAME: dict[str, Any] = {
    "frame": "frame.html",
    "tabs": "portal/settings-tabs.html",
    "here": "settings",
    "go_on": "../",
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def security(request: HttpRequest, member: Member) -> HttpResponse:
    """Password, second factor, sessions."""
    show = partial(page, request, member, tab="security", **FRAME)
    return own_access.security(request, member.person, show)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def second_factor(request: HttpRequest, member: Member) -> HttpResponse:
    """Setting one up."""
    return own_access.set_up(request, member.person, partial(page, request, member, tab="security", **FRAME))
