"""Compose: who gets it, what it says, how and when. Nothing is sent or charged from here (spec S1–S5)."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Func, IntegerField
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from sampan.composing.alphabet import outside_gsm
from sampan.composing.parts import Measured, measure
from sampan.interfaces.portal.access import Member, for_writers, page
from sampan.interfaces.portal.as_read import AsRead, as_read
from sampan.interfaces.portal.compose_form import ComposeForm
from sampan.interfaces.portal.options import Estimate, Group, Options, estimate
from sampan.interfaces.words import EVERY
from sampan.messages import drafts
from sampan.messages.planning import THIS_PLATFORM, plan, terms_in_force
from sampan.messages.tables import ComposeDraft, ComposeList
from sampan.reasons import Refused
from sampan.uploads.columns import at, letter_of
from sampan.uploads.reading import Row

MOST_OFFENDERS_SHOWN = 12  # as composer.mjs
GAUGE_BARS = 3
MOST_COLUMNS_SHOWN = 40
ROWS_SHOWN = 6
UNPROCESSABLE = 422


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def compose(request: HttpRequest, member: Member, draft_id: UUID | None = None) -> HttpResponse:
    """The page, with or without a draft; and what its buttons do."""
    draft = own_draft(member, draft_id) if draft_id else None
    if draft and (batch_id := drafts.batch_of(member.conn, draft)):
        return redirect("batch", batch_id)
    options = options_of(member, timezone.now())
    if request.method != "POST":
        form = ComposeForm.of(options, draft, checked="check" in request.GET)
        if draft and form.is_valid():
            _check(member, form, draft)
        return _show(request, member, form, draft)
    draft = draft or drafts.new_draft(member.person, options.now)
    return _act(request, member, ComposeForm(options, request.POST, request.FILES), draft)


def own_draft(member: Member, draft_id: UUID) -> ComposeDraft:
    """A draft of the member's organisation; 404 for any other."""
    draft = ComposeDraft.objects.filter(id=draft_id, customer_id=member.customer.id).first()
    if draft is None:
        raise Http404
    return draft


def options_of(member: Member, now: datetime) -> Options:
    """What the member's organisation may choose now."""
    return Options(member.customer, terms_in_force(member.conn, THIS_PLATFORM), now)


def _act(request: HttpRequest, member: Member, form: ComposeForm, draft: ComposeDraft) -> HttpResponse:
    """Keep what was typed; then do what the button says, unless something stands against it."""
    act, _, list_id = request.POST.get("do", "review").partition("-")
    form.is_valid()
    form.save(draft)
    if act == "remove":
        draft.lists.filter(id=list_id if list_id.isdecimal() else 0, source=ComposeDraft.Source.FILE).delete()
    if act == "review":
        _check(member, form, draft)
    if form.errors:
        return _show(request, member, form, draft, status=UNPROCESSABLE)
    if act == "review":
        return redirect("review", draft.id)
    if act == "column" and list_id.isdecimal():
        return redirect("column", draft.id, int(list_id))
    if act == "draft":
        return redirect("home")
    return redirect("draft", draft.id)


def _check(member: Member, form: ComposeForm, draft: ComposeDraft) -> None:
    """Everything that would refuse the review, each beside its field."""
    found = drafts.numbers_of(draft)
    groups = form.options.groups(found.numbers)
    form.check_whole(
        draft,
        numbers=len(found.numbers),
        has_china=any(group.is_china for group in groups),
        has_others=any(not group.is_china for group in groups),
    )
    if form.errors:
        return
    try:
        plan(drafts.as_submitted(draft, member.customer, found), form.options.terms, form.options.now)
    except Refused as refused:
        form.refuse(refused)


class Counter(NamedTuple):
    """What the live counter shows, for those without script."""

    measured: Measured
    bars: list[tuple[int, int]]  # value and most of each
    offenders: list[tuple[str, str, int]]  # character, code point, how often
    more_offenders: int


def counter_of(text: str) -> Counter:
    """The counter for a text, with its footer, that is not to China."""
    measured = _measured(text)
    lengths = [*measured.part_lengths, *[0] * GAUGE_BARS][:GAUGE_BARS]
    most = measured.room // max(1, min(measured.units, GAUGE_BARS))
    offenders = [
        (char.strip() or f"U+{ord(char):04X}", f"U+{ord(char):04X}", n) for char, n in outside_gsm(text).items()
    ]
    return Counter(
        measured,
        [(length, most) for length in lengths],
        offenders[:MOST_OFFENDERS_SHOWN],
        max(0, len(offenders) - MOST_OFFENDERS_SHOWN),
    )


def _measured(text: str, *, china: bool = False) -> Measured:
    try:
        return measure(text, china=china)
    except Refused:  # a character that cannot be sent; its error stands above the text
        return measure("", china=china)


class Seen(NamedTuple):
    """What the page says of the numbers and the text."""

    numbers: drafts.Numbers
    files: list[ComposeList]
    groups: list[Group]
    estimate: Estimate
    counter: Counter
    china: Measured | None
    groups_json: str
    seen: AsRead
    field_names: list[str]
    seen_groups: list[int]
    in_groups: bool  # the numbers are those of groups


def _show(
    request: HttpRequest, member: Member, form: ComposeForm, draft: ComposeDraft | None, *, status: int = 200
) -> HttpResponse:
    return page(
        request,
        member,
        "portal/compose.html",
        status=status,
        here="compose",
        form=form,
        draft=draft,
        options=form.options,
        limits=drafts.LIMITS,
        now=form.options.now,
        platform=form.options.terms.platform,
        repeats=list(EVERY.items()),
        **_seen(form, draft)._asdict(),
    )


def _seen(form: ComposeForm, draft: ComposeDraft | None) -> Seen:
    text = str(form["text"].value() or "").replace("\r\n", "\n")
    typed = form.typed(draft)
    numbers = drafts.numbers_of(typed)
    files = _files(draft) if draft else []
    groups = form.options.groups(numbers.numbers)
    seen = as_read(form.options, typed, numbers, groups)
    counter, china = counter_of(text + seen.footer), _measured(text + seen.china_footer, china=True)
    route = str(form["route"].value() or "")
    about = [{"messages": group.messages, "china": group.is_china, "unitPips": group.unit_pips} for group in groups]
    return Seen(
        numbers,
        files,
        groups,
        seen.personal.estimate if seen.personal else estimate(groups, route, counter.measured, china),
        counter,
        china if any(group.is_china for group in groups) else None,
        json.dumps(about),
        seen,
        drafts.field_names_of(typed),
        typed.group_ids,
        _in_groups(typed),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def live(request: HttpRequest, member: Member, draft_id: UUID | None = None) -> HttpResponse:
    """The text as it will be read, while it is typed: a part of the page, for its script. Nothing is kept."""
    draft = own_draft(member, draft_id) if draft_id else None
    options = options_of(member, timezone.now())
    form = ComposeForm(options, request.POST) if request.method == "POST" else ComposeForm.of(options, draft)
    typed = form.typed(draft)
    found = drafts.numbers_of(typed)
    seen = as_read(form.options, typed, found, form.options.groups(found.numbers))
    context = {
        "seen": seen,
        "numbers": found,
        "field_names": drafts.field_names_of(typed),
        "in_groups": _in_groups(typed),
    }
    return render(request, "portal/as-read.html", context)


def _in_groups(draft: ComposeDraft) -> bool:
    return draft.source == ComposeDraft.Source.GROUPS


def _files(draft: ComposeDraft) -> list[ComposeList]:
    """The files without what they hold; with their `size`, in octets."""
    size = Func("octets", function="octet_length", output_field=IntegerField())
    files = draft.lists.filter(source=ComposeDraft.Source.FILE).annotate(size=size)
    return list(files.defer("octets", "numbers", "bad_rows").order_by("id"))


@require_http_methods(["GET", "HEAD", "POST"])
@for_writers
def column(request: HttpRequest, member: Member, draft_id: UUID, list_id: int) -> HttpResponse:
    """Which column of a file holds the numbers, where it is another than we found."""
    draft = own_draft(member, draft_id)
    known = draft.lists.filter(id=list_id, source=ComposeDraft.Source.FILE).first()
    if known is None:
        raise Http404
    given = request.POST if request.method == "POST" else request.GET
    sheet = given.get("sheet", known.sheet)
    try:
        rows = drafts.rows_of(known, sheet)
        if request.method == "POST" and (chosen := request.POST.get("column", "")).isdecimal():
            drafts.choose_column(known, sheet=rows.sheet, column=min(int(chosen), rows.columns - 1))
            return redirect("draft", draft.id)
    except Refused as refused:
        raise Http404 from refused  # a sheet that is not there
    context: dict[str, Any] = {
        "draft": draft,
        "known": known,
        "rows": rows,
        "columns": _columns(rows.first(ROWS_SHOWN), min(rows.columns, MOST_COLUMNS_SHOWN)),
    }
    return page(request, member, "portal/column.html", here="compose", **context)


class Column(NamedTuple):
    """A column of a file to choose from, with what its first rows hold."""

    place: int
    letter: str
    samples: list[str]


def _columns(first: list[Row], count: int) -> list[Column]:
    return [
        Column(index, letter_of(index), [str(cell) if (cell := at(row, index)) is not None else "" for row in first])
        for index in range(count)
    ]
