"""What a charge unit costs a customer: (destination, route, tier), or a price of its own, at a moment (spec S83)."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sampan.billing.tiers import FIRST_TIER
from sampan.database import Connection, Snapshot

PRICES = "SELECT destination_id, route_id, tier, effective_from, unit_pips FROM price ORDER BY effective_from"
OWN_PRICES = """
    SELECT customer_id, destination_id, route_id, effective_from, unit_pips FROM customer_price
     ORDER BY effective_from"""


class Steps:
    """One price over time: from each moment on, so many pips a unit; None ends a customer's own."""

    __slots__ = ("moments", "pips")

    def __init__(self) -> None:
        self.moments: list[datetime] = []
        self.pips: list[int | None] = []

    def at(self, moment: datetime) -> int | None:
        """The price in force, or None."""
        place = bisect_right(self.moments, moment)
        return self.pips[place - 1] if place else None


Key = tuple[int, int, int]


class PriceList(NamedTuple):
    """All prices, past and to come: listed by (destination, route, tier), own by (customer, destination, route)."""

    listed: dict[Key, Steps]
    own: dict[Key, Steps]

    def unit_pips(
        self, destination_id: int, route_id: int, tier: int, now: datetime, *, customer_id: int = 0
    ) -> int | None:
        """Pips for one charge unit, or None where there is no price: that route does not go there.

        A customer's own price comes first; then that of its tier, or where the list has none, of the next lower one.
        """
        own = self.own.get((customer_id, destination_id, route_id))
        if own is not None and (pips := own.at(now)) is not None:
            return pips
        for each in range(tier, FIRST_TIER - 1, -1):
            steps = self.listed.get((destination_id, route_id, each))
            if steps is not None and (pips := steps.at(now)) is not None:
                return pips
        return None

    def tiers(self) -> list[int]:
        """The tiers that have prices."""
        return sorted({tier for _destination, _route, tier in self.listed})

    def ways(self) -> Iterator[tuple[int, int]]:
        """Each (destination, route) that has a listed price at some time."""
        yield from dict.fromkeys((destination, route) for destination, route, _tier in self.listed)


def load_prices(conn: Connection) -> PriceList:
    """The prices as they stand."""
    prices = PriceList({}, {})
    for steps, sql in ((prices.listed, PRICES), (prices.own, OWN_PRICES)):
        for *key, effective_from, unit_pips in conn.execute(sql):
            found = steps.setdefault(tuple(key), Steps())
            found.moments.append(effective_from)
            found.pips.append(unit_pips)
    return prices


price_list = Snapshot(load_prices, "price", "customer_price")
