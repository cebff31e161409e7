"""Review: what will be sent, what is left out and why, what it costs; and the one button that sends (spec S2, S81)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe
from msgspec.structs import replace

from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.place_words import place_words
from sampan.interfaces.portal.access import Member, for_writers, page
from sampan.interfaces.portal.as_read import Sample, samples
from sampan.interfaces.portal.compose import options_of, own_draft
from sampan.interfaces.portal.review_law import Length, Said, lengths, said
from sampan.interfaces.tags import reason_words
from sampan.interfaces.words import words_of_flaw
from sampan.messages import drafts
from sampan.messages.address_book.groups import groups_of
from sampan.messages.planning import Kind, Plan, Terms, plan
from sampan.messages.recurring import Every, clock_of
from sampan.messages.tables import ComposeDraft
from sampan.reasons import Reason, Refused
from sampan.routing.directory import Directory
from sampan.routing.tables import Destination

BAD_ROWS_SHOWN = 5
BAD_ROWS_A_PAGE = 100
CONFLICT = 409
RUNS_SHOWN = 4


class Charge(NamedTuple):
    """What goes to one destination by one route."""

    name: str  # the destination, or the route where its name says more
    under: str
    sender: str  # "" where the operator's is shown
    messages: int
    units: int
    unit_pips: int
    price_pips: int


class LeftOut(NamedTuple):
    """How many numbers a rule leaves out."""

    reason: Reason
    numbers: int


class Seen(NamedTuple):
    """What a member sees before sending."""

    plan: Plan
    seal: str
    numbers: drafts.Numbers
    charges: list[Charge]
    left_out: list[LeftOut]
    lengths: list[Length]
    law: Said
    units_each: int | None  # where it is the same for all
    spread: list[tuple[int, int]]  # how many charge units how many personal messages have
    samples: list[Sample]  # of personal texts (spec S4)
    available_pips: int

    @property
    def left_out_count(self) -> int:
        """Numbers that rules leave out."""
        return sum(rule.numbers for rule in self.left_out)

    @property
    def after_pips(self) -> int:
        """The balance once this is held."""
        return self.available_pips - self.plan.price_pips

    @property
    def short_pips(self) -> int:
        """What the balance lacks; 0 where it suffices."""
        return max(0, -self.after_pips)

    @property
    def can_be_sent(self) -> bool:
        """There is something to send and it can be paid."""
        return bool(self.plan.messages) and not self.short_pips


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def review(request: HttpRequest, member: Member, draft_id: UUID) -> HttpResponse:
    """The review; its button sends what was seen, once, however often it is pressed."""
    draft = own_draft(member, draft_id)
    if batch_id := drafts.batch_of(member.conn, draft):
        return redirect("batch", batch_id)
    now = timezone.now()
    try:
        seen = _see(member, draft, now)
    except Refused:
        return _back(draft)
    if request.method != "POST":
        return _show(request, member, draft, seen, now)
    if not member.may_send:
        return page(request, member, "portal/may-not-send.html", status=403)
    if request.POST.get("seal") != seen.seal:
        return _show(request, member, draft, seen, now, changed=True)
    if not seen.can_be_sent:
        return _show(request, member, draft, seen, now)
    try:
        return redirect("batch", drafts.send(member.conn, draft, seen.plan, now))
    except Refused:  # between looking and sending the balance went, or another window sent it
        if batch_id := drafts.batch_of(member.conn, draft):
            return redirect("batch", batch_id)
        return _show(request, member, draft, _see(member, draft, now), now)


def _back(draft: ComposeDraft) -> HttpResponse:
    """To the compose page, which says what stands against it."""
    return redirect(f"{reverse('draft', args=[draft.id])}?check")


def _planned(member: Member, draft: ComposeDraft, now: datetime) -> tuple[drafts.Numbers, Plan, Terms]:
    numbers = drafts.numbers_of(draft)
    terms = options_of(member, now).terms
    submitted = drafts.as_submitted(draft, member.customer, numbers)
    submitted = replace(submitted, person_id=member.person.pk)  # who sends it, whoever wrote it
    return numbers, plan(submitted, terms, now), terms


def _see(member: Member, draft: ComposeDraft, now: datetime) -> Seen:
    numbers, planned, terms = _planned(member, draft, now)
    directory = terms.directory
    sent = [(planned.kinds[place], count) for place, count in planned.counts.items()]
    left_out: Counter[Reason] = Counter()
    for kind, count in sent:
        if kind.reason:
            left_out[kind.reason] += count
    goes = [(kind, count) for kind, count in sent if kind.reason is None]
    regions = {directory.destinations[kind.destination_id].region for kind, _ in goes}
    units: Counter[int] = Counter()
    for kind, count in goes:
        units[kind.units] += count
    return Seen(
        planned,
        drafts.seal(planned, draft.every, str(draft.repeat_until or "")),
        numbers,
        _charges(directory, planned, goes),
        [LeftOut(reason, count) for reason, count in left_out.most_common()],
        lengths(planned, regions),
        said(terms.law, planned, regions),
        next(iter(units)) if len(units) == 1 else None,
        sorted(units.items()) if planned.own else [],
        samples(planned, directory),
        member.purse().available_pips,
    )


def _charges(directory: Directory, planned: Plan, goes: Iterable[tuple[Kind, int]]) -> list[Charge]:
    """By destination and route; which operator carries a message makes no difference to its price."""
    counts: Counter[tuple[int, int, int, int]] = Counter()
    for kind, count in goes:
        assert kind.route_id is not None
        counts[kind.destination_id, kind.route_id, kind.units, kind.unit_pips] += count
    charges = []
    for (destination_id, route_id, units, unit_pips), count in counts.most_common():
        route, destination = directory.routes[route_id], directory.destinations[destination_id]
        shown = route.own_sender and destination.region != Destination.Region.CHINA
        named = route.name.startswith(destination.name)
        charges.append(
            Charge(
                place_words(route.name if named else destination.name),
                "" if named else place_words(route.name),
                planned.sender if shown else "",
                count,
                count * units,
                unit_pips,
                count * units * unit_pips,
            )
        )
    return charges


def _show(
    request: HttpRequest, member: Member, draft: ComposeDraft, seen: Seen, now: datetime, *, changed: bool = False
) -> HttpResponse:
    return page(
        request,
        member,
        "portal/review.html",
        status=CONFLICT if changed else 200,
        here="compose",
        draft=draft,
        seen=seen,
        plan=seen.plan,
        now=now,
        changed=changed,
        has_passed=bool(draft.scheduled_at and not seen.plan.scheduled_at),
        quiet_until=_quiet_until(draft, seen.plan, now),
        runs=_runs(draft, seen.plan, now),
        bad_rows=list(islice(drafts.bad_rows_of(draft), BAD_ROWS_SHOWN)) if seen.numbers.bad else [],
        files=list(draft.lists.filter(source=ComposeDraft.Source.FILE).values_list("file_name", flat=True)),
        groups=[group.name for group in groups_of(member.conn, member.customer.id) if group.id in draft.group_ids],
    )


def _quiet_until(draft: ComposeDraft, plan: Plan, now: datetime) -> datetime | None:
    """When quiet hours end, where they move the batch (spec S54)."""
    chosen = draft.scheduled_at if draft.scheduled_at and draft.scheduled_at > now else None
    return plan.scheduled_at if plan.scheduled_at != chosen else None


def _runs(draft: ComposeDraft, plan: Plan, now: datetime) -> list[datetime]:
    """The first runs of what recurs."""
    if not draft.every:
        return []
    first_at = draft.scheduled_at or now
    clock = clock_of(first_at, Every(draft.every), draft.repeat_until, plan.draft.customer.zone)
    return list(islice(clock.runs(), RUNS_SHOWN))


@require_safe
@for_writers
def bad_rows(request: HttpRequest, member: Member, draft_id: UUID) -> HttpResponse:
    """Every row without a mobile number, page by page."""
    draft = own_draft(member, draft_id)
    first = _first_row(request)
    rows = list(islice(drafts.bad_rows_of(draft), first, first + BAD_ROWS_A_PAGE))
    return page(
        request,
        member,
        "portal/bad-rows.html",
        here="compose",
        draft=draft,
        rows=rows,
        numbers=drafts.numbers_of(draft),
        first=first + 1,
        last=first + len(rows),
        before=max(0, first - BAD_ROWS_A_PAGE) if first else None,
        after=first + BAD_ROWS_A_PAGE,
        has_files=draft.source == ComposeDraft.Source.FILE,
    )


def _first_row(request: HttpRequest) -> int:
    given = request.GET.get("after", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) <= 7 else 0


@require_safe
@for_writers
def bad_rows_csv(_request: HttpRequest, member: Member, draft_id: UUID) -> HttpResponseBase:
    """All of them as a file."""
    draft = own_draft(member, draft_id)
    head = [_("File"), _("Row"), _("Value"), _("Reason")]
    rows = ([row.file_name, row.row, row.flaw.value, words_of_flaw(row.flaw)] for row in drafts.bad_rows_of(draft))
    return csv_response("bad-rows.csv", head, rows)


@require_safe
@for_writers
def left_out_csv(request: HttpRequest, member: Member, draft_id: UUID) -> HttpResponseBase:
    """The numbers that rules leave out, of one reason or of all."""
    draft = own_draft(member, draft_id)
    try:
        _numbers, planned, _terms = _planned(member, draft, timezone.now())
    except Refused:
        return _back(draft)
    wanted = request.GET.get("reason", "")
    return csv_response("left-out.csv", [_("Number"), _("Code"), _("Reason")], _left_out(planned, wanted))


def _left_out(planned: Plan, wanted: str) -> Iterator[list[object]]:
    for number, place in zip(planned.recipients, planned.kind_of, strict=True):
        reason = planned.kinds[place].reason
        if reason and wanted in ("", str(reason.number)):
            yield [number, reason.shown, reason_words(reason)]
