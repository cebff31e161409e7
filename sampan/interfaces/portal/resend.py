"""Resend: tick the reasons for which messages of a batch ended; they become a draft to review and send (spec S101)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.interfaces.portal.access import Member, for_senders, page
from sampan.interfaces.portal.own import own_batch
from sampan.interfaces.words import words_of_refusal
from sampan.messages import resend as resending
from sampan.messages.stored import lock
from sampan.reasons import BY_NUMBER, Reason, Refused

UNPROCESSABLE = 422
TICKED_AT_FIRST = frozenset({Reason.BALANCE_TOO_LOW, Reason.OPERATOR_FAULT, Reason.NOT_SENT_IN_TIME})


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def resend(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """The reasons with their counts; the button makes the draft and leads to its review."""
    if request.method != "POST":
        return _show(request, member, batch_id, TICKED_AT_FIRST)
    own_batch(member, batch_id)
    given = [int(number) for number in request.POST.getlist("reason") if number.isascii() and number.isdecimal()]
    reasons = {BY_NUMBER[number] for number in given if number in BY_NUMBER}
    try:
        draft = resending.draft_again(batch_id, reasons, member.person, timezone.now())
    except Refused as refused:
        return _show(request, member, batch_id, reasons, refused)
    return redirect("review", draft.id)


def _show(
    request: HttpRequest,
    member: Member,
    batch_id: int,
    ticked: frozenset[Reason] | set[Reason],
    refused: Refused | None = None,
) -> HttpResponse:
    batch = own_batch(member, batch_id)
    with member.conn.transaction():
        undelivered = resending.undelivered(member.conn, lock(member.conn, batch_id, member.customer.id))
    return page(
        request,
        member,
        "portal/resend.html",
        status=UNPROCESSABLE if refused else 200,
        here="results",
        batch=batch,
        undelivered=undelivered,
        ticked=ticked,
        ticked_messages=sum(ended.messages for ended in undelivered.ended if ended.reason in ticked),
        refused=words_of_refusal(refused) if refused else "",
    )
