"""The lines of an export of messages: what a customer's own books need (spec S100)."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from sampan.billing.money import in_pips
from sampan.interfaces.place_words import place_words
from sampan.interfaces.tags import zone_words
from sampan.interfaces.words import REASONS, SOURCES, STATUSES
from sampan.messages.reports import periods
from sampan.messages.reports.periods import Search


def head() -> list[str]:
    """The names of the columns; the zone of the times is the one in force where this is called."""
    zone = {"zone": zone_words()}
    return [
        _("SMSD ID"),
        _("Batch"),
        _("Batch name"),
        _("Accepted, %(zone)s") % zone,
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
        _("Taken, %(zone)s") % zone,
        _("Ended, %(zone)s") % zone,
        _("Text"),
    ]


def lines(search: Search, zone: ZoneInfo) -> Iterator[list[object]]:
    """One line a message, the newest first: ids and numbers as texts, amounts in HK$, times by the clock of a zone."""
    statuses = {shown: str(look.word) for shown, look in STATUSES.items()}  # once, not for each of many lines
    reasons = {reason: str(words) for reason, words in REASONS.items()}
    sources = {source: str(words) for source, words in SOURCES.items()}
    for exported in periods.exported(search):
        row = exported.row
        yield [
            str(row.id),
            str(row.batch_id),
            exported.batch_name,
            _time(row.created_at, zone),
            str(row.recipient),
            place_words(exported.destination),
            row.status.value,
            statuses[row.shown],
            row.reason.shown,
            reasons[row.reason],
            row.sender,
            place_words(exported.route),
            sources[row.source],
            row.units,
            exported.parts,
            _amount(row.charged_pips),
            _amount(row.held_pips),
            _time(exported.taken_at, zone),
            _time(exported.final_at, zone),
            exported.text,
        ]


def _amount(pips: int) -> Decimal:
    return Decimal(in_pips(pips).replace(",", ""))


def _time(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    return moment.astimezone(zone).replace(microsecond=0, tzinfo=None) if moment else None
