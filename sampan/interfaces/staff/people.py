"""Our own people: let in, given a role, let out; by administrators (spec S134)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sampan.accounts import staff_people
from sampan.accounts.acts import Act
from sampan.accounts.mail import write_mail
from sampan.accounts.tables import LONGEST_LOGIN_NAME, Person
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.words import STAFF_ROLES, words_of_refusal
from sampan.reasons import Reason, Refused

HERE = "staff:people"
UNPROCESSABLE = 422
ACTS = (Act.ADD_STAFF, Act.CHANGE_STAFF, Act.LET_STAFF_OUT, Act.RESET_STAFF_FACTOR)


class NewPersonForm(WhyForm):
    """Whom to let in, and as what."""

    login_name = forms.CharField(
        label=gettext_lazy("Login name"),
        max_length=LONGEST_LOGIN_NAME,
        help_text=gettext_lazy("3 to 20 letters, digits, dots or hyphens"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    email = forms.EmailField(
        label=gettext_lazy("Email"), help_text=gettext_lazy("A link to choose a password goes there.")
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=list(STAFF_ROLES.items()))


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(*ACTS)
def people(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """All of them, and the form for one more."""
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            with transaction.atomic():
                now = timezone.now()
                person = staff_people.add(**form.changes(), by=staffer.person, why=form.reason, now=now)
                _send_link(request, person, now)
        except Refused as refused:
            if refused.field != "login_name":
                raise
            form.add_error("login_name", words_of_refusal(refused))
        else:
            say(request, _("%(name)s is let in; a link is on its way to %(email)s") % _about(person))
            return redirect(HERE)
    every = Person.objects.filter(customer=None).select_related("second_factor").order_by("-is_active", "login_name")
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/people.html", here=HERE, status=status, form=form, people=every)


def _link_again(request: HttpRequest, staffer: Staffer, person: Person, _why: str, now: datetime) -> str:
    staffer.require(Act.ADD_STAFF)
    _send_link(request, person, now)
    return _("A link is on its way to %(email)s")


def _change(request: HttpRequest, staffer: Staffer, person: Person, why: str, now: datetime) -> str:
    role = request.POST.get("role", "")
    if role not in Person.StaffRole.values:
        raise Refused(Reason.NO_CHOICE, "role")
    staff_people.change_role(person.pk, role, by=staffer.person, why=why, now=now)
    return _("%(name)s has another role now")


def _let_out(_request: HttpRequest, staffer: Staffer, person: Person, why: str, now: datetime) -> str:
    staff_people.let_out(person.pk, by=staffer.person, why=why, now=now)
    return _("%(name)s is let in no more")


def _let_in_again(request: HttpRequest, staffer: Staffer, person: Person, why: str, now: datetime) -> str:
    _send_link(request, staff_people.let_in_again(person.pk, by=staffer.person, why=why, now=now), now)
    return _("%(name)s is let in; a link is on its way to %(email)s")


def _reset(_request: HttpRequest, staffer: Staffer, person: Person, why: str, now: datetime) -> str:
    staff_people.remove_second_factor(person.pk, by=staffer.person, why=why, now=now)
    return _("%(name)s sets up another second factor when signing in")


PRESSES: dict[str, Callable[[HttpRequest, Staffer, Person, str, datetime], str]] = {
    "role": _change,
    "out": _let_out,
    "in": _let_in_again,
    "factor": _reset,
    "link": _link_again,
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(*ACTS)
def person(request: HttpRequest, staffer: Staffer, person_id: int) -> HttpResponseBase:
    """One of them, and the buttons."""
    found = get_object_or_404(Person.objects.select_related("second_factor"), pk=person_id, customer=None)
    if request.method == "POST":
        press = PRESSES.get(request.POST.get("do", ""))
        if press is None:
            raise Refused(Reason.NO_CHOICE, "do")
        with transaction.atomic():
            said = press(request, staffer, found, typed(request, "why"), timezone.now())
        say(request, said % _about(found))
        return redirect("staff:person", person_id)
    context: dict[str, Any] = {
        "found": found,
        "is_self": found.pk == staffer.person.pk,
        "roles": list(STAFF_ROLES.items()),
        "has_factor": _has_factor(found),
    }
    return page(request, staffer, "staff/person.html", here=HERE, **context)


def _has_factor(found: Person) -> bool:
    factor = getattr(found, "second_factor", None)
    return factor is not None and factor.confirmed_at is not None


def _about(person: Person) -> dict[str, str]:
    return {"name": str(person), "email": person.email}


def _send_link(request: HttpRequest, person: Person, now: datetime) -> None:
    """Where they choose a password; in the transaction of what lets them in."""
    if not person.email:
        raise Refused(Reason.NO_MAIL_ADDRESS, "email", str(person))
    token = default_token_generator.make_token(person)
    link = request.build_absolute_uri(reverse("password-link", args=[person.pk, token]))
    text = _(
        "You are let in to the staff pages of Sampan as %(login)s.\n\n"
        "Open this link within an hour and choose a password:\n%(link)s\n\n"
        "Then sign in and set up the second factor."
    )
    subject = _("Your login at Sampan")
    write_mail(person.email, subject, text % {"login": person.login_name, "link": link} + "\n", now=now)
