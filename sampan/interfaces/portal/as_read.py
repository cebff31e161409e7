"""The text as people will read it, while it is composed: its footer, the first personal ones (spec S4, S20, S95)."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise
from msgspec.structs import replace

from sampan.compliance.footers import NO_FOOTERS, Footers, with_footer
from sampan.composing.template import is_template, read_template
from sampan.interfaces.portal.options import Estimate, Group, Options
from sampan.interfaces.portal.review_law import added
from sampan.interfaces.words import words_of_refusal
from sampan.messages import drafts
from sampan.messages.drafts import Numbers
from sampan.messages.planning import Plan, plan, purpose_of
from sampan.messages.tables import ComposeDraft, Purpose
from sampan.messages.ways import region_of
from sampan.reasons import Refused
from sampan.routing.directory import Directory
from sampan.routing.tables import Destination

ROWS_READ = 1_000  # while somebody types; the review reads all
TEXTS_SHOWN = 3
Region = Destination.Region


class Sample(NamedTuple):
    """One recipient's text, with all that is added to it."""

    number: int
    text: str
    units: int


class Personal(NamedTuple):
    """What personal texts come to, of the recipients that were looked at."""

    samples: list[Sample]
    least: int  # charge units of one message
    most: int
    rows: int
    estimate: Estimate  # of all

    @property
    def units(self) -> str:
        """Of one message, for people to read."""
        return str(self.least) if self.least == self.most else f"{self.least}–{self.most}"


class AsRead(NamedTuple):
    """What is added to the text, what a personal one becomes, or why it cannot be."""

    footer: str  # after a text that does not go to China: the longest that somebody gets
    china_footer: str
    added: list[tuple[Promise, str]]
    is_personal: bool
    personal: Personal | None
    refused: str

    @property
    def units(self) -> str:
        """Charge units of one personal text, where they are known."""
        return self.personal.units if self.personal else "–"


def as_read(options: Options, draft: ComposeDraft, found: Numbers, groups: Iterable[Group]) -> AsRead:
    """The draft's text for its numbers, `groups` of them by destination; its footer where there are none yet."""
    regions = {region_of(group.destination) for group in groups} or {Region.HONG_KONG}
    footers, personal, refused = NO_FOOTERS, None, ""
    try:
        footers = _footers(options, draft, found, regions)
        if found.fields and draft.text.strip():
            personal = _personal(options, draft, found)
    except Refused as caught:
        refused = words_of_refusal(caught) if caught.field == "text" else ""
    others = [with_footer("", footers, region) for region in regions - {Region.CHINA}]
    return AsRead(
        max(others, key=len, default=""),
        with_footer("", footers, Region.CHINA),
        added(footers, regions),
        is_template(draft.text),
        personal,
        refused,
    )


def _footers(options: Options, draft: ComposeDraft, found: Numbers, regions: set[Region]) -> Footers:
    says = read_template(draft.text).own_words if is_template(draft.text) else draft.text
    if purpose_of(drafts.as_submitted(draft, options.customer, found)) != Purpose.PROMOTIONAL or not says.strip():
        return NO_FOOTERS
    return options.terms.law.footers(options.customer, says, draft.sender, regions)


def _personal(options: Options, draft: ComposeDraft, found: Numbers) -> Personal:
    submitted = drafts.as_submitted(draft, options.customer, found)
    first, rows = found.numbers[:ROWS_READ], (found.fields or [])[:ROWS_READ]
    planned = plan(replace(submitted, recipients=first, fields=rows, scheduled_at=None), options.terms, options.now)
    kinds = [planned.kinds[place] for place in planned.kind_of]
    units = [kind.units for kind in kinds]
    whole = len(found.numbers) / len(first)
    price_pips = sum(kind.units * kind.unit_pips for kind in kinds)
    estimate = Estimate(len(found.numbers), round(sum(units) * whole), round(price_pips * whole))
    return Personal(samples(planned, options.terms.directory), min(units), max(units), len(first), estimate)


def samples(planned: Plan, directory: Directory) -> list[Sample]:
    """The first texts of a plan of personal ones that will be sent."""
    if planned.own is None:
        return []
    shown = []
    for number, place, text in zip(planned.recipients, planned.kind_of, planned.own.texts, strict=True):
        kind = planned.kinds[place]
        if kind.reason is None:
            region = region_of(directory.destinations.get(kind.destination_id))
            shown.append(Sample(number, with_footer(text, planned.footers, region), kind.units))
        if len(shown) == TEXTS_SHOWN:
            break
    return shown
