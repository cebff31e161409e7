"""The verbs of the command line: what each takes, and how it fails.

An error is one line on stderr. Exit codes: 0 done, 1 refused (the line says why), 2 wrong usage, 3 there is no platform
to work on, or something outside stands in the way.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sampan.ops import CannotStart

REFUSED, NO_PLATFORM = 1, 3
DEFAULT_DATA = "var"
DEFAULT_PORT = 8000
DEFAULT_SMPP_RATE = 200

Verb = Callable[[argparse.Namespace], "Answer | None"]


class VerbRefused(Exception):
    """What was asked cannot be done; the message says why, and how to mend it."""


class Answer:
    """What a verb found: `facts` for --json, `lines` for people, and the exit code."""

    def __init__(self, facts: Any, lines: Sequence[str], code: int = 0) -> None:
        self.facts = facts
        self.lines = lines
        self.code = code


def parser() -> argparse.ArgumentParser:
    """All verbs."""
    whole = argparse.ArgumentParser("sampan", description="The Sampan SMS platform.")
    verbs = whole.add_subparsers(required=True, metavar="VERB")
    _add_up(verbs)
    _add_processes(verbs)
    _add_customer(verbs)
    _add_staff(verbs)
    _add_operator(verbs)
    _add_register(verbs)
    _add_message(verbs)
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; gives the exit code."""
    arguments = parser().parse_args(argv)
    try:
        answer = arguments.verb(arguments)
    except VerbRefused as refused:
        return _fail(REFUSED, str(refused))
    except CannotStart as error:
        return _fail(NO_PLATFORM, str(error))
    except KeyboardInterrupt:
        return 130
    if isinstance(answer, Answer):
        text = json.dumps(answer.facts, indent=2, default=str) if arguments.json else "\n".join(answer.lines)
        sys.stdout.write(text + "\n")
        return answer.code
    return 0


def _fail(code: int, words: str) -> int:
    sys.stderr.write(f"sampan: {' '.join(words.split())}\n")
    return code


def use_platform(arguments: argparse.Namespace) -> None:
    """Set the process up to work on the platform of --data, or on the database that SAMPAN_DATABASE_URL names."""
    if "SAMPAN_DATABASE_URL" not in os.environ or arguments.data:
        from sampan.ops.installation import Installation

        os.environ |= Installation(Path(arguments.data or DEFAULT_DATA)).environment()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sampan.settings")
    import django

    django.setup()


def _on_platform(verb: Verb) -> Verb:
    """A verb that needs the platform's database, and says in one line where it is not to be had."""

    def run(arguments: argparse.Namespace) -> "Answer | None":
        use_platform(arguments)
        import psycopg
        from django.db import OperationalError

        try:
            return verb(arguments)
        except (psycopg.OperationalError, OperationalError) as error:
            raise CannotStart(f"The database does not answer: {error}. Is `sampan up` running?") from error

    return run


def _verb(verbs: Any, name: str, summary: str, run: Verb, *, platform: bool = True) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary)
    made.add_argument("--data", metavar="DIR", help=f"the platform's data folder (default: {DEFAULT_DATA})")
    if platform:
        made.add_argument("--json", action="store_true", help="answer in JSON")
    made.set_defaults(verb=_on_platform(run) if platform else run)
    return made


def _group(verbs: Any, name: str, summary: str) -> Any:
    return verbs.add_parser(name, help=summary, description=summary).add_subparsers(required=True, metavar="VERB")


def _late(module: str, function: str) -> Verb:
    """A verb whose module is read only when it runs, so that --help answers at once."""

    def run(arguments: argparse.Namespace) -> "Answer | None":
        import importlib

        verb: Verb = getattr(importlib.import_module(f"sampan.ops.{module}"), function)
        return verb(arguments)

    return run


def _add_up(verbs: Any) -> None:
    up = _verb(verbs, "up", "start the whole platform here and keep it running", _late("up", "up"), platform=False)
    up.add_argument("--base-port", type=int, default=DEFAULT_PORT, metavar="N", help="web on N, its helpers above")
    up.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine alone)")
    up.add_argument("--no-demo", action="store_true", help="no demo customer, staff or simulator's operator")
    up.add_argument(
        "--web-processes", type=int, default=0, metavar="N", help="how many serve the web (default: by cores)"
    )
    up.add_argument(
        "--after-restore", action="store_true", help="the data come from a backup: sending is held until released"
    )
    up.add_argument("--time-scale", type=float, default=1.0, help="how fast the simulator's hours pass")


def _add_processes(verbs: Any) -> None:
    web = _verb(verbs, "web", "serve the pages and APIs", _late("processes", "web"), platform=False)
    web.add_argument("--host", default="127.0.0.1")
    web.add_argument("--port", type=int, default=DEFAULT_PORT)
    smpp = _verb(verbs, "smpp", "let customers bind by SMPP", _late("processes", "smpp"), platform=False)
    smpp.add_argument("--host", default="127.0.0.1")
    smpp.add_argument("--port", type=int, default=DEFAULT_PORT + 1)
    smpp.add_argument(
        "--rate",
        type=int,
        default=int(os.environ.get("SAMPAN_SMPP_RATE", str(DEFAULT_SMPP_RATE))),
        metavar="N",
        help="messages a second of a customer (default: SAMPAN_SMPP_RATE, else %(default)s)",
    )
    _add_certificate(smpp, "SMPP", "TLS alone is spoken")
    smtp = _verb(verbs, "smtp", "take mails that become texts", _late("processes", "smtp"), platform=False)
    smtp.add_argument("--host", default="127.0.0.1")
    smtp.add_argument("--port", type=int, default=DEFAULT_PORT + 2)
    smtp.add_argument(
        "--plain-on-loopback",
        action="store_true",
        default=bool(os.environ.get("SAMPAN_SMTP_PLAIN_ON_LOOPBACK")),
        help="programs on this machine may sign in without TLS, for trying (or SAMPAN_SMTP_PLAIN_ON_LOOPBACK=1)",
    )
    _add_certificate(smtp, "SMTP", "STARTTLS is offered, and needed to sign in")
    _verb(verbs, "gateway", "hold the links to operators and send", _late("processes", "gateway"), platform=False)
    _verb(verbs, "webhooks", "tell customers' servers", _late("processes", "webhooks"), platform=False)
    worker = _verb(
        verbs, "worker", "do what time brings: schedules, sweeps", _late("processes", "worker"), platform=False
    )
    worker.add_argument("--metrics-host", default="127.0.0.1")
    worker.add_argument("--metrics-port", type=int, default=DEFAULT_PORT + 5)
    simulator = _verb(verbs, "simulator", "an SMSC to try with", _late("processes", "simulator"), platform=False)
    simulator.add_argument("--host", default="127.0.0.1")
    simulator.add_argument("--port", type=int, default=DEFAULT_PORT + 3)
    simulator.add_argument("--control-port", type=int, default=DEFAULT_PORT + 4)
    simulator.add_argument("--account", action="append", metavar="SYSTEM_ID:PASSWORD", help="who may bind (repeatable)")
    simulator.add_argument("--time-scale", type=float, default=1.0, help="60: an hour passes in a minute")
    simulator.add_argument("--seed", type=int, metavar="N", help="of the chances of its faults (default: drawn)")
    simulator.add_argument("--memory", metavar="FILE", help="where what it took outlives a kill (default: nowhere)")
    prepare = _verb(verbs, "prepare", "bring the database up to date", _late("prepare", "prepare"))
    prepare.add_argument("--after-restore", action="store_true", help="hold sending, and leave a gap in the ids")
    prepare.add_argument("--demo", metavar="HOST:PORT", help="make the demo world, its operator at this simulator")


def _add_certificate(door: argparse.ArgumentParser, name: str, then: str) -> None:
    door.add_argument(
        "--tls-certificate",
        default=os.environ.get(f"SAMPAN_{name}_CERTIFICATE", ""),
        metavar="FILE",
        help=f"PEM, with its chain: {then} (default: SAMPAN_{name}_CERTIFICATE)",
    )
    door.add_argument(
        "--tls-key",
        default=os.environ.get(f"SAMPAN_{name}_KEY", ""),
        metavar="FILE",
        help=f"PEM, where it is not in the same file (default: SAMPAN_{name}_KEY)",
    )


def _add_customer(verbs: Any) -> None:
    group = _group(verbs, "customer", "customers")
    add = _verb(group, "add", "open a customer's account", _late("verbs.customers", "add"))
    add.add_argument("login", help="the owner's login name, at most 20 characters")
    add.add_argument("--password", required=True)
    add.add_argument("--name", help="the organisation's name (default: the login name)")
    add.add_argument("--balance", default="0", metavar="HKD", help="a first top-up")
    add.add_argument("--sender", action="append", default=[], metavar="ID", help="a sender ID (repeatable, at most 5)")
    add.add_argument("--grounds", default="entered at the command line", help="why the sender IDs are allowed")
    key = _verb(group, "key", "make an API key for a customer; it is shown once", _late("verbs.customers", "key"))
    key.add_argument("login")
    key.add_argument("--name", default="key")
    kind = key.add_mutually_exclusive_group()
    kind.add_argument("--short", action="store_true", help="8 characters, for an SMPP client that takes no more")
    kind.add_argument("--json-api", choices=("live", "test"), help="for the JSON API, with every scope")
    top_up = _verb(group, "top-up", "credit a customer", _late("verbs.customers", "top_up"))
    top_up.add_argument("login")
    top_up.add_argument("amount", metavar="HKD")
    top_up.add_argument("--note", default="entered at the command line")


def _add_operator(verbs: Any) -> None:
    group = _group(verbs, "operator", "operators (SMSC accounts)")
    add = _verb(group, "add", "connect an SMSC account", _late("verbs.operators", "add"))
    add.add_argument("name")
    add.add_argument("--host", required=True)
    add.add_argument("--port", type=int, required=True)
    add.add_argument("--system-id", required=True)
    add.add_argument("--password", required=True)
    add.add_argument("--routes", required=True, metavar="CODE,CODE", help="what it carries: hk-business,overseas,…")
    add.add_argument("--window", type=int, default=10, help="requests without an answer, at most (default: 10)")
    add.add_argument("--rate", type=int, default=0, metavar="PARTS", help="parts a second (default: as it takes them)")
    add.add_argument("--dialect", default="{}", metavar="JSON", help="how it deviates (docs/operating/dialects.md)")
    _add_tls(add)
    _verb(group, "list", "all operators, their links and queues", _late("verbs.operators", "show"))
    for name, summary in (
        ("pause", "hand nothing over; what waits goes by another operator where there is one"),
        ("drain", "hand over what waits, and give it nothing new"),
        ("resume", "send by it again"),
    ):
        verb = _verb(group, name, summary, _late("verbs.operators", name))
        verb.add_argument("name")
    change = _verb(group, "set", "change an operator, while it runs", _late("verbs.operators", "change"))
    change.add_argument("name")
    change.add_argument("--rate", type=int, metavar="PARTS", help="parts a second; 0: as it takes them")
    change.add_argument("--sender", metavar="ID", help="shown where a customer's own sender ID is not possible")
    change.add_argument("--dialect", metavar="JSON")
    route = _verb(group, "route", "let an operator carry a route", _late("verbs.operators", "route"))
    route.add_argument("name")
    route.add_argument("route", metavar="CODE")
    route.add_argument("--position", type=int, metavar="N", help="1 goes first (default: last)")
    route.add_argument("--share", type=int, default=100, metavar="N", help="among those of the same position")
    link = _verb(group, "link", "add one more link to an operator", _late("verbs.operators", "link"))
    link.add_argument("name")
    link.add_argument("--host", required=True)
    link.add_argument("--port", type=int, required=True)
    link.add_argument("--system-id", required=True)
    link.add_argument("--password", required=True)
    link.add_argument("--window", type=int, default=10)
    link.add_argument("--bind", choices=("transceiver", "transmitter", "receiver"), default="transceiver")
    _add_tls(link)


def _add_staff(verbs: Any) -> None:
    group = _group(verbs, "staff", "our own people")
    first = _verb(group, "first", "make the first administrator", _late("verbs.staff", "add_first"))
    first.add_argument("login", help="the login name, 3 to 20 characters")
    first.add_argument("--password", required=True, help="at least 10 characters")
    first.add_argument("--name", help="as the pages show it (default: the login name)")


def _add_register(verbs: Any) -> None:
    group = _group(verbs, "register", "the do-not-call register")
    read = _verb(group, "import", "import OFCA's register, CSV or gzipped", _late("verbs.register", "import_file"))
    read.add_argument("file", help="number and date listed, one a row")
    read.add_argument("--by", required=True, metavar="LOGIN", help="who of the staff does it")
    read.add_argument("--as-of", required=True, metavar="DATE", help="the day OFCA made the file: 2026-11-21")
    read.add_argument("--kind", choices=("replace", "add", "remove"), default="replace", help="what the file holds")
    read.add_argument("--may-shrink", action="store_true", help="it may take off more than half of the numbers")


def _add_tls(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--tls", action="store_true", help="the SMSC's certificate is verified")
    verb.add_argument("--tls-authorities", metavar="FILE", help="PEM, where the SMSC has a CA of its own")
    verb.add_argument("--tls-certificate", metavar="FILE", help="PEM, ours, where the SMSC asks for one")
    verb.add_argument("--tls-key", metavar="FILE", help="PEM, of our certificate")


def _add_message(verbs: Any) -> None:
    message = _verb(verbs, "message", "everything known of one message", _late("verbs.messages", "show"))
    message.add_argument("smsdid", type=int, metavar="SMSDID")
    group = _group(verbs, "batch", "batches")
    for name, summary in (
        ("pause", "hand over nothing more of a batch"),
        ("resume", "let a paused batch go on"),
        ("cancel", "end what of a batch was not handed over, uncharged"),
        ("release", "start a batch that was held because it came due too late"),
    ):
        verb = _verb(group, name, summary, _late("verbs.batches", name))
        verb.add_argument("batch", type=int)
    group = _group(verbs, "sending", "the whole platform's sending")
    hold = _verb(group, "hold", "hand nothing over to any operator", _late("verbs.batches", "hold"))
    hold.add_argument("--why", default="held at the command line")
    _verb(group, "release", "hand over again", _late("verbs.batches", "release_all"))
    _verb(group, "show", "whether sending is held", _late("verbs.batches", "show"))
    _verb(verbs, "reconcile", "check the books against the messages", _late("verbs.books", "reconcile"))
