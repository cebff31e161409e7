"""A customer's statement: every movement of a period with the balance after it (spec S80, S89).

The balance of a statement is what is available and what is held: money that is set aside for a message is still the
customer's until it is charged. A page shows one line a day for the charges of messages; a file has every transfer.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sampan.billing.ledger import SIDES
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, connect

MOST_LINES = 10_000  # of a page or a PDF: the newest
MOST_ROWS = 1_000_000  # of a file: as many as a sheet of XLSX has
ROWS_AT_ONCE = 2_000
OF_CUSTOMER = frozenset({Account.Kind.AVAILABLE, Account.Kind.HELD})


class Line(NamedTuple):
    """One movement; or of charges, `transfers` of one day together."""

    at: datetime
    id: int
    kind: Transfer.Kind
    note: str
    amount_pips: int  # what it does to the balance
    transfers: int
    balance_pips: int


class Row(NamedTuple):
    """One transfer, with what was available and what was held after it."""

    at: datetime
    id: int
    kind: Transfer.Kind
    note: str
    amount_pips: int
    available_pips: int
    held_pips: int


class Statement(NamedTuple):
    """A period's lines, and its sums: opening + in - out = closing."""

    opening_pips: int
    in_pips: int
    out_pips: int
    closing_pips: int
    held_now_pips: int
    lines: list[Line]  # in order of time
    left_out: int  # older lines, where there are more than MOST_LINES


def _effect(*accounts: Account.Kind) -> str:
    """SQL: what a transfer does to these accounts together."""
    signs = {kind: (target in accounts) - (origin in accounts) for kind, (origin, target) in SIDES.items()}
    into, out = (",".join(str(kind.value) for kind, sign in signs.items() if sign == wanted) for wanted in (1, -1))
    return f"CASE WHEN kind IN ({into}) THEN amount_pips WHEN kind IN ({out}) THEN -amount_pips ELSE 0 END"


BALANCE = _effect(*OF_CUSTOMER)
AVAILABLE, HELD = _effect(Account.Kind.AVAILABLE), _effect(Account.Kind.HELD)
UNSEEN = f"{Transfer.Kind.HOLD.value}, {Transfer.Kind.RELEASE.value}"  # within the balance

NOW = """
    SELECT kind, balance_pips FROM account WHERE customer_id = %(customer)s AND kind = ANY(%(kinds)s::int2[])"""
SINCE = f"""
    SELECT coalesce(sum({AVAILABLE}), 0)::int8, coalesce(sum({HELD}), 0)::int8,
           coalesce(sum({BALANCE}) FILTER (WHERE at < %(until)s AND {BALANCE} > 0), 0)::int8,
           coalesce(-sum({BALANCE}) FILTER (WHERE at < %(until)s AND {BALANCE} < 0), 0)::int8
      FROM transfer WHERE customer_id = %(customer)s AND at >= %(since)s"""
LINES = f"""
    SELECT at, id, kind, note, pips, transfers, count(*) OVER () FROM (
        SELECT at, id, kind, note, {BALANCE} AS pips, 1 AS transfers FROM transfer
         WHERE customer_id = %(customer)s AND at >= %(since)s AND at < %(until)s
           AND kind NOT IN ({UNSEEN}, {Transfer.Kind.CHARGE.value})
        UNION ALL
        SELECT max(at), max(id), kind, '', sum({BALANCE})::int8, count(*) FROM transfer
         WHERE customer_id = %(customer)s AND at >= %(since)s AND at < %(until)s AND kind = {Transfer.Kind.CHARGE.value}
         GROUP BY kind, (at AT TIME ZONE 'Asia/Hong_Kong')::date) AS lines
     ORDER BY at DESC, id DESC LIMIT %(most)s"""
ROWS = f"""
    SELECT at, id, kind, note, amount_pips,
           (%(available)s + sum({AVAILABLE}) OVER past)::int8, (%(held)s + sum({HELD}) OVER past)::int8
      FROM transfer WHERE customer_id = %(customer)s AND at >= %(since)s AND at < %(until)s
    WINDOW past AS (ORDER BY at, id) ORDER BY at, id LIMIT %(most)s"""


def _at_beginning(conn: Connection, values: dict[str, object]) -> tuple[int, int, int, int]:
    """Available and held as the period begins, and what came in and went out in it; within one snapshot."""
    now: dict[int, int] = dict(conn.execute(NOW, values).fetchall())
    row = conn.execute(SINCE, values).fetchone()
    assert row is not None
    available, held, came, went = row
    return now.get(Account.Kind.AVAILABLE, 0) - available, now.get(Account.Kind.HELD, 0) - held, came, went


def _values(customer_id: int, since: datetime, until: datetime, most: int) -> dict[str, object]:
    kinds = [kind.value for kind in OF_CUSTOMER]
    return {"customer": customer_id, "since": since, "until": until, "kinds": kinds, "most": most}


def statement(conn: Connection, customer_id: int, since: datetime, until: datetime) -> Statement:
    """The period from `since` to before `until`, charges by days of Hong Kong. `conn` is in autocommit."""
    values = _values(customer_id, since, until, MOST_LINES)
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        available, held, came, went = _at_beginning(conn, values)
        found = conn.execute(LINES, values).fetchall()
        now: dict[int, int] = dict(conn.execute(NOW, values).fetchall())
    opening = available + held
    balance = closing = opening + came - went
    lines = []
    for at, id_, kind, note, pips, transfers, _count in found:
        lines.append(Line(at, id_, Transfer.Kind(kind), note, pips, transfers, balance))
        balance -= pips
    left_out = found[0][-1] - len(found) if found else 0
    return Statement(opening, came, went, closing, now.get(Account.Kind.HELD, 0), lines[::-1], left_out)


def every_movement(customer_id: int, since: datetime, until: datetime) -> Iterator[Row]:
    """Each transfer of the period in order, read while it is written; on a connection of its own."""
    with connect("statement") as conn, conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        values = _values(customer_id, since, until, MOST_ROWS)
        available, held, _came, _went = _at_beginning(conn, values)
        with conn.cursor("statement") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            for at, id_, kind, *rest in cursor.execute(ROWS, values | {"available": available, "held": held}):
                yield Row(at, id_, Transfer.Kind(kind), *rest)
