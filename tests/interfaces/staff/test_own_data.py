"""Retention and own data on both sides' pages (spec S130)."""

import io
import zipfile

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.messages.retention.closing import close_all_of
from sampan.messages.tables import Message
from tests.dispatch.steps import Owner
from tests.interfaces.portal.pages import location, signed_in, words
from tests.messages.retention.test_closing import deliver
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff


def test_the_owner_downloads_everything_and_others_do_not(database: Connection) -> None:
    harbour = make_customer()
    make_mallory()
    deliver(database, Owner(make_places()), harbour)
    Person.objects.create(login_name="yan", customer=harbour, role=Person.Role.SENDER, created_at=NOW)
    answer = signed_in().post("/account/own-data.zip")
    with zipfile.ZipFile(io.BytesIO(answer.getvalue())) as archive:
        assert b"85261230000" in archive.read("messages.csv")
    assert signed_in("yan").post("/account/own-data.zip").status_code == 403
    hers = signed_in("mallory").post("/account/own-data.zip")
    with zipfile.ZipFile(io.BytesIO(hers.getvalue())) as archive:
        assert b"85261230000" not in archive.read("messages.csv")


def test_closed_months_are_shown_to_the_customer(database: Connection) -> None:
    harbour = make_customer()
    deliver(database, Owner(make_places()), harbour, 3)
    assert "None yet." in words(signed_in().get("/account/own-data/"))
    close_all_of(database, harbour.pk)
    page = words(signed_in("harbour").get("/account/own-data/"))
    assert "2026-11 3 3 3 0.87" in page
    assert "Results are deleted 2 months after a message has ended." in page


def test_compliance_sets_the_time_and_erases_a_closed_customer(database: Connection) -> None:
    harbour = make_customer()
    deliver(database, Owner(make_places()), harbour)
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    carol, path = signed_in("carol"), f"/staff/customers/{harbour.pk}/own-data/"
    assert "Only of a closed account." in words(carol.get(path))
    assert location(carol.post(path, {"months": "12", "why": "contract"})) == path
    assert carol.post(path, {"months": "0", "why": "contract"}).status_code == 422
    assert "Only the data of a closed account are erased." in words(carol.post(path, {"do": "erase", "why": "asked"}))
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED)
    assert location(carol.post(path, {"do": "erase", "why": "asked"})) == path
    assert "Erased. Messages that went: 1" in words(carol.get(path))
    assert not Message.objects.exists()
    harbour.refresh_from_db()
    assert harbour.results_kept_months == 12
