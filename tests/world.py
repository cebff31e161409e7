"""The people and places of the tests: Harbour Florist, St Mary's, Mallory who must see nothing; routes and an operator.

Everything is made by the code the platform itself uses, and committed: needs the fixture `database`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.proofs.tables import SecondFactor
from sampan.accounts.seals import seal
from sampan.accounts.tables import Customer, Person
from sampan.billing.money import pips_of
from sampan.billing.opening import open_customer
from sampan.database import Connection
from sampan.messages.planning import Draft, Plan, Platform, Terms, plan, terms_in_force
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Purpose, Source
from sampan.ops.world import make_first_world
from sampan.routing.operators import add_operator
from sampan.routing.tables import Operator

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday 10:00 in Hong Kong
PLATFORM = Platform(signature="舢舨", sender="Sampan")
PASSWORD = "a long way home"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # of all staff, in base32
SENDER = "HarbourFlo"
ALL_ROUTES = ("hk-business", "hk-economic", "macau", "china", "overseas")


def make_places(*, port: int = 2775, rate: int = 0, window: int = 10, **dialect: Any) -> Operator:
    """Routes, destinations and prices, and one operator that carries them all."""
    make_first_world()
    return add_operator(
        name="kai-tak",
        host="127.0.0.1",
        port=port,
        system_id="sampan",
        password="secret",
        route_codes=ALL_ROUTES,
        window=window,
        rate_parts_per_s=rate,
        dialect=dialect,
    )


def make_customer(
    login_name: str = "harbour",
    *,
    name: str = "Harbour Florist",
    status: Customer.Status = Customer.Status.NORMAL,
    senders: Sequence[str] = (SENDER, "85298765432"),
    balance: str = "1000",
) -> Customer:
    """A customer with money, and its owner who signs in with PASSWORD."""
    return open_customer(
        login_name=login_name,
        password=PASSWORD,
        name=name,
        status=status,
        now=NOW,
        senders=tuple(senders),
        paid_pips=pips_of(balance),
        note="the tests' grounds",
    )


def make_mallory() -> Customer:
    """A customer of good standing who must see nothing of anybody else's."""
    return make_customer("mallory", name="Mallory Ltd", senders=("Mallory",))


def make_staff(
    login_name: str = "ada", *, role: Person.StaffRole = Person.StaffRole.ADMIN, second_factor: bool = True
) -> Person:
    """Somebody of our own people, who signs in with PASSWORD and, unless told otherwise, a second factor."""
    person = Person(login_name=login_name, name=login_name.title(), staff_role=role, created_at=NOW)
    person.set_password(PASSWORD)
    person.save()
    if second_factor:
        SecondFactor.objects.create(person=person, secret=seal(TOTP_SECRET), created_at=NOW, confirmed_at=NOW)
    return person


def facts_of(conn: Connection, customer: Customer) -> CustomerFacts:
    """The customer as submissions see it."""
    return customers(conn, {customer.pk})[customer.pk]


def terms(conn: Connection) -> Terms:
    """What is in force, with the tests' platform."""
    return terms_in_force(conn, PLATFORM)


def draft_of(
    conn: Connection, customer: Customer, recipients: Sequence[str | int] = (85261234567,), **changes: Any
) -> Draft:
    """What the customer sends: a short transactional text unless `changes` say otherwise."""
    values: dict[str, Any] = {
        "customer": facts_of(conn, customer),
        "source": Source.HTTP,
        "recipients": recipients,
        "text": "Your flowers are on their way.",
        "sender": SENDER,
        "purpose": Purpose.TRANSACTIONAL,
    }
    return Draft(**(values | changes))


def plan_of(conn: Connection, draft: Draft, now: datetime = NOW) -> Plan:
    """The draft, planned."""
    return plan(draft, terms(conn), now)


def send(
    conn: Connection,
    customer: Customer,
    recipients: Sequence[str | int] = (85261234567,),
    *,
    now: datetime = NOW,
    **changes: Any,
) -> Accepted:
    """A submission that is accepted."""
    (outcome,) = submit(conn, [plan_of(conn, draft_of(conn, customer, recipients, **changes), now)], now)
    assert isinstance(outcome, Accepted), outcome
    return outcome
