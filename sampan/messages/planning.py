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
from sampan.compliance.footers import NO_FOOTERS, Footers, with_footer
from sampan.compliance.law import Law, law_in_force
from sampan.compliance.screening import NOTHING, Asked, Screened
from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed
from sampan.database import Connection
from sampan.messages.tables import Purpose, Source, Status
from sampan.messages.ways import Texts, Way, region_of, texts_for, way_to
from sampan.reasons import Reason, Refused
from sampan.routing.directory import ECONOMIC_ROUTE, DestinationFacts, Directory, directory
from sampan.routing.numbers import parse_international
from sampan.routing.tables import Destination

P = ParamSpec("P")
R = TypeVar("R")
Region = Destination.Region

FURTHEST_AHEAD_YEARS = 5  # spec S50
PROMOTIONAL_SEND_BY = timedelta(hours=24)  # spec S70
MOST_RECIPIENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Platform:
    """What this installation says of itself."""

    signature: str  # before texts to China, where the customer has none of its own (spec S90)
    sender: str  # what trial accounts send from (spec S87)


THIS_PLATFORM = Platform(settings.PLATFORM_SIGNATURE, settings.PLATFORM_SENDER)


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One submission as a door understood it; every door makes the same thing."""

    customer: CustomerFacts
    source: Source
    recipients: Sequence[str | int]  # ints are known to be mobiles already; texts are country code and number
    text: str
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


class Kind(msgspec.Struct, frozen=True):
    """What messages of one plan have in common: where they go, at what price, and whether they go at all."""

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
    footers = terms.law.footers(draft.customer, draft.text) if is_promotional else NO_FOOTERS
    signature = terms.law.signatures.get(draft.customer.id, terms.platform.signature)
    texts = texts_for(draft.text, located.ways, coding=draft.coding, footers=footers, signature=signature)
    scheduled_at = _after_quiet_hours(draft.customer, purpose, _scheduled_at(draft, now), now)
    validity = _validity_minutes(draft)
    illegal_words = _illegal_words(draft, footers, terms.law) if Region.CHINA in texts else ""
    kinds, kind_of = _kinds(located, texts, screened, illegal=bool(illegal_words))
    return Plan(
        draft=draft,
        recipients=located.numbers,
        repeats=located.repeats,
        kinds=kinds,
        kind_of=kind_of,
        purpose=purpose,
        sender=located.sender,
        signature=signature if Region.CHINA in texts else "",
        validity_minutes=validity,
        scheduled_at=scheduled_at,
        send_by=(scheduled_at or now) + longest_wait(purpose, validity),
        footers=footers,
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


def _illegal_words(draft: Draft, footers: Footers, law: Law) -> str:
    """Those of the text as China gets it; at the HTTP API they refuse the whole call (spec S91)."""
    found = law.illegal_words(with_footer(draft.text, footers, Region.CHINA))
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


def _scheduled_at(draft: Draft, now: datetime) -> datetime | None:
    """None for now; a time that has passed means now (spec S50)."""
    if draft.scheduled_at is None or draft.scheduled_at <= now:
        return None
    if draft.scheduled_at > latest_schedule(now):
        raise Refused(Reason.TOO_FAR_AHEAD, "scheduled_at", draft.scheduled_at.isoformat())
    return draft.scheduled_at


def latest_schedule(now: datetime) -> datetime:
    """The furthest ahead that something may be scheduled (spec S50)."""
    try:
        return now.replace(year=now.year + FURTHEST_AHEAD_YEARS)
    except ValueError:  # 29 February
        return now.replace(year=now.year + FURTHEST_AHEAD_YEARS, day=28)


def _after_quiet_hours(
    customer: CustomerFacts, purpose: Purpose, scheduled_at: datetime | None, now: datetime
) -> datetime | None:
    """A promotional text that would start in quiet hours starts when they end (spec S54)."""
    if purpose != Purpose.PROMOTIONAL or customer.quiet_hours is None:
        return scheduled_at
    return customer.quiet_hours.end_after(scheduled_at or now) or scheduled_at


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


def _kinds(located: _Located, texts: Texts, screened: Screened, *, illegal: bool) -> tuple[list[Kind], list[int]]:
    """The kinds, and for each number the place of its own."""
    draft, ways = located.draft, located.ways
    kinds: list[Kind] = []
    places: dict[tuple[DestinationFacts | None, int | None, Reason | None], int] = {}
    kind_of = []
    for number, destination in zip(located.numbers, located.destinations, strict=True):
        route = ways[destination].route
        barred = _barred(draft, number) or screened.reasons.get(number)
        key = destination, route.operator_for(number) if route else None, barred
        if key not in places:
            places[key] = len(kinds)
            kinds.append(_kind(draft, ways[destination], texts, *key[1:], illegal=illegal))
        kind_of.append(places[key])
    return kinds, kind_of


def _barred(draft: Draft, number: int) -> Reason | None:
    """Why this very number is not sent to."""
    own_only = draft.customer.status == Customer.Status.TRIAL
    return Reason.TRIAL_RECIPIENT if own_only and number != draft.customer.verified_mobile else None


def _kind(
    draft: Draft, way: Way, texts: Texts, operator_id: int | None, barred: Reason | None, *, illegal: bool
) -> Kind:
    region = region_of(way.destination)
    composed = texts[region]
    limit = draft.customer.message_limit_pips
    over = limit is not None and composed.units * way.unit_pips > limit  # spec S84
    word = Reason.ILLEGAL_WORD if illegal and region == Region.CHINA else None
    return Kind(
        destination_id=way.destination.id if way.destination else 0,
        route_id=way.route.id if way.route else None,
        operator_id=operator_id,
        composed=composed,
        unit_pips=way.unit_pips,
        reason=way.reason or barred or word or (Reason.OVER_MESSAGE_LIMIT if over else None),
    )
