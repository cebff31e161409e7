"""Below which balance a customer wants to be told, and whose balance is below theirs (spec S89)."""

from datetime import datetime

from sampan.billing.tables import Account, LowBalanceAlert
from sampan.database import Connection

MOST_AT_ONCE = 100


def alert_of(customer_id: int) -> LowBalanceAlert | None:
    """The customer's alert, where it has one."""
    return LowBalanceAlert.objects.filter(customer_id=customer_id).first()


def change_alert(customer_id: int, *, below_pips: int, email: str, mobile: int | None) -> None:
    """Tell them below this; 0 for never. An alert that is changed is told again."""
    if below_pips == 0:
        LowBalanceAlert.objects.filter(customer_id=customer_id).delete()
        return
    values = {"below_pips": below_pips, "email": email, "mobile": mobile, "told_at": None}
    LowBalanceAlert.objects.update_or_create(customer_id=customer_id, defaults=values)


REARM = f"""
    UPDATE low_balance_alert l SET told_at = NULL FROM account a
     WHERE l.told_at IS NOT NULL AND a.customer_id = l.customer_id AND a.kind = {Account.Kind.AVAILABLE.value}
       AND a.balance_pips >= l.below_pips"""
TAKE = f"""
    UPDATE low_balance_alert l SET told_at = %(now)s
      FROM (SELECT l.customer_id, a.balance_pips FROM low_balance_alert l
              JOIN account a ON a.customer_id = l.customer_id AND a.kind = {Account.Kind.AVAILABLE.value}
             WHERE l.told_at IS NULL AND a.balance_pips < l.below_pips
             LIMIT %(most)s FOR NO KEY UPDATE OF l SKIP LOCKED) low
     WHERE l.customer_id = low.customer_id
    RETURNING l.customer_id, low.balance_pips"""


def take_low(conn: Connection, now: datetime) -> list[tuple[int, int]]:
    """(customer id, available pips) of those to tell now; marked as told in the caller's transaction.

    Each is given once, and again only when its balance has been at or above its limit in between.
    """
    conn.execute(REARM)
    return conn.execute(TAKE, {"now": now, "most": MOST_AT_ONCE}).fetchall()
