"""From a draft to a plan: everything that can refuse, nothing written. Preview, price and acceptance all use it.

The order of the checks is that of the HTTP API (http_api.md): account, sender ID, numbers, text, time, filters, price.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from sampan import settings
from sampan.accounts.customers import CustomerFacts
from sampan.accounts.tables import LONGEST_VALIDITY_MINUTES, SHORTEST_VALIDITY_MINUTES, Customer
from sampan.billing.prices import PriceList, price_list
from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed, compose
from sampan.database import Connection
from sampan.messages.tables import Purpose, Source, Status
from sampan.reasons import Reason, Refused
from sampan.routing.directory import DestinationFacts, Directory, RouteFacts, directory
from sampan.routing.numbers import parse_international
from sampan.routing.tables import Destination

FURTHEST_AHEAD_YEARS = 5  # spec S50
PROMOTIONAL_SEND_BY = timedelta(hours=24)  # spec S70
MOST_RECIPIENTS = 1_000_000


@dataclass(frozen=True, slots=True)
class Platform:
    """What this installation says of itself."""

    signature: str  # before texts to China, where the customer has none of its own (spec S90)
    sender: str  # what trial accounts send from (spec S87)


THIS_PLATFORM = Platform(settings.PLATFORM_SIGNATURE, settings.PLATFORM_SENDER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
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
    all_or_nothing: bool = False  # one recipient that cannot be served refuses the whole (the HTTP API)


@dataclass(frozen=True, slots=True)
class Kind:
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


@dataclass(frozen=True)
class Plan:
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

    @cached_property
    def counts(self) -> Counter[int]:
        """How many recipients each kind has."""
        return Counter(self.kind_of)

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


def terms_in_force(conn: Connection, platform: Platform) -> Terms:
    """The terms, from memory where they have not changed."""
    return Terms(directory.get(conn), price_list.get(conn), platform)


def plan(draft: Draft, terms: Terms, now: datetime) -> Plan:
    """What would become of a draft submitted now. Raises Refused where the whole of it cannot be accepted."""
    if draft.customer.status in (Customer.Status.SUSPENDED, Customer.Status.CLOSED):
        raise Refused(Reason.ACCOUNT_DISABLED, "customer")
    sender = _sender(draft, terms)
    numbers, repeats = _numbers(draft.recipients)
    destinations = terms.directory.locate_many(numbers)
    ways = {place: _way(place, draft, sender, terms, now) for place in dict.fromkeys(destinations)}
    if draft.all_or_nothing and Reason.SENDER_NOT_POSSIBLE in {way.reason for way in ways.values()}:
        raise Refused(Reason.SENDER_NOT_POSSIBLE, "sender", draft.sender)
    texts = _texts(draft, ways, terms.platform.signature)
    purpose = draft.purpose or Purpose(draft.customer.api_purpose)
    scheduled_at = _after_quiet_hours(draft.customer, purpose, _scheduled_at(draft, now), now)
    validity = _validity_minutes(draft)
    kinds, kind_of = _kinds(draft, numbers, destinations, ways, texts)
    return Plan(
        draft=draft,
        recipients=numbers,
        repeats=repeats,
        kinds=kinds,
        kind_of=kind_of,
        purpose=purpose,
        sender=sender,
        signature=terms.platform.signature if True in texts else "",
        validity_minutes=validity,
        scheduled_at=scheduled_at,
        send_by=(scheduled_at or now) + longest_wait(purpose, validity),
    )


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


@dataclass(frozen=True, slots=True)
class _Way:
    """How messages get to one destination, or why not."""

    destination: DestinationFacts | None
    route: RouteFacts | None = None
    unit_pips: int = 0
    reason: Reason | None = None


def _way(destination: DestinationFacts | None, draft: Draft, sender: str, terms: Terms, now: datetime) -> _Way:
    """The route the sender chose where it goes there, else the destination's own (spec S40)."""
    if destination is None:
        return _Way(None, reason=Reason.NO_ROUTE)
    chosen = terms.directory.routes_by_code.get(draft.route)
    for route in (chosen, terms.directory.routes.get(destination.route_id)):
        if route is None:
            continue
        customer, at = draft.customer, max(draft.scheduled_at or now, now)
        price = terms.prices.unit_pips(destination.id, route.id, customer.tier, at, customer_id=customer.id)
        if price is None:
            continue
        if route.own_sender and not sender:
            return _Way(destination, route, reason=Reason.SENDER_NOT_POSSIBLE)
        if not route.carriers:
            return _Way(destination, route, reason=Reason.NO_ROUTE)
        return _Way(destination, route, price)
    return _Way(destination, reason=Reason.NO_ROUTE)


Texts = dict[bool, Composed]  # to China, and elsewhere


def _texts(draft: Draft, ways: dict[DestinationFacts | None, _Way], signature: str) -> Texts:
    """The text as each destination needs it; too long for one refuses the whole, naming it (spec S20)."""
    texts: Texts = {}
    for destination in ways:
        china = destination is not None and destination.region == Destination.Region.CHINA
        if china in texts:
            continue
        try:
            texts[china] = compose(draft.text, china=china, coding=draft.coding, signature=signature)
        except Refused as refused:
            if refused.reason == Reason.TOO_LONG and destination is not None:
                raise Refused(Reason.TOO_LONG, "text", f"{destination.name}: {refused.value}") from None
            raise
    return texts


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


def _kinds(
    draft: Draft,
    numbers: list[int],
    destinations: list[DestinationFacts | None],
    ways: dict[DestinationFacts | None, _Way],
    texts: Texts,
) -> tuple[list[Kind], list[int]]:
    """The kinds, and for each number the place of its own."""
    kinds: list[Kind] = []
    places: dict[tuple[DestinationFacts | None, int | None, Reason | None], int] = {}
    kind_of = []
    for number, destination in zip(numbers, destinations, strict=True):
        route = ways[destination].route
        key = destination, route.operator_for(number) if route else None, _barred(draft, number)
        if key not in places:
            places[key] = len(kinds)
            kinds.append(_kind(draft, ways[destination], texts, *key[1:]))
        kind_of.append(places[key])
    return kinds, kind_of


def _barred(draft: Draft, number: int) -> Reason | None:
    """Why this very number is not sent to."""
    own_only = draft.customer.status == Customer.Status.TRIAL
    return Reason.TRIAL_RECIPIENT if own_only and number != draft.customer.verified_mobile else None


def _kind(draft: Draft, way: _Way, texts: Texts, operator_id: int | None, barred: Reason | None) -> Kind:
    china = way.destination is not None and way.destination.region == Destination.Region.CHINA
    composed = texts[china]
    limit = draft.customer.message_limit_pips
    over = limit is not None and composed.units * way.unit_pips > limit  # spec S84
    return Kind(
        destination_id=way.destination.id if way.destination else 0,
        route_id=way.route.id if way.route else None,
        operator_id=operator_id,
        composed=composed,
        unit_pips=way.unit_pips,
        reason=way.reason or barred or (Reason.OVER_MESSAGE_LIMIT if over else None),
    )
