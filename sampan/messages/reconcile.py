"""Do the books agree with the messages, to the pip, and is every open message somewhere (spec S80, S89)?

Each check is one statement that gives nothing where all is well, and else whose it is, which row, what was expected and
what was found. A snapshot is taken once, so that it may run while messages go.
"""

from typing import NamedTuple

from sampan.billing.ledger import SIDES
from sampan.billing.money import in_pips
from sampan.billing.tables import Account, TopUp, Transfer
from sampan.database import Connection
from sampan.messages.tables import Batch, Status

MOST_SHOWN = 100


class Discrepancy(NamedTuple):
    """One row that is off."""

    check: str
    customer_id: int | None
    row_id: int
    expected: int
    found: int

    @property
    def words(self) -> str:
        """Where it is off, and by how much."""
        whose = f"customer {self.customer_id}, row {self.row_id}"
        return f"{self.check}: {whose}: expected {in_pips(self.expected)}, found {in_pips(self.found)}"


def _tie(column: str, amount: str) -> str:
    """Each transfer of a kind is the sum of its messages' shares, of those that are kept and those deleted (S130)."""
    return f"""
        SELECT t.customer_id, t.id, t.amount_pips, coalesce(m.pips, 0)
          FROM (SELECT id, sum(pips)::int8 AS pips FROM (
                    SELECT {column} AS id, {amount} AS pips FROM message WHERE {column} IS NOT NULL
                    UNION ALL SELECT s.transfer_id, s.amount_pips FROM closed_share s
                      JOIN transfer u ON u.id = s.transfer_id AND u.kind = %(kind)s) shares GROUP BY 1) m
          FULL JOIN (SELECT * FROM transfer WHERE kind = %(kind)s) t USING (id)
         WHERE t.amount_pips IS DISTINCT FROM m.pips"""


def _between(kind: Transfer.Kind) -> str:
    origin, target = SIDES[kind]
    return f"({kind.value}, {origin.value}, {target.value})"


OPEN = f"final_at IS NULL AND status <> {Status.SCHEDULING.value}"
SETTLED = "charge_id IS NOT NULL OR release_id IS NOT NULL"

CHECKS = {
    "all accounts sum to 0": """
        SELECT NULL, 0, 0, sum(balance_pips)::int8 FROM account HAVING sum(balance_pips) <> 0""",
    "a balance is the sum of its transfers": """
        SELECT a.customer_id, a.id, coalesce(sum(t.pips), 0)::int8, a.balance_pips
          FROM account a LEFT JOIN (
               SELECT from_account_id AS account_id, -amount_pips AS pips FROM transfer
               UNION ALL SELECT to_account_id, amount_pips FROM transfer) t ON t.account_id = a.id
         GROUP BY a.id HAVING coalesce(sum(t.pips), 0) <> a.balance_pips""",
    "a customer's accounts sum to 0": """
        SELECT customer_id, 0, 0, sum(balance_pips)::int8 FROM account GROUP BY 1 HAVING sum(balance_pips) <> 0""",
    "what accounts of groups sent others received": f"""
        SELECT NULL, 0, 0, sum(balance_pips)::int8 FROM account WHERE kind = {Account.Kind.MOVED.value}
        HAVING sum(balance_pips) <> 0""",
    "a transfer is between its customer's accounts of its kind": f"""
        SELECT t.customer_id, t.id, t.kind, 0
          FROM transfer t JOIN account o ON o.id = t.from_account_id JOIN account w ON w.id = t.to_account_id
         WHERE (t.kind, o.kind, w.kind) NOT IN ({", ".join(map(_between, SIDES))})
            OR o.customer_id <> t.customer_id OR w.customer_id <> t.customer_id""",
    "a top-up was credited as it was filed, and taken back whole": f"""
        SELECT p.customer_id, p.id, CASE WHEN p.state = {TopUp.State.CREDITED.value} THEN p.amount_pips + p.bonus_pips
                                         ELSE 0 END, coalesce(m.pips, 0)
          FROM top_up p LEFT JOIN (
               SELECT e.top_up_id AS id, sum(CASE t.kind WHEN {Transfer.Kind.TOP_UP.value} THEN t.amount_pips
                          WHEN {Transfer.Kind.BONUS.value} THEN t.amount_pips
                          WHEN {Transfer.Kind.REVERSAL.value} THEN -t.amount_pips
                          WHEN {Transfer.Kind.BONUS_REVERSAL.value} THEN -t.amount_pips ELSE 0 END)::int8 AS pips
                 FROM transfer t JOIN staff_entry e ON e.id = t.entry_id GROUP BY 1) m USING (id)
         WHERE coalesce(m.pips, 0) <> CASE WHEN p.state = {TopUp.State.CREDITED.value}
                                           THEN p.amount_pips + p.bonus_pips ELSE 0 END""",
    "a hold is the prices of its messages": _tie("hold_id", "price_pips").replace("%(kind)s", "1"),
    "a charge is what its messages were charged": _tie("charge_id", "charged_pips").replace("%(kind)s", "2"),
    "a release is what its messages were not charged": _tie("release_id", "price_pips - charged_pips").replace(
        "%(kind)s", "3"
    ),
    "what closed messages were charged is their share of the charges": """
        SELECT coalesce(c.customer_id, s.customer_id), 0, coalesce(s.pips, 0), coalesce(c.pips, 0)
          FROM (SELECT customer_id, sum(charged_pips)::int8 AS pips FROM closed_total GROUP BY 1) c
          FULL JOIN (SELECT t.customer_id, sum(s.amount_pips)::int8 AS pips FROM closed_share s
                       JOIN transfer t ON t.id = s.transfer_id AND t.kind = 2 GROUP BY 1) s USING (customer_id)
         WHERE coalesce(c.pips, 0) <> coalesce(s.pips, 0)""",
    "what is held is the price of unsettled messages": f"""
        SELECT a.customer_id, a.id, coalesce(m.pips, 0), a.balance_pips
          FROM account a LEFT JOIN (
               SELECT customer_id, sum(price_pips)::int8 AS pips FROM message
                WHERE hold_id IS NOT NULL AND NOT ({SETTLED}) GROUP BY 1) m USING (customer_id)
         WHERE a.kind = 2 AND a.balance_pips <> coalesce(m.pips, 0)""",
    "an unsettled message is on its way": f"""
        SELECT m.customer_id, m.id, 1, 0 FROM message m
         WHERE m.hold_id IS NOT NULL AND NOT ({SETTLED}) AND m.final_at IS NOT NULL
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id)""",
    "an open message is in the queue, with an operator, or its batch waits": f"""
        SELECT m.customer_id, m.id, 1, 0 FROM message m JOIN batch b ON b.id = m.batch_id
         WHERE m.{OPEN} AND b.state NOT IN ({Batch.State.PAUSED.value}, {Batch.State.HELD.value})
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id)
           AND NOT EXISTS (SELECT FROM queued q WHERE q.message_id = m.id)""",
    "what waits or flies belongs to an open or unsettled message": f"""
        SELECT m.customer_id, w.message_id, 1, 0
          FROM (SELECT message_id FROM queued UNION SELECT message_id FROM attempt) w
          LEFT JOIN message m ON m.id = w.message_id
         WHERE m.id IS NULL OR m.final_at IS NOT NULL AND ({SETTLED})
           AND NOT EXISTS (SELECT FROM attempt a WHERE a.message_id = w.message_id)""",
}


def discrepancies(conn: Connection) -> list[Discrepancy]:
    """All that is off, at most MOST_SHOWN a check; empty where the books balance."""
    found: list[Discrepancy] = []
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        conn.execute("SET LOCAL enable_seqscan = on")
        conn.execute("SET LOCAL enable_hashjoin = on")
        for check, sql in CHECKS.items():
            rows = conn.execute(f"{sql} LIMIT {MOST_SHOWN}").fetchall()
            found += [Discrepancy(check, *row) for row in rows]
    return found
