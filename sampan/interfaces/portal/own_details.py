"""Settings: what a member says of themselves, and the mobile that a password by SMS goes to (spec S131, S132)."""

from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods

from sampan.accounts import own_details
from sampan.accounts.codes import Purpose
from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Person
from sampan.interfaces.own_access import LONGEST_PASSWORD, wrong_password
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.portal.sign_up import code_words, words_of_code_refusal
from sampan.interfaces.signing_in import LONGEST_CODE, address_of
from sampan.interfaces.words import words_of_flaw
from sampan.messages.codes import send_code
from sampan.reasons import Refused
from sampan.routing.numbers import NotAMobile, parse

UNPROCESSABLE = 422
LONGEST_NAME, LONGEST_MOBILE = 100, 30
NEW_MOBILE = "new mobile"  # in the session: whose code is waited for
SAID = "details said"  # in the session: what the last press did

Errors = dict[str, str]


class DetailsForm(forms.Form):
    """Name, mail address and language; with the password, for a link to a new one goes to that address."""

    name = forms.CharField(max_length=LONGEST_NAME)
    email = forms.EmailField(max_length=254)
    language = forms.ChoiceField(choices=settings.LANGUAGES)
    current = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.error_messages["required"] = gettext_lazy("Nothing here yet. Fill it in.")
        self.fields["email"].error_messages["invalid"] = gettext_lazy(
            "Not a mail address. Write it as name@company.hk."
        )


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def details(request: HttpRequest, member: Member) -> HttpResponse:
    """The page: the details, and the mobile by a code."""
    person, do = member.person, request.POST.get("do", "")
    kept = {"name": person.name, "email": person.email, "language": person.language}
    form = DetailsForm(request.POST if do == "details" else None, initial=kept)
    errors: Errors = {}
    if do == "details" and form.is_valid() and _change(request, person, form):
        return _done(request, _("Your details are changed."))
    if do == "mobile" and not (errors := _send_code(request, person, timezone.now())):
        return redirect("own-details")
    if (
        do == "code"
        and NEW_MOBILE in request.session
        and not (errors := _change_mobile(request, person, timezone.now()))
    ):
        return _done(request, _("Your mobile is changed."))
    return page(
        request,
        member,
        "portal/own-details.html",
        status=UNPROCESSABLE if errors or form.errors else 200,
        here="settings",
        tab="own-details",
        person=person,
        form=form,
        errors=errors,
        typed=request.POST.get("mobile", "")[:LONGEST_MOBILE],
        waiting_for=request.session.get(NEW_MOBILE),
        said=request.session.pop(SAID, ""),
    )


def _done(request: HttpRequest, words: str) -> HttpResponse:
    request.session[SAID] = words
    return redirect("own-details")


def _change(request: HttpRequest, person: Person, form: DetailsForm) -> bool:
    """Whether it was done; else what stands against it stands beside the password."""
    if error := wrong_password(request, person):
        form.add_error("current", error)
        return False
    given = form.cleaned_data
    with transaction.atomic():
        before = own_details.change(person, name=given["name"], email=given["email"], language=given["language"])
        if before and before.lower() != given["email"].lower():
            _tell(before, given["language"], timezone.now())
    return True


def _tell(email: str, language: str, now: datetime) -> None:
    """The address that counts no more, in case it was not them."""
    with override(language):
        subject = _("Your mail address at Sampan was changed")
        text = _("Links for a new password go to another address from now on. If it was not you, call us at once.")
    write_mail(email, subject, text + "\n", now=now)


def _send_code(request: HttpRequest, person: Person, now: datetime) -> Errors:
    if wrong := wrong_password(request, person):
        return {"current": wrong}
    try:
        mobile = parse(request.POST.get("mobile", "")[:LONGEST_MOBILE])
        send_code(Purpose.OWN_MOBILE, mobile, code_words, person=person, address=address_of(request), now=now)
    except NotAMobile as error:
        return {"mobile": words_of_flaw(error.flaw)}
    except Refused as refused:
        return {"mobile": words_of_code_refusal(refused)}
    request.session[NEW_MOBILE] = mobile
    return {}


def _change_mobile(request: HttpRequest, person: Person, now: datetime) -> Errors:
    mobile = request.session[NEW_MOBILE]
    wrong = own_details.change_mobile(person, mobile, request.POST.get("code", "")[:LONGEST_CODE], now=now)
    if wrong is not None:
        return {"code": words_of_code_refusal(Refused(wrong))}
    del request.session[NEW_MOBILE]
    return {}
