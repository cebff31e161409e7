"""Settings of promotional texts and of texts to China (spec S90, S93, S95)."""

from typing import Any

import pytest

from sampan.accounts.tables import Customer
from sampan.compliance.signatures import approve_signature, send_signature_back
from sampan.compliance.tables import ChinaSignature, FooterProfile
from sampan.database import Connection, Snapshot
from tests.interfaces.portal.pages import location, signed_in, words
from tests.world import NOW, make_customer, make_mallory, make_staff

PATH = "/account/promotions/"
FOOTER = {
    "do": "footer",
    "name_en": "Harbour Florist",
    "name_zh": "海港花店",
    "contact": "28123456",
    "unsubscribe_number": "28123457",
    "is_added": "on",
}


@pytest.fixture
def florist(database: Connection) -> Customer:
    return make_customer()


def press(login_name: str = "harbour", **typed: Any) -> Any:
    answer = signed_in(login_name).post(PATH, typed)
    Snapshot.forget_all()
    return answer


def test_at_first_nothing_is_added_and_the_page_says_so(florist: Customer) -> None:
    page = words(signed_in().get(PATH))
    assert "Nothing is added now" in page
    assert "【舢舨】 ours, until you have your own" in page


def test_a_footer_is_kept_and_shown_as_each_region_gets_it(florist: Customer) -> None:
    assert location(press(**FOOTER)) == PATH
    page = words(signed_in().get(PATH))
    assert "海港花店 Harbour Florist 28123456 取消接收 Unsub: 28123457" in page
    assert "海港花店 28123456 退订回T" in page
    assert "Harbour Florist 28123456 Unsub: +85228123457" in page


@pytest.mark.parametrize("field", ["name_en", "contact", "unsubscribe_number"])
def test_a_footer_without_what_the_law_asks_is_not_kept(florist: Customer, field: str) -> None:
    assert press(**FOOTER | {field: ""}).status_code == 422
    assert not FooterProfile.objects.exists()


def test_the_purposes_are_kept(florist: Customer) -> None:
    location(press(do="purposes", portal=1, api=2, economic=2))
    florist.refresh_from_db()
    assert (florist.portal_purpose, florist.api_purpose, florist.economic_purpose) == (1, 2, 2)
    assert press(do="purposes", portal=3, api=2, economic=2).status_code == 422


def test_a_signature_is_asked_for_and_its_answer_is_shown(florist: Customer) -> None:
    location(press(do="signature", name="海港花店", grounds="the shop's name"))
    assert "With staff" in words(signed_in().get(PATH))
    assert "A request is being looked at already" in words(press(do="signature", name="海港鲜花", grounds="x"))
    send_signature_back(ChinaSignature.objects.get().pk, words="Send the trade mark", by=make_staff(), now=NOW)
    assert "Sent back Send the trade mark" in words(signed_in().get(PATH))


def test_an_approved_signature_is_shown_to_its_customer_alone(florist: Customer) -> None:
    make_mallory()
    location(press(do="signature", name="海港花店", grounds="the shop's name"))
    approve_signature(ChinaSignature.objects.get().pk, words="their shop", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    assert "【海港花店】 yours" in words(signed_in().get(PATH))
    assert "海港花店" not in words(signed_in("mallory").get(PATH)).replace("such as 海港花店", "")
    assert "Another customer has this signature" in words(
        press("mallory", do="signature", name="海港花店", grounds="hers too")
    )


def test_a_press_of_nothing_changes_nothing(florist: Customer) -> None:
    assert press(do="nonsense").status_code == 200
    assert not FooterProfile.objects.exists()
