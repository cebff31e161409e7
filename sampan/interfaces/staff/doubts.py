"""Outcomes in doubt and receipts without a message: what staff decide by the operator's word (spec S76, S77)."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import Act
from sampan.dispatch import doubts
from sampan.dispatch.doubts import Word
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.reasons import Reason, Refused
from sampan.smpp.pdu import MessageState

LONGEST_ID_DIGITS = 18
# What the operator may say, and what follows for the customer's money.
WORDS = {
    Word.DELIVERED: (gettext_lazy("It is on the handset"), gettext_lazy("Delivered; charged.")),
    Word.FAILED: (
        gettext_lazy("They had it and could not deliver it"),
        gettext_lazy("Undeliverable; charged, because the operator took it."),
    ),
    Word.NEVER_HAD: (gettext_lazy("They never had it"), gettext_lazy("Undeliverable; the hold is released.")),
}


@require_safe
@for_staff(Act.SETTLE_UNKNOWN)
def unknown(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Messages whose outcome is unknown."""
    found = doubts.doubts(staffer.conn)
    return page(request, staffer, "staff/unknown.html", here="staff:unknown", found=found, most=doubts.MOST_SHOWN)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SETTLE_UNKNOWN)
def settle(request: HttpRequest, staffer: Staffer, message_id: int) -> HttpResponseBase:
    """One of them: what the operator says."""
    if request.method == "POST":
        word = next((word for word in Word if word.value == request.POST.get("word")), None)
        if word is None:
            raise Refused(Reason.NO_CHOICE, "word")
        doubts.settle(message_id, word, by=staffer.person, why=typed(request, "why"), now=timezone.now())
        say(request, _("Message %(id)s is settled") % {"id": message_id})
        return redirect("staff:unknown")
    doubt = next((each for each in doubts.doubts(staffer.conn) if each.message_id == message_id), None)
    if doubt is None:
        raise Http404
    choices = [(word.value, *words) for word, words in WORDS.items()]
    return page(request, staffer, "staff/settle.html", here="staff:unknown", doubt=doubt, choices=choices)


@require_safe
@for_staff(Act.ATTACH_RECEIPT)
def strays(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Receipts that found no message."""
    found = [(each, _state(each.state)) for each in doubts.strays(staffer.conn, timezone.now())]
    return page(request, staffer, "staff/strays.html", here="staff:strays", found=found, most=doubts.MOST_SHOWN)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.ATTACH_RECEIPT)
def stray(request: HttpRequest, staffer: Staffer, receipt_id: int) -> HttpResponseBase:
    """One of them: which message it is about, or that it is about none."""
    now = timezone.now()
    if request.method == "POST":
        _decide(request, staffer, receipt_id)
        return redirect("staff:strays")
    receipt = next((each for each in doubts.strays(staffer.conn, now) if each.id == receipt_id), None)
    if receipt is None:
        raise Http404
    state = _state(receipt.state)
    return page(request, staffer, "staff/stray.html", here="staff:strays", receipt=receipt, state=state)


def _decide(request: HttpRequest, staffer: Staffer, receipt_id: int) -> None:
    now, why = timezone.now(), typed(request, "why")
    if request.POST.get("do") == "dismiss":
        doubts.dismiss(receipt_id, by=staffer.person, why=why, now=now)
        say(request, _("The receipt is dismissed"))
        return
    smsd_id = typed(request, "message")
    if not (smsd_id.isascii() and smsd_id.isdecimal() and len(smsd_id) <= LONGEST_ID_DIGITS):
        raise Refused(Reason.UNKNOWN_MESSAGE, "message", smsd_id)
    doubts.attach(receipt_id, int(smsd_id), by=staffer.person, why=why, now=now)
    say(request, _("The receipt is brought to message %(id)s") % {"id": smsd_id})


def _state(state: int) -> str:
    """As receipts spell it."""
    return next((each.name for each in MessageState if each.value == state), str(state))
