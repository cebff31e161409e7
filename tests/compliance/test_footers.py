"""What a promotional text must say, and whether it does (spec S95)."""

from typing import Any

import pytest

from sampan import settings
from sampan.accounts.tables import Customer, Person
from sampan.compliance.footers import (
    Missing,
    Profile,
    Speaker,
    footers_for,
    missing,
    profiles,
    save_profile,
    with_footer,
)
from sampan.compliance.links import TOKEN_LENGTH, token_of
from sampan.composing.parts import compose
from sampan.database import Connection, Snapshot
from sampan.messages.tables import Purpose
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Destination
from tests.inbound.renting import OWN, make_number, make_rental
from tests.world import NOW, draft_of, make_customer, make_places, plan_of

Region = Destination.Region
PROFILE = Profile("Harbour Florist", "海港花店", "28123456", "", is_added=True)
HARBOUR = Speaker("Harbour Florist", PROFILE)


def owner_of(customer: Customer) -> Person:
    return customer.members.get()


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("Roses at half price", [Missing.SENDER, Missing.CONTACT, Missing.WAY_OUT]),
        ("海港花店：玫瑰半價", [Missing.CONTACT, Missing.WAY_OUT]),
        ("HARBOUR FLORIST: roses, call 2812 3456", [Missing.WAY_OUT]),
        ("Roses. shop@harbour.example, unsubscribe: 28123457", [Missing.SENDER]),
        ("海港花店 28123456 退訂: 28123457", []),
        ("Harbour Florist harbour.example 28123456. Opt-out: 28123457", []),
    ],
)
def test_a_text_is_read_for_sender_contact_and_way_out(text: str, lacks: list[Missing]) -> None:
    """Spec S95: abroad in any language."""
    assert missing(text, HARBOUR, Region.OVERSEAS) == lacks


@pytest.mark.parametrize(
    ("region", "text", "lacks"),
    [
        (Region.HONG_KONG, "Harbour Florist 28123456 Unsub: 28123457", [Missing.SENDER, Missing.WAY_OUT]),
        (Region.HONG_KONG, "海港花店 28123456 取消: 28123457", [Missing.SENDER, Missing.WAY_OUT]),
        (Region.HONG_KONG, "海港花店 Harbour Florist 28123456 Unsub: 28123457", [Missing.WAY_OUT]),
        (Region.HONG_KONG, "海港花店 Harbour Florist 28123456 取消接收 Unsub: 28123457", []),
        (Region.MACAU, "海港花店 28123456 取消: 28123457", [Missing.SENDER, Missing.WAY_OUT]),
        (Region.CHINA, "海港花店 28123456 取消接收 Unsub: 28123457", [Missing.WAY_OUT]),
        (Region.CHINA, "海港花店 28123456 退订回T，谢谢光临", [Missing.WAY_OUT]),
        (Region.CHINA, "海港花店 28123456 退订回T ", []),
    ],
)
def test_each_region_has_its_languages_and_its_words(region: Region, text: str, lacks: list[Missing]) -> None:
    """Spec S95: to Hong Kong in Chinese and English; to China 退订回T at the end."""
    assert missing(text, HARBOUR, region) == lacks


def test_a_footer_is_added_only_where_the_text_does_not_say_it_all() -> None:
    """Spec S95: what satisfies Hong Kong is not enough for China."""
    text = "Roses 海港花店 Harbour Florist 28123456 取消接收 Unsub: 28123457"
    added = dict(zip(sorted(Region), footers_for(text, HARBOUR), strict=True))
    assert added == {
        Region.HONG_KONG: "",
        Region.MACAU: "",
        Region.CHINA: "\n海港花店 28123456 退订回T",
        Region.OVERSEAS: "",
    }
    assert footers_for(f"{text} 退订回T", HARBOUR) == ()


@pytest.mark.parametrize(
    "text",
    ["Reply STOP", "reply with STOP to unsubscribe", "回覆STOP取消", "回复 stop 退订", "Roses. Reply UNSUB."],
)
def test_a_reply_word_is_a_way_out_only_where_replies_reach_us(text: str) -> None:
    """spec S95; a sender ID that is a name has no replies, and abroad a number may be replaced"""
    text = f"海港花店 Harbour Florist 28123456 {text}"
    assert missing(text, HARBOUR, Region.HONG_KONG) == [Missing.WAY_OUT]
    both = f"{text} 取消 or unsub"
    assert missing(both, HARBOUR._replace(takes_replies=True), Region.HONG_KONG) == []
    assert missing(text, HARBOUR._replace(takes_replies=True), Region.OVERSEAS) == [Missing.WAY_OUT]


def test_the_footer_offers_a_reply_word_in_hong_kong_where_replies_reach_us() -> None:
    footers = footers_for("Roses", HARBOUR._replace(takes_replies=True))
    said = with_footer("Roses", footers, Region.HONG_KONG)
    assert said == "Roses\n海港花店 Harbour Florist 28123456 取消請回覆 Unsub: reply STOP"
    assert missing(said, HARBOUR._replace(takes_replies=True), Region.HONG_KONG) == []
    assert "STOP" not in with_footer("Roses", footers, Region.OVERSEAS, 1)
    assert with_footer("玫瑰", footers, Region.CHINA).endswith("退订回T")


def test_a_promotion_from_a_rented_number_says_how_to_reply_and_one_from_a_name_does_not(database: Connection) -> None:
    harbour = make_customer()
    make_rental(make_number(make_places()), harbour)
    save_profile(harbour, PROFILE._replace(unsubscribe_number="28123457"), by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    for sender, offers in ((OWN, True), ("HarbourFlo", False), ("85298765432", False)):
        draft = draft_of(database, harbour, sender=sender, purpose=Purpose.PROMOTIONAL)
        footer = plan_of(database, draft).footers[0]
        assert ("reply STOP" in footer, "28123457" in footer) == (offers, not offers), sender


def test_without_a_number_of_their_own_the_way_out_is_our_link(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://sampan.example")
    footers = footers_for("Roses", HARBOUR)
    text = with_footer("Roses", footers, Region.OVERSEAS, 123_456)
    assert text == f"Roses\nHarbour Florist 28123456 Unsub: sampan.example/u/{token_of(123_456)}"


def test_every_message_of_a_batch_is_as_long_as_was_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://sampan.example")
    footers = footers_for("Roses " * 10, HARBOUR)
    for region in Region:
        china = region == Region.CHINA
        priced, sent = (
            compose(with_footer("Roses " * 10, footers, region, id_), china=china, signature="舢舨")
            for id_ in (0, 987_654_321)
        )
        assert (priced.units, priced.length, len(priced.parts)) == (sent.units, sent.length, len(sent.parts))
    assert TOKEN_LENGTH == 16


def test_in_china_ones_own_signature_names_the_sender() -> None:
    with_own = footers_for("玫瑰", HARBOUR._replace(own_signature=True))
    without = footers_for("玫瑰", HARBOUR)
    assert with_own[Region.CHINA - 1] == "\n28123456 退订回T"
    assert without[Region.CHINA - 1] == "\n海港花店 28123456 退订回T"


def test_a_customer_who_writes_it_into_its_texts_gets_none_added() -> None:
    assert footers_for("Roses", HARBOUR._replace(profile=PROFILE._replace(is_added=False))) == ()
    assert footers_for("Roses", HARBOUR._replace(profile=None)) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name_en": " "}, "name_en"),
        ({"name_zh": ""}, "name_zh"),
        ({"contact": ""}, "contact"),
        ({"contact": "a\nb"}, "contact"),
        ({"name_en": "{token}"}, "name_en"),
        ({"unsubscribe_number": "999"}, "unsubscribe_number"),
        ({"name_en": "x" * 41}, "name_en"),
        ({}, "unsubscribe_number"),  # and this installation has no address for a link
    ],
)
def test_a_profile_that_could_not_be_sent_is_refused_by_its_field(
    database: Connection, changes: dict[str, Any], field: str
) -> None:
    harbour = make_customer()
    with pytest.raises(Refused) as caught:
        save_profile(harbour, PROFILE._replace(**changes), by=owner_of(harbour), now=NOW)
    assert (caught.value.reason, caught.value.field) == (Reason.NO_FOOTER, field)


def test_a_profile_is_in_force_once_saved(database: Connection) -> None:
    harbour = make_customer()
    save_profile(harbour, PROFILE._replace(unsubscribe_number="28123457"), by=owner_of(harbour), now=NOW)
    save_profile(harbour, PROFILE._replace(unsubscribe_number="28123458"), by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    assert profiles.get(database)[harbour.pk].unsubscribe_number == "28123458"
