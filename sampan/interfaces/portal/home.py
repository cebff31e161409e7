"""Home: the balance, what is being sent, today, and what comes up."""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sampan.accounts.tables import Customer
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.messages.reports import batches, periods
from sampan.messages.reports.batches import BatchFacts, Progress
from sampan.messages.reports.periods import Totals
from sampan.messages.reports.shown import NEVER_SENT, TO_HAND_OVER, Shown
from sampan.messages.tables import ComposeDraft

MOST_BEING_SENT = 5
MOST_EARLIER = 8
MOST_COMING_UP = 5
MOST_DRAFTS = 5
ENDED = (Shown.DELIVERED, Shown.EXPIRED, Shown.UNDELIVERABLE)


class Today(NamedTuple):
    """The figures at the top of the page; filtered messages are in none of them."""

    messages: int
    waiting: int
    delivered: int
    ended: int
    charged_pips: int
    charged_units: int


class Running(NamedTuple):
    """A batch that is being handed over."""

    batch: BatchFacts
    progress: Progress


@require_safe
@for_members
def home(request: HttpRequest, member: Member) -> HttpResponse:
    """The page; for a customer that has never sent anything another one."""
    now = timezone.now()
    drafts = _drafts(member)
    if not batches.has_sent(member.conn, member.customer.id):
        return page(request, member, "portal/home-empty.html", here="home", drafts=drafts, is_trial=_is_trial(member))
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    today = periods.totals(
        member.conn,
        periods.Search(customer_id=member.customer.id, since=midnight, until=midnight + timedelta(days=1)),
    )
    coming_up = batches.coming_up(member.conn, member.customer.id, most=MOST_COMING_UP)
    purse = member.purse()
    running, more_running = _sending(member, now)
    return page(
        request,
        member,
        "portal/home.html",
        here="home",
        now=now,
        today=_figures(today),
        earlier=_earlier(member, midnight, {each.batch.id for each in running}),
        coming_up=coming_up,
        short_pips=max(0, coming_up.price_pips - purse.available_pips),
        is_suspended=member.customer.status in (Customer.Status.SUSPENDED, Customer.Status.CLOSED),
        drafts=drafts,
        running=running,
        more_running=more_running,
    )


@require_safe
@for_members
def sending_now(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The region of the page that refreshes itself."""
    running, more_running = _sending(member, timezone.now())
    return render(request, "portal/sending-now.html", {"running": running, "more_running": more_running})


def _is_trial(member: Member) -> bool:
    return member.customer.status == Customer.Status.TRIAL


def _sending(member: Member, now: datetime) -> tuple[list[Running], int]:
    """The largest batches that are being handed over, and how many more there are."""
    running, total = batches.being_sent(member.conn, member.customer.id, most=MOST_BEING_SENT)
    progress = [Running(batch, batches.progress(member.conn, member.customer.id, batch, now)) for batch in running]
    return progress, total - len(running)


def _figures(today: Totals) -> Today:
    messages = today.messages
    return Today(
        messages=today.count - sum(messages[shown] for shown in NEVER_SENT),
        waiting=sum(messages[shown] for shown in TO_HAND_OVER),
        delivered=messages[Shown.DELIVERED],
        ended=sum(messages[shown] for shown in ENDED),
        charged_pips=today.charged_pips,
        charged_units=today.charged_units,
    )


def _earlier(member: Member, midnight: datetime, running: set[int]) -> list[batches.Sent]:
    sent = batches.sent_since(member.conn, member.customer.id, midnight, most=MOST_EARLIER + len(running))
    return [batch for batch in sent if batch.batch_id not in running][:MOST_EARLIER]


def _drafts(member: Member) -> list[ComposeDraft]:
    """What was begun and not sent, for those who may go on with it."""
    if not member.may_write:
        return []
    drafts = ComposeDraft.objects.filter(customer_id=member.customer.id, batch_id=None)
    return list(drafts.order_by("-updated_at")[:MOST_DRAFTS])
