"""How messages get to a destination, at what price, and what the text becomes there (spec S20, S40, S83, S90, S95)."""

from datetime import datetime

import msgspec

from sampan.accounts.customers import CustomerFacts
from sampan.accounts.senders import REGISTERED
from sampan.billing.prices import PriceList
from sampan.compliance.footers import Footers, with_footer
from sampan.composing.alphabet import Coding
from sampan.composing.parts import Composed, compose
from sampan.reasons import Reason, Refused
from sampan.routing.directory import DestinationFacts, Directory, RouteFacts
from sampan.routing.tables import Destination

Region = Destination.Region


class Way(msgspec.Struct, frozen=True):
    """How messages get to one destination, or why not."""

    destination: DestinationFacts | None
    route: RouteFacts | None = None
    unit_pips: int = 0
    reason: Reason | None = None


def region_of(destination: DestinationFacts | None) -> Destination.Region:
    """Where a text goes; what no route serves counts as abroad."""
    return destination.region if destination is not None else Region.OVERSEAS


def way_to(
    destination: DestinationFacts | None,
    chosen: RouteFacts | None,
    directory: Directory,
    prices: PriceList,
    *,
    sender: str,
    customer: CustomerFacts,
    at: datetime,
) -> Way:
    """The route the sender chose where it goes there, else the destination's own (spec S40)."""
    if destination is None:
        return Way(None, reason=Reason.NO_ROUTE)
    for route in (chosen, directory.routes.get(destination.route_id)):
        if route is None:
            continue
        price = prices.unit_pips(destination.id, route.id, customer.tier, at, customer_id=customer.id)
        if price is None:
            continue
        if (route.own_sender and not sender) or _is_registered_elsewhere(sender, destination, route):
            return Way(destination, route, reason=Reason.SENDER_NOT_POSSIBLE)
        if not route.carriers:
            return Way(destination, route, reason=Reason.NO_ROUTE)
        return Way(destination, route, price)
    return Way(destination, reason=Reason.NO_ROUTE)


def _is_registered_elsewhere(sender: str, destination: DestinationFacts, route: RouteFacts) -> bool:
    """A name with # goes only to Hong Kong, and never by a route that would not show it (spec S63)."""
    return sender.startswith(REGISTERED) and not (destination.region == Region.HONG_KONG and route.own_sender)


def text_at(
    text: str, destination: DestinationFacts | None, *, coding: Coding | None, footers: Footers, signature: str
) -> Composed:
    """The text as a destination needs it; too long for one refuses the whole, naming it (spec S20).

    A coding that the sender forced is that of its own words: a footer in Chinese makes English words Unicode.
    """
    region = region_of(destination)
    whole = with_footer(text, footers, region)
    forced = None if footers and coding is Coding.GSM7 else coding
    try:
        return compose(whole, china=region == Region.CHINA, coding=forced, signature=signature)
    except Refused as refused:
        if refused.reason == Reason.TOO_LONG and destination is not None:
            raise Refused(Reason.TOO_LONG, "text", f"{destination.name}: {refused.value}") from None
        raise
