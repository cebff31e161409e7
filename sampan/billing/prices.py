"""What a charge unit costs: (destination, route, tier) at a moment (spec S83)."""

from bisect import bisect_right
from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection, Snapshot

PRICES = "SELECT destination_id, route_id, tier, effective_from, unit_pips FROM price ORDER BY effective_from"


class PriceList(NamedTuple):
    """All prices, past and to come: for each (destination, route, tier) its moments and its pips a unit."""

    moments: dict[tuple[int, int, int], list[datetime]]
    pips: dict[tuple[int, int, int], list[int]]

    def unit_pips(self, destination_id: int, route_id: int, tier: int, now: datetime) -> int | None:
        """Pips for one charge unit, or None where there is no price: that route does not go there."""
        key = destination_id, route_id, tier
        place = bisect_right(self.moments.get(key, ()), now)
        return self.pips[key][place - 1] if place else None


def load_prices(conn: Connection) -> PriceList:
    """The price list as it stands."""
    prices = PriceList({}, {})
    for destination_id, route_id, tier, effective_from, unit_pips in conn.execute(PRICES):
        key = destination_id, route_id, tier
        prices.moments.setdefault(key, []).append(effective_from)
        prices.pips.setdefault(key, []).append(unit_pips)
    return prices


price_list = Snapshot(load_prices, "price")
