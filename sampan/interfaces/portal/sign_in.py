"""Sign in, sign out (spec S131, S136)."""

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sampan.accounts.sign_in import TooManyFailures, prove
from sampan.accounts.tables import Person
from sampan.interfaces.signing_in import address_of, enter, landing
from sampan.interfaces.tags import clock

LONGEST_TYPED = 200
Error = tuple[str, str]  # what is wrong, and how to mend it


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if isinstance(request.user, Person):
        return redirect(landing(request, request.user, target))
    if request.method != "POST":
        return render(request, "portal/sign-in.html", {"next": target, "name": ""})
    name = request.POST.get("name", "")[:LONGEST_TYPED].strip().replace("\0", "")
    password = request.POST.get("password", "")[:LONGEST_TYPED]
    proven = _proven(request, name, password)
    if not isinstance(proven, Person):
        context = {"next": target, "name": name, "error": proven}
        return render(request, "portal/sign-in.html", context, status=403)
    return enter(request, proven, target)


def _proven(request: HttpRequest, name: str, password: str) -> Person | Error:
    try:
        person = prove(name, password, address=address_of(request), now=timezone.now())
    except TooManyFailures as failures:
        return _("Too many tries"), _("Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
    if person is None:
        return _("Login name and password do not match"), _("Check both. Capital letters count in the password.")
    return person


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and on the server."""
    logout(request)
    return redirect("sign-in")
