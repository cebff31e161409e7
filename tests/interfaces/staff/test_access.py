"""Who is let into the console: staff, each role to its own pages; for others there is no such place (spec S133)."""

from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, URLResolver, reverse

from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.interfaces.urls import urlpatterns as every
from tests.interfaces.portal.pages import html, location, signed_in, visitor, words
from tests.world import PASSWORD, make_customer, make_staff

(CONSOLE,) = [each for each in every if isinstance(each, URLResolver) and each.namespace == "staff"]
PAGES = [each for each in CONSOLE.url_patterns if isinstance(each, URLPattern)]
SOME = {"id": 999_999, "uuid": uuid4(), "str": "x", "slug": "x", "path": "x"}


def address(pattern: URLPattern) -> str:
    kinds = {name: type(each).__name__ for name, each in pattern.pattern.converters.items()}
    given = {name: SOME[kind.removesuffix("Converter").lower()] for name, kind in kinds.items()}
    return reverse(f"staff:{pattern.name}", kwargs=given)


def acts_of(pattern: URLPattern) -> tuple[Act, ...]:
    """What the page is for, as `for_staff` was told; wrappers around it keep that."""
    view: Any = pattern.callback
    acts: tuple[Act, ...] = view.acts
    return acts


@pytest.fixture
def people(database: Connection) -> None:
    make_customer()
    for role in Person.StaffRole:
        make_staff(role.value, role=role)


def test_strangers_are_asked_to_sign_in_and_members_find_nothing(people: None) -> None:
    member = signed_in("harbour")
    for pattern in PAGES:
        path = address(pattern)
        answer = visitor().get(path)
        answer = visitor().post(path) if answer.status_code == 405 else answer
        assert location(answer).startswith("/sign-in/?next=/staff/"), pattern.name
        assert member.get(path).status_code in (404, 405), pattern.name
        assert member.post(path).status_code in (404, 405), pattern.name


def test_the_table_of_pages_and_roles(people: None) -> None:
    """Each role gets the pages whose acts it does; the others are told so, and nothing is done."""
    clients = {role: signed_in(role.value) for role in Person.StaffRole}
    for pattern, role in product(PAGES, Person.StaffRole):
        acts = acts_of(pattern)
        allowed = not acts or any(role in act.roles for act in acts)
        for method in ("get", "post"):
            answer = getattr(clients[role], method)(address(pattern))
            assert (answer.status_code == 403) == (not allowed and answer.status_code != 405), (pattern.name, role)


def test_the_menu_leads_only_where_ones_role_goes(people: None) -> None:
    for role in Person.StaffRole:
        page = html(signed_in(role.value).get("/staff/"))
        for pattern in PAGES:
            acts = acts_of(pattern)
            if not pattern.pattern.converters and f'href="{address(pattern)}"' in page:
                assert not acts or any(role in act.roles for act in acts), (pattern.name, role)


def test_staff_without_a_second_factor_are_sent_to_set_one_up(people: None) -> None:
    """spec S132: the pages of the console are open only behind it"""
    make_staff("new", second_factor=False)
    client = signed_in("new")
    for pattern in PAGES:
        if pattern.name in ("second-factor", "security"):
            assert client.get(address(pattern)).status_code == 200
        elif client.get(address(pattern)).status_code != 405:
            assert location(client.get(address(pattern))) == "/staff/security/second-factor/", pattern.name


def test_the_sign_in_asks_staff_for_their_second_factor(people: None) -> None:
    client = visitor()
    assert location(client.post("/sign-in/", {"name": "admin", "password": PASSWORD})) == "/sign-in/code/"
    assert location(client.get("/staff/")).startswith("/sign-in/?next=")


def test_who_left_is_let_in_no_more(people: None) -> None:
    client = signed_in("admin")
    Person.objects.filter(login_name="admin").update(is_active=False)
    assert location(client.get("/staff/")).startswith("/sign-in/")


def test_nothing_waits_at_first_and_the_page_says_so(people: None) -> None:
    assert "Nothing waits for you" in words(signed_in("finance").get("/staff/"))


def test_the_roles_are_told_as_they_are(people: None) -> None:
    page = words(signed_in("support").get("/staff/roles/"))
    assert "audit.read – yes – yes" in page
