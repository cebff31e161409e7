"""Signing in and out, and who is let in (spec S131, S125)."""

from typing import Any

import pytest
from django.test import Client

from sampan.accounts.tables import Person, SignInFailure
from sampan.database import Connection
from tests.interfaces.portal.pages import location, signed_in, visitor, words
from tests.world import PASSWORD, make_customer, make_staff


def sign_in(client: Client, name: str = "harbour", password: str = PASSWORD, target: str = "", **more: Any) -> Any:
    return client.post("/sign-in/", {"name": name, "password": password, "next": target}, **more)


@pytest.fixture(autouse=True)
def florist(database: Connection) -> None:
    make_customer()


@pytest.mark.parametrize("name", ["harbour", "HARBOUR", " Harbour "])
def test_a_member_signs_in_by_login_name_in_any_case(name: str) -> None:
    """spec S131"""
    client = visitor()
    assert location(sign_in(client, name)) == "/"
    assert client.get("/").status_code == 200


def test_a_page_asks_to_sign_in_and_comes_back() -> None:
    client = visitor()
    asked = location(client.get("/results/?status=delivered"))
    assert asked == "/sign-in/?next=/results/%3Fstatus%3Ddelivered"
    assert 'value="/results/?status=delivered"' in client.get(asked).content.decode()
    assert location(sign_in(client, target="/results/?status=delivered")) == "/results/?status=delivered"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_it_leads_nowhere_else(target: str) -> None:
    assert location(sign_in(visitor(), target=target)) == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("harbour", "wrong"), ("nobody", PASSWORD), ("", ""), ("har\0bour", "x")]
)
def test_a_wrong_name_is_told_like_a_wrong_password(name: str, password: str) -> None:
    response = sign_in(visitor(), name, password)
    assert response.status_code == 403
    assert "Login name and password do not match Check both." in words(response)


def test_five_failures_make_one_wait_even_with_the_right_password() -> None:
    """spec S125"""
    client = visitor()
    for _ in range(5):
        sign_in(client, password="wrong")
    assert "Too many tries Wait until" in words(sign_in(client))
    assert location(sign_in(client, "harbour", REMOTE_ADDR="10.0.0.9")) == "/"


def test_signing_in_forgives_the_failures_before() -> None:
    client = visitor()
    for _ in range(4):
        sign_in(client, password="wrong")
    sign_in(client)
    assert not SignInFailure.objects.exists()


def test_what_was_typed_stays_but_not_the_password() -> None:
    page = words(sign_in(visitor(), password="wrong"))
    html = sign_in(visitor(), password="wrong").content.decode()
    assert 'value="harbour"' in html
    assert "wrong" not in html + page


def test_staff_land_in_their_console_and_never_in_the_portal() -> None:
    """spec S133: staff never send for a customer"""
    make_staff("wing", second_factor=False)
    client = visitor()
    assert location(sign_in(client, "wing")) == "/staff/"
    assert location(client.get("/sign-in/")) == "/staff/"
    for path in ("/", "/compose/", "/results/"):
        assert location(client.get(path)) == "/staff/"


def test_who_is_inactive_is_let_in_no_more() -> None:
    client = signed_in()
    Person.objects.update(is_active=False)
    assert location(client.get("/")).startswith("/sign-in/")
    assert "do not match" in words(sign_in(visitor()))


def test_signing_out_ends_the_session_and_needs_a_press() -> None:
    client = signed_in()
    session = client.cookies["sessionid"].value
    assert client.get("/sign-out/").status_code == 405
    assert location(client.post("/sign-out/")) == "/sign-in/"
    client.cookies["sessionid"] = session
    assert location(client.get("/")).startswith("/sign-in/")


def test_signing_in_gives_a_new_session() -> None:
    client = signed_in()
    before = client.cookies["sessionid"].value
    client.post("/sign-out/")
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_a_form_without_its_token_does_nothing() -> None:
    client = visitor(enforce_csrf_checks=True)
    response = sign_in(client)
    assert response.status_code == 403
    assert "This page was out of date" in words(response)


def test_a_sign_in_does_not_make_callers_of_the_apis_prove_themselves_again(database: Connection) -> None:
    """A change of `person` empties what processes remember of API callers; `last_login` is none they care for."""
    database.execute("LISTEN changed")
    sign_in(visitor())
    assert list(database.notifies(timeout=0)) == []
    Person.objects.update(is_active=False)
    assert [told.payload for told in database.notifies(timeout=10, stop_after=1)] == ["person"]
