"""The lines of an export of messages: what a customer's own books need (spec S100)."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from sampan.billing.money import in_pips
from sampan.interfaces.tags import HONG_KONG
from sampan.interfaces.words import REASONS, SOURCES, STATUSES
from sampan.messages.reports import periods
from sampan.messages.reports.periods import Search


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
    statuses = {shown: str(look.word) for shown, look in STATUSES.items()}  # once, not for each of many lines
    reasons = {reason: str(words) for reason, words in REASONS.items()}
    sources = {source: str(words) for source, words in SOURCES.items()}
    for exported in periods.exported(search):
        row = exported.row
        yield [
            row.id,
            row.batch_id,
            exported.batch_name,
            _time(row.created_at),
            row.recipient,
            exported.destination,
            row.status.value,
            statuses[row.shown],
            row.reason.shown,
            reasons[row.reason],
            row.sender,
            exported.route,
            sources[row.source],
            row.units,
            exported.parts,
            _amount(row.charged_pips),
            _amount(row.held_pips),
            _time(exported.taken_at),
            _time(exported.final_at),
            exported.text,
        ]


def _amount(pips: int) -> str:
    return in_pips(pips).replace(",", "")


def _time(moment: datetime | None) -> str:
    return str(moment.astimezone(HONG_KONG).replace(microsecond=0, tzinfo=None)) if moment else ""
