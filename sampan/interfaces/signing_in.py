"""Letting somebody in who has proven their password: the second factor where they have one, then the session."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login, update_session_auth_hash
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts import second_factor, sessions
from sampan.accounts.sign_in import TooManyFailures
from sampan.accounts.tables import Person
from sampan.interfaces.tags import clock

HALF_WAY = "half way in"  # in the session of somebody who has proven the password and not yet the second factor
HALF_WAY_FOR = timedelta(minutes=10)
LONGEST_CODE = 20
FORBIDDEN = 403

View = Callable[[HttpRequest], HttpResponseBase]


def enter(request: HttpRequest, person: Person, target: str) -> HttpResponse:
    """Whoever has no second factor is in; the others are asked for it."""
    if not second_factor.has_second_factor(person):
        return let_in(request, person, target)
    request.session.cycle_key()
    request.session[HALF_WAY] = {
        "person": person.pk,
        "password": person.get_session_auth_hash(),  # one that was changed meanwhile proves nothing
        "until": (timezone.now() + HALF_WAY_FOR).timestamp(),
        "to": target,
    }
    return redirect("sign-in-code")


def let_in(request: HttpRequest, person: Person, target: str) -> HttpResponse:
    """A new session, noted in the person's list of them."""
    SessionStore.clear_expired()
    login(request, person)
    now = timezone.now()
    sessions.note_sign_in(
        person, _key(request), address=address_of(request), browser=request.headers.get("User-Agent", ""), now=now
    )
    return redirect(landing(request, person, target))


def landing(request: HttpRequest, person: Person, target: str) -> str:
    """Where to go after signing in: only to a page of ours; staff to their console."""
    hosts = {request.get_host()}
    if url_has_allowed_host_and_scheme(target, allowed_hosts=hosts, require_https=request.is_secure()):
        return target
    return resolve_url("staff:worklist" if person.staff_role else settings.LOGIN_REDIRECT_URL)


@require_http_methods(["GET", "HEAD", "POST"])
def second_step(request: HttpRequest) -> HttpResponse:
    """The page that asks for the code."""
    now = timezone.now()
    half_way = request.session.get(HALF_WAY, {})
    person = _half_way_in(half_way, now)
    if person is None:
        request.session.pop(HALF_WAY, None)
        return redirect("sign-in")
    context = {"login_name": person.login_name, "recovery": "recovery" in request.GET}
    if request.method != "POST":
        return render(request, "sign-in-code.html", context)
    try:
        is_right = second_factor.check(person, request.POST.get("code", "")[:LONGEST_CODE], now=now)
    except TooManyFailures as failures:
        error = _("Too many wrong codes. Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
        return render(request, "sign-in-code.html", context | {"error": error}, status=FORBIDDEN)
    if not is_right:
        error = _("This is not the code of now. Enter the one the app shows, or a recovery code not used yet.")
        return render(request, "sign-in-code.html", context | {"error": error}, status=FORBIDDEN)
    del request.session[HALF_WAY]
    return let_in(request, person, half_way["to"])


def _half_way_in(half_way: dict[str, Any], now: datetime) -> Person | None:
    if not half_way or half_way["until"] < now.timestamp():
        return None
    person = Person.objects.filter(pk=half_way["person"], is_active=True).first()
    return person if person and half_way["password"] == person.get_session_auth_hash() else None


def keep_session(request: HttpRequest, person: Person) -> None:
    """The person's password was changed in this session: it alone goes on."""
    before = _key(request)
    update_session_auth_hash(request, person)
    sessions.note_new_key(before, _key(request))
    sessions.end_all(person, but=_key(request))


def note_use(get_response: View) -> View:
    """Middleware: the list of sessions tells when each was last used."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if key := request.session.session_key:
            sessions.note_seen(key, address=address_of(request), now=timezone.now())
        return get_response(request)

    return answer


def address_of(request: HttpRequest) -> str | None:
    """Where the request came from."""
    return request.META.get("REMOTE_ADDR")


def _key(request: HttpRequest) -> str:
    if request.session.session_key is None:
        request.session.create()
    assert request.session.session_key is not None
    return request.session.session_key
