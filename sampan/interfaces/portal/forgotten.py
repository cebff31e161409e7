"""A forgotten password: a code to the registered mobile, charged; or a link by mail, free (spec S132).

The pages answer alike whether there is such a login, so that they tell nobody who has one. The one exception is the
spec's: with too little money the code fails, and the page says to call.
"""

from datetime import datetime

import structlog
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from sampan.accounts import sessions
from sampan.accounts.codes import Purpose, note_proof, wrong_code
from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Person
from sampan.interfaces.own_access import LONGEST_PASSWORD, new_password_errors
from sampan.interfaces.portal.sign_up import code_words
from sampan.interfaces.signing_in import LONGEST_CODE, address_of
from sampan.messages.codes import send_password_code
from sampan.reasons import Reason, Refused

UNPROCESSABLE, GONE = 422, 410
LONGEST_NAME = 100
ASKED_FOR = "password asked for"  # in the session: the login name whose code is waited for

log = structlog.get_logger()


@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """By SMS or by mail."""
    if request.method != "POST":
        return render(request, "portal/forgotten.html", {"name": request.GET.get("name", "")[:LONGEST_NAME]})
    name = request.POST.get("name", "")[:LONGEST_NAME].strip().replace("\0", "")
    person = Person.objects.filter(login_name__iexact=name, is_active=True).first()
    by_mail = request.POST.get("do") == "mail"
    try:
        if person is not None:
            (_send_link if by_mail else _send_code)(request, person, timezone.now())
    except Refused as refused:
        if refused.reason in (Reason.BALANCE_TOO_LOW, Reason.PLATFORM_CANNOT_SEND):
            error = _("The text cannot be paid (16). Call us, or take the link by mail.")
            return render(request, "portal/forgotten.html", {"name": name, "error": error}, status=UNPROCESSABLE)
        log.info("password.not_sent", reason=refused.reason.name)  # too often: not told to strangers
    if by_mail:
        return render(request, "portal/forgotten-sent.html")
    request.session[ASKED_FOR] = name
    return redirect("password-code")


def _send_code(request: HttpRequest, person: Person, now: datetime) -> None:
    """To members: what staff forget, an administrator sets."""
    if person.mobile is None or person.customer_id is None:
        return
    with override(person.language):
        send_password_code(person, code_words, address=address_of(request), now=now)


@transaction.atomic
def _send_link(request: HttpRequest, person: Person, now: datetime) -> None:
    if not person.email:
        return
    note_proof(Purpose.PASSWORD_BY_MAIL, person=person, address=address_of(request), now=now)
    token = default_token_generator.make_token(person)
    link = request.build_absolute_uri(reverse("password-link", args=[person.pk, token]))
    with override(person.language):
        text = _(
            "Open this link within an hour and choose a new password:\n%(link)s\n\nIf you did not ask, do nothing."
        )
        subject = _("Your Sampan password")
    write_mail(person.email, subject, text % {"link": link} + "\n", now=now)


@require_http_methods(["GET", "HEAD", "POST"])
def by_code(request: HttpRequest) -> HttpResponse:
    """The code of the SMS, and the new password with it."""
    name = request.session.get(ASKED_FOR)
    if name is None:
        return redirect("forgotten")
    if request.method != "POST":
        return render(request, "portal/new-password.html", {"by_code": True, "errors": {}})
    person = Person.objects.filter(login_name__iexact=name, is_active=True).first()
    new, again = _typed(request)
    errors = new_password_errors(new, again, person or Person(login_name=name))
    if not errors and (person is None or _is_wrong(request, person)):
        errors = {"code": [_("Not the code, or it counts no more. Look at the latest text, or ask for a new one.")]}
    if errors or person is None:
        context = {"by_code": True, "errors": errors}
        return render(request, "portal/new-password.html", context, status=UNPROCESSABLE)
    _set(person, new)
    del request.session[ASKED_FOR]
    return redirect("sign-in")


def _is_wrong(request: HttpRequest, person: Person) -> bool:
    typed, now = request.POST.get("code", "")[:LONGEST_CODE], timezone.now()
    if person.mobile is None:
        return True
    return wrong_code(Purpose.PASSWORD_BY_SMS, typed, mobile=person.mobile, person=person, now=now) is not None


@require_http_methods(["GET", "HEAD", "POST"])
def by_link(request: HttpRequest, person_id: int, token: str) -> HttpResponse:
    """The link of the mail: good for an hour, until the password changes or somebody signs in."""
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None or not default_token_generator.check_token(person, token):
        void = {"heading": _("This link counts no more"), "words": _("Ask for a new one."), "again": "/password/"}
        return render(request, "refused.html", void, status=GONE)
    if request.method != "POST":
        return render(request, "portal/new-password.html", {"by_code": False, "errors": {}})
    new, again = _typed(request)
    if errors := new_password_errors(new, again, person):
        context = {"by_code": False, "errors": errors}
        return render(request, "portal/new-password.html", context, status=UNPROCESSABLE)
    _set(person, new)
    return redirect("sign-in")


def _typed(request: HttpRequest) -> tuple[str, str]:
    return request.POST.get("new", "")[:LONGEST_PASSWORD], request.POST.get("again", "")[:LONGEST_PASSWORD]


@transaction.atomic
def _set(person: Person, password: str) -> None:
    """The new password; who is signed in anywhere is so no more."""
    person.set_password(password)
    person.save(update_fields=["password"])
    sessions.end_all(person)
