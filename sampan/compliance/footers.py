"""What every promotional text must say at its end: who sends it, how to reach them, how to hear no more (spec S95).

To Hong Kong and Macau in Chinese and English, elsewhere in English, to China with the words operators there ask for.
"""

import re
from collections.abc import Iterable, Sequence
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

_CHINESE_WAY_OUT = re.compile(r"取消|退[訂订]|拒收")
_ENGLISH_WAY_OUT = re.compile(r"unsub|opt.?out|\bstop\b", re.IGNORECASE)
# A reply word, and what often stands behind it: replied to a name, or to somebody else's number, it reaches nobody.
_REPLY_STOP = re.compile(
    r"(?:reply|回[覆复])\W{0,3}(?:with\W+)?(?:stop|unsub)(?![a-z])\W{0,2}(?:to\W+)?(?:unsub\w*|opt.?out|取消|退[訂订])?",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"(?:\d[ -]?){7,}\d|\S@\S+\.\S|https?://\S|\bwww\.\S", re.IGNORECASE)
_HONG_KONG_NUMBER = re.compile(r"[2-9][0-9]{7}", re.ASCII)
IN_BOTH_LANGUAGES = (Region.HONG_KONG, Region.MACAU)


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


class Speaker(NamedTuple):
    """Who a promotional text comes from, as its recipients know them."""

    name: str  # the customer's, where it has no profile
    profile: Profile | None = None
    own_signature: bool = False  # to China: it names the sender
    takes_replies: bool = False  # those to its sender ID reach us

    @property
    def names(self) -> set[str]:
        """What the sender is called, folded."""
        written = (self.profile.name_en, self.profile.name_zh) if self.profile else (self.name,)
        return {name.casefold() for name in written}


def missing(text: str, speaker: Speaker, region: Region) -> list[Missing]:
    """What the text itself does not say to people of that region, as far as words can tell."""
    profile = speaker.profile
    is_said = {
        Missing.SENDER: _names(text.casefold(), speaker, region),
        Missing.CONTACT: bool(profile and profile.contact in text) or _CONTACT.search(text) is not None,
        Missing.WAY_OUT: _has_way_out(text, region, takes_replies=speaker.takes_replies),
    }
    return [each for each, is_there in is_said.items() if not is_there]


def _names(folded: str, speaker: Speaker, region: Region) -> bool:
    if region == Region.CHINA and speaker.own_signature:
        return True
    said = [name in folded for name in speaker.names]
    return all(said) if region in IN_BOTH_LANGUAGES else any(said)


def _has_way_out(text: str, region: Region, *, takes_replies: bool) -> bool:
    """In China it is a reply word, which every operator brings to us; elsewhere one is good where replies reach us."""
    if region == Region.CHINA:
        return text.rstrip().endswith(CHINA_UNSUBSCRIBE)
    works = text if takes_replies and region != Region.OVERSEAS else _REPLY_STOP.sub("", text)
    in_chinese, in_english = _CHINESE_WAY_OUT.search(works), _ENGLISH_WAY_OUT.search(works)
    said = [in_chinese is not None, in_english is not None]
    return all(said) if region in IN_BOTH_LANGUAGES else any(said)


def footers_for(text: str, speaker: Speaker) -> Footers:
    """What is added to a promotional text, by region: "" where it says all that itself. None without a profile.

    A reply word is offered where replies to the sender reach us; abroad they may not, for its number may be replaced.
    """
    profile = speaker.profile
    if profile is None or not profile.is_added:
        return NO_FOOTERS
    added = [_footer(speaker, profile, region) if missing(text, speaker, region) else "" for region in sorted(Region)]
    return added if any(added) else NO_FOOTERS


def _footer(speaker: Speaker, profile: Profile, region: Region) -> str:
    if region == Region.CHINA:
        named = "" if speaker.own_signature else f"{profile.name_zh} "
        return f"\n{named}{profile.contact} {CHINA_UNSUBSCRIBE}"
    if region == Region.OVERSEAS:
        way = _abroad(profile.unsubscribe_number) or link(MARK)
        return f"\n{profile.name_en} {profile.contact} Unsub: {way}"
    names = f"{profile.name_zh} {profile.name_en}" if profile.name_zh != profile.name_en else profile.name_en
    way = profile.unsubscribe_number or link(MARK)
    out = "取消請回覆 Unsub: reply STOP" if speaker.takes_replies else f"取消接收 Unsub: {way}"
    return f"\n{names} {profile.contact} {out}"


def lacking(text: str, speaker: Speaker, added: Footers, regions: Iterable[Region]) -> list[Missing]:
    """What a text to these regions lacks in some of them, with what is added to it."""
    bare = {region for region in regions if not (added and added[region - 1])}
    lacks = {each for region in bare for each in missing(text, speaker, region)}
    return [each for each in Missing if each in lacks]


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
