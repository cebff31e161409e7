"""Customers in the console: masked, and by a press, through a window, with numbers and texts (spec S133)."""

from typing import Any

import pytest
from django.utils import timezone

from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_customer, make_mallory, make_places, make_staff, send

TEXT = "Your flowers are on their way."


@pytest.fixture
def sent(database: Connection) -> tuple[int, int]:
    """Harbour Florist's id and a message's."""
    make_places()
    harbour = make_customer()
    make_mallory()
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    make_staff("fay", role=Person.StaffRole.FINANCE)
    accepted = send(database, harbour, [85261234567], now=timezone.now(), text=TEXT)
    return harbour.pk, accepted.message_ids[0]


def open_window(**typed: Any) -> Any:
    return signed_in().post("/account/support-access/", {"do": "open", "hours": "24", "why": "ticket 4"} | typed)


def is_shown(answer: Any) -> tuple[bool, bool]:
    page = html(answer)
    return "6123 4567" in page or "85261234567" in page, TEXT in page


def test_customers_are_found_by_name_login_and_message(sent: tuple[int, int]) -> None:
    _, id_ = sent
    wing = signed_in("wing")
    assert "Harbour Florist" in words(wing.get("/staff/customers/?find=florist"))
    assert "Harbour Florist" not in words(wing.get("/staff/customers/?find=mallory"))
    assert "Harbour Florist" in words(wing.get("/staff/customers/?find=HARBOUR"))
    assert location(wing.get(f"/staff/customers/?find={id_}")) == f"/staff/messages/{id_}/"
    assert "No customer matches" in words(wing.get("/staff/customers/?find=nobody"))


def test_a_customers_page_shows_figures_and_no_numbers(sent: tuple[int, int]) -> None:
    harbour, _ = sent
    page = signed_in("wing").get(f"/staff/customers/{harbour}/")
    assert "Messages of the last 7 days The latest, masked Waiting 1" in words(page)
    assert "HarbourFlo" in words(page)
    assert is_shown(page) == (False, False)
    assert signed_in("wing").get("/staff/customers/999/").status_code == 404


def test_without_a_window_everything_is_masked(sent: tuple[int, int]) -> None:
    harbour, id_ = sent
    wing = signed_in("wing")
    for path in (f"/staff/customers/{harbour}/messages/", f"/staff/messages/{id_}/"):
        page = wing.get(path)
        assert "852••••••67" in words(page)
        assert is_shown(page) == (False, False)
        refused = wing.post(path)
        assert refused.status_code == 422
        assert "The customer has no support window open." in words(refused)
        assert is_shown(refused) == (False, False)
    assert not AuditEntry.objects.exists()


def test_through_a_window_each_look_is_by_a_press_and_logged_for_the_customer(sent: tuple[int, int]) -> None:
    harbour, id_ = sent
    assert location(open_window()) == "/account/support-access/"
    wing = signed_in("wing")
    assert is_shown(wing.get(f"/staff/messages/{id_}/")) == (False, False)
    assert not AuditEntry.objects.exists()
    assert is_shown(wing.post(f"/staff/messages/{id_}/")) == (True, True)
    assert is_shown(wing.post(f"/staff/customers/{harbour}/messages/")) == (True, False)
    log = words(signed_in().get("/account/support-access/"))
    assert f"Wing message {id_} ticket 4" in log
    assert "Wing latest 50 messages ticket 4" in log
    signed_in().post("/account/support-access/", {"do": "close"})
    assert wing.post(f"/staff/messages/{id_}/").status_code == 422


def test_finance_sees_the_message_and_never_its_number(sent: tuple[int, int]) -> None:
    harbour, id_ = sent
    open_window()
    fay = signed_in("fay")
    assert "852••••••67" in words(fay.get(f"/staff/messages/{id_}/"))
    assert fay.post(f"/staff/messages/{id_}/").status_code in (403, 422)
    assert fay.get(f"/staff/customers/{harbour}/messages/").status_code == 403
    assert not AuditEntry.objects.exists()


def test_compliance_opens_an_abuse_case_with_a_reason(sent: tuple[int, int]) -> None:
    harbour, id_ = sent
    carol, path = signed_in("carol"), f"/staff/customers/{harbour}/abuse-case/"
    assert "There is no reason" in words(carol.post(path, {"do": "open"}))
    carol.post(path, {"do": "open", "why": "phishing reports"})
    assert is_shown(carol.post(f"/staff/messages/{id_}/")) == (True, True)
    assert "Nobody of our staff has seen" in words(signed_in().get("/account/support-access/"))
    carol.post(path, {"do": "close", "why": "unfounded"})
    log = words(signed_in().get("/account/support-access/"))
    assert f"Carol message {id_} phishing reports" in log
    assert "our staff, for an abuse case" in log
    assert signed_in("wing").post(path, {"do": "open", "why": "curious"}).status_code == 403


def test_a_message_shows_what_the_operator_said(database: Connection, sent: tuple[int, int]) -> None:
    """spec S72: the operator's own code is for staff"""
    _, id_ = sent
    page = words(signed_in("wing").get(f"/staff/messages/{id_}/"))
    assert "Nothing has been handed over." in page
    assert "Operator kai-tak" in page
