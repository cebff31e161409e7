"""Sign in, sign out (spec S131, S136)."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sampan.accounts.sign_in import TooManyFailures, prove
from sampan.accounts.tables import Person
from sampan.interfaces.tags import clock

LONGEST_TYPED = 200
Error = tuple[str, str]  # what is wrong, and how to mend it


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The form, and what comes of it."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    if isinstance(request.user, Person):
        return redirect(_safe(request, request.user, target))
    if request.method != "POST":
        return render(request, "portal/sign-in.html", {"next": target})
    name = request.POST.get("name", "")[:LONGEST_TYPED].strip().replace("\0", "")
    password = request.POST.get("password", "")[:LONGEST_TYPED]
    proven = _proven(request, name, password)
    if not isinstance(proven, Person):
        context = {"next": target, "name": name, "error": proven}
        return render(request, "portal/sign-in.html", context, status=403)
    SessionStore.clear_expired()
    login(request, proven)
    return redirect(_safe(request, proven, target))


def _proven(request: HttpRequest, name: str, password: str) -> Person | Error:
    try:
        person = prove(name, password, address=request.META.get("REMOTE_ADDR"), now=timezone.now())
    except TooManyFailures as failures:
        return _("Too many tries"), _("Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
    if person is None:
        return _("Login name and password do not match"), _("Check both. Capital letters count in the password.")
    return person


def _safe(request: HttpRequest, person: Person, target: str) -> str:
    """Where to go after signing in: only to a page of ours; staff to their console."""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure()):
        return target
    return resolve_url("staff:worklist" if person.staff_role else settings.LOGIN_REDIRECT_URL)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and on the server."""
    logout(request)
    return redirect("sign-in")
