"""One message: its status in words, its parts, its money; never the operator's own codes (spec S72–S74, S76)."""

from datetime import timedelta

import pytest

from sampan.database import Connection
from tests.interfaces.portal.pages import html, signed_in, words
from tests.messages.one_of_each import ENROUTE_ERROR, OneOfEach, make_one_of_each
from tests.world import NOW, make_customer, make_places, send

NOTES = {
    "delivered": "Delivered It is on the handset.",
    "processing": "Processing It is with the operator; no receipt has come yet.",
    "retry": "Retry Phone off, bad reception or forwarded (304). The operator tries again until 23 Nov 12:00.",
    "unknown": "Outcome unknown It was handed over and no answer came. It is not sent again; its price stays held",
    "undeliverable": "Undeliverable The number does not exist or is deactivated (303). It was charged, because",
    "refused": "Undeliverable The number does not exist or is deactivated (303). It was not charged.",
    "being handed over": "Processing It is with the operator; no receipt has come yet.",
    "waiting": "Waiting It waits its turn. Nothing has been charged yet.",
    "sent": "Sent; no receipt Sent; this route gives no receipt, so nobody can say whether it is on the handset.",
    "filtered": "Filtered, free No route goes there (306). It was not sent, and is free.",
}
CODES = {
    "delivered": "22/300",
    "processing": "4/301",
    "retry": "19/304",
    "unknown": "4/301",
    "undeliverable": "21/303",
    "refused": "21/303",
    "being handed over": "4/301",
    "waiting": "2/300",
    "sent": "4/301",
    "filtered": "21/306",
}
PARTS = {
    "delivered": ["Delivered 300", "Delivered 300"],
    "processing": ["Processing 301", "Processing 301"],
    "retry": ["Delivered 300", "Retry 304"],
    "unknown": ["Outcome unknown 301", "Outcome unknown 301"],
    "undeliverable": ["Undeliverable 303", "Processing 301"],
    "refused": ["Undeliverable 303", "Undeliverable 303"],
    "being handed over": ["Processing 301", "Processing 301"],
    "waiting": ["Waiting –", "Waiting –"],
    "sent": ["Sent; no receipt 301", "Sent; no receipt 301"],
    "filtered": ["Filtered, free –", "Filtered, free –"],
}


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    return make_one_of_each(database)


def said_of(one: OneOfEach, name: str) -> str:
    return words(signed_in().get(f"/messages/{one.ids[name]}/"))


@pytest.mark.parametrize("name", NOTES)
def test_it_says_where_it_is_and_what_follows(one: OneOfEach, name: str) -> None:
    """spec S71, S72, S82"""
    said = said_of(one, name)
    assert NOTES[name] in said
    assert f"Code {CODES[name]}" in said


@pytest.mark.parametrize("name", PARTS)
def test_each_part_has_its_own_result(one: OneOfEach, name: str) -> None:
    """spec S73"""
    said = said_of(one, name)
    assert "Parts: 2" in said
    table = said[said.index("Characters") : said.index("What happened")]
    for result in PARTS[name]:
        assert result in table, table
        table = table[table.index(result) + len(result) :]


def test_the_parts_are_those_that_go_on_the_wire(one: OneOfEach) -> None:
    """spec S20, S90: to China with its signature"""
    assert "1 【舢舨】海港花店聖誕市集" in said_of(one, "sent")
    assert "1 海港花店聖誕市集" in said_of(one, "delivered")


def test_what_happened_tells_of_the_money(one: OneOfEach) -> None:
    """spec S82"""
    said = said_of(one, "delivered")
    assert "Taken by the operator, HK$0.5800 charged" in said
    assert "Accepted, HK$0.5800 held" in said
    assert "Part 1: Delivered" in said
    assert "Charged HK$0.5800" in said
    assert "Part 2: Retry 304 Phone off, bad reception or forwarded" in said_of(one, "retry")
    waiting = said_of(one, "waiting")
    assert "Charged HK$0.0000 Held HK$0.5800" in waiting
    assert "Taken by" not in waiting


def test_the_operators_own_words_are_for_staff(one: OneOfEach) -> None:
    """spec S72"""
    for id_ in one.ids.values():
        page = html(signed_in().get(f"/messages/{id_}/"))
        assert f"{id_}1" not in page  # the operator's message_id
        assert one.operator.name not in page
    assert ENROUTE_ERROR not in said_of(one, "retry")


def test_a_route_that_shows_the_operators_sender_says_so(one: OneOfEach) -> None:
    """spec S64"""
    assert "Sender ID The operator’s" in said_of(one, "sent")
    assert "Sender ID HarbourFlo" in said_of(one, "delivered")


def test_a_scheduled_message_says_when_it_is_due(database: Connection) -> None:
    """spec S50, S81"""
    make_places()
    due = NOW + timedelta(days=1)
    (id_,) = send(database, make_customer(), scheduled_at=due).message_ids
    said = words(signed_in().get(f"/messages/{id_}/"))
    assert "It waits for 24 Nov 10:00, Hong Kong time. Nothing is held until then." in said
    assert "Due 24 Nov 2026 10:00" in said
    assert "held" not in said.split("What happened")[1].split("Message Status")[0]
