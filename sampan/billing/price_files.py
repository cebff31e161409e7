"""Price lists as CSV files that staff take out, change and put back: all of a file is good, or nothing of it counts.

What is in force already is never changed: a line with a time that has passed must stand in the list as it is, so that
a file that was taken out, and had lines added, can be put back whole.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from sampan.accounts.acts import Act, record, require
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import in_pips, pips_of
from sampan.billing.tables import CustomerPrice, Price
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination, Route

LISTED_HEAD = ("destination", "route", "tier", "from", "hkd_per_unit")
OWN_HEAD = ("destination", "route", "from", "hkd_per_unit")
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
FORMS = ("%Y-%m-%d %H:%M", "%Y-%m-%d")
MOST_ROWS = 20_000
MOST_FLAWS = 200
HIGHEST_TIER = 9
DEAREST_UNIT_PIPS = 1_000_000  # HK$100: beyond it is a slip of the pen


class Fault(Enum):
    """What is wrong with a line, and how to mend it."""

    HEAD = "The first line does not name the columns. Begin with: destination, route, tier, from, hkd_per_unit"
    OWN_HEAD = "The first line does not name the columns. Begin with: destination, route, from, hkd_per_unit"
    TOO_MANY = "More than 20,000 lines. Split the file in two"
    COLUMNS = "Not as many columns as the first line has"
    DESTINATION = "There is no destination of this name"
    ROUTE = "There is no route with this code"
    TIER = "A tier is a whole number from 1 to 9"
    TIME = "Not a time of Hong Kong. Write it as 2026-12-31 or 2026-12-31 18:00, or leave it empty for now"
    PRICE = "Not a price of HK$ above 0 and up to 100, with at most 4 decimals"
    PAST = "What is in force already is not changed. Give a later time, or leave it empty for now"
    TWICE = "This line says the same again as one before it, or something else of the same price"


class Flaw(NamedTuple):
    """One line that cannot be taken: its row in the file (the first is 1), the value that is wrong, and why."""

    row: int
    value: str
    fault: Fault


class Line(NamedTuple):
    """One price; `tier` is 0 in a list of a customer's own, and without pips it ends an own price."""

    destination_id: int
    route_id: int
    tier: int
    effective_from: datetime
    unit_pips: int | None

    @property
    def key(self) -> tuple[int, int, int, datetime]:
        """What there is one price for."""
        return self[:4]


class PriceFile(NamedTuple):
    """A file as it was read against the list that stands: to be added, to be changed, known already, and wrong."""

    new: list[Line]
    changed: list[Line]  # not in force yet
    unchanged: int
    flaws: list[Flaw]


def list_lines() -> Iterator[Sequence[str]]:
    """The whole list, as a file has it: all tiers, past, present and to come."""
    rows = Price.objects.select_related("destination", "route").order_by(
        "destination__region", "destination__name", "route__code", "tier", "effective_from"
    )
    for row in rows.iterator():
        at, price = _written(row.effective_from), in_pips(row.unit_pips)
        yield row.destination.name, row.route.code, str(row.tier), at, price


def own_lines(customer_id: int) -> Iterator[Sequence[str]]:
    """A customer's own prices, as a file has them; one without a price ends the one before."""
    rows = CustomerPrice.objects.filter(customer_id=customer_id).select_related("destination", "route")
    for row in rows.order_by("destination__region", "destination__name", "route__code", "effective_from"):
        price = "" if row.unit_pips is None else in_pips(row.unit_pips)
        yield row.destination.name, row.route.code, _written(row.effective_from), price


def _written(moment: datetime) -> str:
    return moment.astimezone(HONG_KONG).strftime("%Y-%m-%d %H:%M").removesuffix(" 00:00")


def read_list(text: str, now: datetime) -> PriceFile:
    """A file of the list, checked line by line against the list that stands; nothing is changed."""
    known = Price.objects.values_list("destination_id", "route_id", "tier", "effective_from", "unit_pips")
    return _compared(text, now, LISTED_HEAD, {Line(*row).key: row[4] for row in known})


def read_own(customer_id: int, text: str, now: datetime) -> PriceFile:
    """A file of a customer's own prices, checked line by line; nothing is changed."""
    rows = CustomerPrice.objects.filter(customer_id=customer_id)
    known = rows.values_list("destination_id", "route_id", "effective_from", "unit_pips")
    return _compared(text, now, OWN_HEAD, {(row[0], row[1], 0, row[2]): row[3] for row in known})


Known = dict[tuple[int, int, int, datetime], int | None]


def _compared(text: str, now: datetime, head: Sequence[str], known: Known) -> PriceFile:
    file = PriceFile([], [], 0, [])
    this_minute = now.replace(second=0, microsecond=0)
    seen: set[tuple[int, int, int, datetime]] = set()
    unchanged = 0
    for row, line in _lines(text, this_minute, head):
        if isinstance(line, Flaw):
            file.flaws.append(line)
        elif line.key in seen:
            file.flaws.append(Flaw(row, _written(line.effective_from), Fault.TWICE))
        elif line.key in known and known[line.key] == line.unit_pips:
            unchanged += 1
        elif line.effective_from < this_minute:
            file.flaws.append(Flaw(row, _written(line.effective_from), Fault.PAST))
        else:
            (file.changed if line.key in known else file.new).append(line)
        if isinstance(line, Line):
            seen.add(line.key)
        if len(file.flaws) >= MOST_FLAWS:
            break
    return file._replace(unchanged=unchanged)


def _lines(text: str, this_minute: datetime, head: Sequence[str]) -> Iterator[tuple[int, Line | Flaw]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    given = [cell.strip().lower() for cell in next(reader, [])]
    if tuple(given) != tuple(head):
        fault = Fault.HEAD if head is LISTED_HEAD else Fault.OWN_HEAD
        yield 1, Flaw(1, ", ".join(given)[:100], fault)
        return
    destinations = dict(Destination.objects.values_list("name", "pk"))
    routes = dict(Route.objects.values_list("code", "pk"))
    for row, cells in enumerate(reader, 2):
        if row > MOST_ROWS + 1:
            yield row, Flaw(row, "", Fault.TOO_MANY)
            return
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(head):
            yield row, Flaw(row, str(len(cells)), Fault.COLUMNS)
            continue
        yield row, _line(row, dict(zip(head, map(str.strip, cells), strict=True)), destinations, routes, this_minute)


def _line(
    row: int, cells: dict[str, str], destinations: dict[str, int], routes: dict[str, int], this_minute: datetime
) -> Line | Flaw:
    listed = "tier" in cells
    if (destination_id := destinations.get(cells["destination"])) is None:
        return Flaw(row, cells["destination"], Fault.DESTINATION)
    if (route_id := routes.get(cells["route"])) is None:
        return Flaw(row, cells["route"], Fault.ROUTE)
    tier = cells["tier"] if listed else "0"
    if listed and not (tier.isascii() and tier.isdigit() and 1 <= int(tier) <= HIGHEST_TIER):
        return Flaw(row, tier, Fault.TIER)
    if (effective_from := _moment(cells["from"], this_minute)) is None:
        return Flaw(row, cells["from"], Fault.TIME)
    price = cells["hkd_per_unit"]
    unit_pips = _unit_pips(price)
    if unit_pips is None and (listed or price):
        return Flaw(row, price, Fault.PRICE)
    return Line(destination_id, route_id, int(tier), effective_from, unit_pips)


def _moment(text: str, this_minute: datetime) -> datetime | None:
    if not text:
        return this_minute
    for form in FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=HONG_KONG)
        except ValueError:
            continue
    return None


def _unit_pips(price: str) -> int | None:
    try:
        pips = pips_of(price)
    except ValueError:
        return None
    return pips if 0 < pips <= DEAREST_UNIT_PIPS else None


class NothingTaken(Exception):
    """A file has flaws, so nothing of it was taken."""

    def __init__(self, file: PriceFile) -> None:
        super().__init__(f"{len(file.flaws)} lines are wrong")
        self.file = file


@transaction.atomic
def put_list(text: str, *, why: str, by: Person, now: datetime) -> PriceFile:
    """Take a file into the list. Raises NotAllowed, Refused, and NothingTaken where a line is wrong."""
    _require(by, why)
    _alone("price")
    file = read_list(text, now)
    if file.flaws:
        raise NothingTaken(file)
    Price.objects.bulk_create(
        [Price(**_values(line), tier=line.tier) for line in (*file.new, *file.changed)],
        update_conflicts=True,
        unique_fields=["destination", "route", "tier", "effective_from"],
        update_fields=["unit_pips"],
    )
    record(Act.CHANGE_PRICES, by=by, subject="price list", after=_counted(file), why=why, now=now)
    return file


@transaction.atomic
def put_own(customer: Customer, text: str, *, why: str, by: Person, now: datetime) -> PriceFile:
    """Take a file into a customer's own prices. Raises NotAllowed, Refused, and NothingTaken where a line is wrong."""
    _require(by, why)
    _alone("customer_price")
    file = read_own(customer.pk, text, now)
    if file.flaws:
        raise NothingTaken(file)
    CustomerPrice.objects.bulk_create(
        [CustomerPrice(**_values(line), customer=customer) for line in (*file.new, *file.changed)],
        update_conflicts=True,
        unique_fields=["customer", "destination", "route", "effective_from"],
        update_fields=["unit_pips"],
    )
    record(Act.CHANGE_PRICES, by=by, subject=customer, after=_counted(file), why=why, now=now)
    return file


def _require(by: Person, why: str) -> None:
    require(by, Act.CHANGE_PRICES)
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")


def _alone(table: str) -> None:
    """Nobody else changes the list until the transaction ends; it can be read."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")


def _values(line: Line) -> dict[str, object]:
    return {
        "destination_id": line.destination_id,
        "route_id": line.route_id,
        "effective_from": line.effective_from,
        "unit_pips": line.unit_pips,
    }


def _counted(file: PriceFile) -> dict[str, object]:
    """What a file does, for the log: how many, and the lines themselves where they are few."""
    lines = [
        {"destination": line.destination_id, "route": line.route_id, "tier": line.tier, "pips": line.unit_pips}
        | {"from": _written(line.effective_from)}
        for line in (*file.new, *file.changed)[:50]
    ]
    return {"new": len(file.new), "changed": len(file.changed), "lines": lines}
