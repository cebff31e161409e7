"""Money: moved only by transfers, never below 0, whatever runs at once (spec S80)."""

import threading

import psycopg
import pytest

from sampan.billing import ledger
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, connect
from tests.world import NOW, make_customer

AVAILABLE, HELD, PAID = Account.Kind.AVAILABLE, Account.Kind.HELD, Account.Kind.PAID


def move(conn: Connection, customer_id: int, kind: Transfer.Kind, pips: int) -> int:
    return ledger.move(conn, kind, customer_id=customer_id, amount_pips=pips, now=NOW, note="a test")


def total(conn: Connection) -> int:
    row = conn.execute("SELECT sum(balance_pips) FROM account").fetchone()
    assert row is not None
    return int(row[0])


def test_a_top_up_moves_what_was_paid_to_available_and_all_accounts_sum_to_nothing(database: Connection) -> None:
    harbour = make_customer(balance="12.5")
    balances = ledger.balances(database, [harbour.pk])
    assert balances[harbour.pk, AVAILABLE] == 125_000
    assert balances[harbour.pk, PAID] == -125_000
    assert total(database) == 0


def test_nothing_moves_that_is_not_there(database: Connection) -> None:
    harbour = make_customer(balance="1")
    with pytest.raises(ledger.BalanceTooLow):
        move(database, harbour.pk, Transfer.Kind.HOLD, 10_001)
    with pytest.raises(ledger.BalanceTooLow):
        move(database, harbour.pk, Transfer.Kind.CHARGE, 1)
    assert ledger.balances(database, [harbour.pk])[harbour.pk, AVAILABLE] == 10_000


@pytest.mark.parametrize("pips", [0, -1])
def test_an_amount_is_above_nothing(database: Connection, pips: int) -> None:
    with pytest.raises(ValueError, match="above 0"):
        move(database, make_customer().pk, Transfer.Kind.TOP_UP, pips)


def test_a_customer_without_accounts_is_an_error_and_not_a_silence(database: Connection) -> None:
    with pytest.raises(LookupError):
        move(database, 404, Transfer.Kind.TOP_UP, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE transfer SET amount_pips = 1",
        "DELETE FROM transfer",
        "TRUNCATE transfer",
        "UPDATE account SET balance_pips = balance_pips + 1",
        "DELETE FROM account",
        "INSERT INTO account (customer_id, kind, balance_pips) SELECT id, 9, 5 FROM customer",
    ],
)
def test_the_database_refuses_whoever_goes_past_the_ledger(database: Connection, wrong: str) -> None:
    make_customer()
    with pytest.raises(psycopg.errors.RaiseException, match="only ever moved by a new transfer"):
        database.execute(wrong.encode())


def test_a_transfer_of_an_account_that_is_not_there_is_refused(database: Connection) -> None:
    make_customer()
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="an account that is not there"):
        database.execute(
            "INSERT INTO transfer (at, kind, customer_id, from_account_id, to_account_id, amount_pips, note)"
            " SELECT now(), 4, customer_id, id, -1, 1, '' FROM account WHERE kind = 4"
        )


def test_fifty_clients_at_once_spend_what_is_there_and_no_pip_more(database: Connection) -> None:
    """Each of 50 tries to hold 1 pip 20 times; there are 700."""
    harbour = make_customer(balance="0.07")
    refused = []

    def spend() -> None:
        with connect("tests") as conn:
            for _ in range(20):
                try:
                    move(conn, harbour.pk, Transfer.Kind.HOLD, 1)
                except ledger.BalanceTooLow:
                    refused.append(1)

    clients = [threading.Thread(target=spend) for _ in range(50)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    balances = ledger.balances(database, [harbour.pk])
    assert (balances[harbour.pk, AVAILABLE], balances[harbour.pk, HELD]) == (0, 700)
    assert len(refused) == 300
    assert total(database) == 0


def test_opening_twice_opens_once(database: Connection) -> None:
    harbour = make_customer(balance="0")
    ledger.open_accounts(database, harbour.pk)
    assert Account.objects.filter(customer=harbour).count() == len(Account.Kind)


def test_each_kind_of_transfer_has_its_two_accounts() -> None:
    assert ledger.SIDES.keys() == set(Transfer.Kind)
    assert all(Account.Kind.AVAILABLE in sides or Account.Kind.HELD in sides for sides in ledger.SIDES.values())


def test_of_transfers_posted_together_only_the_sum_must_be_covered(database: Connection) -> None:
    """A reversal lends itself what is not there (spec S85a)."""
    harbour = make_customer(balance="1")
    lent, reversed_ = (
        ledger.Movement(Transfer.Kind.DEBT, harbour.pk, 5_000),
        ledger.Movement(Transfer.Kind.REVERSAL, harbour.pk, 15_000),
    )
    with pytest.raises(ledger.BalanceTooLow):
        ledger.post(database, [reversed_], now=NOW)
    first, second = ledger.post(database, [reversed_, lent], now=NOW)
    assert first < second
    balances = ledger.balances(database, [harbour.pk])
    assert [balances[harbour.pk, kind] for kind in (AVAILABLE, Account.Kind.DEBT, PAID)] == [0, -5_000, 5_000]


@pytest.mark.parametrize("kind", [Transfer.Kind.REFUND, Transfer.Kind.SENT])
def test_the_database_lets_no_trial_or_bonus_out(database: Connection, kind: Transfer.Kind) -> None:
    """Movable or refundable is at most paid + received - sent - refunded (spec S85a)."""
    harbour = make_customer(balance="1")
    move(database, harbour.pk, Transfer.Kind.BONUS, 3_000)
    move(database, harbour.pk, Transfer.Kind.TRIAL, 4_000)
    with pytest.raises(ledger.MoreThanPaid):
        move(database, harbour.pk, kind, 10_001)
    assert ledger.movable_pips(ledger.balances(database, [harbour.pk]), harbour.pk) == 10_000
    move(database, harbour.pk, kind, 10_000)
    assert ledger.movable_pips(ledger.balances(database, [harbour.pk]), harbour.pk) == 0
    with pytest.raises(ledger.MoreThanPaid):
        move(database, harbour.pk, kind, 1)


@pytest.mark.parametrize(
    ("kind", "given"),
    [(Transfer.Kind.BONUS_REVERSAL, Transfer.Kind.BONUS), (Transfer.Kind.REPAYMENT, Transfer.Kind.DEBT)],
)
def test_no_more_is_taken_back_than_was_given(database: Connection, kind: Transfer.Kind, given: Transfer.Kind) -> None:
    harbour = make_customer(balance="1")
    move(database, harbour.pk, given, 50)
    move(database, harbour.pk, kind, 50)
    with pytest.raises(psycopg.errors.CheckViolation, match="account_side"):
        move(database, harbour.pk, kind, 1)


def test_all_or_none_of_transfers_are_posted(database: Connection) -> None:
    harbour = make_customer(balance="1")
    with pytest.raises(LookupError):
        ledger.post(
            database,
            [ledger.Movement(Transfer.Kind.BONUS, harbour.pk, 1), ledger.Movement(Transfer.Kind.BONUS, 404, 1)],
            now=NOW,
        )
    assert ledger.balances(database, [harbour.pk])[harbour.pk, AVAILABLE] == 10_000
