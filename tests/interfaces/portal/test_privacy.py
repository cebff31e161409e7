"""Support access in the settings: the owner opens and closes it, the others see it, nobody else does (spec S133)."""

import pytest
from django.utils import timezone

from sampan.accounts.privacy.tables import SupportWindow
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_customer, make_mallory

PATH = "/account/support-access/"


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


def test_the_owner_opens_a_window_and_closes_it(harbour: Customer) -> None:
    owner = signed_in()
    assert "No window is open: our staff see no number and no text of yours." in words(owner.get(PATH))
    assert location(owner.post(PATH, {"do": "open", "hours": "1", "why": "<i>100001</i>"})) == PATH
    page = owner.get(PATH)
    assert "Close the window now" in words(page)
    assert "<i>" not in html(page)
    owner.post(PATH, {"do": "close"})
    assert "No window is open" in words(owner.get(PATH))
    assert SupportWindow.objects.get().closed_by == harbour.members.get()


def test_a_time_must_be_chosen(harbour: Customer) -> None:
    answer = signed_in().post(PATH, {"do": "open", "hours": "9999"})
    assert answer.status_code == 422
    assert "Nothing has been changed Nothing was chosen. Choose one." in words(answer)


def test_others_of_the_customer_see_it_and_open_none(harbour: Customer) -> None:
    Person.objects.create(
        login_name="yan", customer=harbour, role=Person.Role.SENDER, may_send=True, created_at=timezone.now()
    )
    yan = signed_in("yan")
    assert "The account’s owner opens and closes it." in words(yan.get(PATH))
    refused = yan.post(PATH, {"do": "open", "hours": "1"})
    assert "Only the account’s owner decides this." in words(refused)
    assert not SupportWindow.objects.exists()


def test_mallory_neither_sees_nor_closes_it(harbour: Customer) -> None:
    make_mallory()
    signed_in().post(PATH, {"do": "open", "hours": "1", "why": "ticket 4"})
    mallory = signed_in("mallory")
    assert "ticket 4" not in words(mallory.get(PATH))
    mallory.post(PATH, {"do": "close"})
    assert SupportWindow.objects.get().closed_at is None
