"""The only mover of money: transfers between a customer's accounts, written many at once (spec S80–S82).

The balances are moved by a trigger on `transfer` at the end of the statement that inserts, and a CHECK keeps available
and held at or above 0, so no program, however wrong or however many run at once, spends what is not there. Lock order:
whoever changes messages and money in one transaction locks messages by id first and inserts transfers last.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg

from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, array_of

SIDES = {
    Transfer.Kind.HOLD: (Account.Kind.AVAILABLE, Account.Kind.HELD),
    Transfer.Kind.CHARGE: (Account.Kind.HELD, Account.Kind.CHARGED),
    Transfer.Kind.RELEASE: (Account.Kind.HELD, Account.Kind.AVAILABLE),
    Transfer.Kind.TOP_UP: (Account.Kind.PAID, Account.Kind.AVAILABLE),
    Transfer.Kind.TRIAL: (Account.Kind.TRIAL, Account.Kind.AVAILABLE),
    Transfer.Kind.BONUS: (Account.Kind.BONUS, Account.Kind.AVAILABLE),
    Transfer.Kind.SERVICE: (Account.Kind.AVAILABLE, Account.Kind.CHARGED),
    Transfer.Kind.REFUND: (Account.Kind.AVAILABLE, Account.Kind.PAID),
    Transfer.Kind.REVERSAL: (Account.Kind.AVAILABLE, Account.Kind.PAID),
    Transfer.Kind.BONUS_REVERSAL: (Account.Kind.AVAILABLE, Account.Kind.BONUS),
    Transfer.Kind.DEBT: (Account.Kind.DEBT, Account.Kind.AVAILABLE),
    Transfer.Kind.REPAYMENT: (Account.Kind.AVAILABLE, Account.Kind.DEBT),
    Transfer.Kind.SENT: (Account.Kind.AVAILABLE, Account.Kind.MOVED),
    Transfer.Kind.RECEIVED: (Account.Kind.MOVED, Account.Kind.AVAILABLE),
    Transfer.Kind.OWN: (Account.Kind.BONUS, Account.Kind.AVAILABLE),
}


class BalanceTooLow(Exception):
    """Somebody's available balance does not cover what the transaction would move; nothing was moved."""


class MoreThanPaid(Exception):
    """A refund or a move would take out more than the customer paid in (spec S85a); nothing was moved."""


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
    """Turns the database's refusals into `BalanceTooLow` and `MoreThanPaid`."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, psycopg.errors.CheckViolation):
            return
        if error.diag.constraint_name == "account_not_overdrawn":
            raise BalanceTooLow from error
        if error.diag.constraint_name == "account_taken_out":
            raise MoreThanPaid from error


OPEN = """
    INSERT INTO account (customer_id, kind, balance_pips)
    SELECT %(customer)s, kind, 0 FROM unnest(%(kinds)s::int2[]) AS kind
    ON CONFLICT DO NOTHING"""


def open_accounts(conn: Connection, customer_id: int) -> None:
    """The accounts of a new customer, all empty."""
    conn.execute(OPEN, {"customer": customer_id, "kinds": array_of(Account.Kind.values)})


class Movement(NamedTuple):
    """One transfer that a person or a rule enters."""

    kind: Transfer.Kind
    customer_id: int
    amount_pips: int
    note: str = ""


POST = """
    INSERT INTO transfer (at, kind, customer_id, from_account_id, to_account_id, amount_pips, note, entered_by_id,
                          entry_id)
    SELECT %(now)s, w.kind, w.customer_id, origin.id, target.id, w.amount_pips, w.note, %(person)s, %(entry)s
      FROM unnest(%(kinds)s::int2[], %(customers)s::int8[], %(origins)s::int2[], %(targets)s::int2[],
                  %(amounts)s::int8[], %(notes)s::text[])
           WITH ORDINALITY AS w (kind, customer_id, origin, target, amount_pips, note, place)
      JOIN account origin ON origin.customer_id = w.customer_id AND origin.kind = w.origin
      JOIN account target ON target.customer_id = w.customer_id AND target.kind = w.target
     ORDER BY w.place
    RETURNING id"""


def post(
    conn: Connection,
    movements: Sequence[Movement],
    *,
    now: datetime,
    person_id: int | None = None,
    entry_id: int | None = None,
) -> list[int]:
    """All of these transfers or none; gives their ids, in order. Only what is left of all together must be covered.

    Raises BalanceTooLow, MoreThanPaid, and ValueError for an amount that is not above 0.
    """
    if any(movement.amount_pips <= 0 for movement in movements):
        raise ValueError("the amount must be above 0")
    sides = [SIDES[movement.kind] for movement in movements]
    values = {
        "now": now,
        "person": person_id,
        "entry": entry_id,
        "kinds": array_of(movement.kind for movement in movements),
        "customers": array_of(movement.customer_id for movement in movements),
        "origins": array_of(origin for origin, _ in sides),
        "targets": array_of(target for _, target in sides),
        "amounts": array_of(movement.amount_pips for movement in movements),
        "notes": [movement.note for movement in movements],
    }
    with covered(), conn.transaction():
        ids = [int(id_) for (id_,) in conn.execute(POST, values)]
        if len(ids) != len(movements):
            raise LookupError(f"not all of customers {values['customers']} have accounts")
    return ids


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
    """`post` for one transfer; gives its id."""
    (id_,) = post(conn, [Movement(kind, customer_id, amount_pips, note)], now=now, person_id=person_id)
    return id_


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


def movable_pips(balances: dict[tuple[int, int], int], customer_id: int) -> int:
    """What may be refunded or moved to another account: trial and bonus are not money to take out (spec S85a)."""
    available, paid, moved = (
        balances.get((customer_id, kind), 0) for kind in (Account.Kind.AVAILABLE, Account.Kind.PAID, Account.Kind.MOVED)
    )
    return max(0, min(available, -paid - moved))
