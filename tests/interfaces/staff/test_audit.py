"""The audit log's page: every line can be found by what one knows of it (spec S134)."""

from datetime import timedelta

import pytest
from django.test import Client

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Person
from sampan.database import Connection
from tests.interfaces.portal.pages import html, signed_in, words
from tests.world import NOW, make_customer, make_staff


@pytest.fixture
def ada(database: Connection) -> Client:
    admin, support = make_staff(), make_staff("wing", role=Person.StaffRole.SUPPORT)
    harbour = make_customer()
    admin.acting_from = "203.0.113.7"
    record(Act.HOLD_SENDING, by=admin, subject=harbour, after={"held": True}, why="<b>restore</b>", now=NOW)
    record(Act.UNBLOCK_ADDRESS, by=support, subject="address 198.51.100.9", why="known", now=NOW + timedelta(days=1))
    return signed_in("ada")


def test_a_line_shows_who_what_whom_before_after_why(ada: Client) -> None:
    page = ada.get("/staff/audit/")
    assert "23 Nov 10:00:00 203.0.113.7 Ada administrator sending.hold" in words(page)
    assert "Harbour Florist – held: True <b>restore</b>" in words(page)
    assert "<b>restore</b>" not in html(page)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", "both"),
        ("act=sending.hold", "hold"),
        ("act=address.unblock", "unblock"),
        ("by=WING", "unblock"),
        ("by=ada", "hold"),
        ("customer=harbour", "hold"),
        ("customer=florist", "hold"),
        ("customer=mallory", "none"),
        ("words=restore", "hold"),
        ("words=198.51", "unblock"),
        ("words=held", "hold"),  # what changed
        ("words=203.0.113", "hold"),  # from where
        ("since=2026-11-24", "unblock"),
        ("until=2026-11-23", "hold"),
        ("since=2026-11-25", "none"),
        ("words=%00", "both"),
    ],
)
def test_lines_are_found(ada: Client, asked: str, found: str) -> None:
    page = html(ada.get(f"/staff/audit/?{asked}")).partition("<tbody>")[2]
    lines = {"both": (True, True), "hold": (True, False), "unblock": (False, True), "none": (False, False)}[found]
    assert ("sending.hold" in page, "address.unblock" in page) == lines


def test_a_date_that_is_none_is_told_beside_its_field(ada: Client) -> None:
    answer = ada.get("/staff/audit/?since=yesterday")
    assert answer.status_code == 422
    assert "Not a date. Write it as 2026-11-21." in words(answer)


def test_many_lines_come_by_pages(ada: Client) -> None:
    admin = Person.objects.get(login_name="ada")
    for number in range(55):
        record(Act.HOLD_SENDING, by=admin, subject=f"number {number}", why="a test", now=NOW)
    first = html(ada.get("/staff/audit/?act=sending.hold"))
    assert first.count('class="code">sending.hold') == 50
    (older,) = [part.split('"')[0] for part in first.split('href="?') if "before=" in part.split('"')[0]]
    second = html(ada.get(f"/staff/audit/?{older.replace('&amp;', '&')}"))
    assert second.count('class="code">sending.hold') == 6
    assert "Newest" in second
