"""The statement: every movement, the balance after it, and sums that agree (spec S80, S89)."""

from datetime import datetime, timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing import statement as statements
from sampan.billing.ledger import SIDES
from sampan.billing.statement import every_movement, statement
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection
from tests.world import NOW, make_customer, make_mallory

DAY = timedelta(days=1)
MIDNIGHT = datetime.fromisoformat("2026-11-22T16:00:00+00:00")  # of NOW's day in Hong Kong
TOMORROW = MIDNIGHT + DAY


def moved(conn: Connection, customer: Customer, kind: Transfer.Kind, pips: int, at: datetime = NOW) -> None:
    ledger.move(conn, kind, customer_id=customer.pk, amount_pips=pips, now=at, note=f"{kind.label} {pips}")


@pytest.fixture
def harbour(database: Connection) -> Customer:
    """10.0000 paid at NOW; of it 3 held, 2 charged in two transfers, 1 released; 0.5 of services."""
    harbour = make_customer(balance="10")
    moved(database, harbour, Transfer.Kind.HOLD, 30_000, NOW + timedelta(seconds=1))
    moved(database, harbour, Transfer.Kind.CHARGE, 15_000, NOW + timedelta(seconds=2))
    moved(database, harbour, Transfer.Kind.SERVICE, 5_000, NOW + timedelta(seconds=3))
    moved(database, harbour, Transfer.Kind.CHARGE, 5_000, NOW + timedelta(seconds=4))
    moved(database, harbour, Transfer.Kind.RELEASE, 6_000, NOW + timedelta(seconds=5))
    return harbour


def test_lines_add_up_from_opening_to_closing_and_a_days_charges_are_one(
    database: Connection, harbour: Customer
) -> None:
    found = statement(database, harbour.pk, MIDNIGHT, TOMORROW)
    assert (found.opening_pips, found.in_pips, found.out_pips, found.closing_pips) == (0, 100_000, 25_000, 75_000)
    assert found.held_now_pips == 4_000
    assert [(line.kind, line.amount_pips, line.transfers, line.balance_pips) for line in found.lines] == [
        (Transfer.Kind.TOP_UP, 100_000, 1, 100_000),
        (Transfer.Kind.SERVICE, -5_000, 1, 95_000),
        (Transfer.Kind.CHARGE, -20_000, 2, 75_000),
    ]


def test_a_later_period_opens_where_the_one_before_closed(database: Connection, harbour: Customer) -> None:
    moved(database, harbour, Transfer.Kind.CHARGE, 4_000, TOMORROW)
    moved(database, harbour, Transfer.Kind.BONUS, 1, TOMORROW + DAY)
    today, tomorrow = (statement(database, harbour.pk, day, day + DAY) for day in (MIDNIGHT, TOMORROW))
    assert today.closing_pips == tomorrow.opening_pips == 75_000
    assert tomorrow.closing_pips == 71_000
    assert [line.kind for line in tomorrow.lines] == [Transfer.Kind.CHARGE]


def test_a_file_has_every_transfer_with_what_was_available_and_held_after_it(
    database: Connection, harbour: Customer
) -> None:
    rows = list(every_movement(harbour.pk, MIDNIGHT, TOMORROW))
    assert [(row.kind.name, row.amount_pips, row.available_pips, row.held_pips) for row in rows] == [
        ("TOP_UP", 100_000, 100_000, 0),
        ("HOLD", 30_000, 70_000, 30_000),
        ("CHARGE", 15_000, 70_000, 15_000),
        ("SERVICE", 5_000, 65_000, 15_000),
        ("CHARGE", 5_000, 65_000, 10_000),
        ("RELEASE", 6_000, 71_000, 4_000),
    ]
    last = ledger.balances(database, [harbour.pk])
    assert (rows[-1].available_pips, rows[-1].held_pips) == (
        last[harbour.pk, Account.Kind.AVAILABLE],
        last[harbour.pk, Account.Kind.HELD],
    )


def test_nobody_elses_movements_are_in_it(database: Connection, harbour: Customer) -> None:
    mallory = make_mallory()
    found = statement(database, mallory.pk, MIDNIGHT, TOMORROW)
    assert [line.amount_pips for line in found.lines] == [10_000_000]
    assert len(list(every_movement(mallory.pk, MIDNIGHT, TOMORROW))) == 1


def test_of_very_many_lines_the_newest_are_shown_and_the_sums_are_of_all(
    database: Connection, harbour: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MOST_LINES", 2)
    found = statement(database, harbour.pk, MIDNIGHT, TOMORROW)
    assert ([line.kind.name for line in found.lines], found.left_out) == (["SERVICE", "CHARGE"], 1)
    assert (found.opening_pips, found.closing_pips, found.lines[-1].balance_pips) == (0, 75_000, 75_000)


def test_a_customer_of_whom_nothing_moved_has_an_empty_statement(database: Connection) -> None:
    found = statement(database, make_customer(balance="0").pk, MIDNIGHT, TOMORROW)
    assert found == statements.Statement(0, 0, 0, 0, 0, [], 0)


@pytest.mark.parametrize("kind", Transfer.Kind)
def test_each_kind_of_transfer_changes_the_balance_as_its_accounts_say(
    database: Connection, harbour: Customer, kind: Transfer.Kind
) -> None:
    for given in (Transfer.Kind.BONUS, Transfer.Kind.DEBT):
        moved(database, harbour, given, 10)
    before = statement(database, harbour.pk, MIDNIGHT, TOMORROW).closing_pips
    moved(database, harbour, kind, 10)
    origin, target = SIDES[kind]
    own = (Account.Kind.AVAILABLE, Account.Kind.HELD)
    change = 10 * ((target in own) - (origin in own))
    assert statement(database, harbour.pk, MIDNIGHT, TOMORROW).closing_pips == before + change
