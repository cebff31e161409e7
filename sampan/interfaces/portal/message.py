"""One message: its status in words, its parts and their times, its money (spec S73)."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from sampan.composing.alphabet import Coding, encode
from sampan.composing.parts import compose
from sampan.dispatch.parts import PartResult, part_results
from sampan.interfaces.portal.access import Member, for_members, page
from sampan.interfaces.portal.batch import Event
from sampan.interfaces.tags import moment, price, reason_words
from sampan.interfaces.words import STATUSES
from sampan.messages.reports.messages import MessageFacts, message
from sampan.messages.reports.shown import Shown
from sampan.routing.tables import Destination

# What kind of note begins the page, by status: its class and its icon.
NOTES = {
    Shown.DELIVERED: ("good", "tick"),
    Shown.RETRY: ("warn", "info"),
    Shown.UNKNOWN: ("warn", "info"),
    Shown.EXPIRED: ("warn", "warning"),
    Shown.UNDELIVERABLE: ("bad", "warning"),
    Shown.UPLOAD_FAILED: ("bad", "warning"),
}


class Part(NamedTuple):
    """One part as the page shows it; `result` where it was handed over."""

    number: int
    text: str
    length: int
    shown: Shown
    result: PartResult | None


@require_safe
@for_members
def show_message(request: HttpRequest, member: Member, message_id: int) -> HttpResponse:
    """The page of one message."""
    facts = message(member.conn, member.customer.id, message_id)
    if facts is None:
        raise Http404
    results = part_results(member.conn, message_id)
    kind, icon = NOTES.get(facts.shown, ("", "info"))
    expires_at = facts.taken_at + timedelta(minutes=facts.validity_minutes) if facts.taken_at else None
    return page(
        request,
        member,
        "portal/message.html",
        here="results",
        message=facts,
        is_china=facts.region == Destination.Region.CHINA,
        parts=_parts(facts, results),
        history=_history(facts, results),
        note_kind=kind,
        note_icon=icon,
        note=_note(facts, expires_at),
        expires_at=expires_at,
    )


def _parts(facts: MessageFacts, results: Mapping[int, PartResult]) -> list[Part]:
    """All parts of the text, with what became of those that were handed over."""
    if not facts.parts:
        return []
    coding = Coding(facts.coding)
    china = facts.region == Destination.Region.CHINA
    texts = compose(facts.text, china=china, coding=coding, signature=facts.signature if china else "").parts
    # A part that was not handed over waits, or ended with its message (spec S73).
    otherwise = facts.shown if facts.final_at or facts.shown == Shown.SCHEDULING else Shown.WAITING
    parts = []
    for number, text in enumerate(texts, 1):
        in_one = results.get(1) if facts.taken_parts >> number - 1 & 1 else None  # all parts in one submit_sm
        result = results.get(number) or in_one
        length = len(encode(text, coding)) // (1 if coding is Coding.GSM7 else 2)
        parts.append(Part(number, text, length, result.shown if result else otherwise, result))
    return parts


def _note(facts: MessageFacts, expires_at: datetime | None) -> str:
    """One or two sentences: where it is, why, and what follows."""
    reason = f"{reason_words(facts.reason)} ({facts.reason.shown})."
    notes = {
        Shown.DELIVERED: _("It is on the handset."),
        Shown.SENT: _("Sent; this route gives no receipt, so nobody can say whether it is on the handset."),
        Shown.PROCESSING: _("It is with the operator; no receipt has come yet."),
        Shown.RETRY: f"{reason} {_('The operator tries again until %s. Retries are free.') % moment(expires_at)}",
        Shown.UNKNOWN: _(
            "It was handed over and no answer came. It is not sent again; its price stays held until it settles."
        ),
        Shown.WAITING: _("It waits its turn. Nothing has been charged yet."),
        Shown.SCHEDULING: _("It waits for %s, Hong Kong time. Nothing is held until then.")
        % moment(facts.scheduled_at),
        Shown.FILTERED: f"{reason} {_('It was not sent, and is free.')}",
    }
    charged = _("It was charged, because the operator took it.") if facts.charged_pips else _("It was not charged.")
    return notes.get(facts.shown, f"{reason} {charged}")


def _history(facts: MessageFacts, results: Mapping[int, PartResult]) -> list[Event]:
    """What happened, the latest first."""
    amount = price(facts.price_pips)
    events = [Event(facts.created_at, "", _("Accepted"))]
    if facts.is_held_or_settled and facts.started_at:
        held = _("Accepted, %s held") if facts.scheduled_at is None else _("Came due, %s held")
        event = Event(facts.started_at, "", held % amount)
        events = [event] if facts.scheduled_at is None else [*events, event]
    if facts.taken_at:
        taken = _("Taken by the operator")
        charged = _("%s charged") % price(facts.charged_pips) if facts.charged_pips else ""
        events.append(Event(facts.taken_at, "", ", ".join(filter(None, (taken, charged)))))
    for result in results.values():
        if result.receipt_at:
            words = _("Part %(part)s: %(status)s") % {"part": result.part, "status": STATUSES[result.shown].word}
            under = f"{result.reason.shown} {reason_words(result.reason)}" if reason_words(result.reason) else ""
            kind = "done" if result.shown == Shown.DELIVERED else "trouble"
            events.append(Event(result.receipt_at, kind, words, under))
    if facts.final_at and facts.shown not in (Shown.DELIVERED, Shown.SENT):
        events.append(Event(facts.final_at, "trouble", f"{STATUSES[facts.shown].word}", reason_words(facts.reason)))
    return sorted(events, key=lambda event: event.at, reverse=True)
