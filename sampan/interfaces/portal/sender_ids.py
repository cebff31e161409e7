"""Sender IDs: those in use, those asked for, and asking: a name by a document, a number by a code (spec S60, S62)."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts import senders
from sampan.accounts.codes import Purpose
from sampan.accounts.permissions import Permission
from sampan.accounts.tables import Decision, SenderId, SenderRequest
from sampan.interfaces.account_words import GROUNDS
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.portal.sign_up import code_words, words_of_code_refusal
from sampan.interfaces.signing_in import LONGEST_CODE, address_of
from sampan.interfaces.words import words_of_flaw
from sampan.messages.codes import send_code
from sampan.reasons import Refused
from sampan.routing.numbers import NotAMobile, parse
from sampan.uploads.documents import ACCEPTED

UNPROCESSABLE = 422
LONGEST_TYPED = 30
MOST_SHOWN = 20
ASKED_NUMBER = "number asked for"  # in the session: the mobile whose code is waited for

Errors = dict[str, str]


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.SEE_ACCOUNT)
def sender_ids(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; owners ask for one here."""
    errors: Errors = {}
    may_ask = member.may(Permission.MANAGE_SENDERS)
    if request.method == "POST" and may_ask:
        acts = {"name": _ask_name, "number": _send_code, "code": _ask_number}
        act = acts.get(request.POST.get("do", ""))
        errors = act(request, member, timezone.now()) if act else {}
        if not errors:
            return redirect("sender-ids")
    own = SenderId.objects.filter(customer_id=member.customer.id, withdrawn_at=None)
    asked = SenderRequest.objects.filter(customer_id=member.customer.id).exclude(decision=Decision.GRANTED)
    return page(
        request,
        member,
        "portal/sender-ids.html",
        status=UNPROCESSABLE if errors else 200,
        here="settings",
        tab="sender-ids",
        own=own.order_by("created_at"),
        asked=asked.order_by("-asked_at")[:MOST_SHOWN],
        most=senders.MOST_OF_A_CUSTOMER,
        errors=errors,
        typed=request.POST.get("sender", "")[:LONGEST_TYPED],
        typed_number=request.POST.get("mobile", "")[:LONGEST_TYPED],
        waiting_for=request.session.get(ASKED_NUMBER),
        grounds=[(each.value, GROUNDS[each]) for each in senders.Grounds if each != senders.Grounds.OWN_NUMBER],
        accepted=ACCEPTED,
        may_ask=may_ask,
    )


def _ask_name(request: HttpRequest, member: Member, now: datetime) -> Errors:
    grounds = request.POST.get("grounds", "")
    file = request.FILES.get("document")
    if grounds not in senders.Grounds.values or grounds == senders.Grounds.OWN_NUMBER:
        return {"grounds": _("Not one of these. Choose one.")}
    if file is None:
        return {"document": _("There is no file yet. Choose one.")}
    try:
        senders.request_name(
            member.person,
            request.POST.get("sender", "")[:LONGEST_TYPED].strip(),
            grounds=senders.Grounds(grounds),
            octets=file.read(),
            file_name=file.name or "",
            now=now,
        )
    except Refused as refused:
        return {refused.field: words_of_code_refusal(refused)}
    return {}


def _send_code(request: HttpRequest, member: Member, now: datetime) -> Errors:
    try:
        mobile = parse(request.POST.get("mobile", "")[:LONGEST_TYPED])
        senders.refuse_known(member.person, str(mobile))
        send_code(Purpose.OWN_NUMBER, mobile, code_words, person=member.person, address=address_of(request), now=now)
    except NotAMobile as error:
        return {"mobile": words_of_flaw(error.flaw)}
    except Refused as refused:
        return {"mobile": words_of_code_refusal(refused)}
    request.session[ASKED_NUMBER] = mobile
    return {}


def _ask_number(request: HttpRequest, member: Member, now: datetime) -> Errors:
    mobile = request.session.get(ASKED_NUMBER)
    if mobile is None:
        return {}
    try:
        wrong = senders.request_number(member.person, mobile, request.POST.get("code", "")[:LONGEST_CODE], now=now)
    except Refused as refused:
        return {"code": words_of_code_refusal(refused)}
    if wrong is not None:
        return {"code": words_of_code_refusal(Refused(wrong))}
    del request.session[ASKED_NUMBER]
    return {}
