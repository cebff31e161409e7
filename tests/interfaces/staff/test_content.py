"""The worklist of what operators refused for its content: masked, as staff see all (spec S91, S133)."""

from django.test import Client

from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.messages.content_refusals.tables import ContentRefusal
from sampan.reasons import Reason
from tests.dispatch.steps import Owner
from tests.interfaces.portal.pages import html, location, signed_in, value_of, words
from tests.world import make_customer, make_places, make_staff, send

HERE = "/staff/china/refusals/"
SECRET = "Our new price list"


def refused(database: Connection) -> int:
    owner = Owner(make_places())
    florist = make_customer()
    (id_,) = send(database, florist, [8613812345678], text=SECRET).message_ids
    owner.hand_over(florist)
    owner.refused(id_, reason=Reason.ILLEGAL_WORD)
    return id_


def cora() -> Client:
    make_staff("cora", role=Person.StaffRole.COMPLIANCE)
    return signed_in("cora")


def test_a_refused_batch_waits_with_its_code_and_a_masked_number(database: Connection) -> None:
    id_ = refused(database)
    client = cora()
    assert "Refused by operators For their content: is a word missing in our library? 1" in words(client.get("/staff/"))
    page = words(client.get(HERE))
    assert f"Harbour Florist Batch 10001 kai-tak 11 {id_}" in page
    assert "138 1234 5678" not in page
    assert SECRET not in page
    assert "8613812345678" not in html(client.get(HERE))
    assert f'href="/staff/messages/{id_}/"' in html(client.get(HERE))
    assert SECRET not in html(client.get(f"/staff/messages/{id_}/"))


def test_it_is_seen_to_with_words(database: Connection) -> None:
    refused(database)
    client = cora()
    number = value_of(client.get(HERE), "refusal")
    assert client.post(HERE, {"refusal": number, "why": " "}).status_code == 422
    assert location(client.post(HERE, {"refusal": number, "why": "asked the customer; two words added"})) == HERE
    assert "It is seen to Refused by operators" in words(client.get(HERE))
    assert "No operator has refused a text" in words(client.get(HERE))
    assert ContentRefusal.objects.get().seen_by == Person.objects.get(login_name="cora")
    for forged in ("x", "99999", number):
        assert client.post(HERE, {"refusal": forged, "why": "x"}).status_code == 422
