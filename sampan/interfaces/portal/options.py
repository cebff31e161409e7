"""What a member may choose on the compose page: routes with their prices, sender IDs, how long to keep trying."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from sampan.accounts.customers import CustomerFacts
from sampan.accounts.senders import is_number
from sampan.accounts.tables import Customer
from sampan.composing.parts import Measured
from sampan.messages.planning import Terms
from sampan.routing.directory import DestinationFacts, RouteFacts
from sampan.routing.tables import Destination

VALIDITIES_MINUTES = (10, 60, 120, 720, 1380)


class RouteOption(NamedTuple):
    """A route to Hong Kong, and what a charge unit costs this customer there."""

    route: RouteFacts
    unit_pips: int


class Group(NamedTuple):
    """Numbers of a draft that lead to one destination; `unit_pips` by the route chosen for Hong Kong."""

    destination: DestinationFacts | None
    messages: int
    unit_pips: dict[str, int | None]

    @property
    def is_china(self) -> bool:
        """Counted as China wants it (spec S24)."""
        return self.destination is not None and self.destination.region == Destination.Region.CHINA


class Estimate(NamedTuple):
    """What a draft would come to, before filters."""

    messages: int
    units: int
    price_pips: int


@dataclass(frozen=True)
class Options:
    """The choices of one customer at one moment."""

    customer: CustomerFacts
    terms: Terms
    now: datetime

    @cached_property
    def routes(self) -> list[RouteOption]:
        """The routes to Hong Kong that have a price, the usual one first (spec S40)."""
        directory = self.terms.directory
        hong_kong = [d for d in directory.destinations.values() if d.region == Destination.Region.HONG_KONG]
        if not hong_kong:
            return []
        usual = hong_kong[0]
        routes = sorted(directory.routes.values(), key=lambda route: (route.id != usual.route_id, route.id))
        priced = [(route, self._unit_pips(usual, route)) for route in routes]
        return [RouteOption(route, pips) for route, pips in priced if pips is not None]

    @property
    def senders(self) -> list[str]:
        """The sender IDs to choose from, names before numbers; a trial account sends from our number (spec S87)."""
        if self.customer.status == Customer.Status.TRIAL:
            return [self.terms.platform.sender]
        return sorted(self.customer.senders, key=lambda sender: (is_number(sender), sender))

    @property
    def validities(self) -> list[int]:
        """Minutes; the account's own among them (spec S70)."""
        return sorted({*VALIDITIES_MINUTES, self.customer.validity_minutes})

    def groups(self, numbers: Sequence[int]) -> list[Group]:
        """The numbers by destination, the largest group first."""
        counts = Counter(self.terms.directory.locate_many(numbers))
        codes = [option.route.code for option in self.routes] or [""]
        return [
            Group(destination, count, {code: self._price(destination, code) for code in codes})
            for destination, count in counts.most_common()
        ]

    def _price(self, destination: DestinationFacts | None, code: str) -> int | None:
        """By the chosen route where that goes there, else by the destination's own, as planning does it."""
        if destination is None:
            return None
        directory = self.terms.directory
        chosen, usual = directory.routes_by_code.get(code), directory.routes.get(destination.route_id)
        prices = (self._unit_pips(destination, route) for route in (chosen, usual) if route)
        return next((pips for pips in prices if pips is not None), None)

    def _unit_pips(self, destination: DestinationFacts, route: RouteFacts) -> int | None:
        customer = self.customer
        return self.terms.prices.unit_pips(destination.id, route.id, customer.tier, self.now, customer_id=customer.id)


def estimate(groups: Sequence[Group], route: str, elsewhere: Measured, china: Measured) -> Estimate:
    """What the numbers and the text come to. The counter in the browser reckons the same (composer.mjs)."""
    messages = units = price_pips = 0
    for group in groups:
        unit_pips = group.unit_pips.get(route)
        if unit_pips is None:
            continue
        group_units = group.messages * (china if group.is_china else elsewhere).units
        messages += group.messages
        units += group_units
        price_pips += group_units * unit_pips
    return Estimate(messages, units, price_pips)
