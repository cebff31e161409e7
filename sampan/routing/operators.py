"""Operators and their links as the gateway needs them, and as staff change them (spec S42)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count

from sampan.accounts.seals import seal, unseal
from sampan.database import Connection, Snapshot
from sampan.routing.tables import Link, Operator, Route, RouteOperator
from sampan.smpp.pdu import BindTransceiver, check


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
    tls_authorities: str = ""
    tls_certificate: str = ""
    tls_key: str = field(default="", repr=False)


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
           enquire_link_s, response_timeout_s, tls_authorities, tls_certificate, tls_key_sealed
      FROM link ORDER BY id"""


def load_operators(conn: Connection) -> dict[int, OperatorFacts]:
    """All operators by id. Raises CannotUnseal."""
    links: dict[int, list[LinkFacts]] = {}
    for operator_id, *columns in conn.execute(LINKS):
        links.setdefault(operator_id, []).append(_link(columns))
    return {
        id_: OperatorFacts(id_, name, Operator.State(state), rate, sender, dialect, tuple(links.get(id_, ())))
        for id_, name, state, rate, sender, dialect in conn.execute(OPERATORS)
    }


def _link(columns: Sequence[Any]) -> LinkFacts:
    id_, host, port, bind, system_id, password, system_type, window, tls, enquire_s, answer_s, *pems, key = columns
    return LinkFacts(
        id=id_,
        host=host,
        port=port,
        bind=Link.Bind(bind),
        system_id=system_id,
        password=unseal(password),
        system_type=system_type,
        window_size=window,
        tls=tls,
        enquire_link_s=enquire_s,
        response_timeout_s=answer_s,
        tls_authorities=pems[0],
        tls_certificate=pems[1],
        tls_key=unseal(key) if key else "",
    )


operators = Snapshot(load_operators, "operator", "link")


@transaction.atomic
def add_operator(
    *,
    name: str,
    route_codes: Sequence[str],
    rate_parts_per_s: int = 0,
    dialect: dict[str, object] | None = None,
    **link: Any,
) -> Operator:
    """An operator with one link (see `add_link`), last in the order of the routes it carries.

    Raises Route.DoesNotExist naming a route that there is not, IntegrityError for a name in use.
    """
    operator = Operator.objects.create(name=name, rate_parts_per_s=rate_parts_per_s, dialect=dialect or {})
    add_link(operator, **link)
    found = Route.objects.filter(code__in=route_codes).annotate(operators=Count("carriers"))
    routes = {route.code: route for route in found}
    if unknown := [code for code in route_codes if code not in routes]:
        raise Route.DoesNotExist(f"there is no route {unknown[0]!r}")
    RouteOperator.objects.bulk_create(
        RouteOperator(route=route, operator=operator, position=route.operators + 1) for route in routes.values()
    )
    return operator


def add_link(
    operator: Operator,
    *,
    host: str,
    port: int,
    system_id: str,
    password: str,
    window: int = 10,
    bind: Link.Bind = Link.Bind.TRANSCEIVER,
    tls: bool = False,
    tls_authorities: str = "",
    tls_certificate: str = "",
    tls_key: str = "",
) -> Link:
    """One more bind to an operator. Certificates and key are PEM; a client certificate needs its key.

    Raises PduError where system_id or password are longer than SMPP allows.
    """
    check(BindTransceiver(system_id, password))
    return Link.objects.create(
        operator=operator,
        host=host,
        port=port,
        system_id=system_id,
        password_sealed=seal(password),
        window_size=window,
        bind=bind,
        tls=tls,
        tls_authorities=tls_authorities,
        tls_certificate=tls_certificate,
        tls_key_sealed=seal(tls_key) if tls_key else b"",
    )


def carry(operator: Operator, route_code: str, *, position: int | None = None, share: int = 100) -> None:
    """Let an operator carry a route, at a position (1 first; without one, last) and with a share among those of it.

    Raises Route.DoesNotExist.
    """
    try:
        route = Route.objects.get(code=route_code)
    except Route.DoesNotExist:
        raise Route.DoesNotExist(f"there is no route {route_code!r}") from None
    last = route.carriers.exclude(operator=operator).count() + 1
    RouteOperator.objects.update_or_create(
        route=route, operator=operator, defaults={"position": position or last, "share": share}
    )
