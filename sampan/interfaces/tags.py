"""What the templates write: icons, statuses, amounts, numbers and times (design: Writing)."""

import re
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import phonenumbers
from django.conf import settings
from django.template import Library
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as formatted
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext, pgettext

from sampan.billing.money import PIPS_PER_CENT, in_cents, in_pips
from sampan.interfaces.words import (
    BATCH_STATES,
    EVERY,
    MEANINGS,
    PURPOSES,
    REASONS,
    ROLES,
    SOURCES,
    STATUSES,
    StatusLook,
    words_of_flaw,
    words_of_refusal,
)
from sampan.messages.reports.periods import Row
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import ComposeDraft, Purpose, Source
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import Flaw

HONG_KONG = ZoneInfo(settings.TIME_ZONE)
MINUS = "−"
MINUTES_OF_AN_HOUR = 60
MOST_TITLE_CHARACTERS = 48
LANG_OF_CODE = {"zh-hant": "zh-Hant-HK", "zh-hans": "zh-Hans-HK"}  # so that Hong Kong's glyphs are taken
SAYING_NOTHING = frozenset({Shown.DELIVERED, Shown.PROCESSING, Shown.WAITING, Shown.SCHEDULING})
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]|[\U00020000-\U0003ffff]")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")

register = Library()


# Shapes


@register.simple_tag
def icon(name: str, kind: str = "") -> SafeString:
    """A drawing of icons.svg; `kind` is "small"."""
    classes = f"icon {kind}".strip()
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("sampan/icons.svg"), name
    )


@register.simple_tag
def drawing(name: str, classes: str = "") -> SafeString:
    """A drawing that is no icon of a line: the boat."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("sampan/icons.svg"), name
    )


@register.simple_tag
def status(shown: Shown, word: str = "") -> SafeString:
    """A status: its shape, its word and its colour."""
    return looking(STATUSES[shown], word)


@register.simple_tag
def batch_state(state: str) -> SafeString:
    """Where a batch as a whole is."""
    return looking(BATCH_STATES[state])


def looking(look: StatusLook, word: str = "") -> SafeString:
    """A shape, a word and a colour."""
    return format_html(
        '<span class="status {}"><svg aria-hidden="true"><use href="{}#is-{}"/></svg>{}</span>',
        look.colour,
        static("sampan/icons.svg"),
        look.shape,
        word or look.word,
    )


class Language(NamedTuple):
    """A language of the pages: its code, its own name for itself, and what it is called in `lang`."""

    code: str
    name: str
    lang: str


@register.simple_tag
def languages() -> list[Language]:
    """All of them, by their own names."""
    return [Language(code, name, LANG_OF_CODE.get(code, code)) for code, name in settings.LANGUAGES]


# Amounts and numbers


def _signed(pips: int, amount: str) -> str:
    return f"{MINUS * (pips < 0)}HK${amount.lstrip('-')}"


@register.filter
def hkd(pips: int) -> str:
    """62_401_899 → HK$6,240.18: for sums, rounded down."""
    return _signed(pips, in_cents(pips))


@register.filter
def price(pips: int) -> str:
    """2_900 → HK$0.2900: where pips matter."""
    return _signed(pips, in_pips(pips))


@register.filter
def exact(pips: int) -> str:
    """As `hkd` where it is whole cents, else as `price`: for sums that must be seen to add up."""
    return price(pips) if pips % PIPS_PER_CENT else hkd(pips)


@register.filter
def bare(pips: int) -> str:
    """2_900 → 0.2900: for columns that say HK$ at their head."""
    return in_pips(pips).replace("-", MINUS)


@register.filter
def bare_exact(pips: int) -> str:
    """As `exact`, for columns that say HK$ at their head."""
    return exact(pips).replace("HK$", "")


@register.filter
def negative(pips: int) -> int:
    """What is taken away."""
    return -pips


@register.filter
def thousands(number: int) -> str:
    """4705 → 4,705."""
    return f"{number:,}".replace("-", MINUS)


@register.filter
def share(part: int, whole: int) -> str:
    """As a percentage with one decimal, never rounded up to 100 or down to 0; a dash of nothing."""
    if not whole:
        return "–"
    tenths = round(part * 1000 / whole)
    tenths = min(tenths, 999) if part < whole else tenths
    tenths = max(tenths, 1) if part else tenths
    return f"{tenths / 10:.1f}%"


@register.filter
def phone(number: int) -> str:
    """A mobile as people write it here: 9123 4567, +853 6612 0034, +86 138 0013 8000."""
    digits = str(number)
    if digits.startswith("852") and len(digits) == 11:
        return f"{digits[3:7]} {digits[7:]}"
    if digits.startswith("853") and len(digits) == 11:
        return f"+853 {digits[3:7]} {digits[7:]}"
    if digits.startswith("86") and len(digits) == 13:
        return f"+86 {digits[2:5]} {digits[5:9]} {digits[9:]}"
    try:
        parsed = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


@register.filter
def handset(address: str) -> str:
    """Who wrote: a number as people write it, or a name as it came."""
    return phone(int(address)) if address.isascii() and address.isdigit() else address


@register.filter
def pace(a_second: float) -> str:
    """46, or 0.3."""
    return f"{a_second:,.0f}" if a_second >= 10 else f"{a_second:.1f}"


@register.filter
def octets(count: int) -> str:
    """214 kB; decimal, as files are shown."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


@register.filter
def duration(minutes: int) -> str:
    """How long, in the largest whole unit."""
    hours, rest = divmod(minutes, MINUTES_OF_AN_HOUR)
    if rest:
        return gettext("%(count)s minutes") % {"count": f"{minutes:,}"}
    return gettext("1 hour") if hours == 1 else gettext("%(count)s hours") % {"count": hours}


@register.filter
def seconds(count: int) -> str:
    """About how long: seconds, then minutes, then hours."""
    if count < 100:
        return gettext("%(count)s seconds") % {"count": count}
    if count < 100 * 60:
        return gettext("%(count)s minutes") % {"count": round(count / 60)}
    return gettext("%(count)s hours") % {"count": round(count / 3600)}


# Times, in the zone of the customer whose page it is; else Hong Kong's


def _at(moment: datetime | None, pattern: str) -> str:
    return formatted(timezone.localtime(moment), pattern) if moment else ""


@register.simple_tag
def zone_words() -> str:
    """By whose clock a page tells the time (spec S50)."""
    name = timezone.get_current_timezone_name()
    return gettext("Hong Kong time") if name == HONG_KONG.key else gettext("%(zone)s time") % {"zone": name}


@register.filter
def clock(moment: datetime | None) -> str:
    """14:32."""
    return _at(moment, "H:i")


@register.filter
def clock_s(moment: datetime | None) -> str:
    """14:32:09."""
    return _at(moment, "H:i:s")


@register.filter
def clock_ms(moment: datetime | None) -> str:
    """14:32:09.218."""
    return _at(moment, "H:i:s.u")[:-3]


@register.filter
def day(moment: datetime | None) -> str:
    """20 Nov."""
    return _at(moment, pgettext("date format", "j M"))


@register.filter
def weekday(moment: datetime | None) -> str:
    """Friday 20 November."""
    return _at(moment, pgettext("date format", "l j F"))


@register.filter
def moment(moment: datetime | None) -> str:
    """20 Nov 14:32."""
    return _at(moment, pgettext("date format", "j M H:i"))


@register.filter
def full_moment(moment: datetime | None) -> str:
    """20 Nov 2026 14:32."""
    return _at(moment, pgettext("date format", "j M Y H:i"))


@register.filter
def full_moment_s(moment: datetime | None) -> str:
    """20 Nov 2026 14:32:09."""
    return _at(moment, pgettext("date format", "j M Y H:i:s"))


@register.filter
def iso_day(moment: datetime) -> str:
    """2026-11-20, as date fields have it."""
    return timezone.localdate(moment).isoformat()


@register.filter
def machine(moment: datetime) -> str:
    """For `datetime` of a <time>."""
    return timezone.localtime(moment).isoformat(timespec="seconds")


# Words


@register.filter
def reason_words(reason: Reason) -> str:
    """Why a message ended, or where it is."""
    return str(REASONS[reason])


@register.simple_tag
def reason_of(row: Row) -> str:
    """Why a message of a list is where it is; nothing where there is nothing to say."""
    if row.shown == Shown.UNKNOWN:
        return gettext("%(amount)s held until it settles") % {"amount": price(row.held_pips)}
    if row.shown in SAYING_NOTHING:
        return ""
    return f"{row.reason.shown} {REASONS[row.reason]}"


@register.filter
def meaning(reason: Reason) -> str:
    """What a member may do about it."""
    return str(MEANINGS.get(reason, ""))


@register.filter
def flaw_words(flaw: Flaw) -> str:
    """What is wrong with a number, and how to mend it."""
    return words_of_flaw(flaw)


@register.filter
def source_words(source: Source) -> str:
    """Where a batch came from."""
    return str(SOURCES[source])


@register.filter
def role_words(role: str) -> str:
    """What a member may do."""
    return str(ROLES[role])


@register.filter
def purpose_words(purpose: Purpose) -> str:
    """What a text is for."""
    return str(PURPOSES[purpose])


@register.filter
def every_words(every: str) -> str:
    """How often a batch recurs."""
    return str(EVERY[every])


@register.filter
def date_words(day: date) -> str:
    """20 Nov 2026."""
    return formatted(day, pgettext("date format", "j M Y"))


@register.filter
def refusal_words(reason: Reason) -> str:
    """What stood against a run of a recurring batch."""
    return words_of_refusal(Refused(reason))


@register.filter
def title(draft: ComposeDraft) -> str:
    """What a draft is called in a list."""
    return draft.name or Truncator(" ".join(draft.text.split())).chars(MOST_TITLE_CHARACTERS) or gettext("No text yet")


@register.simple_tag
def lang_of(text: str) -> SafeString:
    """` lang="…"` for a text of a customer's that is not in Latin letters, so that it gets the right regional glyphs.

    What Hong Kong's character set can write is taken for traditional Chinese, else for simplified.
    """
    if _KANA.search(text):
        language = "ja"
    elif _HANGUL.search(text):
        language = "ko"
    elif not (han := "".join(_HAN.findall(text))):
        return SafeString("")
    else:
        language = "zh-Hant-HK" if han.encode("big5hkscs", "ignore").decode("big5hkscs") == han else "zh-Hans-HK"
    return format_html(' lang="{}"', language)


@register.filter
def get(mapping: dict[object, object], key: object) -> object:
    """An entry of a mapping."""
    return mapping[key]
