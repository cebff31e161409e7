"""The pages for outcomes in doubt and stray receipts (spec S76, S77)."""

import pytest
from django.test import Client

from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.dispatch.tables import InboxReceipt
from sampan.messages.tables import Status
from tests.dispatch.steps import shown
from tests.dispatch.test_unknown import in_doubt, receipt
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_staff


@pytest.fixture
def wing(database: Connection) -> Client:
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    return signed_in("wing")


def test_what_is_in_doubt_waits_on_the_worklist_and_is_settled(database: Connection, wing: Client) -> None:
    _, _, (id_,) = in_doubt(database)
    assert "Unknown outcomes Ask the operator; they end by themselves" in words(wing.get("/staff/"))
    listed = words(wing.get("/staff/unknown/"))
    assert f"{id_} Harbour Florist kai-tak" in listed
    assert "6123 4567" not in listed
    path = f"/staff/unknown/{id_}/"
    assert "They never had it Undeliverable; the hold is released." in words(wing.get(path))
    assert location(wing.post(path, {"word": "delivered", "why": "ticket 4"})) == "/staff/unknown/"
    assert shown(id_)[0] == Status.DELIVERED
    assert f"Message {id_} is settled Unknown outcomes" in words(wing.get("/staff/unknown/"))
    assert AuditEntry.objects.get().address == "127.0.0.1"
    assert wing.get(path).status_code == 404


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"why": "x"}, "Nothing was chosen. Choose one"),
        ({"word": "delivered"}, "There is no reason. Say why"),
    ],
)
def test_what_is_missing_is_told(database: Connection, wing: Client, typed: dict[str, str], said: str) -> None:
    _, _, (id_,) = in_doubt(database)
    answer = wing.post(f"/staff/unknown/{id_}/", typed)
    assert answer.status_code == 422
    assert f"Nothing has been changed {said}" in words(answer)
    assert not shown(id_)[2]


def test_a_stray_receipt_is_brought_home_or_dismissed(database: Connection, wing: Client) -> None:
    owner, _, (id_,) = in_doubt(database)
    first, second = (receipt(owner, operator_ref=ref)[0].id for ref in ("0A3F", "0A40"))
    InboxReceipt.objects.update(tries=4)
    assert "0A3F kai-tak DELIVERED" in words(wing.get("/staff/receipts/"))
    page = wing.get(f"/staff/receipts/{first}/")
    assert f'value="{id_}"' in html(page)
    wrong = wing.post(f"/staff/receipts/{first}/", {"do": "attach", "message": "12x", "why": "y"})
    assert "There is no such message" in words(wrong)
    done = wing.post(f"/staff/receipts/{first}/", {"do": "attach", "message": str(id_), "why": "same time"})
    assert location(done) == "/staff/receipts/"
    assert shown(id_)[0] == Status.DELIVERED
    wing.post(f"/staff/receipts/{second}/", {"do": "dismiss", "why": "a repeat"})
    assert "Every receipt has found its message" in words(wing.get("/staff/receipts/"))
    assert set(AuditEntry.objects.values_list("act", flat=True)) == {"receipt.attach", "receipt.dismiss"}
