"""Blocked addresses in the console (spec S125)."""

from django.utils import timezone

from sampan.accounts.blocking import MOST_FAILURES, note_failure
from sampan.accounts.tables import AuditEntry, BlockedAddress, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import location, signed_in, visitor, words
from tests.world import make_customer, make_staff


def test_support_sees_why_and_unblocks(database: Connection) -> None:
    make_customer()
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    wing = signed_in("wing")
    assert "None is blocked." in words(wing.get("/staff/blocked/"))
    for _ in range(MOST_FAILURES):
        note_failure(database, "harbour", "HTTP", "8.8.8.8", timezone.now())
    for _ in range(5):
        visitor().post("/sign-in/", {"name": "harbour", "password": "wrong"}, REMOTE_ADDR="10.0.0.9")
    page = words(wing.get("/staff/blocked/"))
    assert "wrong passwords or keys: 20 HTTP, harbour" in page
    assert "10.0.0.9 wrong passwords: 5 harbour" in page
    assert "Blocked addresses They guess passwords; let in those who are known 1" in words(wing.get("/staff/"))
    assert location(wing.post("/staff/blocked/", {"address": "8.8.8.8", "why": "known"})) == "/staff/blocked/"
    assert not BlockedAddress.objects.exists()
    assert AuditEntry.objects.get().why == "known"
    for nonsense in ("8.8.8.8", "x", ""):
        answer = wing.post("/staff/blocked/", {"address": nonsense, "why": "known"})
        assert "This address is not blocked" in words(answer)
