"""What the review says of the law: words barred in China, what a promotional text lacks and is given (S91, S95)."""

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.functional import Promise

from sampan.compliance.footers import Footers, with_footer
from sampan.compliance.law import Law
from sampan.composing.parts import Measured, measure
from sampan.interfaces.compliance_words import MISSING
from sampan.interfaces.portal.promotions import REGION_WORDS
from sampan.messages.personal import own_words
from sampan.messages.planning import Plan
from sampan.messages.tables import Purpose
from sampan.routing.tables import Destination

Region = Destination.Region


class Length(NamedTuple):
    """How long the text is where it goes, with all that is added to it."""

    is_china: bool
    measured: Measured


class Said(NamedTuple):
    """What the review says."""

    illegal_words: str
    missing: list[Promise]
    added: list[tuple[Promise, str]]  # to where, and what


def lengths(plan: Plan, regions: set[Destination.Region]) -> list[Length]:
    """To China, and elsewhere where its footer is the longest; personal texts have no one length."""
    if plan.own:
        return []
    shown: dict[bool, Measured] = {}
    for region in regions:
        is_china = region == Region.CHINA
        measured = measure(with_footer(plan.draft.text, plan.footers, region), china=is_china)
        if is_china not in shown or measured.units > shown[is_china].units:
            shown[is_china] = measured
    return [Length(is_china, shown[is_china]) for is_china in sorted(shown)]


def said(law: Law, plan: Plan, regions: Iterable[Destination.Region]) -> Said:
    """Of a plan whose messages go to these regions."""
    regions = set(regions)
    lacks = (
        law.missing(plan.draft.customer, own_words(plan.draft.text, plan.own), plan.sender, regions)
        if plan.purpose == Purpose.PROMOTIONAL
        else []
    )
    return Said(plan.illegal_words, [MISSING[each] for each in lacks], added(plan.footers, regions))


def added(footers: Footers, regions: Iterable[Destination.Region]) -> list[tuple[Promise, str]]:
    """To where, and what, is added to the text; Macau gets what Hong Kong gets."""
    shown = {Region.HONG_KONG if region == Region.MACAU else region for region in regions}
    texts = [(REGION_WORDS[region], with_footer("", footers, region).strip()) for region in sorted(shown)]
    return [(words, text) for words, text in texts if text]
