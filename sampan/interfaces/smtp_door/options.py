"""What a subject's brackets say: `[sender=HarbourFlo] [at=2026-12-01 09:00]` (docs/api/smtp.md). Pure.

Brackets without `=` are words of the subject. A name that is no option is refused: a slip would else send otherwise
than its writer meant, and cost money.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from sampan.messages.tables import Purpose
from sampan.reasons import Reason, Refused

R = TypeVar("R")

NAMES = ("sender", "route", "at", "purpose", "dncr", "validity")
PURPOSES = {
    "transactional": Purpose.TRANSACTIONAL,
    "promotional": Purpose.PROMOTIONAL,
    "1": Purpose.TRANSACTIONAL,
    "2": Purpose.PROMOTIONAL,
}
LONGEST_VALIDITY_DIGITS = 6
_OPTION = re.compile(r"\[\s*([A-Za-z]+)\s*=\s*([^\[\]]*?)\s*\]")


@dataclass(frozen=True)
class Options:
    """How a mail is meant to be sent; `rest` is the subject without its options."""

    rest: str
    sender: str = ""
    route: str = ""
    purpose: Purpose | None = None
    register_filter: bool | None = None
    validity_minutes: int | None = None
    scheduled_at: datetime | None = None


def read_options(subject: str, zone: ZoneInfo) -> Options:
    """The options of a subject; a time without an offset is of `zone`. Raises Refused: BAD_OPTION, BAD_TIME, …"""
    found: dict[str, str] = {}
    for match in _OPTION.finditer(subject):
        name, value = match[1].lower(), match[2]
        if name not in NAMES or name in found or not value:
            raise Refused(Reason.BAD_OPTION, "subject", match[0])
        found[name] = value
    return Options(
        rest=" ".join(_OPTION.sub(" ", subject).split()),
        sender=found.get("sender", ""),
        route=found.get("route", ""),
        purpose=_of(found, "purpose", lambda value: PURPOSES[value.lower()]),
        register_filter=_of(found, "dncr", lambda value: {"0": False, "1": True}[value]),
        validity_minutes=_of(found, "validity", _minutes),
        scheduled_at=_time(found["at"], zone) if "at" in found else None,
    )


def _of(found: dict[str, str], name: str, read: Callable[[str], R]) -> R | None:
    if name not in found:
        return None
    try:
        return read(found[name])
    except (KeyError, ValueError):
        raise Refused(Reason.BAD_OPTION, "subject", f"[{name}={found[name]}]") from None


def _minutes(value: str) -> int:
    if len(value) > LONGEST_VALIDITY_DIGITS or not value.isascii() or not value.isdecimal():
        raise ValueError(value)
    return int(value)


def _time(value: str, zone: ZoneInfo) -> datetime | None:
    if value.lower() == "now":
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(Reason.BAD_TIME, "subject", value) from None
