"""The inbox: conversations, what has been read, answers begun, forwards, and how to get a number (spec S111)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.inbound import forwarding
from sampan.inbound.forwarding import Forwards
from sampan.inbound.tables import AutoAnswer, Rental
from sampan.messages.tables import ComposeDraft
from sampan.routing.tables import Operator
from tests.inbound.renting import HANDSET, OWN, SHARED, inbox, make_number, make_rental, take, write
from tests.interfaces.portal.pages import errors_of, html, location, signed_in, words
from tests.world import NOW, make_customer, make_places, send


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


@pytest.fixture
def harbour(operator: Operator) -> Customer:
    customer = make_customer()
    make_rental(make_number(operator), customer, monthly_pips=500_0000)
    return customer


def wrote(conn: Connection, operator: Operator, text: str, **changes: Any) -> None:
    now = timezone.now()
    write(conn, operator, text, now=now, **changes)
    take(now)


def test_who_rents_nothing_reads_how_to_get_a_number(operator: Operator) -> None:
    make_customer()
    said = words(signed_in().get("/inbox/"))
    assert "No number of yours takes replies yet" in said
    assert "A number of your own costs HK$500.00 a month, a keyword on a shared number HK$200.00" in said


def test_a_new_reply_is_counted_in_the_menu_until_its_conversation_is_opened(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    client = signed_in()
    assert "No replies yet" in words(client.get("/inbox/"))
    sent = send(database, harbour, sender=OWN, now=timezone.now())
    wrote(database, operator, "可否中午前送到？")
    wrote(database, operator, "OK", handset="85291234568")
    assert "Inbox 2 unread" in words(client.get("/"))
    (_ok, reply) = inbox(database, harbour)
    page = client.get(f"/inbox/{reply.id}/")
    said = words(page)
    assert "Your flowers are on their way." in said
    assert "可否中午前送到？" in said
    assert f'href="/messages/{sent.message_ids[0]}/"' in html(page)
    assert "Inbox 1 unread" in words(client.get("/"))
    assert location(client.post(f"/inbox/{reply.id}/", {"do": "unread"})) == "/inbox/"
    assert "Inbox 2 unread" in words(client.get("/"))
    client.post("/inbox/", {"last": str(reply.id + 1)})
    assert "unread" not in words(client.get("/"))


def test_replies_are_found_by_words_number_day_and_keyword(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    make_rental(make_number(operator, SHARED, is_shared=True), harbour, keyword="flowers")
    wrote(database, operator, "Roses please")
    wrote(database, operator, "flowers lilies", to=SHARED, handset="85291234568")
    client = signed_in()

    def found(asked: str) -> tuple[bool, bool]:
        said = words(client.get(f"/inbox/?{asked}"))
        return "Roses please" in said, "flowers lilies" in said

    tomorrow = (timezone.localdate() + timedelta(days=2)).isoformat()
    assert found("") == (True, True)
    assert found("text=rose") == (True, False)
    assert found("text=6123+4567") == (True, False)
    assert found(f"number={SHARED}") == found("keyword=flowers") == (False, True)
    assert found(f"since={tomorrow}") == (False, False)
    assert found("unread=1") == (True, True)
    assert errors_of(client.get("/inbox/?since=soon")) == {"since": "Not a date. Write it as 2026-11-21."}
    file = html(client.get("/inbox.csv?keyword=flowers"))
    assert file.count("\n") == 2
    assert f"85291234568,{SHARED},flowers,flowers lilies," in file


def test_an_answer_is_begun_to_the_handset_from_the_number_it_wrote_to(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    wrote(database, operator, "Roses please")
    (reply,) = inbox(database, harbour)
    to = location(signed_in().post(f"/inbox/{reply.id}/", {"do": "answer"}))
    draft = ComposeDraft.objects.get()
    assert to == f"/compose/{draft.pk}/"
    assert (draft.sender, draft.lists.get().numbers) == (OWN, [int(HANDSET)])


def test_a_viewer_reads_and_begins_no_answer(database: Connection, operator: Operator, harbour: Customer) -> None:
    Person.objects.create(login_name="vera", customer=harbour, role=Person.Role.VIEWER, created_at=NOW)
    wrote(database, operator, "Roses please")
    (reply,) = inbox(database, harbour)
    client = signed_in("vera")
    page = client.get(f"/inbox/{reply.id}/")
    assert "Roses please" in words(page)
    assert "Answer…" not in words(page)
    client.post(f"/inbox/{reply.id}/", {"do": "answer"})
    assert not ComposeDraft.objects.exists()
    assert client.get("/inbox/settings/").status_code == 403


def test_what_unsubscribed_and_what_could_not_be_answered_is_said(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    wrote(database, operator, "STOP")
    (reply,) = inbox(database, harbour)
    said = words(signed_in().get(f"/inbox/{reply.id}/"))
    assert "Unsubscribed" in said
    assert "Not answered or forwarded: The account is suspended or closed." in said


def test_a_rent_that_is_not_paid_is_said_on_the_page(harbour: Customer) -> None:
    Rental.objects.update(short_since=NOW)
    assert "The rent of 6447 8200 (HK$500.00) is not paid" in words(signed_in().get("/inbox/"))


def test_the_owner_sets_forwards(database: Connection, harbour: Customer) -> None:
    client = signed_in()
    typed = {"do": "forwards", "email": "shop@harbour.example", "mobile": "9123 4567", "to_smpp": "on"}
    assert location(client.post("/inbox/settings/", typed)) == "/inbox/settings/"
    assert forwarding.forwards_of(database, harbour.pk) == Forwards("shop@harbour.example", 85291234567, True)
    page = client.get("/inbox/settings/")
    assert "Saved" in words(page)
    assert 'value="+85291234567"' in html(page)
    for wrong, error in (
        ({"email": "shop"}, "Not an email address. Write it as name@example.com."),
        ({"mobile": "912"}, "3 digits. A Hong Kong number has 8."),
        ({"mobile": f"+{OWN}"}, f"{OWN} is one of the numbers that replies come to. Choose another."),
    ):
        refused = client.post("/inbox/settings/", typed | wrong)
        assert refused.status_code == 422
        assert error in words(refused)


def test_the_owner_sets_and_removes_answers(harbour: Customer) -> None:
    client = signed_in()
    typed = {"do": "answer", "word": "HOURS", "text": "Open 9 to 6. 九時至六時。"}
    assert location(client.post("/inbox/settings/", typed)) == "/inbox/settings/"
    said = words(client.get("/inbox/settings/"))
    assert "hours Open 9 to 6. 九時至六時。" in said
    assert "1 of 20" in said
    for wrong, error in (
        ({"word": "STOP"}, "“STOP” is taken, or unsubscribes. Choose another word."),
        ({"word": "two words"}, "Not 2 to 20 letters or digits. Choose another word."),
        ({"word": "?"}, "Not 2 to 20 letters or digits. Choose another word."),
        ({"text": "花" * 202}, "Too long"),
        ({"text": ""}, "No answer yet. Type one."),
    ):
        refused = client.post("/inbox/settings/", typed | wrong)
        assert refused.status_code == 422
        assert error in words(refused)
    answer = AutoAnswer.objects.get(word="hours")
    client.post("/inbox/settings/", {"do": "remove", "answer": str(answer.pk)})
    assert not AutoAnswer.objects.filter(word="hours").exists()
