"""The owner names the networks that the APIs may be called from, and sees who was turned away (spec S125)."""

from sampan.accounts.allow_lists import allow, note_refused
from sampan.accounts.tables import AllowedNetwork, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import errors_of, location, signed_in, words
from tests.world import NOW, make_customer, make_mallory, make_staff

HERE = "/account/networks/"


def test_an_owner_names_a_network_and_takes_it_off(database: Connection) -> None:
    make_customer()
    client = signed_in()
    assert "whoever has a key or the password may call from anywhere" in words(client.get(HERE))
    assert location(client.post(HERE, {"do": "add", "network": "203.0.113.9/24", "note": "the shop"})) == HERE
    page = words(client.get(HERE))
    assert "203.0.113.0/24 the shop" in page
    assert "You look at this page from 127.0.0.1." in page
    client.post(HERE, {"do": "remove", "id": AllowedNetwork.objects.get().pk})
    assert not AllowedNetwork.objects.exists()


def test_what_is_no_network_is_refused_beside_its_field(database: Connection) -> None:
    make_customer()
    refused = signed_in().post(HERE, {"do": "add", "network": "our office", "note": "x"})
    assert refused.status_code == 422
    assert errors_of(refused) == {"network": "“our office” is no network. Write it as 203.0.113.7 or 203.0.113.0/24."}


def test_who_was_turned_away_is_shown_to_the_owner_and_to_staff_alone(database: Connection) -> None:
    harbour = make_customer()
    mallory = make_mallory()
    make_staff()
    allow(Person.objects.get(login_name="harbour"), "203.0.113.0/24", note="", now=NOW)
    note_refused(database, harbour.pk, "SMPP", "198.51.100.9", NOW)
    assert "198.51.100.9 SMPP" in words(signed_in().get(HERE))
    staff = signed_in("ada")
    assert "203.0.113.0/24 Turned away 198.51.100.9 SMPP" in words(staff.get(f"/staff/customers/{harbour.pk}/"))
    assert "APIs called from anywhere" in words(staff.get(f"/staff/customers/{mallory.pk}/"))
    assert "198.51.100" not in words(signed_in("mallory").get(HERE))


def test_mallory_takes_off_no_network_of_anothers(database: Connection) -> None:
    make_customer()
    make_mallory()
    row = allow(Person.objects.get(login_name="harbour"), "203.0.113.0/24", note="", now=NOW)
    signed_in("mallory").post(HERE, {"do": "remove", "id": row.pk})
    assert AllowedNetwork.objects.get() == row
