"""Sending by mail: where to write, and the addresses one writes from: proven by a code, on and off (spec S122)."""

from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods

from sampan.accounts import mail_addresses
from sampan.accounts.mail import write_mail
from sampan.accounts.permissions import Permission
from sampan.accounts.proofs.tables import MailAddress
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.portal.sign_up import words_of_code_refusal
from sampan.interfaces.signing_in import LONGEST_CODE
from sampan.reasons import Refused

UNPROCESSABLE = 422
LONGEST_ADDRESS, LONGEST_ID_DIGITS = 254, 18

Errors = dict[str, str]


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.MANAGE_KEYS)
def addresses(request: HttpRequest, member: Member) -> HttpResponse:
    """The page."""
    errors: Errors = {}
    if request.method == "POST":
        acts = {"ask": _ask, "code": _prove, "on": _switch, "off": _switch, "remove": _remove}
        act = acts.get(request.POST.get("do", ""))
        errors = act(request, member, timezone.now()) if act else {}
        if not errors:
            return redirect("mail-addresses")
    own = MailAddress.objects.filter(customer_id=member.customer.id, removed_at=None).order_by("asked_at")
    return page(
        request,
        member,
        "portal/mail-addresses.html",
        status=UNPROCESSABLE if errors else 200,
        here="settings",
        tab="mail-addresses",
        domain=settings.MAIL_DOMAIN,
        own=own.exclude(verified_at=None).select_related("person"),
        waiting=own.filter(verified_at=None, asked_at__gt=timezone.now() - mail_addresses.VALID_FOR),
        errors=errors,
        typed=request.POST.get("address", "")[:LONGEST_ADDRESS],
    )


def _typed(request: HttpRequest) -> str:
    return request.POST.get("address", "").strip().lower()


@transaction.atomic
def _ask(request: HttpRequest, member: Member, now: datetime) -> Errors:
    address = _typed(request)
    try:
        validate_email(address)
        if len(address) > LONGEST_ADDRESS:
            raise ValidationError("too long")
        code = mail_addresses.ask(member.person, address, now=now)
    except ValidationError:
        return {"address": _("This is no mail address. Write it as orders@example.com.")}
    except Refused as refused:
        return {"address": words_of_code_refusal(refused)}
    with override(member.person.language):
        subject = _("Your Sampan code")
        text = _(
            "%(customer)s wants to send texts by mail from this address. Its code is:\n\n%(code)s\n\n"
            "It counts for an hour. If you do not know of it, do nothing."
        )
    write_mail(address, subject, text % {"customer": member.customer.name, "code": code} + "\n", now=now)
    return {}


def _prove(request: HttpRequest, member: Member, now: datetime) -> Errors:
    code = request.POST.get("code", "")[:LONGEST_CODE]
    wrong = mail_addresses.wrong_code(member.person, _typed(request)[:LONGEST_ADDRESS], code, now=now)
    return {"code": words_of_code_refusal(wrong)} if wrong else {}


def _switch(request: HttpRequest, member: Member, _now: datetime) -> Errors:
    if id_ := _id(request):
        mail_addresses.switch(member.person, id_, on=request.POST.get("do") == "on")
    return {}


def _remove(request: HttpRequest, member: Member, now: datetime) -> Errors:
    if id_ := _id(request):
        mail_addresses.remove(member.person, id_, now=now)
    return {}


def _id(request: HttpRequest) -> int:
    given = request.POST.get("id", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= LONGEST_ID_DIGITS else 0
