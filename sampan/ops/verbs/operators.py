"""`sampan operator`: connect SMSC accounts, see them, change them, pause and resume them."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from django.db import IntegrityError

from sampan.accounts.seals import CannotUnseal
from sampan.database import beneath_django
from sampan.dispatch.dialects import read_dialect
from sampan.ops.cli import Answer, VerbRefused
from sampan.routing.operators import add_link, add_operator, carry
from sampan.routing.tables import Link, Operator, Route
from sampan.smpp.pdu import PduError

LIST = """
    SELECT o.id, o.name, o.state, o.rate_parts_per_s,
           ARRAY(SELECT r.code FROM route_operator c JOIN route r ON r.id = c.route_id
                  WHERE c.operator_id = o.id ORDER BY r.code),
           (SELECT count(*) FROM queued q WHERE q.operator_id = o.id),
           (SELECT count(*) FROM attempt a WHERE a.operator_id = o.id AND a.state = 1),
           (SELECT count(*) FROM attempt a WHERE a.operator_id = o.id AND a.state = 4)
      FROM operator o ORDER BY o.id"""
LINKS = """
    SELECT l.operator_id, l.host || ':' || l.port, l.system_id, l.window_size, coalesce(s.bound, false),
           coalesce(s.words, '')
      FROM link l LEFT JOIN link_state s ON s.link_id = l.id ORDER BY l.id"""


def _dialect(text: str) -> dict[str, Any]:
    try:
        dialect: dict[str, Any] = json.loads(text)
        read_dialect(dialect)
    except (json.JSONDecodeError, msgspec.ValidationError) as error:
        raise VerbRefused(f"--dialect: {error}") from error
    return dialect


def _pem(path: str | None, option: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii") if path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise VerbRefused(f"{option}: {path} cannot be read as PEM ({error})") from error


def _link(arguments: argparse.Namespace) -> dict[str, Any]:
    """What `add_link` takes."""
    return {
        "host": arguments.host,
        "port": arguments.port,
        "system_id": arguments.system_id,
        "password": arguments.password,
        "window": arguments.window,
        "tls": arguments.tls,
        "tls_authorities": _pem(arguments.tls_authorities, "--tls-authorities"),
        "tls_certificate": _pem(arguments.tls_certificate, "--tls-certificate"),
        "tls_key": _pem(arguments.tls_key, "--tls-key"),
    }


@contextmanager
def _refusals(name: str) -> Iterator[None]:
    """What the database or the routes refuse, in words."""
    try:
        yield
    except (CannotUnseal, PduError) as error:
        raise VerbRefused(str(error)) from error
    except Route.DoesNotExist as error:
        codes = ", ".join(Route.objects.order_by("code").values_list("code", flat=True))
        raise VerbRefused(f"{error}; there are {codes}") from error
    except IntegrityError as error:
        if "operator_name" in str(error):
            raise VerbRefused(f"there is an operator {name!r} already; choose another name") from error
        raise VerbRefused(str(error)) from error


def _operator(name: str) -> Operator:
    operator = Operator.objects.filter(name=name).first()
    if operator is None:
        raise VerbRefused(f"there is no operator {name!r}")
    return operator


def add(arguments: argparse.Namespace) -> Answer:
    """An operator with one transceiver link."""
    with _refusals(arguments.name):
        operator = add_operator(
            name=arguments.name,
            route_codes=[code.strip() for code in arguments.routes.split(",")],
            rate_parts_per_s=arguments.rate,
            dialect=_dialect(arguments.dialect),
            **_link(arguments),
        )
    return Answer({"operator": operator.pk, "name": operator.name}, [f"Operator {operator.pk}, {operator.name}"])


def link(arguments: argparse.Namespace) -> Answer:
    """One more bind."""
    bind = Link.Bind[arguments.bind.upper()]
    with _refusals(arguments.name):
        made = add_link(_operator(arguments.name), bind=bind, **_link(arguments))
    return Answer({"link": made.pk}, [f"Link {made.pk}: {made}"])


def route(arguments: argparse.Namespace) -> Answer:
    """Which routes an operator carries, in which order and share."""
    with _refusals(arguments.name):
        carry(_operator(arguments.name), arguments.route, position=arguments.position, share=arguments.share)
    return Answer({"name": arguments.name, "route": arguments.route}, [f"{arguments.name} carries {arguments.route}"])


def change(arguments: argparse.Namespace) -> Answer:
    """Rate, sender and dialect take effect within a second."""
    operator = _operator(arguments.name)
    if arguments.rate is not None:
        operator.rate_parts_per_s = arguments.rate
    if arguments.sender is not None:
        operator.sender = arguments.sender
    if arguments.dialect is not None:
        operator.dialect = _dialect(arguments.dialect)
    operator.save(update_fields=["rate_parts_per_s", "sender", "dialect"])
    return Answer({"name": operator.name}, [f"{operator.name}: changed"])


def show(_arguments: argparse.Namespace) -> Answer:
    """All operators with what waits for them."""
    with beneath_django() as conn:
        rows = conn.execute(LIST).fetchall()
        links = conn.execute(LINKS).fetchall()
    facts = [
        {
            "name": name,
            "state": Operator.State(state).label,
            "rate": rate,
            "routes": routes,
            "queued": queued,
            "in_flight": in_flight,
            "unknown": unknown,
            "links": [
                {"address": address, "system_id": system_id, "window": window, "bound": bound, "words": words}
                for operator_id, address, system_id, window, bound, words in links
                if operator_id == id_
            ],
        }
        for id_, name, state, rate, routes, queued, in_flight, unknown in rows
    ]
    lines = []
    for each in facts:
        lines.append(f"{each['name']}: {each['state']}, {', '.join(each['routes'])}; queued {each['queued']}")
        for link in each["links"]:
            bound = "bound" if link["bound"] else f"not bound {link['words']}".strip()
            lines.append(f"  {link['system_id']} at {link['address']}, window {link['window']}: {bound}")
    return Answer(facts, lines or ["No operators"])


def _set_state(name: str, state: Operator.State) -> Answer:
    operator = _operator(name)
    operator.state = state
    operator.save(update_fields=["state"])
    return Answer({"name": name, "state": state.label}, [f"{name}: {state.label}"])


def pause(arguments: argparse.Namespace) -> Answer:
    """Nothing is handed over any more; receipts still come in."""
    return _set_state(arguments.name, Operator.State.PAUSED)


def drain(arguments: argparse.Namespace) -> Answer:
    """What waits is handed over, and nothing new comes."""
    return _set_state(arguments.name, Operator.State.DRAINING)


def resume(arguments: argparse.Namespace) -> Answer:
    """What waits goes on."""
    return _set_state(arguments.name, Operator.State.ACTIVE)
