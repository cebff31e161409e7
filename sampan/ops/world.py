"""What a new installation begins with: routes, destinations and a price list. From then on staff change them."""

from datetime import UTC, datetime

from django.db import transaction

from sampan.billing.money import pips_of
from sampan.billing.tables import Price, VolumeTier
from sampan.routing.tables import Destination, Route

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)

Region = Destination.Region

# code: name, the customer's own sender ID, receipts (spec S40, S64, S74)
ROUTES = {
    "hk-business": ("Hong Kong, business", True, True),
    "hk-economic": ("Hong Kong, economic", False, False),
    "macau": ("Macau", True, True),
    "china": ("Mainland China", False, False),
    "overseas": ("Overseas", True, True),
}
# name: region, route, HK$ a charge unit, prefixes
DESTINATIONS: dict[str, tuple[Region, str, str, tuple[str, ...]]] = {
    "Hong Kong": (Region.HONG_KONG, "hk-business", "0.29", ("852",)),
    "Macau": (Region.MACAU, "macau", "0.34", ("853",)),
    "Mainland China": (Region.CHINA, "china", "0.36", ("86",)),
    "Taiwan": (Region.OVERSEAS, "overseas", "0.42", ("886",)),
    "Singapore": (Region.OVERSEAS, "overseas", "0.38", ("65",)),
    "Malaysia": (Region.OVERSEAS, "overseas", "0.45", ("60",)),
    "Thailand": (Region.OVERSEAS, "overseas", "0.28", ("66",)),
    "Philippines": (Region.OVERSEAS, "overseas", "0.36", ("63",)),
    "Indonesia": (Region.OVERSEAS, "overseas", "0.98", ("62",)),
    "Vietnam": (Region.OVERSEAS, "overseas", "0.72", ("84",)),
    "Cambodia": (Region.OVERSEAS, "overseas", "0.68", ("855",)),
    "Myanmar": (Region.OVERSEAS, "overseas", "0.85", ("95",)),
    "Japan": (Region.OVERSEAS, "overseas", "0.58", ("81",)),
    "South Korea": (Region.OVERSEAS, "overseas", "0.32", ("82",)),
    "India": (Region.OVERSEAS, "overseas", "0.48", ("91",)),
    "Pakistan": (Region.OVERSEAS, "overseas", "0.88", ("92",)),
    "Bangladesh": (Region.OVERSEAS, "overseas", "0.92", ("880",)),
    "Sri Lanka": (Region.OVERSEAS, "overseas", "0.95", ("94",)),
    "Nepal": (Region.OVERSEAS, "overseas", "0.86", ("977",)),
    "Australia": (Region.OVERSEAS, "overseas", "0.40", ("61",)),
    "New Zealand": (Region.OVERSEAS, "overseas", "0.62", ("64",)),
    "United Kingdom": (Region.OVERSEAS, "overseas", "0.37", ("44",)),
    "Ireland": (Region.OVERSEAS, "overseas", "0.52", ("353",)),
    "France": (Region.OVERSEAS, "overseas", "0.55", ("33",)),
    "Germany": (Region.OVERSEAS, "overseas", "0.65", ("49",)),
    "Italy": (Region.OVERSEAS, "overseas", "0.57", ("39",)),
    "Spain": (Region.OVERSEAS, "overseas", "0.53", ("34",)),
    "Netherlands": (Region.OVERSEAS, "overseas", "0.70", ("31",)),
    "Switzerland": (Region.OVERSEAS, "overseas", "0.56", ("41",)),
    "Sweden": (Region.OVERSEAS, "overseas", "0.54", ("46",)),
    "United Arab Emirates": (Region.OVERSEAS, "overseas", "0.60", ("971",)),
    "South Africa": (Region.OVERSEAS, "overseas", "0.26", ("27",)),
    "United States and Canada": (Region.OVERSEAS, "overseas", "0.16", ("1",)),
    "Jamaica": (Region.OVERSEAS, "overseas", "0.80", ("1876", "1658")),
    "Brazil": (Region.OVERSEAS, "overseas", "0.34", ("55",)),
    "Mexico": (Region.OVERSEAS, "overseas", "0.30", ("52",)),
}
ECONOMIC_HK_DOLLARS = "0.18"
TIERS = {1: "300", 2: "10,000", 3: "50,000"}  # the top-up that brings each (spec S83)


@transaction.atomic
def make_first_world() -> bool:
    """Routes, destinations and first prices, where there are none yet; whether it made them."""
    if Route.objects.exists():
        return False
    made = Route.objects.bulk_create(
        Route(code=code, name=name, own_sender=own_sender, receipts=receipts)
        for code, (name, own_sender, receipts) in ROUTES.items()
    )
    routes = {route.code: route for route in made}
    destinations = Destination.objects.bulk_create(
        Destination(name=name, region=region, prefixes=list(prefixes), route=routes[code])
        for name, (region, code, _, prefixes) in DESTINATIONS.items()
    )
    Price.objects.bulk_create(
        Price(destination=each, route=routes[way], effective_from=BEGINNING, unit_pips=pips_of(amount))
        for each in destinations
        for way, amount in _prices(each).items()
    )
    VolumeTier.objects.bulk_create([VolumeTier(tier=tier, from_pips=pips_of(amount)) for tier, amount in TIERS.items()])
    return True


def _prices(destination: Destination) -> dict[str, str]:
    """HK$ a charge unit, by the code of the route."""
    _, code, price, _ = DESTINATIONS[destination.name]
    return {code: price} | ({"hk-economic": ECONOMIC_HK_DOLLARS} if destination.region == Region.HONG_KONG else {})
