"""A support case from both sides' pages (spec S137)."""

from django.utils import timezone

from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.messages.cases.tables import CaseTest, SupportCase
from sampan.messages.platform import make_platform_account
from sampan.settings import PLATFORM_SENDER
from tests.dispatch.steps import Owner
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_customer, make_places, make_staff, send


def test_a_case_from_the_question_to_the_end(database: Connection) -> None:
    owner, harbour = Owner(make_places()), make_customer()
    make_platform_account(timezone.now())
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    (id_,) = send(database, harbour, [85261234567], now=timezone.now()).message_ids
    owner.hand_over(harbour)
    owner.taken(id_, ref="r1")
    florist, wing = signed_in(), signed_in("wing")

    assert f"/messages/{id_}/case/" in html(florist.get(f"/messages/{id_}/"))
    ask = f"/messages/{id_}/case/"
    assert "It has not been received" in words(florist.get(ask))
    assert "There is no text. Type one." in words(florist.post(ask, {"text": " "}))
    case = location(florist.post(ask, {"text": "The phone is on"}))
    assert location(florist.get(ask)) == case
    assert "Sent, and not received. We look into it." in words(florist.get(case))

    assert "Support cases Customers ask what became of a message 1" in words(wing.get("/staff/"))
    assert f"Message {id_}" in words(wing.get("/staff/cases/"))
    desk = f"/staff/cases/{SupportCase.objects.get().pk}/"
    assert "The phone is on" in words(wing.get(desk))
    wing.post(desk, {"do": "operator", "text": "HLR says absent"})
    wing.post(desk, {"do": "answer", "text": "We send you a test"})
    typed = {"do": "test", "sender": PLATFORM_SENDER, "route": "hk-business", "text": "A test of ours"}
    assert location(wing.post(desk, typed)) == desk
    assert "61234567" not in html(wing.get(desk)).replace(" ", "")

    page = words(florist.get(case))
    assert "We send you a test" in page
    assert "HLR says absent" not in page
    assert "It waits for you." in page
    test = CaseTest.objects.get().pk
    assert location(florist.post(case, {"do": f"received-{test}"})) == case
    assert f"hk-business {PLATFORM_SENDER} yes" in words(wing.get(desk))
    wing.post(desk, {"do": "close"})
    assert "The case is closed." in words(florist.get(case))
    assert "Closed" in words(florist.get("/cases/"))
    refused = florist.post(case, {"do": "ask", "text": "Once more"})
    assert "The case is closed, or marked already." in words(refused)
