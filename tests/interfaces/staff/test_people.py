"""An administrator lets our people in and out on the pages; a second factor comes before all else (spec S134, S132)."""

import re

import pytest
from django.test import Client

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Person
from sampan.database import Connection
from tests.interfaces.portal.pages import location, signed_in, visitor, words
from tests.world import PASSWORD, make_staff

HERE = "/staff/people/"
WING = {"login_name": "wing", "name": "Wing", "email": "wing@sampan.example", "role": "finance", "why": "joined us"}


@pytest.fixture
def ada(database: Connection) -> Client:
    make_staff()
    return signed_in("ada")


def link() -> str:
    found = re.search(r"http://localhost(/\S+)", Mail.objects.latest("id").text)
    assert found
    return found[1]


def test_who_is_let_in_chooses_a_password_and_must_set_up_the_second_factor(ada: Client) -> None:
    said = words(ada.get(location(ada.post(HERE, WING))))
    assert "Wing is let in; a link is on its way to wing@sampan.example" in said
    guest = visitor()
    chosen = {"new": "a boat of my own", "again": "a boat of my own"}
    assert location(guest.post(link(), chosen)) == "/sign-in/"
    assert location(guest.post("/sign-in/", {"name": "wing", "password": "a boat of my own"})) == "/staff/"
    assert location(guest.get("/staff/")) == "/staff/security/second-factor/"
    assert location(guest.get("/staff/top-ups/")) == "/staff/security/second-factor/"


def test_an_error_stands_beside_its_field(ada: Client) -> None:
    refused = ada.post(HERE, WING | {"login_name": "ada"})
    assert refused.status_code == 422
    assert "The login name “ada” is in use. Choose another." in words(refused)
    assert not Mail.objects.exists()


def test_another_role_and_the_way_out_and_back(ada: Client) -> None:
    fay = make_staff("fay", role=Person.StaffRole.FINANCE)
    fay.email = "fay@sampan.example"
    fay.save()
    path = f"{HERE}{fay.pk}/"
    ada.post(path, {"do": "role", "role": "support", "why": "helps out"})
    assert "Fay support" in words(ada.get(path))
    theirs = signed_in("fay")
    assert "is let in no more" in words(ada.get(location(ada.post(path, {"do": "out", "why": "left us"}))))
    assert location(theirs.get("/staff/")).startswith("/sign-in/")
    ada.post(path, {"do": "in", "why": "came back"})
    assert visitor().get(link()).status_code == 200
    assert visitor().post("/sign-in/", {"name": "fay", "password": PASSWORD}).status_code == 403


def test_ones_own_page_has_no_button_and_a_forged_press_changes_nothing(ada: Client) -> None:
    own = f"{HERE}{Person.objects.get().pk}/"
    page = words(ada.get(own))
    assert "Another administrator changes your role or lets you out" in page
    refused = ada.post(own, {"do": "out", "why": "x"})
    assert refused.status_code == 422
    assert "Nobody changes their own role" in words(refused)
    assert Person.objects.get().is_active


def test_a_link_goes_again_to_who_has_not_opened_the_first(ada: Client) -> None:
    ada.post(HERE, WING)
    wing = Person.objects.get(login_name="wing")
    ada.post(f"{HERE}{wing.pk}/", {"do": "link"})
    assert Mail.objects.count() == 2
    assert visitor().get(link()).status_code == 200


def test_what_is_no_button_of_the_page_is_refused(ada: Client) -> None:
    fay = make_staff("fay", role=Person.StaffRole.FINANCE)
    for forged in ({"do": "promote"}, {"do": "role", "role": "owner", "why": "x"}, {"do": "link"}, {}):
        assert ada.post(f"{HERE}{fay.pk}/", forged).status_code == 422
    assert Person.objects.get(login_name="fay").staff_role == "finance"
