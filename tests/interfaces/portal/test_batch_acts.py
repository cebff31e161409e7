"""The buttons of a batch: pause, resume, release, change, delete, stop and cancel (spec S10, S51–S53)."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer, Person, SenderId
from sampan.database import Connection, Snapshot
from sampan.messages import batches
from sampan.messages.batches import delete_late
from sampan.messages.schedule import STALE_AFTER, start_one
from sampan.messages.submit import Accepted
from sampan.messages.tables import Batch, Message, Queued
from tests.dispatch.steps import money
from tests.interfaces.portal.pages import html, location, signed_in, value_of, words
from tests.world import SENDER, make_customer, make_places, make_staff, send, terms

LINKS = re.compile(r'<a class="button[^"]*" href="(/batches/\d+/[a-z]+/)"')


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


@pytest.fixture
def member(harbour: Customer) -> Client:
    return signed_in()


def due_in(conn: Connection, customer: Customer, wait: timedelta) -> Accepted:
    now = timezone.now()
    return send(conn, customer, [85261234567, 85261234568], now=now, scheduled_at=now + wait)


def acts(response: object) -> list[str]:
    """The words of the buttons at the head of the page."""
    found = re.search(r'<div class="actions" id="batch-acts">(.*?)</div>', html(response), re.DOTALL)
    assert found
    buttons = re.findall(r"<(?:button|a)\b.*?</(?:button|a)>", found[1], re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", "", button).split()) for button in buttons]


def test_each_state_has_its_buttons(database: Connection, harbour: Customer, member: Client) -> None:
    running = send(database, harbour, now=timezone.now())
    address = f"/batches/{running.batch_id}/"
    assert acts(member.get(address)) == ["Pause", "Cancel the rest"]
    assert location(member.post(address, {"do": "pause"})) == address
    assert acts(member.get(address)) == ["Resume", "Cancel the rest"]
    assert "Paused by Harbour Florist" in words(member.get(address))
    member.post(address, {"do": "resume"})
    assert acts(member.get(address)) == ["Pause", "Cancel the rest"]
    member.post(f"{address}stop/", {"how": "cancel"})
    assert "Cancelled" in words(member.get(address))
    assert acts(member.get(address)) == ["Resend"]
    assert money(database, harbour)["held"] == 0


def test_the_buttons_come_with_the_parts_that_change(database: Connection, harbour: Customer, member: Client) -> None:
    """Spec S102: what a batch can do changes while the page is looked at."""
    running = send(database, harbour, now=timezone.now())
    part = member.get(f"/batches/{running.batch_id}/progress/")
    assert acts(part) == ["Pause", "Cancel the rest"]
    assert "csrfmiddlewaretoken" in html(part)


def test_who_comes_second_is_told_so(database: Connection, harbour: Customer, member: Client) -> None:
    running = send(database, harbour, now=timezone.now())
    batches.pause(database, running.batch_id, timezone.now())
    response = member.post(f"/batches/{running.batch_id}/", {"do": "pause"})
    assert response.status_code == 409
    assert "Nothing has been changed It does not run any more. Only a running batch can be paused." in words(response)


def test_a_held_batch_is_released_and_starts(database: Connection, harbour: Customer, member: Client) -> None:
    """Spec S53."""
    held = due_in(database, harbour, timedelta(hours=2))
    late = timezone.now() - STALE_AFTER - timedelta(minutes=1)
    Batch.objects.update(scheduled_at=late)
    start_one(database, terms(database), timezone.now())
    address = f"/batches/{held.batch_id}/"
    page = member.get(address)
    assert acts(page) == ["Send 2 messages now", "Delete"]
    assert "came due more than an hour late. Nothing of it has been sent or charged." in words(page)
    assert "“" in words(member.get("/scheduled/"))
    member.post(address, {"do": "release"})
    start_one(database, terms(database), timezone.now())
    assert Queued.objects.count() == 2


def test_a_member_deletes_what_is_due_in_more_than_an_hour(
    database: Connection, harbour: Customer, member: Client
) -> None:
    """Spec S51."""
    scheduled = due_in(database, harbour, timedelta(hours=2))
    address = f"/batches/{scheduled.batch_id}/"
    assert acts(member.get(address)) == ["Change or move", "Delete"]
    asked = member.get(f"{address}stop/")
    assert "Delete this batch" in words(asked)
    assert Batch.objects.get().state == Batch.State.SCHEDULED  # looking does nothing
    assert location(member.post(f"{address}stop/", {"how": value_of(asked, "how")})) == address
    assert Batch.objects.get().state == Batch.State.CANCELLED
    assert "Deleted before it started" in words(member.get(address))


def test_in_the_last_hour_it_can_only_be_stopped_with_no_promise(
    database: Connection, harbour: Customer, member: Client
) -> None:
    """Spec S10, S51: who had opened the page before is told, and may stop it."""
    scheduled = due_in(database, harbour, timedelta(minutes=50))
    address = f"/batches/{scheduled.batch_id}/"
    assert acts(member.get(address)) == ["Stop it"]
    refused = member.post(f"{address}stop/", {"how": "delete"})
    assert refused.status_code == 409
    assert "It is due within the hour. It is too late to change or delete it." in words(refused)
    assert "with no promise" in words(refused)
    member.post(f"{address}stop/", {"how": value_of(refused, "how")})
    assert Batch.objects.get().state == Batch.State.CANCELLED


def test_what_staff_deleted_is_told_without_their_name(database: Connection, harbour: Customer, member: Client) -> None:
    scheduled = due_in(database, harbour, timedelta(minutes=5))
    delete_late(scheduled.batch_id, by=make_staff(), why="they called", now=timezone.now())
    said = words(member.get(f"/batches/{scheduled.batch_id}/"))
    assert "Deleted before it started by our staff" in said
    assert "Ada" not in said


def test_who_may_not_send_sees_no_buttons_and_presses_none(database: Connection, harbour: Customer) -> None:
    running = send(database, harbour, now=timezone.now())
    Person.objects.create(login_name="vera", customer=harbour, role=Person.Role.VIEWER, created_at=timezone.now())
    vera = signed_in("vera")
    address = f"/batches/{running.batch_id}/"
    assert acts(vera.get(address)) == []
    for path, press in ((address, {"do": "pause"}), (f"{address}stop/", {"how": "cancel"})):
        assert vera.post(path, press).status_code == 403
    assert Batch.objects.get().state == Batch.State.RUNNING


# Change or move


def form_of(response: object, **changed: str) -> dict[str, str]:
    """What the change page would send, with these changes."""
    page = html(response)
    given = {name: value_of_input(page, name) for name in ("date", "time", "name")}
    seal = re.search(r'name="seal" value="(\w+)"', page)
    text = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert text
    return {
        **given,
        "text": text[1],
        "sender": SENDER,
        "validity": "120",
        "seal": seal[1] if seal else "",
        **changed,
    }


def value_of_input(page: str, name: str) -> str:
    found = re.search(rf'<input id="{name}"[^>]* value="([^"]*)"', page)
    assert found, name
    return found[1]


def test_a_change_is_shown_before_it_is_saved(database: Connection, harbour: Customer, member: Client) -> None:
    """Spec S2, S52."""
    scheduled = due_in(database, harbour, timedelta(hours=3))
    address = f"/batches/{scheduled.batch_id}/change/"
    first = member.get(address)
    seen = member.post(address, form_of(first, text="花" * 80, name="Flowers"))
    assert seen.status_code == 200
    assert "Charge units 4" in words(seen)
    assert "Price, about HK$1.16" in words(seen)
    assert Batch.objects.get().name == ""
    saved = member.post(address, form_of(seen))
    assert location(saved) == f"/batches/{scheduled.batch_id}/"
    batch = Batch.objects.get()
    assert (batch.text, batch.name, batch.price_pips) == ("花" * 80, "Flowers", 11_600)
    assert "Changed by Harbour Florist" in words(member.get(f"/batches/{scheduled.batch_id}/"))


def test_what_is_typed_after_the_sum_was_shown_is_shown_again(
    database: Connection, harbour: Customer, member: Client
) -> None:
    scheduled = due_in(database, harbour, timedelta(hours=3))
    address = f"/batches/{scheduled.batch_id}/change/"
    seen = member.post(address, form_of(member.get(address), text="花" * 80))
    again = member.post(address, form_of(seen, text="花" * 140))
    assert again.status_code == 409
    assert "Charge units 6" in words(again)
    assert Batch.objects.get().text != "花" * 140


def test_a_batch_is_moved_by_the_clock_of_its_organisation(
    database: Connection, harbour: Customer, member: Client
) -> None:
    """Spec S50."""
    Customer.objects.update(time_zone="Europe/London")
    Snapshot.forget_all()
    scheduled = due_in(database, harbour, timedelta(hours=3))
    address = f"/batches/{scheduled.batch_id}/change/"
    assert "Europe/London time" in words(member.get(address))
    date = f"{timezone.now() + timedelta(days=400):%Y}-07-01"
    seen = member.post(address, form_of(member.get(address), date=date, time="09:30"))
    member.post(address, form_of(seen))
    moved = Batch.objects.get().scheduled_at
    assert moved == datetime.fromisoformat(f"{date}T08:30:00+00:00")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": ""}, "There is no text. Type one."),
        ({"date": "tomorrow"}, "Not a date. Write it as 2026-11-21."),
        ({"time": ""}, "No time yet. Choose one."),
        ({"sender": "Mallory"}, "This sender ID is not one of yours any more. Choose another."),
        ({"text": "花" * 300}, "Shorten the text."),
    ],
)
def test_what_cannot_be_stands_beside_its_field(
    database: Connection, harbour: Customer, member: Client, changed: dict[str, str], said: str
) -> None:
    scheduled = due_in(database, harbour, timedelta(hours=3))
    address = f"/batches/{scheduled.batch_id}/change/"
    response = member.post(address, form_of(member.get(address), **changed))
    assert response.status_code == 422
    assert "To mend. Nothing has been changed." in words(response)
    (field,) = changed
    assert f'id="{field}-error"' in html(response)
    assert said in words(response)


def test_too_late_is_said_and_nothing_is_changed(database: Connection, harbour: Customer, member: Client) -> None:
    scheduled = due_in(database, harbour, timedelta(hours=2))
    address = f"/batches/{scheduled.batch_id}/change/"
    form = form_of(member.get(address), name="Late")
    Batch.objects.update(scheduled_at=timezone.now() + timedelta(minutes=30))
    response = member.post(address, form)
    assert response.status_code == 409
    assert "Too late to change it" in words(response)
    assert Batch.objects.get().name == ""
    running = send(database, harbour, now=timezone.now())
    assert member.get(f"/batches/{running.batch_id}/change/").status_code == 409


def test_the_scheduled_page_says_what_the_balance_reaches(database: Connection) -> None:
    """Spec S81."""
    make_places()
    harbour = make_customer(balance="1")
    for hours in (5, 2, 3):
        due_in(database, harbour, timedelta(hours=hours))
    member = signed_in()
    rows = re.findall(r"<tr><td class=\"nowrap\">.*?</tr>", html(member.get("/scheduled/")), re.DOTALL)
    left = [re.findall(r"(−?\d+\.\d\d)(?:</span>)?</td><td class=\"doing wide\">", row)[0] for row in rows]
    assert left == ["0.42", "−0.16", "−0.74"]
    assert Message.objects.filter(final_at=None).count() == 6


def test_a_withdrawn_sender_can_be_exchanged(database: Connection, harbour: Customer, member: Client) -> None:
    """Spec S60: else the batch would end when it starts."""
    scheduled = due_in(database, harbour, timedelta(hours=2))
    SenderId.objects.filter(text=SENDER).update(withdrawn_at=timezone.now())
    Snapshot.forget_all()
    address = f"/batches/{scheduled.batch_id}/change/"
    seen = member.post(address, form_of(member.get(address), sender="85298765432"))
    member.post(address, form_of(seen, sender="85298765432"))
    assert Batch.objects.get().sender == "85298765432"
