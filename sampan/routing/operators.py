"""Operators and their links as the gateway needs them, and as staff change them (spec S42)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from sampan.accounts.seals import seal, unseal
from sampan.database import Connection, Snapshot
from sampan.routing.tables import Link, Operator, Route, RouteOperator


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """One bind to be held."""

    id: int
    host: str
    port: int
    bind: Link.Bind
    system_id: str
    password: str = field(repr=False)
    system_type: str
    window_size: int
    tls: bool
    enquire_link_s: int
    response_timeout_s: int


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """One operator's account with its links."""

    id: int
    name: str
    state: Operator.State
    rate_parts_per_s: int
    sender: str
    dialect: dict[str, object]
    links: tuple[LinkFacts, ...]


OPERATORS = "SELECT id, name, state, rate_parts_per_s, sender, dialect FROM operator ORDER BY id"
LINKS = """
    SELECT operator_id, id, host, port, bind, system_id, password_sealed, system_type, window_size, tls,
           enquire_link_s, response_timeout_s
      FROM link ORDER BY id"""


def load_operators(conn: Connection) -> dict[int, OperatorFacts]:
    """All operators by id. Raises CannotUnseal."""
    links: dict[int, list[LinkFacts]] = {}
    for operator_id, id_, host, port, bind, system_id, sealed, *rest in conn.execute(LINKS):
        facts = LinkFacts(id_, host, port, Link.Bind(bind), system_id, unseal(sealed), *rest)
        links.setdefault(operator_id, []).append(facts)
    return {
        id_: OperatorFacts(id_, name, Operator.State(state), rate, sender, dialect, tuple(links.get(id_, ())))
        for id_, name, state, rate, sender, dialect in conn.execute(OPERATORS)
    }


operators = Snapshot(load_operators, "operator", "link")


@transaction.atomic
def add_operator(
    *,
    name: str,
    host: str,
    port: int,
    system_id: str,
    password: str,
    route_codes: Sequence[str],
    window: int,
    rate_parts_per_s: int,
    dialect: dict[str, object] | None = None,
) -> Operator:
    """An operator with one transceiver link, last in the order of the routes it carries.

    Raises Route.DoesNotExist naming a route that there is not, IntegrityError for a name in use.
    """
    operator = Operator.objects.create(name=name, rate_parts_per_s=rate_parts_per_s, dialect=dialect or {})
    Link.objects.create(
        operator=operator,
        host=host,
        port=port,
        system_id=system_id,
        password_sealed=seal(password),
        window_size=window,
    )
    for code in route_codes:
        try:
            route = Route.objects.get(code=code)
        except Route.DoesNotExist:
            raise Route.DoesNotExist(f"there is no route {code!r}") from None
        RouteOperator.objects.create(route=route, operator=operator, position=route.carriers.count() + 1)
    return operator
