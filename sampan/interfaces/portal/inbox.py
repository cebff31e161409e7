"""The inbox: what handsets wrote to the customer's numbers, by conversation (spec S111)."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.permissions import Permission
from sampan.inbound import replies, settings
from sampan.inbound.replies import MOST_EXPORTED, Asked, ReplyFacts
from sampan.inbound.tables import Rental
from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.words import REASONS, REFUSALS
from sampan.messages import drafts
from sampan.messages.tables import ComposeDraft, Purpose
from sampan.routing.numbers import NotAMobile, parse

THREADS_A_PAGE = 40
SHOWN_FOR = timedelta(days=92)  # of a conversation
LONGEST_ID_DIGITS = 18
LONGEST_TEXT = 100

for_readers = for_permission(Permission.SEE_RESULTS)


class InboxForm(forms.Form):
    """Which replies; every field may be left out."""

    since = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    until = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    number = forms.CharField(required=False, max_length=21)
    keyword = forms.CharField(required=False, max_length=20)
    text = forms.CharField(required=False, max_length=LONGEST_TEXT)
    unread = forms.BooleanField(required=False)

    default_error_messages: ClassVar = {
        "since": {"invalid": gettext_lazy("Not a date. Write it as 2026-11-21.")},
        "until": {"invalid": gettext_lazy("Not a date. Write it as 2026-11-21.")},
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages

    def asked(self) -> Asked:
        """In whole days of the customer's zone. What is typed as a text may be a handset's number."""
        values = self.cleaned_data
        handset, text = "", values.get("text", "")
        with suppress(NotAMobile):
            handset, text = str(parse(text)), ""
        since, until = _midnight(values.get("since")), _midnight(values.get("until"))
        return Asked(
            since=since,
            until=until + timedelta(days=1) if until else None,
            handset=handset,
            number=values.get("number", ""),
            keyword=values.get("keyword", ""),
            text=text,
            unread=bool(values.get("unread")),
        )


def _midnight(day: Any) -> datetime | None:
    return datetime.combine(day, datetime.min.time(), timezone.get_current_timezone()) if day else None


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers
def inbox(request: HttpRequest, member: Member) -> HttpResponse:
    """Conversations, the latest first; without any number, how to get one. Pressed: all that it showed were read."""
    if request.method != "POST":
        return _show(request, member, None)
    last = request.POST.get("last", "")
    if last.isdecimal() and len(last) <= LONGEST_ID_DIGITS:
        replies.mark_read(member.conn, member.customer.id, last_id=int(last), now=timezone.now())
    return redirect("inbox")


@require_http_methods(["GET", "HEAD", "POST"])
@for_readers
def thread(request: HttpRequest, member: Member, reply_id: int) -> HttpResponse:
    """The conversation that a reply is of, beside the others; with that it has been read.

    Pressed: it is to be looked at once more, or a text to that handset is begun.
    """
    found = replies.reply(member.conn, member.customer.id, reply_id)
    if found is None:
        raise Http404
    match request.POST.get("do"):
        case "unread":
            replies.mark_unread(member.conn, member.customer.id, reply_id)
            return redirect("inbox")
        case "answer" if member.may_write and found.handset.isdigit():
            return redirect("draft", _draft_to(member, found).pk)
        case _:
            return _show(request, member, found)


def _draft_to(member: Member, reply: ReplyFacts) -> ComposeDraft:
    """A text to the handset, from the number it wrote to."""
    draft = drafts.new_draft(member.person, timezone.now())
    drafts.set_typed(draft, f"+{reply.handset}")
    draft.source = ComposeDraft.Source.TYPED
    draft.purpose = Purpose.TRANSACTIONAL
    draft.sender = reply.number if reply.number in member.customer.senders else ""
    draft.save()
    return draft


def _show(request: HttpRequest, member: Member, chosen: ReplyFacts | None) -> HttpResponse:
    now = timezone.now()
    form = InboxForm(request.GET)
    asked = form.asked() if form.is_valid() else replies.EVERYTHING
    before = request.GET.get("before", "")
    last_id = int(before) if before.isdecimal() and len(before) <= LONGEST_ID_DIGITS else None
    found = replies.threads(member.conn, member.customer.id, asked, before=last_id, most=THREADS_A_PAGE + 1)
    query = request.GET.copy()
    query.pop("before", None)
    context: dict[str, Any] = {
        "form": form,
        "asked": query.urlencode(),
        "is_search": any(request.GET.get(name) for name in form.fields),
        "threads": found[:THREADS_A_PAGE],
        "older": found[THREADS_A_PAGE - 1].last_id if len(found) > THREADS_A_PAGE else None,
        "before": before,
        "rentals": rentals_of(member),
        "usual": settings.in_force(member.conn),
        "chosen": chosen,
    }
    if chosen is not None:
        talk = replies.conversation(member.conn, member.customer.id, chosen.handset, since=now - SHOWN_FOR)
        # One that comes a moment later stays unread.
        newest = max((bubble.reply.id for bubble in talk if bubble.reply), default=0)
        replies.mark_read(member.conn, member.customer.id, last_id=newest, handset=chosen.handset, now=now)
        context["talk"] = [(bubble, _why_not_sent(bubble.reply)) for bubble in talk]
        context["can_answer"] = member.may_write and chosen.handset.isdigit()
    status = 200 if form.is_valid() else 422
    return page(request, member, "portal/inbox.html", status=status, here="inbox", **context)


def _why_not_sent(reply: ReplyFacts | None) -> str:
    """Why an answer or a forward of it did not go, as members read it."""
    reason = reply.not_sent if reply else None
    return str(REASONS.get(reason) or REFUSALS.get(reason) or reason.words) if reason else ""


def rentals_of(member: Member) -> list[Rental]:
    """The numbers and keywords that the customer rents."""
    running = Rental.objects.filter(customer_id=member.customer.id, ended_at=None)
    return list(running.select_related("number").order_by("number__number", "keyword"))


@require_safe
@for_readers
def inbox_csv(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The replies that are asked for, as a file."""
    form = InboxForm(request.GET)
    asked = form.asked() if form.is_valid() else replies.EVERYTHING
    found = replies.newest(member.conn, member.customer.id, asked, most=MOST_EXPORTED)
    head = [_("Received"), _("From"), _("To"), _("Keyword"), _("Text"), _("Parts missing"), _("Unsubscribed")]
    head += [_("Answered to"), _("Answers message"), _("Not sent")]
    rows = (
        [
            timezone.localtime(reply.received_at).isoformat(" ", "seconds")[:19],
            reply.handset,
            reply.number,
            reply.keyword,
            reply.text,
            reply.parts_missing or "",
            _("yes") if reply.unsubscribed else "",
            reply.answer,
            reply.message_id or "",
            _why_not_sent(reply),
        ]
        for reply in found
    )
    return csv_response("replies.csv", head, rows)
