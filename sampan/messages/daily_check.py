"""The daily reconciliation: once a day of Hong Kong (spec S89).

What it found is kept for the console and the metrics; those who look after money and machines are told by mail, too.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from sampan.accounts.acts import Act
from sampan.accounts.mail import write_mail
from sampan.accounts.tables import Person
from sampan.billing.tables import BookCheck
from sampan.database import connect
from sampan.messages.reconcile import Discrepancy, discrepancies

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOT_BEFORE_HOUR = 4  # when little is sent
MOST_TOLD = 20  # rows in a mail
SUBJECT = "Sampan: the books do not balance"
TEXT = """The daily check found {count} rows that are off:

{lines}

The console has them under Daily check; at the command line: sampan reconcile.
"""

# How many rows are off by the last check, and since when it is known.
OFF_TODAY = """
    SELECT coalesce(sum(jsonb_array_length(found)), 0), min(at) FILTER (WHERE found <> '[]')
      FROM book_check WHERE day = (SELECT max(day) FROM book_check)"""

log = structlog.get_logger()


def check_books_daily(now: datetime) -> int:
    """Hold the messages against the ledger, where nobody has done so today; 1 where it was done."""
    local = now.astimezone(HONG_KONG)
    if local.hour < NOT_BEFORE_HOUR or BookCheck.objects.filter(day=local.date()).exists():
        return 0
    with transaction.atomic():
        check, is_ours = BookCheck.objects.get_or_create(day=local.date(), defaults={"at": now})  # others wait here
        if not is_ours:
            return 0
        with connect("daily check") as conn:
            found = discrepancies(conn)
        check.found = [list(each) for each in found]
        check.save(update_fields=["found"])
        if found:
            _tell_staff(found, now)
    for each in found:
        log.error("books.off", **each._asdict())
    return 1


def _tell_staff(found: list[Discrepancy], now: datetime) -> None:
    """Those who have moved money or keep the machines."""
    lines = "\n".join(each.words for each in found[:MOST_TOLD])
    roles = Act.DECIDE_MONEY.roles | Act.CHANGE_OPERATOR.roles
    staff = Person.objects.filter(staff_role__in=roles, is_active=True).exclude(email="")
    for person in staff:
        write_mail(person.email, SUBJECT, TEXT.format(count=len(found), lines=lines), now=now)
