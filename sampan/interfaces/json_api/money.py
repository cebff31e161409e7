"""Balance, statement, prices, sender IDs, and what a number is (spec S41, S60, S80, S83, S89)."""

from datetime import MINYEAR, datetime, timedelta
from typing import Annotated, Any

import msgspec

from sampan.accounts.keys import Scope
from sampan.billing import ledger
from sampan.billing.prices import price_list
from sampan.billing.statement import statement
from sampan.billing.tables import Account
from sampan.database import Connection
from sampan.interfaces.json_api.calls import Call, Given, Moment, NoQuery, Operation, hkd, looked_up, looked_up_in_bulk
from sampan.interfaces.json_api.sending import Number, number_of
from sampan.reasons import Reason, Refused
from sampan.routing.directory import DestinationFacts, RouteFacts, directory
from sampan.routing.numbers import NotAMobile, parse

USUAL_PERIOD = timedelta(days=31)
MOST_NUMBERS = 1_000


class Balance(msgspec.Struct):
    """HK$, to the pip."""

    available_hkd: str
    held_hkd: str  # set aside for messages on their way


def show_balance(conn: Connection, call: Call[NoQuery, None]) -> Balance:
    """What can be spent now."""
    found = ledger.balances(conn, [call.customer_id])
    kinds = Account.Kind.AVAILABLE, Account.Kind.HELD
    return Balance(*(hkd(found.get((call.customer_id, kind), 0)) for kind in kinds))


class StatementQuery(Given):
    """A period."""

    since: Annotated[Moment | None, msgspec.Meta(description="Unsaid: 31 days ago")] = None
    until: Moment | None = None


class StatementLine(msgspec.Struct):
    """One movement; or the charges of one day in Hong Kong together."""

    id: str
    at: datetime
    kind: str
    note: str
    amount_hkd: str
    transfers: int
    balance_hkd: str


class Statement(msgspec.Struct):
    """opening + in - out = closing. The balance is what is available and what is held."""

    since: datetime
    until: datetime
    opening_hkd: str
    in_hkd: str
    out_hkd: str
    closing_hkd: str
    left_out: int  # older lines than are shown
    lines: list[StatementLine]


def show_statement(conn: Connection, call: Call[StatementQuery, None]) -> Statement:
    """Every movement of a period, in order."""
    until = call.query.until or call.now
    since = call.query.since or (until - USUAL_PERIOD if until.year > MINYEAR else until)
    found = statement(conn, call.customer_id, since, until)
    lines = [
        StatementLine(
            str(line.id),
            line.at,
            line.kind.name.lower().replace("_", "-"),
            line.note,
            hkd(line.amount_pips),
            line.transfers,
            hkd(line.balance_pips),
        )
        for line in found.lines
    ]
    return Statement(
        since=since,
        until=until,
        opening_hkd=hkd(found.opening_pips),
        in_hkd=hkd(found.in_pips),
        out_hkd=hkd(found.out_pips),
        closing_hkd=hkd(found.closing_pips),
        left_out=found.left_out,
        lines=lines,
    )


class PriceQuery(Given):
    """Of one number, or of all destinations."""

    to: Number = ""


class Price(msgspec.Struct):
    """What one charge unit costs you."""

    destination: str
    route: str  # its code, as messages name it
    route_name: str
    own_sender: bool
    receipts: bool
    unit_hkd: str


class PriceList(msgspec.Struct):
    """The prices in force now, yours where you have some."""

    prices: list[Price]


def list_prices(conn: Connection, call: Call[PriceQuery, None]) -> PriceList:
    """By destination and route."""
    places = directory.get(conn)
    if not call.query.to:
        return PriceList(_prices(conn, call, list(places.destinations.values())))
    destination = places.locate(number_of(call.query.to, "to"))
    return PriceList(_prices(conn, call, [destination] if destination else []))


def _prices(conn: Connection, call: Call[Any, Any], destinations: list[DestinationFacts]) -> list[Price]:
    prices, routes = price_list.get(conn), directory.get(conn).routes
    wanted = {destination.id: destination for destination in destinations}
    found: list[tuple[DestinationFacts, RouteFacts, int]] = []
    for destination_id, route_id in prices.ways():
        destination, route = wanted.get(destination_id), routes.get(route_id)
        if destination is None or route is None or not route.carriers:
            continue
        tier = call.holder.customer.tier
        pips = prices.unit_pips(destination_id, route_id, tier, call.now, customer_id=call.customer_id)
        if pips is not None:
            found.append((destination, route, pips))
    found.sort(key=lambda way: (way[0].region, way[0].name, way[0].route_id != way[1].id, way[1].id))
    return [
        Price(place.name, route.code, route.name, route.own_sender, route.receipts, hkd(pips))
        for place, route, pips in found
    ]


class Numbers(Given):
    """Numbers to look at."""

    numbers: list[Number]


class Checked(msgspec.Struct, omit_defaults=True):
    """What one number is."""

    given: str
    mobile: bool
    number: str = ""  # as messages take it
    destination: str = ""
    unit_hkd: str = ""  # by its usual route
    detail: str = ""  # what is wrong with it, and how to mend it


class CheckedList(msgspec.Struct):
    """One for each that was given, in order."""

    numbers: list[Checked]


def check_numbers(conn: Connection, call: Call[NoQuery, Numbers]) -> CheckedList:
    """Whether each is a mobile, where it leads and at what price; nothing is sent. 8 digits are taken for Hong Kong."""
    if len(call.body.numbers) > MOST_NUMBERS:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, "numbers", f"{len(call.body.numbers):,}; at most {MOST_NUMBERS:,}")
    places, prices = directory.get(conn), price_list.get(conn)
    checked = []
    for given in call.body.numbers:
        try:
            number = parse(given)
        except NotAMobile as refused:
            checked.append(Checked(given, mobile=False, detail=refused.flaw.words))
            continue
        place = places.locate(number)
        tier = call.holder.customer.tier
        pips = None
        if place is not None:
            pips = prices.unit_pips(place.id, place.route_id, tier, call.now, customer_id=call.customer_id)
        checked.append(
            Checked(
                given,
                mobile=True,
                number=str(number),
                destination=place.name if place else "",
                unit_hkd=hkd(pips) if pips is not None else "",
                detail="" if pips is not None else Reason.NO_ROUTE.words,
            )
        )
    return CheckedList(checked)


class SenderIds(msgspec.Struct):
    """What recipients may see as the sender."""

    sender_ids: list[str]


def list_sender_ids(_conn: Connection, call: Call[NoQuery, None]) -> SenderIds:
    """Those in force. New ones are asked for in the portal, with their papers (spec S60)."""
    return SenderIds(sorted(call.holder.customer.senders))


OPERATIONS = (
    Operation(
        name="show_balance",
        method="GET",
        path="/v1/balance",
        scope=Scope.BALANCE,
        summary="What can be spent, and what is held",
        handler=looked_up(show_balance),
        answer=Balance,
    ),
    Operation(
        name="show_statement",
        method="GET",
        path="/v1/statement",
        scope=Scope.BALANCE,
        summary="Every movement of a period",
        handler=looked_up_in_bulk(show_statement),
        query=StatementQuery,
        answer=Statement,
    ),
    Operation(
        name="list_prices",
        method="GET",
        path="/v1/prices",
        scope=Scope.BALANCE,
        summary="What a charge unit costs, to a number or everywhere",
        handler=looked_up(list_prices),
        query=PriceQuery,
        answer=PriceList,
        refusals=(422,),
    ),
    Operation(
        name="check_numbers",
        method="POST",
        path="/v1/numbers/check",
        scope=Scope.READ,
        summary="Whether numbers are mobiles, where they lead and at what price",
        words="At most 1,000 at once. It takes what people type: spaces, dashes, and 8 digits for Hong Kong.",
        handler=looked_up(check_numbers),
        body=Numbers,
        answer=CheckedList,
        refusals=(422,),
    ),
    Operation(
        name="list_sender_ids",
        method="GET",
        path="/v1/sender-ids",
        scope=Scope.READ,
        summary="Your sender IDs",
        handler=looked_up(list_sender_ids),
        answer=SenderIds,
    ),
)
