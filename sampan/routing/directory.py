"""Destinations, routes and who carries them, kept in memory (spec S40–S42)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sampan.database import Connection, Snapshot
from sampan.routing.tables import Destination, Operator

ECONOMIC_ROUTE = "hk-economic"  # what the HTTP API's RANDOMID selects (spec S40)


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route as messages need it; `operator_ids` in the order in which they carry it, paused ones last."""

    id: int
    code: str
    name: str
    own_sender: bool
    receipts: bool
    operator_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DestinationFacts:
    """A destination as messages need it."""

    id: int
    name: str
    region: Destination.Region
    route_id: int


class Directory:
    """Where numbers lead: built once from the tables, read by every submission."""

    def __init__(self, destinations: dict[str, DestinationFacts], routes: dict[int, RouteFacts]) -> None:
        self.routes = routes
        self.routes_by_code = {route.code: route for route in routes.values()}
        self.destinations = {destination.id: destination for destination in destinations.values()}
        self._by_prefix = destinations
        self._lengths = sorted({len(prefix) for prefix in destinations}, reverse=True)

    def locate(self, number: int) -> DestinationFacts | None:
        """The destination with the longest prefix of an E.164 number."""
        digits = str(number)
        for length in self._lengths:
            if destination := self._by_prefix.get(digits[:length]):
                return destination
        return None

    def locate_many(self, numbers: Iterable[int]) -> list[DestinationFacts | None]:
        """`locate` for many; the first digits repeat, so each is looked up once."""
        longest = self._lengths[0] if self._lengths else 0
        found: dict[str, DestinationFacts | None] = {}
        places = []
        for number in numbers:
            digits = str(number)[:longest]
            if digits not in found:
                found[digits] = self.locate(number)
            places.append(found[digits])
        return places


ROUTES = f"""
    SELECT r.id, r.code, r.name, r.own_sender, r.receipts,
           array_agg(o.id ORDER BY o.state <> {Operator.State.ACTIVE.value}, c.position, o.id)
                FILTER (WHERE o.id IS NOT NULL)
      FROM route r LEFT JOIN route_operator c ON c.route_id = r.id LEFT JOIN operator o ON o.id = c.operator_id
     GROUP BY r.id"""
DESTINATIONS = "SELECT id, name, region, prefixes, route_id FROM destination"


def load_directory(conn: Connection) -> Directory:
    """The directory as it stands."""
    routes = {
        id_: RouteFacts(id_, code, name, own_sender, receipts, tuple(operator_ids or ()))
        for id_, code, name, own_sender, receipts, operator_ids in conn.execute(ROUTES)
    }
    by_prefix = {}
    for id_, name, region, prefixes, route_id in conn.execute(DESTINATIONS):
        destination = DestinationFacts(id_, name, Destination.Region(region), route_id)
        by_prefix.update(dict.fromkeys(prefixes, destination))
    return Directory(by_prefix, routes)


directory = Snapshot(load_directory, "route", "destination", "route_operator", "operator")
