"""What the review says of the law before anything is sent (spec S2, S91, S93, S95)."""

from datetime import date

import pytest

from sampan.accounts.tables import Customer
from sampan.compliance import words as china_words
from sampan.compliance.footers import Profile, save_profile
from sampan.compliance.settings import change_settings
from sampan.compliance.tables import RegisteredNumber
from sampan.database import Connection, Snapshot
from sampan.messages.tables import Batch, Message
from tests.interfaces.portal.pages import compose, errors_of, location, reviewed, send, signed_in, value_of, words
from tests.world import NOW, make_customer, make_places, make_staff

PROMOTION = {"purpose": "2", "text": "Roses at half price"}


@pytest.fixture
def florist(database: Connection) -> Customer:
    make_places()
    return make_customer()


def fill_in(florist: Customer) -> None:
    profile = Profile("Harbour Florist", "海港花店", "28123456", "28123457", is_added=True)
    save_profile(florist, profile, by=florist.members.get(), now=NOW)
    Snapshot.forget_all()


def test_a_promotional_text_that_lacks_something_is_warned_of(florist: Customer) -> None:
    client = signed_in()
    page = words(client.get(reviewed(client, **PROMOTION)))
    assert "does not say: who sends it, how to reach you, how to unsubscribe" in page
    assert "does not say" not in words(client.get(reviewed(client)))


def test_a_footer_is_shown_and_counted_before_it_is_sent(florist: Customer) -> None:
    fill_in(florist)
    client = signed_in()
    address = reviewed(client, **PROMOTION)
    page = words(client.get(address))
    assert "does not say" not in page
    assert "Added (Hong Kong and Macau) 海港花店 Harbour Florist 28123456 取消接收 Unsub: 28123457" in page
    assert "71 of 134, Unicode" in page
    batch = words(client.get(location(send(client, address))))
    assert "Added (Hong Kong and Macau) 海港花店 Harbour Florist" in batch
    assert "退订回T" not in batch
    assert {message.units for message in Message.objects.all()} == {2}


def test_a_footer_changed_meanwhile_is_reviewed_again(florist: Customer) -> None:
    """Nobody pays for words they have not seen."""
    client = signed_in()
    address = reviewed(client, **PROMOTION)
    seal = value_of(client.get(address), "seal")
    fill_in(florist)
    answer = client.post(address, {"seal": seal})
    assert answer.status_code == 409
    assert "This is not what you reviewed" in words(answer)
    assert not Batch.objects.exists()


def test_where_the_setting_refuses_the_compose_page_says_it_beside_the_text(florist: Customer) -> None:
    change_settings(register_waits=False, footer_refuses=True, why="the law", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    answer = compose(signed_in(), **PROMOTION)
    assert "how to unsubscribe" in errors_of(answer)["text"]


def test_words_barred_in_china_are_named_and_the_rest_can_go(florist: Customer) -> None:
    china_words.add_words(["发票"], by=make_staff(), now=NOW, why="a test")
    Snapshot.forget_all()
    client = signed_in()
    page = words(client.get(reviewed(client, numbers="91234567, 8613812345678", text="代開發.票")))
    assert "Barred in mainland China: 发票" in page
    assert "Will not be sent: 1" in page
    assert "Send 1 message" in page


def test_who_is_on_the_register_is_counted_among_what_is_left_out(florist: Customer) -> None:
    RegisteredNumber.objects.create(number=85291234567, listed_on=date(2026, 1, 1))
    client = signed_in()
    page = words(client.get(reviewed(client, numbers="91234567, 61234567", **PROMOTION)))
    assert "On the do-not-call register 307 They asked not to be sent promotional texts 1" in page
