"""How one signs in oneself: password, second factor, sessions (spec S132). Members and staff have the same pages.

Each door gives `show`, which puts a template into its frame.
"""

from typing import Any, Protocol

import segno
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from sampan.accounts import second_factor, sessions
from sampan.accounts.sign_in import TooManyFailures, prove
from sampan.accounts.tables import Person
from sampan.interfaces.signing_in import LONGEST_CODE, address_of, keep_session
from sampan.interfaces.tags import clock

LONGEST_PASSWORD = 200
UNPROCESSABLE = 422


class Show(Protocol):
    """Puts a template into the frame of a door."""

    def __call__(self, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
        """The page."""


def security(request: HttpRequest, person: Person, show: Show) -> HttpResponse:
    """The page, and what its buttons do."""
    acts = {
        "password": _change_password,
        "recovery": _renew_recovery_codes,
        "remove": _remove_second_factor,
        "end": _end_session,
        "end-others": _end_others,
    }
    act = acts.get(request.POST.get("do", "")) if request.method == "POST" else None
    if act is None:
        return _page(request, person, show)
    return act(request, person, show)


def _page(request: HttpRequest, person: Person, show: Show, **context: Any) -> HttpResponse:
    facts = {
        "has_second_factor": second_factor.has_second_factor(person),
        "codes_left": second_factor.recovery_codes_left(person),
        "sessions": sessions.sessions_of(person),
        "this_session": request.session.session_key,
        "changed": request.session.pop("changed", ""),
        "errors": {},
    }
    status = UNPROCESSABLE if context.get("errors") else 200
    return show("security.html", status=status, person=person, **(facts | context))


def _done(request: HttpRequest, words: str) -> HttpResponse:
    request.session["changed"] = words
    return redirect(request.path)


def _change_password(request: HttpRequest, person: Person, show: Show) -> HttpResponse:
    new, again = (request.POST.get(name, "")[:LONGEST_PASSWORD] for name in ("new", "again"))
    errors: dict[str, list[str]] = {}
    if error := wrong_password(request, person):
        errors["current"] = [error]
    errors |= new_password_errors(new, again, person)
    if errors:
        return _page(request, person, show, errors=errors)
    person.set_password(new)
    person.save(update_fields=["password"])
    keep_session(request, person)
    return _done(request, _("The password is changed. Everywhere else you are signed out."))


def new_password_errors(new: str, again: str, person: Person) -> dict[str, list[str]]:
    """What stands against a new password, beside its field."""
    try:
        validate_password(new, person)
    except ValidationError as error:
        return {"new": error.messages}
    return {} if new == again else {"again": [_("Not the same twice. Type it once more.")]}


def wrong_password(request: HttpRequest, person: Person) -> str | None:
    """Why the password that was typed does not prove it is them."""
    typed = request.POST.get("current", "")[:LONGEST_PASSWORD]
    try:
        proven = prove(person.login_name, typed, address=address_of(request), now=timezone.now())
    except TooManyFailures as failures:
        return _("Too many tries. Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
    return None if proven else _("Not your password. Capital letters count.")


def _wrong_code(request: HttpRequest, person: Person) -> str | None:
    try:
        is_right = second_factor.check(person, request.POST.get("code", "")[:LONGEST_CODE], now=timezone.now())
    except TooManyFailures as failures:
        return _("Too many wrong codes. Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
    return None if is_right else _("Not the code of now. Enter the one the app shows, or a recovery code.")


def _renew_recovery_codes(request: HttpRequest, person: Person, show: Show) -> HttpResponse:
    if error := _wrong_code(request, person):
        return _page(request, person, show, errors={"code": [error]})
    return show("recovery-codes.html", person=person, codes=second_factor.new_recovery_codes(person))


def _remove_second_factor(request: HttpRequest, person: Person, show: Show) -> HttpResponse:
    if error := _wrong_code(request, person):
        return _page(request, person, show, errors={"code": [error]})
    second_factor.remove(person)
    return _done(request, _("The second factor is removed. The password alone signs you in."))


def _end_session(request: HttpRequest, person: Person, _show: Show) -> HttpResponse:
    number = request.POST.get("session", "")
    for session in sessions.sessions_of(person):
        if str(session.pk) == number:
            sessions.end(session)
    return _done(request, _("Signed out there."))


def _end_others(request: HttpRequest, person: Person, _show: Show) -> HttpResponse:
    sessions.end_all(person, but=request.session.session_key or "")
    return _done(request, _("Signed out everywhere else."))


def set_up(request: HttpRequest, person: Person, show: Show) -> HttpResponse:
    """A second factor in two steps: take the secret into the app, enter its first code; then the recovery codes."""
    now = timezone.now()
    if second_factor.has_second_factor(person):
        return redirect("../")
    error = ""
    if request.method == "POST":
        try:
            codes = second_factor.confirm(person, request.POST.get("code", "")[:LONGEST_CODE], now=now)
        except TooManyFailures as failures:
            error = _("Too many wrong codes. Wait until %(time)s, then try again.") % {"time": clock(failures.until)}
        else:
            if codes is not None:
                return show("recovery-codes.html", person=person, codes=codes)
            error = _("Not the code of now. Enter the one the app shows at this moment.")
    setup = second_factor.begin(person, now=now)
    groups = [setup.secret[place : place + 4] for place in range(0, len(setup.secret), 4)]
    status = UNPROCESSABLE if error else 200
    return show("second-factor.html", status=status, person=person, error=error, drawing=_qr_code(setup), groups=groups)


def _qr_code(setup: second_factor.Setup) -> SafeString:
    """As SVG within the page: its words never leave it."""
    code = segno.make(setup.address, error="m", micro=False)
    return mark_safe(code.svg_inline(scale=4, border=2, dark="#000", light="#fff", omitsize=True))  # noqa: S308 - segno's own drawing
