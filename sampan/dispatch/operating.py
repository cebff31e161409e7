"""What staff do to operators, links, routes and destinations while messages go (spec S42, S134). All takes effect
within a second, for whoever keeps them in memory is told by the database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Model

from sampan.accounts.acts import Act, record
from sampan.accounts.seals import seal
from sampan.accounts.tables import Person
from sampan.dispatch.dialects import read_dialect
from sampan.reasons import Reason, Refused
from sampan.routing.operators import add_link, add_operator, carry
from sampan.routing.tables import Destination, Link, Operator, Route, RouteOperator
from sampan.smpp.pdu import BindTransceiver, PduError, check

ANOTHER = "another"  # what the log says of a password


@transaction.atomic
def run_operator(operator_id: int, state: Operator.State, *, by: Person, why: str, now: datetime) -> None:
    """Pause, drain or resume an operator; receipts still come in."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    before, operator.state = Operator.State(operator.state), state
    record(
        Act.RUN_OPERATOR,
        by=by,
        subject=operator,
        before={"operator": operator.name, "state": before.name},
        after={"operator": operator.name, "state": state.name},
        why=why,
        now=now,
    )
    operator.save(update_fields=["state"])


@transaction.atomic
def new_operator(
    *, name: str, route_codes: Sequence[str], link: Mapping[str, Any], by: Person, why: str, now: datetime
) -> Operator:
    """An operator with one link; it carries these routes after those who carry them already."""
    with _refusing():
        operator = add_operator(name=name, route_codes=route_codes, **link)
    after = {"operator": name, "routes": list(route_codes), "link": str(operator.links.get())}
    record(Act.CHANGE_OPERATOR, by=by, subject=operator, after=after, why=why, now=now)
    return operator


@transaction.atomic
def change_operator(operator_id: int, changes: Mapping[str, Any], *, by: Person, why: str, now: datetime) -> None:
    """Rate, sender and dialect. Raises Refused for a dialect that cannot be."""
    operator = Operator.objects.select_for_update(no_key=True).get(pk=operator_id)
    if "dialect" in changes:
        try:
            read_dialect(changes["dialect"])
        except msgspec.ValidationError as error:
            raise Refused(Reason.BAD_DIALECT, "dialect", str(error)) from error
    _change(operator, changes, Act.CHANGE_OPERATOR, by=by, why=why, now=now)


@transaction.atomic
def new_link(operator_id: int, link: Mapping[str, Any], *, by: Person, why: str, now: datetime) -> Link:
    """One more bind to an operator."""
    operator = Operator.objects.get(pk=operator_id)
    with _refusing():
        made = add_link(operator, **link)
    record(Act.CHANGE_OPERATOR, by=by, subject=made, after={"link": str(made)}, why=why, now=now)
    return made


@transaction.atomic
def change_link(
    link_id: int, changes: Mapping[str, Any], *, password: str = "", by: Person, why: str, now: datetime
) -> None:
    """Where it binds to and how; the gateway binds anew. The password stays where none is given."""
    link = Link.objects.select_for_update().get(pk=link_id)
    secret: dict[str, Any] = {}
    with _refusing():
        check(BindTransceiver(str(changes.get("system_id", link.system_id)), password))
    if password:
        secret = {"password_sealed": seal(password)}
    _change(link, changes, Act.CHANGE_OPERATOR, secret=secret, by=by, why=why, now=now)


@transaction.atomic
def remove_link(link_id: int, *, by: Person, why: str, now: datetime) -> None:
    """The gateway unbinds it; an operator keeps at least one."""
    link = Link.objects.select_for_update().get(pk=link_id)
    others = Link.objects.select_for_update().filter(operator_id=link.operator_id).exclude(pk=link_id)
    if not others:
        raise Refused(Reason.LAST_LINK, "link", str(link))
    record(Act.CHANGE_OPERATOR, by=by, subject=link, before={"link": str(link)}, why=why, now=now)
    link.delete()


@transaction.atomic
def set_carrier(
    route_id: int, operator_id: int, place: tuple[int, int] | None, *, by: Person, why: str, now: datetime
) -> None:
    """An operator carries a route at this (position, share); with None it does not any more."""
    route = Route.objects.select_for_update().get(pk=route_id)
    operator = Operator.objects.get(pk=operator_id)
    carrier = RouteOperator.objects.filter(route=route, operator=operator).first()
    before = {operator.name: f"{carrier.position}, {carrier.share}"} if carrier else {}
    after = {operator.name: f"{place[0]}, {place[1]}"} if place else {}
    record(Act.CHANGE_ROUTES, by=by, subject=route, before=before, after=after, why=why, now=now)
    if place:
        carry(operator, route.code, position=place[0], share=place[1])
    elif carrier:
        carrier.delete()


@transaction.atomic
def change_route(route_id: int, changes: Mapping[str, Any], *, by: Person, why: str, now: datetime) -> None:
    """Its name, whether it shows own sender IDs, gives receipts, and sends codes again."""
    route = Route.objects.select_for_update().get(pk=route_id)
    _change(route, changes, Act.CHANGE_ROUTES, by=by, why=why, now=now)


@transaction.atomic
def change_destination(
    destination_id: int | None, changes: Mapping[str, Any], *, by: Person, why: str, now: datetime
) -> None:
    """A destination's name, region, prefixes and usual route; a new one without an id. A prefix leads to one alone."""
    list(Destination.objects.select_for_update().order_by("pk"))  # one at a time, for prefixes are of all of them
    others = Destination.objects.exclude(pk=destination_id or 0)
    if taken := others.filter(prefixes__overlap=changes["prefixes"]).first():
        raise Refused(Reason.PREFIX_TAKEN, "prefixes", taken.name)
    if others.filter(name=changes["name"]).exists():
        raise Refused(Reason.NAME_TAKEN, "name", str(changes["name"]))
    if destination_id is None:
        destination = Destination.objects.create(**changes)
        after = _told(destination, changes)
        record(Act.CHANGE_ROUTES, by=by, subject=destination, after=after, why=why, now=now)
    else:
        destination = Destination.objects.select_for_update().get(pk=destination_id)
        _change(destination, changes, Act.CHANGE_ROUTES, by=by, why=why, now=now)


def _change(
    row: Model,
    changes: Mapping[str, Any],
    act: Act,
    *,
    secret: Mapping[str, Any] | None = None,
    by: Person,
    why: str,
    now: datetime,
) -> None:
    """Write what differs, and log it; of a secret only that it is another one."""
    secret = secret or {}
    different = {name: value for name, value in changes.items() if getattr(row, name) != value}
    before = _told(row, different)
    for name, value in (different | dict(secret)).items():
        setattr(row, name, value)
    after = _told(row, different) | dict.fromkeys((name.removesuffix("_sealed") for name in secret), ANOTHER)
    record(act, by=by, subject=row, before=before, after=after, why=why, now=now)
    row.save(update_fields=[*different, *secret])


def _told(row: Model, names: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the log keeps them: rows by their names."""
    values = {name: getattr(row, name) for name in names}
    return {name: str(value) if isinstance(value, Model) else value for name, value in values.items()}


class _refusing:
    """Turns what SMPP, the routes or the database refuse into `Refused`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, PduError):
            raise Refused(Reason.BAD_LINK_SETTING, "link", str(error)) from error
        if isinstance(error, IntegrityError):
            raise Refused(Reason.NAME_TAKEN, "name") from error
