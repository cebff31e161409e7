"""Numbers and replies in the console: set up, rented, ended; matched or dismissed; words changed (spec S110, S133)."""

from typing import Any

import pytest
from django.utils import timezone

from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.database import Connection
from sampan.inbound import settings
from sampan.inbound.tables import Rental, RentedNumber, Reply
from sampan.routing.tables import Operator
from tests.inbound.renting import OWN, SHARED, inbox, make_number, make_rental, take, write
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_customer, make_places, make_staff


@pytest.fixture
def operator(database: Connection) -> Operator:
    make_staff("sue", role=Person.StaffRole.SUPPORT)
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    return make_places()


@pytest.fixture
def harbour(operator: Operator) -> Customer:
    return make_customer()


def test_a_number_is_set_up_rented_out_and_ended(operator: Operator, harbour: Customer) -> None:
    client = signed_in("sue")
    assert "No numbers yet" in words(client.get("/staff/numbers/"))
    typed: dict[str, Any] = {"number": "+852 6447 8200", "operator": operator.pk, "why": "given by the operator"}
    assert location(client.post("/staff/numbers/new/", typed)) == "/staff/numbers/"
    assert "set up already" in words(client.post("/staff/numbers/new/", typed))
    number = RentedNumber.objects.get()
    form = client.get(f"/staff/numbers/{number.pk}/")
    assert 'value="500.00"' in html(form)
    assert "Keyword" not in words(form)
    rent = {"customer": harbour.pk, "rent": "400", "why": "order of 22 November"}
    assert location(client.post(f"/staff/numbers/{number.pk}/", rent)) == "/staff/numbers/"
    assert "Harbour Florist HK$400.00" in words(client.get("/staff/numbers/"))
    again = client.post(f"/staff/numbers/{number.pk}/", rent)
    assert again.status_code == 422
    assert f"Somebody rents {OWN}" in words(again)
    assert client.post(f"/staff/numbers/{number.pk}/", {"do": "remove", "why": "gone"}).status_code == 422
    rental = Rental.objects.get()
    assert location(client.post(f"/staff/rentals/{rental.pk}/", {"why": "asked to"})) == "/staff/numbers/"
    assert location(client.post(f"/staff/numbers/{number.pk}/", {"do": "remove", "why": "gone"})) == "/staff/numbers/"
    assert "No numbers yet" in words(client.get("/staff/numbers/"))
    assert [line.act for line in AuditEntry.objects.order_by("pk")] == [
        "number.set_up",
        "number.rent",
        "number.rent",
        "number.set_up",
    ]


def test_a_keyword_is_rented_on_a_shared_number_and_money_is_needed(operator: Operator, harbour: Customer) -> None:
    shared = make_number(operator, SHARED, is_shared=True)
    client = signed_in("sue")
    typed: dict[str, Any] = {"customer": harbour.pk, "keyword": "STOP", "rent": "200", "why": "order"}
    where = f"/staff/numbers/{shared.pk}/"
    assert "“STOP” is taken, or unsubscribes" in words(client.post(where, typed))
    dear = words(client.post(where, typed | {"keyword": "Flowers", "rent": "5000"}))
    assert "balance" in dear.lower()
    assert location(client.post(where, typed | {"keyword": "Flowers"})) == "/staff/numbers/"
    assert "flowers Harbour Florist HK$200.00" in words(client.get("/staff/numbers/"))


def test_a_reply_that_found_nobody_is_matched_or_dismissed_and_its_text_is_not_seen(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    shared = make_number(operator, SHARED, is_shared=True)
    rental = make_rental(shared, harbour, keyword="flowers")
    now = timezone.now()
    for text in ("flower a secret", "spam a secret"):
        write(database, operator, text, to=SHARED, now=now)
    take(now)
    client = signed_in("sue")
    page = client.get("/staff/replies/")
    assert "flower 15 characters in all" in words(page)
    assert "secret" not in html(page)
    assert "Unmatched replies" in words(client.get("/staff/"))
    first, second = Reply.objects.order_by("pk")
    assert "secret" not in html(client.get(f"/staff/replies/{first.pk}/"))
    typed = {"rental": rental.pk, "why": "mistyped"}
    assert location(client.post(f"/staff/replies/{first.pk}/", typed)) == "/staff/replies/"
    assert client.post(f"/staff/replies/{first.pk}/", typed).status_code == 404
    assert [reply.text for reply in inbox(database, harbour)] == ["flower a secret"]
    client.post(f"/staff/replies/{second.pk}/", {"do": "remove", "why": "spam"})
    assert "Every reply has found its customer" in words(client.get("/staff/replies/"))
    assert client.get(f"/staff/replies/{inbox(database, harbour)[0].id}/").status_code == 404


def test_compliance_changes_the_words_that_unsubscribe_and_the_rents(database: Connection, operator: Operator) -> None:
    client = signed_in("carol")
    where = "/staff/replies/settings/"
    assert "退訂" in html(client.get(where))
    typed = {"stop_words": "STOP\nQuit", "china_stop_words": "TD", "number_rent": "600", "keyword_rent": "150.50"}
    assert location(client.post(where, typed | {"why": "a new code"})) == where
    usual = settings.in_force(database)
    assert usual == (frozenset({"stop", "quit"}), frozenset({"td"}), 600_0000, 150_5000)
    refused = client.post(where, typed | {"stop_words": "!", "why": "a try"})
    assert refused.status_code == 422
    assert signed_in("sue").get(where).status_code == 403
