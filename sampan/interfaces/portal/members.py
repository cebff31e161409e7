"""Members of the account: who they are, what they may do, whom to invite; and the page an invitation leads to."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts import members
from sampan.accounts.mail import write_mail
from sampan.accounts.permissions import Permission
from sampan.accounts.proofs.tables import Invitation
from sampan.accounts.sign_up import is_login_name
from sampan.accounts.tables import LONGEST_LOGIN_NAME, Person
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.signing_in import let_in
from sampan.interfaces.words import ROLES, words_of_refusal
from sampan.reasons import Refused

UNPROCESSABLE, GONE = 422, 410
LONGEST_NAME, LONGEST_PASSWORD, LONGEST_ID_DIGITS = 100, 200, 18


class InviteForm(forms.Form):
    """Whom to ask, and as what."""

    email = forms.EmailField(
        max_length=254,
        error_messages={
            "required": _("Nothing here yet. Fill it in."),
            "invalid": _("Not a mail address. Write it as name@company.hk."),
        },
    )
    role = forms.ChoiceField(choices=Person.Role.choices, initial=Person.Role.SENDER)
    may_send = forms.BooleanField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_MEMBERS)
def member_list(request: HttpRequest, member: Member) -> HttpResponse:
    """The members, and the form to ask somebody."""
    form = InviteForm(request.POST if request.POST.get("do") == "invite" else None)
    refused = ""
    if request.method == "POST":
        try:
            if _do(request, member, form):
                return redirect("members")
        except Refused as error:
            refused = words_of_refusal(error)
        except Person.DoesNotExist as error:
            raise Http404 from error
    now = timezone.now()
    waiting = Invitation.objects.filter(
        customer_id=member.customer.id,
        accepted_at=None,
        withdrawn_at=None,
        created_at__gt=now - members.VALID_FOR,
    )
    return page(
        request,
        member,
        "portal/members.html",
        status=UNPROCESSABLE if refused or form.errors else 200,
        here="settings",
        tab="members",
        form=form,
        refused=refused,
        members=Person.objects.filter(customer_id=member.customer.id, is_active=True).order_by("created_at"),
        waiting=waiting.order_by("created_at"),
        roles=list(ROLES.items()),
    )


def _do(request: HttpRequest, member: Member, form: InviteForm) -> bool:
    """What was pressed; whether it was done. Raises Refused, Person.DoesNotExist."""
    now = timezone.now()
    act, given = request.POST.get("do", ""), request.POST.get("id", "")
    number = int(given) if given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS else 0
    if act == "invite":
        return form.is_valid() and _invite(request, member, form, now)
    if act == "change" and request.POST.get("role") in Person.Role.values:
        members.change(member.person, number, role=request.POST["role"], may_send=request.POST.get("may_send") == "on")
    elif act == "remove":
        members.remove(member.person, number, now=now)
    elif act == "withdraw":
        members.withdraw_invitation(member.person, number, now=now)
    return True


@transaction.atomic
def _invite(request: HttpRequest, member: Member, form: InviteForm, now: datetime) -> bool:
    values = form.cleaned_data
    _invitation, token = members.invite(
        member.person, email=values["email"], role=values["role"], may_send=values["may_send"], now=now
    )
    link = request.build_absolute_uri(reverse("invitation", args=[token]))
    text = gettext(
        "%(name)s asks you to become a member of %(company)s at Sampan.\n\n"
        "Open this link within 7 days and choose a login name:\n%(link)s"
    )
    about = {"name": member.person, "company": member.customer.name, "link": link}
    write_mail(values["email"], gettext("%(company)s at Sampan: become a member") % about, text % about + "\n", now=now)
    return True


class JoinForm(forms.Form):
    """What somebody who was invited chooses."""

    name = forms.CharField(max_length=LONGEST_NAME)
    login = forms.CharField(max_length=LONGEST_LOGIN_NAME)
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)
    again = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.error_messages["required"] = _("Nothing here yet. Fill it in.")

    def clean_login(self) -> str:
        """One that can be."""
        name: str = self.cleaned_data["login"]
        if not is_login_name(name):
            raise forms.ValidationError(
                _("Not possible. Use 3 to 20 letters, digits, dots or hyphens, a letter first.")
            )
        return name

    def clean(self) -> dict[str, Any]:
        """The password twice, and a good one."""
        values = self.cleaned_data
        if values.get("again", "") != values.get("password", ""):
            self.add_error("again", _("Not the same twice. Type it once more."))
        if "password" in values:
            person = Person(login_name=values.get("login", ""), name=values.get("name", ""))
            try:
                validate_password(values["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads: a login name and a password, and in."""
    now = timezone.now()
    try:
        invited = members.invitation_of(token, now=now)
    except Refused as refused:
        context = {"heading": gettext("No such invitation"), "words": words_of_refusal(refused)}
        return render(request, "refused.html", context, status=GONE)
    form = JoinForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        try:
            person = members.accept(
                token,
                login_name=values["login"],
                password=values["password"],
                name=values["name"],
                language=get_language() or "en",
                now=now,
            )
        except Refused as refused:
            form.add_error("login", words_of_refusal(refused))
        else:
            return let_in(request, person, "")
    status = UNPROCESSABLE if form.is_bound else 200
    return render(request, "portal/join.html", {"form": form, "invited": invited}, status=status)
