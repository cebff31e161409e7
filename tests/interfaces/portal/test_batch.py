"""One batch: live progress, counts, a history, and money that adds up (spec S80, S100, S102)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sampan.database import Connection
from sampan.messages import batches
from tests.dispatch.steps import Owner
from tests.interfaces.portal.pages import html, signed_in, words
from tests.messages.one_of_each import OneOfEach, make_one_of_each
from tests.world import NOW, make_customer, make_places, send


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    return make_one_of_each(database, timezone.now())


@pytest.fixture
def member(one: OneOfEach) -> Client:
    return signed_in()


def test_it_shows_how_far_it_has_come(member: Client, one: OneOfEach) -> None:
    """spec S102"""
    said = words(member.get(f"/batches/{one.batch_id}/"))
    assert f"Christmas market Batch {one.batch_id}, sent by" not in said  # it came without a person
    assert f"Batch {one.batch_id}, Portal" in said
    assert "Sending" in said
    assert "Handed to the operator: 8 of 9" in said
    for count in ("Delivered 1", "Processing 2", "Retry 1", "Undeliverable 2", "Filtered, free 1", "Waiting 1"):
        assert count in said, count
    assert "Sent; no receipt 1" in said
    assert "Outcome unknown 1" in said


def test_the_money_panel_adds_up(member: Client, one: OneOfEach) -> None:
    """spec S82"""
    said = words(member.get(f"/batches/{one.batch_id}/"))
    assert "Charged HK$3.04 Held HK$1.74 Released HK$0.58 Accepted at HK$5.36" in said


def test_the_first_messages_lead_to_their_pages_and_to_the_results(member: Client, one: OneOfEach) -> None:
    page = html(member.get(f"/batches/{one.batch_id}/"))
    links = re.findall(r'href="/messages/(\d+)/"', page)
    assert links == [str(id_) for id_ in sorted(one.ids.values())[:8]]
    results = re.search(r'href="(/results/\?batch=[^"]+)"', page)
    assert results
    assert "Messages: 10" in words(member.get(results[1].replace("&amp;", "&")))


def test_the_parts_that_change_come_without_the_rest(member: Client, one: OneOfEach) -> None:
    """spec S102"""
    page = member.get(f"/batches/{one.batch_id}/")
    part = member.get(f"/batches/{one.batch_id}/progress/")
    assert "<html" not in html(part)
    ids = set(re.findall(r' id="([a-z-]+)"', html(part)))
    assert {"batch-progress", "batch-history", "batch-money", "batch-messages"} <= ids
    assert ids <= set(re.findall(r' id="([a-z-]+)"', html(page)))
    assert f'data-live="/batches/{one.batch_id}/progress/"' in html(page)
    assert "data-live" in html(part)


def test_once_all_has_ended_nothing_is_refreshed_any_more(database: Connection) -> None:
    """spec S102"""
    operator = make_places()
    florist = make_customer()
    sent = send(database, florist, now=timezone.now())
    owner = Owner(operator)
    (claimed,) = owner.hand_over(florist)
    owner.taken(claimed.message_id)
    owner.receipt(f"{claimed.message_id}1")
    for path in (f"/batches/{sent.batch_id}/", f"/batches/{sent.batch_id}/progress/"):
        page = signed_in().get(path)
        assert "data-live" not in html(page)
        assert "Ended" in words(page)
        assert "Refresh" not in words(page)
    assert "First message delivered" in words(page)


def test_while_nothing_moves_no_time_is_promised(member: Client, one: OneOfEach, database: Connection) -> None:
    database.execute("UPDATE message SET taken_at = %s WHERE taken_at IS NOT NULL", [NOW.replace(year=2025)])
    said = words(member.get(f"/batches/{one.batch_id}/"))
    assert "No message was taken in the last 10 seconds" in said
    assert " left" not in said


def test_a_scheduled_batch_says_when_and_that_nothing_is_held(database: Connection) -> None:
    """spec S81"""
    make_places()
    due = timezone.now() + timedelta(days=1)
    sent = send(database, make_customer(), now=timezone.now(), scheduled_at=due, name="")
    said = words(signed_in().get(f"/batches/{sent.batch_id}/"))
    assert f"Scheduled for {due.astimezone(timezone.get_default_timezone()):%-d %b %Y %H:%M}" in said
    assert "Held HK$0.00 Price, about HK$0.29 It holds the price in force when it comes due." in said
    assert "Scheduling 1" in said
    assert "Handed to the operator" not in said


def test_a_batch_whose_messages_are_gone_says_so(member: Client, one: OneOfEach, database: Connection) -> None:
    """spec S130"""
    database.execute("DELETE FROM message")
    assert "past their time and have been deleted" in words(member.get(f"/batches/{one.batch_id}/"))


@pytest.mark.parametrize(
    ("act", "words_", "counts"),
    [
        ("pause", "Paused", "Waiting 1"),
        ("cancel", "Cancelled", "Undeliverable 3"),
    ],
)
def test_a_batch_that_was_stopped_says_so_and_promises_no_time(
    member: Client, one: OneOfEach, database: Connection, act: str, words_: str, counts: str
) -> None:
    """spec S10"""
    if act == "pause":
        batches.pause(database, one.batch_id, timezone.now())
    else:
        batches.cancel(database, one.batch_id, timezone.now())
    said = words(member.get(f"/batches/{one.batch_id}/"))
    assert f"{words_} As of" in said
    assert counts in said
    assert " a second" not in said
    assert "No message was taken" not in said
