"""The lists of unsubscribes and consents, as members keep them (spec S94, S96)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sampan.accounts.tables import Customer
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.interfaces.tags import HONG_KONG
from tests.interfaces.portal.pages import csv_file, html, location, signed_in, words
from tests.world import make_customer, make_mallory

ANNA = 85261234567


def today(days_ago: int = 0) -> str:
    return (timezone.now().astimezone(HONG_KONG) - timedelta(days=days_ago)).date().isoformat()


def record(path: str, **typed: Any) -> Any:
    return signed_in().post(path, {"numbers": "6123 4567", "day": today(), "way": "written", "evidence": ""} | typed)


@pytest.fixture
def florist(database: Connection) -> Customer:
    return make_customer()


def test_nobody_is_on_the_lists_at_first(florist: Customer) -> None:
    for path in ("/unsubscribes/", "/consents/"):
        assert "Nobody yet" in words(signed_in().get(path))


def test_an_unsubscribe_written_down_stands_on_the_list(florist: Customer) -> None:
    client = signed_in()
    answer = client.post("/unsubscribes/", {"numbers": "6123 4567", "day": today(), "evidence": "called us"})
    assert location(answer) == "/unsubscribes/"
    page = words(client.get("/unsubscribes/"))
    assert "1 number recorded" in page
    assert f"{ANNA}" in page
    assert "told you, Harbour Florist" in page
    assert "called us" in page
    assert "number recorded" not in words(client.get("/unsubscribes/"))


def test_a_file_of_numbers_is_recorded_at_once(florist: Customer) -> None:
    location(record("/unsubscribes/", numbers="", file=csv_file(["Mobile", *range(61230000, 61230120)])))
    assert Preference.objects.count() == 120
    page = html(signed_in().get("/unsubscribes/"))
    assert "120 numbers" in page
    older = page.split("?before=")[1].split('"')[0]
    assert html(signed_in().get(f"/unsubscribes/?before={older}")).count("They agreed again") == 50


def test_a_consent_with_its_evidence_takes_an_unsubscribe_back(florist: Customer) -> None:
    """Spec S94: the latest wins."""
    location(record("/unsubscribes/", day=today(2)))
    form = html(signed_in().get(f"/consents/?add={ANNA}"))
    assert f"{ANNA}</textarea>" in form
    location(record("/consents/", evidence="form 12", day=today(1)))
    assert "Nobody yet" in words(signed_in().get("/unsubscribes/"))
    assert "in writing, Harbour Florist form 12" in words(signed_in().get("/consents/"))


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        ("/consents/", {}, "There is no evidence. Say how it is known"),
        ("/consents/", {"evidence": "form", "way": "guess"}, "Select a valid choice"),
        ("/unsubscribes/", {"numbers": ""}, "There is no mobile number yet"),
        ("/unsubscribes/", {"numbers": "6123 4567\n2812 3456"}, "“2812 3456”: Fixed line"),
        ("/unsubscribes/", {"day": today(-2)}, "This time has not come yet"),
        ("/unsubscribes/", {"day": "yesterday"}, "Not a date"),
    ],
)
def test_what_cannot_be_kept_is_said_beside_its_field(
    florist: Customer, path: str, typed: dict[str, str], said: str
) -> None:
    answer = record(path, **typed)
    assert answer.status_code == 422
    assert said in words(answer)
    assert not Preference.objects.exists()


def test_a_number_is_found_however_it_is_written(florist: Customer) -> None:
    location(record("/unsubscribes/"))
    assert str(ANNA) in words(signed_in().get("/unsubscribes/?number=6123 4567"))
    for asked in ("61234568", "nonsense"):
        assert "not on the list" in words(signed_in().get(f"/unsubscribes/?number={asked}"))


def test_a_list_is_downloaded_whole(florist: Customer) -> None:
    location(record("/consents/", evidence="=form 12"))
    rows = html(signed_in().get("/consents.csv")).splitlines()
    assert rows[1].startswith(f"{ANNA},")
    assert rows[1].endswith(",in writing," + rows[1].split(",")[3] + ",Harbour Florist,'=form 12")


def test_mallory_sees_and_changes_nothing_of_it(florist: Customer) -> None:
    make_mallory()
    location(record("/unsubscribes/"))
    mallory = signed_in("mallory")
    assert "Nobody yet" in words(mallory.get("/unsubscribes/"))
    assert "not on the list" in words(mallory.get(f"/unsubscribes/?number={ANNA}"))
    assert html(mallory.get("/unsubscribes.csv")).count("\n") == 1
    mallory.post("/consents/", {"numbers": "6123 4567", "day": today(), "way": "written", "evidence": "mine"})
    assert str(ANNA) in words(signed_in().get("/unsubscribes/"))
