"""Operators, links, routes and destinations in the console (spec S42); holding all sending (spec S53)."""

import pytest
from django.test import Client
from django.utils import timezone

from sampan.accounts.seals import unseal
from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.messages.holding import is_sending_held
from sampan.routing.directory import directory
from sampan.routing.tables import Destination, Link, LinkState, Operator, Route, RouteOperator
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import make_places, make_staff

LINK = {
    "host": "smsc.example",
    "port": "2776",
    "bind": "1",
    "system_id": "sampan2",
    "password": "new",
    "window_size": "20",
    "tls": "on",
    "why": "contract of 2026",
}


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


@pytest.fixture
def ada(operator: Operator) -> Client:
    make_staff()
    return signed_in("ada")


@pytest.fixture
def wing(operator: Operator) -> Client:
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    return signed_in("wing")


def last() -> AuditEntry:
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry is not None
    return entry


def test_the_list_shows_who_is_bound_and_why_not(operator: Operator, wing: Client) -> None:
    link = operator.links.get()
    assert "kai-tak china, hk-business, hk-economic, macau, overseas Down" in words(wing.get("/staff/operators/"))
    state = LinkState.objects.create(link=link, bound=False, words="bind failed", since=timezone.now())
    assert "Not bound bind failed" in words(wing.get("/staff/operators/live/"))
    assert "Links that are not bound Of operators that are not paused 1" in words(wing.get("/staff/"))
    state.bound = True
    state.save()
    assert "kai-tak china, hk-business, hk-economic, macau, overseas Working" in words(wing.get("/staff/operators/"))
    assert "Nothing waits for you" in words(wing.get("/staff/"))


def test_support_pauses_drains_and_resumes(operator: Operator, wing: Client) -> None:
    path = f"/staff/operators/{operator.pk}/"
    assert "There is no reason" in words(wing.post(path, {"do": "pause"}))
    for do, state in (("pause", Operator.State.PAUSED), ("drain", Operator.State.DRAINING), ("resume", 1)):
        assert location(wing.post(path, {"do": do, "why": "works tonight"})) == path
        operator.refresh_from_db()
        assert operator.state == state
    assert (last().act, last().before["state"], last().after["state"]) == ("operator.run", "DRAINING", "ACTIVE")


def test_support_changes_nothing_else(operator: Operator, wing: Client) -> None:
    link = operator.links.get()
    for path in (
        f"/staff/links/{link.pk}/",
        "/staff/operators/new/",
        f"/staff/operators/{operator.pk}/links/new/",
        "/staff/routes/",
        "/staff/destinations/new/",
    ):
        assert wing.get(path).status_code == 403
    changed = wing.post(f"/staff/operators/{operator.pk}/", {"rate_parts_per_s": "5", "dialect": "{}", "why": "x"})
    assert changed.status_code == 403
    operator.refresh_from_db()
    assert operator.rate_parts_per_s == 0


def test_rate_sender_and_dialect_change(operator: Operator, ada: Client) -> None:
    path = f"/staff/operators/{operator.pk}/"
    typed = {"rate_parts_per_s": "40", "sender": "Kaitak", "dialect": '{"one_receipt": true}', "why": "their mail"}
    assert location(ada.post(path, typed)) == path
    operator.refresh_from_db()
    assert (operator.rate_parts_per_s, operator.sender, operator.dialect) == (40, "Kaitak", {"one_receipt": True})
    assert last().before == {"rate_parts_per_s": 0, "sender": "", "dialect": {}}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"dialect": "{"}, "Enter a valid JSON."),
        ({"dialect": '{"receipt_ids": 7}'}, "This dialect cannot be: Expected `array`"),
        ({"why": ""}, "This field is required."),
    ],
)
def test_a_change_that_cannot_be_is_told(operator: Operator, ada: Client, typed: dict[str, str], said: str) -> None:
    whole = {"rate_parts_per_s": "40", "sender": "", "dialect": "{}", "why": "x"} | typed
    answer = ada.post(f"/staff/operators/{operator.pk}/", whole)
    assert answer.status_code == 422
    assert said in words(answer)
    operator.refresh_from_db()
    assert operator.rate_parts_per_s == 0


def test_an_operator_is_connected(operator: Operator, ada: Client) -> None:
    assert ada.get("/staff/operators/new/").status_code == 200
    made = ada.post("/staff/operators/new/", LINK | {"name": "hkt-1", "routes": ["china", "macau"]})
    second = Operator.objects.get(name="hkt-1")
    assert location(made) == f"/staff/operators/{second.pk}/"
    link = second.links.get()
    assert (link.host, link.port, link.bind, link.window_size, link.tls) == ("smsc.example", 2776, 1, 20, True)
    assert unseal(bytes(link.password_sealed)) == "new"
    assert [each.position for each in RouteOperator.objects.filter(operator=second)] == [2, 2]
    again = ada.post("/staff/operators/new/", LINK | {"name": "hkt-1"})
    assert "There is one of this name already" in words(again)


def test_a_password_is_kept_where_none_is_typed_and_never_shown_or_logged(operator: Operator, ada: Client) -> None:
    link = operator.links.get()
    path = f"/staff/links/{link.pk}/"
    assert "secret" not in html(ada.get(path))
    ada.post(path, LINK | {"password": ""})
    link.refresh_from_db()
    assert (link.host, unseal(bytes(link.password_sealed))) == ("smsc.example", "secret")
    ada.post(path, LINK | {"password": "hush"})
    link.refresh_from_db()
    assert unseal(bytes(link.password_sealed)) == "hush"
    assert last().after == {"password": "another"}


def test_a_link_is_added_and_removed_but_not_the_last(operator: Operator, ada: Client) -> None:
    ada.post(f"/staff/operators/{operator.pk}/links/new/", LINK)
    first, second = Link.objects.order_by("pk")
    assert location(ada.post(f"/staff/links/{second.pk}/", {"do": "remove", "why": "moved"}))
    refused = ada.post(f"/staff/links/{first.pk}/", {"do": "remove", "why": "moved"})
    assert "An operator keeps at least one link" in words(refused)
    assert Link.objects.get() == first


def test_who_carries_a_route_in_which_order(database: Connection, operator: Operator, ada: Client) -> None:
    ada.post("/staff/operators/new/", LINK | {"name": "hkt-1"})
    second = Operator.objects.get(name="hkt-1")
    route = Route.objects.get(code="macau")
    path = f"/staff/routes/{route.pk}/"
    assert "kai-tak" in words(ada.get(path))
    ada.post(path, {"operator": second.pk, "position": "1", "share": "300", "do": "place", "why": "cheaper"})
    assert directory.get(database).routes[route.pk].carriers == ((operator.pk, 100), (second.pk, 300))
    assert "1. kai-tak, 1. hkt-1 (300)" in words(ada.get("/staff/routes/"))
    assert "There is no reason" in words(ada.post(path, {"operator": operator.pk, "do": "remove"}))
    ada.post(path, {"operator": operator.pk, "do": "remove", "why": "it is dear"})
    assert last().before == {"kai-tak": "1, 100"}
    wrong = ada.post(path, {"operator": second.pk, "position": "0", "share": "1", "do": "place", "why": "x"})
    assert "Nothing was chosen" in words(wrong)


def test_a_route_changes(operator: Operator, ada: Client) -> None:
    route = Route.objects.get(code="macau")
    ada.post(f"/staff/routes/{route.pk}/", {"name": "Macau, direct", "receipts": "on", "why": "new contract"})
    route.refresh_from_db()
    assert (route.name, route.receipts, route.own_sender) == ("Macau, direct", True, False)
    assert last().before == {"name": "Macau", "own_sender": True}


def test_a_destination_has_prefixes_of_its_own(operator: Operator, ada: Client) -> None:
    overseas = Route.objects.get(code="overseas")
    typed = {"name": "Fiji", "region": "4", "prefixes": "679, 6799", "route": overseas.pk, "why": "asked for"}
    assert location(ada.post("/staff/destinations/new/", typed)) == "/staff/routes/"
    fiji = Destination.objects.get(name="Fiji")
    assert fiji.prefixes == ["679", "6799"]
    taken = ada.post("/staff/destinations/new/", typed | {"name": "Fiji, Vodafone"})
    assert "One of these prefixes is of “Fiji” already" in words(taken)
    bad = ada.post(f"/staff/destinations/{fiji.pk}/", typed | {"prefixes": "+679"})
    assert "“+679” is no prefix." in words(bad)
    ada.post(f"/staff/destinations/{fiji.pk}/", typed | {"prefixes": "679"})
    assert last().before == {"prefixes": ["679", "6799"]}


def test_all_sending_is_held_by_support_and_released_by_an_administrator(
    database: Connection, wing: Client, operator: Operator
) -> None:
    """spec S53"""
    assert "There is no reason" in words(wing.post("/staff/sending/", {"do": "hold"}))
    assert location(wing.post("/staff/sending/", {"do": "hold", "why": "a flood"})) == "/staff/operators/"
    assert is_sending_held(database)
    page = words(wing.get("/staff/operators/"))
    assert "All sending is held Since" in page
    assert "a flood" in page
    refused = wing.post("/staff/sending/", {"do": "release", "why": "over"})
    assert refused.status_code == 403
    assert "Your role does not do this Nothing has been changed." in words(refused)
    make_staff()
    signed_in("ada").post("/staff/sending/", {"do": "release", "why": "over"})
    assert last().act == "sending.release"
    assert "All sending is held" not in words(wing.get("/staff/operators/"))
