"""Retention and own data on both sides' pages (spec S130)."""

import io
import zipfile

from django.utils import timezone

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.messages.retention.closing import close_all_of
from sampan.messages.tables import Lane, Message, Purpose
from tests.dispatch.steps import Owner
from tests.interfaces.portal.pages import location, signed_in, words
from tests.messages.retention.test_closing import deliver
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff, send


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


def test_the_owner_erases_what_has_ended_and_others_do_not(database: Connection) -> None:
    """Spec S130, S95: what can still be unsubscribed from stays, and what is on its way."""
    harbour, grower = make_customer(), make_customer("grower", name="Grower")
    owner = Owner(make_places())
    ended = deliver(database, owner, harbour)
    (promotional,) = send(database, harbour, purpose=Purpose.PROMOTIONAL).message_ids
    owner.attempt(owner.claim(harbour, lane=Lane.PROMOTIONAL))
    owner.taken(promotional, ref="p1")
    owner.receipt("p1")
    Message.objects.filter(pk=promotional).update(final_at=timezone.now())
    (open_one,) = send(database, harbour).message_ids
    (hers,) = deliver(database, owner, grower)
    Person.objects.create(login_name="yan", customer=harbour, role=Person.Role.SENDER, created_at=NOW)
    path = "/account/own-data/erase/"
    assert "Only the account’s owner decides this." in words(signed_in("yan").post(path, {"sure": "on"}))
    assert "Tick that you mean it." in words(signed_in().post(path))
    assert Message.objects.filter(pk__in=ended).exists()
    assert "Results that were erased: 1" in words(signed_in().post(path, {"sure": "on"}))
    assert set(Message.objects.values_list("pk", flat=True)) == {promotional, open_one, hers}


def test_closed_months_are_shown_to_the_customer(database: Connection) -> None:
    harbour = make_customer()
    deliver(database, Owner(make_places()), harbour, 3)
    assert "None yet." in words(signed_in().get("/account/own-data/"))
    close_all_of(database, harbour.pk, NOW)
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
