"""The second step of signing in, and one's own password, second factor and sessions (spec S132)."""

import base64
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.test import Client

from sampan.accounts import second_factor
from sampan.accounts.proofs.tables import OpenSession, SecondFactor
from sampan.accounts.tables import Person
from sampan.database import Connection
from tests.interfaces.portal.pages import html, location, visitor, words
from tests.world import PASSWORD, make_customer

SECURITY, SET_UP = "/account/security/", "/account/security/second-factor/"
NEW = "a longer way home"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; rv:150.0) Gecko/20100101 Firefox/150.0"


@pytest.fixture(autouse=True)
def person(database: Connection) -> Person:
    make_customer()
    return Person.objects.get()


def press_sign_in(client: Client, password: str = PASSWORD, **more: Any) -> Any:
    return client.post("/sign-in/", {"name": "harbour", "password": password}, **more)


def signed_in(**more: Any) -> Client:
    client = visitor()
    assert location(press_sign_in(client, **more)) == "/"
    return client


def code_now(secret: str, *, steps: int = 0) -> str:
    at = int(datetime.now(UTC).timestamp()) + steps * second_factor.STEP_S
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(at).decode()


def set_up(client: Client) -> tuple[str, list[str]]:
    """Press through the pages; gives the secret and the recovery codes they show."""
    page = html(client.get(SET_UP))
    shown = re.search(r'id="secret">([A-Z2-7 ]+)<', page)
    assert shown
    assert "<svg" in page
    secret = shown[1].replace(" ", "")
    done = client.post(SET_UP, {"code": code_now(secret, steps=-1)})
    codes = re.findall(r"<li><code>(\w{4}-\w{4})</code>", html(done))
    assert len(codes) == second_factor.RECOVERY_CODES
    return secret, codes


def test_who_has_a_second_factor_is_asked_for_it_after_the_password() -> None:
    secret, _ = set_up(signed_in())
    client = visitor()
    assert location(press_sign_in(client)) == "/sign-in/code/"
    assert location(client.get("/")).startswith("/sign-in/?next="), "not in yet"
    assert "From your authenticator app, for harbour." in words(client.get("/sign-in/code/"))
    wrong = client.post("/sign-in/code/", {"code": "000000"})
    assert wrong.status_code == 403
    assert "This is not the code of now." in words(wrong)
    assert location(client.post("/sign-in/code/", {"code": code_now(secret)})) == "/"
    assert client.get("/").status_code == 200


def test_it_comes_back_to_the_page_that_was_asked_for() -> None:
    secret, _ = set_up(signed_in())
    client = visitor()
    client.post("/sign-in/", {"name": "harbour", "password": PASSWORD, "next": "/results/"})
    assert location(client.post("/sign-in/code/", {"code": code_now(secret)})) == "/results/"


def test_a_recovery_code_lets_in_without_the_phone() -> None:
    _, codes = set_up(signed_in())
    client = visitor()
    press_sign_in(client)
    assert "Recovery code" in words(client.get("/sign-in/code/?recovery"))
    assert location(client.post("/sign-in/code/", {"code": codes[3].lower()})) == "/"
    assert "Recovery codes not used yet: 9" in words(client.get(SECURITY))


def test_without_the_password_there_is_no_second_step() -> None:
    secret, _ = set_up(signed_in())
    client = visitor()
    assert location(client.get("/sign-in/code/")) == "/sign-in/"
    assert location(client.post("/sign-in/code/", {"code": code_now(secret)})) == "/sign-in/"


def test_a_password_changed_meanwhile_proves_nothing_any_more(person: Person) -> None:
    secret, _ = set_up(signed_in())
    client = visitor()
    press_sign_in(client)
    person.set_password(NEW)
    person.save()
    assert location(client.post("/sign-in/code/", {"code": code_now(secret)})) == "/sign-in/"


def test_after_five_wrong_codes_one_waits() -> None:
    secret, _ = set_up(signed_in())
    client = visitor()
    press_sign_in(client)
    for _ in range(second_factor.MOST_FAILURES):
        client.post("/sign-in/code/", {"code": "000000"})
    refused = client.post("/sign-in/code/", {"code": code_now(secret)})
    assert "Too many wrong codes. Wait until" in words(refused)


def test_the_first_code_must_be_right() -> None:
    client = signed_in()
    client.get(SET_UP)
    wrong = client.post(SET_UP, {"code": "000000"})
    assert wrong.status_code == 422
    assert "Enter the one the app shows at this moment" in words(wrong)
    assert not SecondFactor.objects.filter(confirmed_at__isnull=False).exists()


def test_removing_it_and_new_recovery_codes_need_a_code_of_it() -> None:
    client = signed_in()
    _, codes = set_up(client)
    for act in ("recovery", "remove"):
        assert client.post(SECURITY, {"do": act, "code": "000000"}).status_code == 422
    assert "they are not shown again" in words(client.post(SECURITY, {"do": "recovery", "code": codes[0]}))
    assert client.post(SECURITY, {"do": "remove", "code": codes[1]}).status_code == 422, "void since the new ones"
    assert client.get(SET_UP).status_code == 302, "there is one"


def test_a_new_password_needs_the_old_one_and_is_typed_twice() -> None:
    client = signed_in()
    asked = {"do": "password", "current": PASSWORD, "new": NEW, "again": NEW}
    refusals = {
        "Not your password": {"current": "wrong"},
        "Not the same twice": {"again": "another way home"},
        "too short": {"new": "short", "again": "short"},
        "too common": {"new": "password1234", "again": "password1234"},
        "similar to the login name": {"new": "harbour2026", "again": "harbour2026"},
    }
    for said, change in refusals.items():
        response = client.post(SECURITY, asked | change)
        assert response.status_code == 422
        assert said in words(response)
    assert location(client.post(SECURITY, asked)) == SECURITY
    assert "The password is changed." in words(client.get(SECURITY))
    assert press_sign_in(visitor()).status_code == 403
    assert location(press_sign_in(visitor(), NEW)) == "/"


def test_a_new_password_ends_the_sessions_elsewhere_and_not_this_one() -> None:
    here, there = signed_in(), signed_in()
    here.post(SECURITY, {"do": "password", "current": PASSWORD, "new": NEW, "again": NEW})
    assert here.get("/").status_code == 200
    assert location(there.get("/")).startswith("/sign-in/")
    assert html(here.get(SECURITY)).count("here, now") == OpenSession.objects.count() == 1


def test_the_list_shows_each_session_and_ends_one_or_all_others() -> None:
    here, there, third = signed_in(), signed_in(headers={"User-Agent": FIREFOX}), signed_in()
    page = html(here.get(SECURITY))
    assert "Firefox, Windows" in page
    theirs = OpenSession.objects.get(browser=FIREFOX)
    here.post(SECURITY, {"do": "end", "session": str(theirs.pk)})
    assert location(there.get("/")).startswith("/sign-in/")
    assert third.get("/").status_code == 200
    here.post(SECURITY, {"do": "end-others"})
    assert location(third.get("/")).startswith("/sign-in/")
    assert here.get("/").status_code == 200


def test_nobody_ends_the_session_of_another() -> None:
    make_customer("mallory", name="Mallory Ltd", senders=())
    florist = signed_in()
    session = OpenSession.objects.get()
    mallory = visitor()
    mallory.post("/sign-in/", {"name": "mallory", "password": PASSWORD})
    mallory.post(SECURITY, {"do": "end", "session": str(session.pk)})
    assert florist.get("/").status_code == 200
