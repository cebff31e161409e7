"""How one of our people signs in: password, second factor, sessions (spec S132)."""

from functools import partial

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods

from sampan.interfaces import own_access
from sampan.interfaces.staff.access import Staffer, for_staff, page


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(needs_second_factor=False)
def own_security(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The page."""
    show = partial(page, request, staffer, frame="staff/frame.html", tabs="")
    return own_access.security(request, staffer.person, show)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(needs_second_factor=False)
def second_factor(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Setting one up."""
    show = partial(page, request, staffer, frame="staff/frame.html", go_on="/staff/")
    return own_access.set_up(request, staffer.person, show)
