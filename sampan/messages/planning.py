"""From a draft to a plan: everything that can refuse, nothing written. Preview, price and acceptance all use it.

The order of the checks is that of the HTTP API (http_api.md): account, sender ID, numbers, text, time, filters, price.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import ParamSpec, TypeVar

import msgspec

from sampan import settings
from sampan.accounts.customers import CustomerFacts
from sampan.accounts.tables import LONGEST_VALIDITY_MINUTES, SHORTEST_VALIDITY_MINUTES, Customer
from sampan.billing.prices import PriceList, price_list
from sampan.compliance.footers import NO_FOOTERS, Footers
from sampan.compliance.law import Law, law_in_force
from sampan.compliance.screening import NOTHING, Asked, Screened
from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed
from sampan.database import Connection
from sampan.messages.moments import start_of
from sampan.messages.personal import Fields, OwnTexts, Worded, Wording, own_texts, own_words, wording
from sampan.messages.tables import Purpose, Source, Status
from sampan.messages.ways import Way, region_of, way_to
from sampan.reasons import Reason, Refused
from sampan.routing.directory import ECONOMIC_ROUTE, DestinationFacts, Directory, directory
from sampan.routing.numbers import parse_international
from sampan.routing.tables import Destination

P = ParamSpec("P")
R = TypeVar("R")
Region = Destination.Region

PROMOTIONAL_SEND_BY = timedelta(hours=24)  # spec S70
MOST_RECIPIENTS = 1_000_000
TEST_OPERATOR = 0  # no operator has this id: what is queued for it goes to nobody (trying.py)


@dataclass(frozen=True, slots=True)
class Platform:
    """What this installation says of itself."""

    signature: str  # before texts to China, where the customer has none of its own (spec S90)
    sender: str  # what trial accounts send from (spec S87)


THIS_PLATFORM = Platform(settings.PLATFORM_SIGNATURE, settings.PLATFORM_SENDER)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One submission as a door understood it; every door makes the same thing.

    Where it has `fields`, a row of them for each of `recipients`, its text is a template (composing/template.py).
    """

    customer: CustomerFacts
    source: Source
    recipients: Sequence[str | int]  # ints are known to be mobiles already; texts are country code and number
    text: str
    fields: Sequence[Fields] | None = None  # spec S4
    sender: str = ""
    person_id: int | None = None
    purpose: Purpose | None = None
    route: str = ""  # a route's code, where the sender chose one
    coding: Coding | None = None  # forced (spec S3)
    scheduled_at: datetime | None = None
    validity_minutes: int | None = None
    register_filter: bool | None = None
    client_reference: str = ""
    name: str = ""
    may_fall_short: bool = False  # a scheduled one that need not fit the balance yet (spec S81): a run of a series
    all_or_nothing: bool = False  # one recipient that cannot be served refuses the whole (the HTTP API)

    @property
    def is_test(self) -> bool:
        """Whether it goes to nobody, and is free (spec S123)."""
        return self.source == Source.TEST


class Kind(msgspec.Struct, frozen=True):
    """What messages of one plan have in common: where they go, at what price, and whether they go at all.

    Of personal texts `composed` is the first of the kind; all of it have as many units and parts, of one coding.
    """

    destination_id: int
    route_id: int | None
    operator_id: int | None
    composed: Composed
    unit_pips: int
    reason: Reason | None  # why it is not sent, and free

    @property
    def status(self) -> Status:
        """As the message begins, were it free to go."""
        return Status.UPLOAD_SUCCESS if self.reason is None else Status.UNDELIVERABLE

    @property
    def units(self) -> int:
        """Charge units of one message, sent or not."""
        return self.composed.units

    @property
    def price_pips(self) -> int:
        """Of one message."""
        return 0 if self.reason else self.units * self.unit_pips


class Plan(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A draft with each recipient's kind: what will be sent, filtered and charged (spec S2)."""

    draft: Draft
    recipients: list[int]  # each once
    repeats: list[int]  # for each recipient as given its place in `recipients`
    kinds: list[Kind]
    kind_of: list[int]  # for each recipient the place of its kind
    purpose: Purpose
    sender: str
    signature: str
    validity_minutes: int
    scheduled_at: datetime | None  # None: now
    send_by: datetime
    footers: Footers = NO_FOOTERS  # what is added to the text, by region (spec S95)
    own: OwnTexts | None = None  # where each recipient has its own (spec S4)
    illegal_words: str = ""  # that keep the text from China (spec S91)
    screened: Screened = NOTHING  # whom the law keeps it from, by what register (spec S93)

    @cached_property
    def counts(self) -> Counter[int]:
        """How many recipients each kind has."""
        return Counter(self.kind_of) if len(self.kinds) > 1 else Counter({0: len(self.kind_of)})

    @property
    def messages(self) -> int:
        """How many will be sent."""
        return sum(count for place, count in self.counts.items() if self.kinds[place].reason is None)

    @property
    def units(self) -> int:
        """Charge units of all that will be sent."""
        return sum(c * self.kinds[place].units for place, c in self.counts.items() if self.kinds[place].reason is None)

    @property
    def price_pips(self) -> int:
        """The total charge."""
        return sum(count * self.kinds[place].price_pips for place, count in self.counts.items())


@dataclass(frozen=True)
class Terms:
    """Routes, prices and the platform's own words, as they are in force."""

    directory: Directory
    prices: PriceList
    platform: Platform
    law: Law


def terms_in_force(conn: Connection, platform: Platform) -> Terms:
    """The terms, from memory where they have not changed."""
    return Terms(directory.get(conn), price_list.get(conn), platform, law_in_force(conn))


def plan(draft: Draft, terms: Terms, now: datetime) -> Plan:
    """What would become of a draft submitted now. Raises Refused where the whole of it cannot be accepted."""
    (planned,) = plan_all([draft], terms, now)
    if isinstance(planned, Refused):
        raise planned
    return planned


def plan_all(drafts: Sequence[Draft], terms: Terms, now: datetime) -> list[Plan | Refused]:
    """Each draft planned or refused by itself; whom the law keeps their texts from is asked once for all of them."""
    located = [_tried(_locate, draft, terms, now) for draft in drafts]
    asked = [each.asked for each in located if not isinstance(each, Refused)]
    screened = iter(terms.law.screen(asked, now) if asked else ())
    return [
        each if isinstance(each, Refused) else _tried(_planned, each, next(screened), terms, now) for each in located
    ]


def _tried(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | Refused:
    try:
        return work(*args, **kwargs)
    except Refused as refused:
        return refused


class _Located(msgspec.Struct, frozen=True):
    """A draft whose numbers and ways are known."""

    draft: Draft
    purpose: Purpose
    sender: str
    numbers: list[int]
    repeats: list[int]
    destinations: list[DestinationFacts | None]
    ways: dict[DestinationFacts | None, Way]

    @property
    def asked(self) -> Asked:
        """What the law is asked about it."""
        customer = self.draft.customer
        return Asked(
            customer.id,
            self.numbers,
            self.purpose == Purpose.PROMOTIONAL,
            self.draft.register_filter,
            any(region_of(destination) == Region.CHINA for destination in self.ways),
        )

    @property
    def regions(self) -> set[Destination.Region]:
        """Where a route takes it."""
        return {region_of(destination) for destination, way in self.ways.items() if way.reason is None}


def _locate(draft: Draft, terms: Terms, now: datetime) -> _Located:
    if draft.customer.status in (Customer.Status.SUSPENDED, Customer.Status.CLOSED):
        raise Refused(Reason.ACCOUNT_DISABLED, "customer")
    sender = _sender(draft, terms)
    numbers, repeats = _numbers(draft.recipients)
    destinations = terms.directory.locate_many(numbers)
    chosen = terms.directory.routes_by_code.get(draft.route)
    at = max(draft.scheduled_at or now, now)
    ways = {
        place: way_to(place, chosen, terms.directory, terms.prices, sender=sender, customer=draft.customer, at=at)
        for place in dict.fromkeys(destinations)
    }
    if draft.all_or_nothing and Reason.SENDER_NOT_POSSIBLE in {way.reason for way in ways.values()}:
        raise Refused(Reason.SENDER_NOT_POSSIBLE, "sender", draft.sender)
    return _Located(draft, purpose_of(draft), sender, numbers, repeats, destinations, ways)


def _planned(located: _Located, screened: Screened, terms: Terms, now: datetime) -> Plan:
    draft, purpose = located.draft, located.purpose
    is_promotional = purpose == Purpose.PROMOTIONAL
    own = own_texts(draft.text, draft.fields, located.numbers, located.repeats)
    footers = NO_FOOTERS
    if is_promotional:
        says = own_words(draft.text, own)
        footers = terms.law.footers(draft.customer, says, located.sender, located.regions)
    signature = terms.law.signatures.get(draft.customer.id, terms.platform.signature)
    worded = wording(
        draft.text,
        own,
        located.numbers,
        located.destinations,
        terms.law,
        coding=draft.coding,
        footers=footers,
        signature=signature,
    )
    scheduled_at = start_of(draft.scheduled_at, draft.customer, purpose, now)
    validity = _validity_minutes(draft)
    illegal_words = _illegal_words(draft, worded)
    to_china = any(region_of(destination) == Region.CHINA for destination in located.ways)
    kinds, kind_of = _kinds(located, worded, screened)
    return Plan(
        draft=draft,
        recipients=located.numbers,
        repeats=located.repeats,
        kinds=kinds,
        kind_of=kind_of,
        purpose=purpose,
        sender=located.sender,
        signature=signature if to_china else "",
        validity_minutes=validity,
        scheduled_at=scheduled_at,
        send_by=(scheduled_at or now) + longest_wait(purpose, validity),
        footers=footers,
        own=own,
        illegal_words=illegal_words,
        screened=screened,
    )


def purpose_of(draft: Draft) -> Purpose:
    """What the text is for: as staff have fixed it, as the sender says, else by the account's settings (spec S93)."""
    customer = draft.customer
    if customer.promotional_only:
        return Purpose.PROMOTIONAL
    if draft.purpose is not None:
        return draft.purpose
    if draft.route == ECONOMIC_ROUTE:
        return Purpose(customer.economic_purpose)
    return Purpose(customer.portal_purpose if draft.source == Source.PORTAL else customer.api_purpose)


def _illegal_words(draft: Draft, worded: Wording) -> str:
    """Those of the texts as China gets them; at the HTTP API they refuse the whole call (spec S91)."""
    texts = worded.values() if isinstance(worded, dict) else worded
    found = ", ".join(dict.fromkeys(each.illegal for each in texts if each.illegal))
    if found and draft.all_or_nothing:
        raise Refused(Reason.ILLEGAL_WORD, "text", found)
    return found


def _sender(draft: Draft, terms: Terms) -> str:
    """The sender ID the message will show where it can show one; "" where the sender chose to show none."""
    chosen = terms.directory.routes_by_code.get(draft.route)
    if draft.route and chosen is None:
        raise Refused(Reason.NO_ROUTE, "route", draft.route)
    if draft.customer.status == Customer.Status.TRIAL:
        return terms.platform.sender
    anonymous = not draft.sender and chosen is not None and not chosen.own_sender
    if not anonymous and draft.sender not in draft.customer.senders:
        raise Refused(Reason.SENDER_NOT_YOURS, "sender", draft.sender)
    return draft.sender


def _numbers(given: Sequence[str | int]) -> tuple[list[int], list[int]]:
    """Each number once, in order, and for each as given its place among them: nobody gets one text twice."""
    if not given:
        raise Refused(Reason.NO_RECIPIENT, "recipients")
    if len(given) > MOST_RECIPIENTS:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, "recipients", str(len(given)))
    numbers = [each if isinstance(each, int) else parse_international(each) for each in given]
    places: dict[int, int] = {}
    repeats = [places.setdefault(number, len(places)) for number in numbers]
    return list(places), repeats


def longest_wait(purpose: Purpose, validity_minutes: int) -> timedelta:
    """How long a message may wait for an operator from the moment it is free to go (spec S70).

    Never longer than 24 h: so what could refuse it is asked again before it has waited longer (spec S97).
    """
    return timedelta(minutes=validity_minutes) if purpose == Purpose.TRANSACTIONAL else PROMOTIONAL_SEND_BY


def _validity_minutes(draft: Draft) -> int:
    minutes = draft.validity_minutes
    if minutes is None:
        return draft.customer.validity_minutes
    if not SHORTEST_VALIDITY_MINUTES <= minutes <= LONGEST_VALIDITY_MINUTES:
        raise Refused(Reason.BAD_VALIDITY, "validity_minutes", str(minutes))
    return minutes


def _kinds(located: _Located, worded: Wording, screened: Screened) -> tuple[list[Kind], list[int]]:
    """The kinds, and for each number the place of its own."""
    draft, ways = located.draft, located.ways
    marks = None if isinstance(worded, dict) else [_mark(each) for each in worded]
    kinds: list[Kind] = []
    places: dict[tuple[object, ...], int] = {}
    kind_of = []
    for place, (number, destination) in enumerate(zip(located.numbers, located.destinations, strict=True)):
        route = ways[destination].route
        operator_id = TEST_OPERATOR if draft.is_test else route.operator_for(number) if route else None
        barred = _barred(draft, number) or screened.reasons.get(number)
        key = destination, operator_id, barred, marks and marks[place]
        if key not in places:
            places[key] = len(kinds)
            text = worded[region_of(destination)] if isinstance(worded, dict) else worded[place]
            kinds.append(_kind(draft, ways[destination], text, operator_id, barred))
        kind_of.append(places[key])
    return kinds, kind_of


def _mark(text: Worded) -> tuple[object, ...]:
    """What texts of one kind have in common."""
    return text.composed.coding, text.composed.units, len(text.composed.parts), bool(text.illegal)


def _barred(draft: Draft, number: int) -> Reason | None:
    """Why this very number is not sent to."""
    own_only = draft.customer.status == Customer.Status.TRIAL and not draft.is_test
    return Reason.TRIAL_RECIPIENT if own_only and number != draft.customer.verified_mobile else None


def _kind(draft: Draft, way: Way, text: Worded, operator_id: int | None, barred: Reason | None) -> Kind:
    limit = draft.customer.message_limit_pips
    unit_pips = 0 if draft.is_test else way.unit_pips
    over = limit is not None and text.composed.units * unit_pips > limit  # spec S84
    word = Reason.ILLEGAL_WORD if text.illegal else None
    return Kind(
        destination_id=way.destination.id if way.destination else 0,
        route_id=way.route.id if way.route else None,
        operator_id=operator_id,
        composed=text.composed,
        unit_pips=unit_pips,
        reason=way.reason or barred or word or (Reason.OVER_MESSAGE_LIMIT if over else None),
    )
