"""What every promotional text must say at its end: who sends it, how to reach them, how to hear no more (spec S95).

To Hong Kong and Macau in Chinese and English, elsewhere in English, to China with the words operators there ask for.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from django.db import transaction

from sampan import settings
from sampan.accounts.tables import Customer, Person
from sampan.compliance.links import link, token_of
from sampan.compliance.tables import LONGEST_CONTACT, FooterProfile
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination

Region = Destination.Region
Footers = Sequence[str]
"""One for each region in their order, or none at all."""
NO_FOOTERS: Footers = ()
MARK = "{token}"  # stands in a footer for the token of each message
CHINA_UNSUBSCRIBE = "退订回T"

_WAY_OUT = re.compile(r"unsub|opt.?out|\bstop\b|取消|退[訂订]|拒收|" + re.escape(CHINA_UNSUBSCRIBE), re.IGNORECASE)
# A reply word, and what often stands behind it: replied to a name, or to somebody else's number, it reaches nobody.
_REPLY_STOP = re.compile(
    r"(?:reply|回[覆复])\W{0,3}(?:with\W+)?(?:stop|unsub)(?![a-z])\W{0,2}(?:to\W+)?(?:unsub\w*|opt.?out|取消|退[訂订])?",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"(?:\d[ -]?){7,}\d|\S@\S+\.\S|https?://\S|\bwww\.\S", re.IGNORECASE)
_HONG_KONG_NUMBER = re.compile(r"[2-9][0-9]{7}", re.ASCII)


class Missing(Enum):
    """What a promotional text does not say."""

    SENDER = "sender"
    CONTACT = "contact"
    WAY_OUT = "way out"


class Profile(NamedTuple):
    """What a customer's texts say of it."""

    name_en: str
    name_zh: str
    contact: str
    unsubscribe_number: str
    is_added: bool


PROFILES = "SELECT customer_id, name_en, name_zh, contact, unsubscribe_number, is_added FROM footer_profile"


def _load(conn: Connection) -> dict[int, Profile]:
    return {customer_id: Profile(*rest) for customer_id, *rest in conn.execute(PROFILES)}


profiles = Snapshot(_load, "footer_profile")


def missing(text: str, profile: Profile | None, customer_name: str, *, takes_replies: bool = False) -> list[Missing]:
    """What the text itself does not say, as far as words can tell. `takes_replies`: those to its sender reach us."""
    names = (profile.name_en, profile.name_zh) if profile else (customer_name,)
    folded = text.casefold()
    says = {
        Missing.SENDER: any(name.casefold() in folded for name in names),
        Missing.CONTACT: bool(profile and profile.contact in text) or _CONTACT.search(text) is not None,
        Missing.WAY_OUT: _WAY_OUT.search(text if takes_replies else _REPLY_STOP.sub("", text)) is not None,
    }
    return [each for each, is_said in says.items() if not is_said]


def footers_for(
    text: str, profile: Profile | None, customer_name: str, *, own_signature: bool, takes_replies: bool = False
) -> Footers:
    """What is added to a promotional text, by region; none where there is no profile or the text says it all itself.

    A reply word is offered where replies to the sender reach us; abroad they may not, for its number may be replaced.
    """
    if profile is None or not profile.is_added:
        return NO_FOOTERS
    if not missing(text, profile, customer_name, takes_replies=takes_replies):
        return NO_FOOTERS
    way = profile.unsubscribe_number or link(MARK)
    names = f"{profile.name_zh} {profile.name_en}" if profile.name_zh != profile.name_en else profile.name_en
    out = "取消請回覆 Unsub: reply STOP" if takes_replies else f"取消接收 Unsub: {way}"
    both = f"\n{names} {profile.contact} {out}"
    english = f"\n{profile.name_en} {profile.contact} Unsub: {_abroad(profile.unsubscribe_number) or link(MARK)}"
    # In China the signature names the sender, where it is the customer's own.
    named = "" if own_signature else f"{profile.name_zh} "
    china = f"\n{named}{profile.contact} {CHINA_UNSUBSCRIBE}"
    by_region = {Region.HONG_KONG: both, Region.MACAU: both, Region.CHINA: china, Region.OVERSEAS: english}
    return [by_region[region] for region in sorted(Region)]


def _abroad(hong_kong_number: str) -> str:
    return f"+852{hong_kong_number}" if hong_kong_number else ""


def with_footer(text: str, footers: Footers, region: Region, message_id: int = 0) -> str:
    """The text as one recipient gets it; of the same length for every message."""
    if not footers:
        return text
    footer = footers[region - 1]
    return text + (footer.replace(MARK, token_of(message_id)) if MARK in footer else footer)


# The profile


@transaction.atomic
def save_profile(customer: Customer, profile: Profile, *, by: Person, now: datetime) -> None:
    """A member fills the profile in. Raises Refused with NO_FOOTER naming the field that is wrong."""
    for name, value in profile._asdict().items():
        if isinstance(value, str) and (len(value) > LONGEST_CONTACT or not value.isprintable() or MARK in value):
            raise Refused(Reason.NO_FOOTER, name, value[:LONGEST_CONTACT])
    for name in ("name_en", "name_zh", "contact"):
        if not getattr(profile, name).strip():
            raise Refused(Reason.NO_FOOTER, name)
    number = profile.unsubscribe_number
    if (number and not _HONG_KONG_NUMBER.fullmatch(number)) or (not number and not settings.PUBLIC_URL):
        raise Refused(Reason.NO_FOOTER, "unsubscribe_number", number)
    values = {name: value.strip() if isinstance(value, str) else value for name, value in profile._asdict().items()}
    FooterProfile.objects.update_or_create(customer=customer, defaults=values | {"updated_at": now, "updated_by": by})
