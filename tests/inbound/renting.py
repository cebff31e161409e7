"""Harbour's own number, a number shared by keywords, and handsets that write to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.inbound import numbers, parts
from sampan.inbound.reading import ReceivedPart
from sampan.inbound.replies import ReplyFacts, newest
from sampan.inbound.tables import Rental, RentedNumber
from sampan.inbound.taking import take_replies
from sampan.routing.tables import Operator
from tests.world import NOW, PLATFORM, make_staff

OWN, SHARED = "85264478200", "85264478201"
HANDSET = "85261234567"
IN_CHINA = "8613812345678"
RENT_PIPS = 500_0000


def support() -> Person:
    """Somebody who sets up numbers."""
    return Person.objects.filter(login_name="grace").first() or make_staff("grace", role=Person.StaffRole.SUPPORT)


def make_number(operator: Operator, number: str = OWN, *, is_shared: bool = False) -> RentedNumber:
    """A number of ours at the operator."""
    return numbers.add_number(operator, number, is_shared=is_shared, by=support(), why="a test", now=NOW)


def make_rental(number: RentedNumber, customer: Customer, **changes: Any) -> Rental:
    """The customer rents it from NOW on, free unless `monthly_pips` says otherwise."""
    values: dict[str, Any] = {"monthly_pips": 0, "by": support(), "why": "a test", "now": NOW}
    return numbers.rent(number.pk, customer.pk, **(values | changes))


def write(
    conn: Connection,
    operator: Operator,
    text: str,
    *,
    to: str = OWN,
    handset: str = HANDSET,
    now: datetime = NOW,
) -> None:
    """A handset writes; the operator has brought it, and nobody has looked at it yet."""
    part = ReceivedPart(handset, to, 8, text.encode("utf-16-be"), 0, 1, 1)
    assert parts.keep(conn, operator.pk, [part], now) == 1


def take(now: datetime = NOW) -> int:
    """The worker looks."""
    count, _places = take_replies(PLATFORM, now)
    return count


def inbox(conn: Connection, customer: Customer) -> Sequence[ReplyFacts]:
    """What the customer has, the newest first."""
    return newest(conn, customer.pk)
