"""The pages for schedules that staff delete or release (spec S51, S53, S133)."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.messages.schedule import STALE_AFTER, start_one
from sampan.messages.tables import Batch, Queued
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_customer, make_places, make_staff, send, terms


@pytest.fixture
def wing(database: Connection) -> Client:
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    return signed_in("wing")


@pytest.fixture
def soon(database: Connection) -> int:
    """A batch that is due in half an hour."""
    make_places()
    now = timezone.now()
    return send(database, make_customer(), now=now, scheduled_at=now + timedelta(minutes=30)).batch_id


def held(conn: Connection, batch_id: int) -> None:
    Batch.objects.filter(pk=batch_id).update(scheduled_at=timezone.now() - STALE_AFTER - timedelta(minutes=1))
    start_one(conn, terms(conn), timezone.now())


def test_what_its_customer_can_no_longer_delete_staff_delete(wing: Client, soon: int) -> None:
    listed = wing.get("/staff/schedules/")
    assert f"{soon} Harbour Florist Scheduled 1" in words(listed)
    assert "flowers" not in html(listed)
    path = f"/staff/schedules/{soon}/"
    page = wing.get(path)
    assert "Delete the batch" in words(page)
    assert "Release it" not in words(page)
    assert "flowers" not in html(page)
    assert location(wing.post(path, {"do": "delete", "why": "they called"})) == "/staff/schedules/"
    assert f"Batch {soon} is deleted; messages: 1" in words(wing.get("/staff/schedules/"))
    assert Batch.objects.get().state == Batch.State.CANCELLED
    assert AuditEntry.objects.get().address == "127.0.0.1"
    assert wing.get(path).status_code == 404


def test_what_came_due_late_waits_on_the_worklist_and_is_released(
    database: Connection, wing: Client, soon: int
) -> None:
    held(database, soon)
    assert "Schedules that came due late" in words(wing.get("/staff/"))
    path = f"/staff/schedules/{soon}/"
    assert "Held: it came due too late" in words(wing.get(path))
    wing.post(path, {"do": "release", "why": "they called"})
    start_one(database, terms(database), timezone.now())
    assert Queued.objects.count() == 1
    assert AuditEntry.objects.get().act == "batch.release"


def test_what_is_due_later_is_its_customers_own_affair(database: Connection, wing: Client, soon: int) -> None:
    Batch.objects.update(scheduled_at=timezone.now() + timedelta(hours=2))
    assert "There is none." in words(wing.get("/staff/schedules/"))
    assert wing.get(f"/staff/schedules/{soon}/").status_code == 404


@pytest.mark.parametrize("typed", [{"do": "delete"}, {"why": "they called"}, {"do": "burn", "why": "x"}])
def test_what_is_missing_is_told_and_nothing_is_done(wing: Client, soon: int, typed: dict[str, str]) -> None:
    answer = wing.post(f"/staff/schedules/{soon}/", typed)
    assert answer.status_code == 422
    assert "Nothing has been changed" in words(answer)
    assert Batch.objects.get().state == Batch.State.SCHEDULED


def test_it_is_refused_to_who_moves_the_money(database: Connection, soon: int) -> None:
    make_staff("fanny", role=Person.StaffRole.FINANCE)
    fanny = signed_in("fanny")
    for response in (
        fanny.get("/staff/schedules/"),
        fanny.post(f"/staff/schedules/{soon}/", {"do": "delete", "why": "x"}),
    ):
        assert response.status_code == 403
    assert Batch.objects.get().state == Batch.State.SCHEDULED
