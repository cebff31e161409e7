"""The daily reconciliation: once a day of Hong Kong, and what it found is kept for staff and the metrics (spec S89)."""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from sampan.billing.tables import BookCheck
from sampan.database import connect
from sampan.messages.reconcile import discrepancies

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOT_BEFORE_HOUR = 4  # when little is sent

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
    for each in found:
        log.error("books.off", **each._asdict())
    return 1
