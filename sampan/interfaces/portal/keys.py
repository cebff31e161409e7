"""API keys: made and shown once, revoked (spec S123, S136)."""

from datetime import datetime, time
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.keys import (
    CHARACTERS,
    MOST_KEYS,
    SHORT_CHARACTERS,
    Scope,
    add_json_key,
    add_key,
    networks_of,
)
from sampan.accounts.permissions import Permission
from sampan.accounts.tables import ApiKey, Customer
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Reason, Refused

LONGEST_NAME, LONGEST_ID_DIGITS, LONGEST_NETWORKS = 60, 18, 1_000
UNPROCESSABLE = 422

SORTS = [
    ("live", _("Live, for the JSON API"), _("Sends, and costs money")),
    (
        "test",
        _("Test, for the JSON API"),
        _("What it sends goes to nobody and is free. It sends, reads and sees the balance, no more"),
    ),
    (
        "password",
        _("Password, 20 characters"),
        _("With the member’s login name, for the HTTP API, SOAP, mail and SMPP"),
    ),
    ("short", _("Password, 8 characters"), _("For SMPP programs that take no more")),
]
SCOPES = [
    (Scope.SEND, _("Send: messages, codes; pause, resume and cancel batches")),
    (Scope.READ, _("Read: messages, batches, replies, sender IDs")),
    (Scope.BALANCE, _("Balance, statement and prices")),
    (Scope.CONTACTS, _("Contacts, groups, consents and unsubscribes")),
    (Scope.MANAGE, _("Webhooks")),
]


class KeyForm(forms.Form):
    """A key to be made."""

    name = forms.CharField(max_length=LONGEST_NAME)
    sort = forms.ChoiceField(choices=[(code, words) for code, words, _hint in SORTS])
    scopes = forms.MultipleChoiceField(choices=[(scope.value, words) for scope, words in SCOPES], required=False)
    networks = forms.CharField(max_length=LONGEST_NETWORKS, required=False)
    expires = forms.DateField(required=False, input_formats=["%Y-%m-%d"])

    default_error_messages: ClassVar = {
        "name": {"required": _("There is no name. Say where the key will be used.")},
        "sort": {"required": _("Choose one of these."), "invalid_choice": _("Choose one of these.")},
        "expires": {"invalid": _("Not a day. Write it as 2027-12-31.")},
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages

    def clean_networks(self) -> Any:
        """The networks in the text."""
        try:
            return networks_of(self.cleaned_data["networks"])
        except Refused as refused:
            raise forms.ValidationError(words_of_refusal(refused)) from None

    def clean(self) -> dict[str, Any]:
        """A key of the JSON API may do something."""
        values = self.cleaned_data
        if values.get("sort") in ("live", "test") and not values.get("scopes"):
            self.add_error("scopes", _("Nothing is ticked. Tick what the key may do."))
        return values

    def make(self, member: Member, now: datetime) -> str:
        """The key. Raises Refused."""
        values = self.cleaned_data
        if values["sort"] in ("password", "short"):
            characters = SHORT_CHARACTERS if values["sort"] == "short" else CHARACTERS
            return add_key(member.person, name=values["name"], now=now, characters=characters)
        expires = values["expires"]
        return add_json_key(
            member.person,
            name=values["name"],
            test=values["sort"] == "test",
            scopes=[Scope(scope) for scope in values["scopes"]],
            networks=values["networks"],
            expires_at=datetime.combine(expires, time(), member.customer.zone) if expires else None,
            now=now,
        )


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def keys(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; a new key is shown in the answer that makes it, and never again."""
    act = request.POST.get("do", "") if request.method == "POST" else ""
    if act and act != "new":
        _do(request, member, act)
        return redirect("keys")
    form = KeyForm(request.POST) if act else KeyForm(initial={"sort": "live", "scopes": ["send", "read"]})
    made = ""
    if act and form.is_valid():
        try:
            made = _make(form, member)
        except Refused as refused:
            form.add_error(refused.field, words_of_refusal(refused))
    return page(
        request,
        member,
        "portal/keys.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="settings",
        tab="keys",
        keys=_standing(member).select_related("person").order_by("created_at"),
        made=made,
        made_name=form.cleaned_data["name"] if made else "",
        form=KeyForm(initial={"sort": "live", "scopes": ["send", "read"]}) if made else form,
        sorts=SORTS,
        scopes=SCOPES,
        now=timezone.now(),
        password_allowed=Customer.objects.get(pk=member.customer.id).api_password_allowed,
    )


def _standing(member: Member) -> Any:
    return ApiKey.objects.filter(customer_id=member.customer.id, revoked_at=None)


def _make(form: KeyForm, member: Member) -> str:
    if _standing(member).count() >= MOST_KEYS:
        raise Refused(Reason.TOO_MANY_KEYS, "name", str(MOST_KEYS))
    return form.make(member, timezone.now())


def _do(request: HttpRequest, member: Member, act: str) -> None:
    given = request.POST.get("key", "")
    if act == "revoke" and given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS:
        _standing(member).filter(pk=int(given)).update(revoked_at=timezone.now())
    elif act == "password":
        allowed = request.POST.get("refuse") != "on"
        Customer.objects.filter(pk=member.customer.id).update(api_password_allowed=allowed)
