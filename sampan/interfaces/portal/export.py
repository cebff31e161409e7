"""The lines of an export of messages: what a customer's own books need (spec S100)."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from sampan.billing.money import in_pips
from sampan.interfaces.tags import HONG_KONG
from sampan.interfaces.words import REASONS, SOURCES, STATUSES
from sampan.messages.reports import periods
from sampan.messages.reports.periods import ExportedRow, Search


def head() -> list[str]:
    """The names of the columns."""
    return [
        _("SMSD ID"),
        _("Batch"),
        _("Batch name"),
        _("Accepted, Hong Kong time"),
        _("Number"),
        _("Destination"),
        _("Status"),
        _("Status in words"),
        _("Reason"),
        _("Reason in words"),
        _("Sender ID"),
        _("Route"),
        _("Source"),
        _("Charge units"),
        _("Parts"),
        _("Charged, HK$"),
        _("Held, HK$"),
        _("Taken, Hong Kong time"),
        _("Ended, Hong Kong time"),
        _("Text"),
    ]


def lines(search: Search) -> Iterator[list[object]]:
    """One line a message, the newest first."""
    for exported in periods.exported(search):
        yield _line(exported)


def _line(exported: ExportedRow) -> list[object]:
    row = exported.row
    return [
        row.id,
        row.batch_id,
        exported.batch_name,
        _csv_time(row.created_at),
        row.recipient,
        exported.destination,
        row.status,
        str(STATUSES[row.shown].word),
        row.reason.shown,
        str(REASONS[row.reason]),
        row.sender,
        exported.route,
        str(SOURCES[row.source]),
        row.units,
        exported.parts,
        in_pips(row.charged_pips).replace(",", ""),
        in_pips(row.held_pips).replace(",", ""),
        _csv_time(exported.taken_at),
        _csv_time(exported.final_at),
        exported.text,
    ]


def _csv_time(moment: datetime | None) -> str:
    return f"{moment.astimezone(HONG_KONG):%Y-%m-%d %H:%M:%S}" if moment else ""
