"""Destinations, routes and who carries them, kept in memory (spec S40–S42)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sampan.database import Connection, Snapshot
from sampan.routing.tables import Destination, Operator

SPREAD = 2_654_435_761  # Knuth's: neighbouring numbers fall far apart
ECONOMIC_ROUTE = "hk-economic"  # what the HTTP API's RANDOMID selects (spec S40)


@dataclass(frozen=True, slots=True, eq=False)
class RouteFacts:
    """A route as messages need it; `carriers` are those operators of the lowest position that work, with their shares.

    Where none works they are those of the lowest position, so that messages wait for them.
    """

    id: int
    code: str
    name: str
    own_sender: bool
    receipts: bool
    resends_unknown: bool = False
    carriers: tuple[tuple[int, int], ...] = ()

    def operator_for(self, number: int) -> int | None:
        """Who carries a message to this number: always the same for one number, and by their shares for many."""
        if len(self.carriers) < 2:
            return self.carriers[0][0] if self.carriers else None
        place = number * SPREAD % sum(share for _, share in self.carriers)
        for operator_id, share in self.carriers:
            place -= share
            if place < 0:
                return operator_id
        return None


@dataclass(frozen=True, slots=True, eq=False)
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
    SELECT r.id, r.code, r.name, r.own_sender, r.receipts, r.resends_unknown, o.id, c.share
      FROM route r
      LEFT JOIN (SELECT c.*, rank() OVER (PARTITION BY c.route_id ORDER BY
                        o.state <> {Operator.State.ACTIVE.value} OR o.down_since IS NOT NULL, c.position) AS place
                   FROM route_operator c JOIN operator o ON o.id = c.operator_id) c ON c.route_id = r.id AND c.place = 1
      LEFT JOIN operator o ON o.id = c.operator_id
     ORDER BY r.id, o.id"""
DESTINATIONS = "SELECT id, name, region, prefixes, route_id FROM destination"


def load_directory(conn: Connection) -> Directory:
    """The directory as it stands."""
    routes: dict[int, RouteFacts] = {}
    for id_, code, name, own_sender, receipts, resends, operator_id, share in conn.execute(ROUTES):
        carriers = routes[id_].carriers if id_ in routes else ()
        if operator_id is not None:
            carriers += ((operator_id, share),)
        routes[id_] = RouteFacts(id_, code, name, own_sender, receipts, resends, carriers)
    by_prefix = {}
    for id_, name, region, prefixes, route_id in conn.execute(DESTINATIONS):
        destination = DestinationFacts(id_, name, Destination.Region(region), route_id)
        by_prefix.update(dict.fromkeys(prefixes, destination))
    return Directory(by_prefix, routes)


directory = Snapshot(load_directory, "route", "destination", "route_operator", "operator")
