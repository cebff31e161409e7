"""The only mover of money: transfers between a customer's accounts, written many at once (spec S80–S82).

The balances are moved by a trigger on `transfer` at the end of the statement that inserts, and a CHECK keeps available
and held at or above 0, so no program, however wrong or however many run at once, spends what is not there. Lock order:
whoever changes messages and money in one transaction locks messages by id first and inserts transfers last.
"""

from collections.abc import Sequence
from datetime import datetime

import psycopg

from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, array_of

SIDES = {
    Transfer.Kind.HOLD: (Account.Kind.AVAILABLE, Account.Kind.HELD),
    Transfer.Kind.CHARGE: (Account.Kind.HELD, Account.Kind.CHARGED),
    Transfer.Kind.RELEASE: (Account.Kind.HELD, Account.Kind.AVAILABLE),
    Transfer.Kind.TOP_UP: (Account.Kind.PAID, Account.Kind.AVAILABLE),
    Transfer.Kind.TRIAL: (Account.Kind.TRIAL, Account.Kind.AVAILABLE),
}


class BalanceTooLow(Exception):
    """Somebody's available balance does not cover what the transaction would move; nothing was moved."""


def transfers(kind: Transfer.Kind, wanted: str) -> str:
    """SQL, to stand in a WITH: one transfer for each row (customer_id, amount_pips) of `wanted` that is above 0.

    It returns (id, customer_id) and needs the parameter `now`. Run the statement within `covered()`.
    """
    origin, target = SIDES[kind]
    return f"""
        INSERT INTO transfer (at, kind, customer_id, from_account_id, to_account_id, amount_pips, note)
        SELECT %(now)s, {kind.value}, w.customer_id, origin.id, target.id, w.amount_pips, ''
          FROM {wanted} w
          JOIN account origin ON origin.customer_id = w.customer_id AND origin.kind = {origin.value}
          JOIN account target ON target.customer_id = w.customer_id AND target.kind = {target.value}
         WHERE w.amount_pips > 0
        RETURNING id, customer_id"""


class covered:
    """Turns the database's refusal to overdraw an account into `BalanceTooLow`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, psycopg.errors.CheckViolation) and error.diag.constraint_name == "account_not_overdrawn":
            raise BalanceTooLow from error


OPEN = """
    INSERT INTO account (customer_id, kind, balance_pips)
    SELECT %(customer)s, kind, 0 FROM unnest(%(kinds)s::int2[]) AS kind
    ON CONFLICT DO NOTHING"""


def open_accounts(conn: Connection, customer_id: int) -> None:
    """The accounts of a new customer, all empty."""
    conn.execute(OPEN, {"customer": customer_id, "kinds": array_of(Account.Kind.values)})


MOVE = """
    INSERT INTO transfer (at, kind, customer_id, from_account_id, to_account_id, amount_pips, note, entered_by_id)
    SELECT %(now)s, %(kind)s, %(customer)s, origin.id, target.id, %(amount)s, %(note)s, %(person)s
      FROM account origin, account target
     WHERE origin.customer_id = %(customer)s AND origin.kind = %(origin)s
       AND target.customer_id = %(customer)s AND target.kind = %(target)s
    RETURNING id"""


def move(
    conn: Connection,
    kind: Transfer.Kind,
    *,
    customer_id: int,
    amount_pips: int,
    now: datetime,
    note: str,
    person_id: int | None = None,
) -> int:
    """One transfer that a person or a rule enters, such as a top-up; gives its id.

    Raises BalanceTooLow, and ValueError for an amount that is not above 0.
    """
    if amount_pips <= 0:
        raise ValueError("the amount must be above 0")
    origin, target = SIDES[kind]
    values = {
        "now": now,
        "kind": kind,
        "customer": customer_id,
        "amount": amount_pips,
        "note": note,
        "person": person_id,
        "origin": origin,
        "target": target,
    }
    with covered():
        row = conn.execute(MOVE, values).fetchone()
    if row is None:
        raise LookupError(f"customer {customer_id} has no accounts")
    return int(row[0])


BALANCES = "SELECT customer_id, kind, balance_pips FROM account WHERE customer_id = ANY(%s::int8[])"


def balances(conn: Connection, customer_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """Balances in pips by (customer id, Account.Kind)."""
    rows = conn.execute(BALANCES, [array_of(customer_ids)])
    return {(customer, kind): pips for customer, kind, pips in rows}


LOCK = f"""
    SELECT customer_id, kind, balance_pips FROM account
     WHERE customer_id = ANY(%s::int8[]) AND kind IN ({Account.Kind.AVAILABLE.value}, {Account.Kind.HELD.value})
     ORDER BY id FOR NO KEY UPDATE"""


def lock_available(conn: Connection, customer_ids: Sequence[int]) -> dict[int, int]:
    """What each customer can spend, in pips, fixed until the transaction ends."""
    rows = conn.execute(LOCK, [array_of(customer_ids)])
    return {customer: pips for customer, kind, pips in rows if kind == Account.Kind.AVAILABLE}
