"""The table of what each role does, at every page and at the API (spec S131)."""

import pytest
from django.urls import URLPattern

from sampan.accounts.access import authenticate
from sampan.accounts.keys import add_key
from sampan.accounts.permissions import Permission, may
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.urls import urlpatterns
from sampan.messages.tables import Batch, ComposeDraft
from sampan.reasons import Refused
from tests.interfaces.portal.pages import compose, html, location, send, signed_in, words
from tests.world import NOW, PASSWORD, make_customer, make_places

OWNER, SENDER, VIEWER, FINANCE = Person.Role
DRAFTER = "drafter"  # a sender who may not send
WHO: tuple[str, ...] = (OWNER, SENDER, DRAFTER, VIEWER, FINANCE)
TABLE: dict[Permission, set[str]] = {
    Permission.SEE_RESULTS: {OWNER, SENDER, DRAFTER, VIEWER, FINANCE},
    Permission.WRITE_DRAFTS: {OWNER, SENDER, DRAFTER},
    Permission.SEND: {OWNER, SENDER},
    Permission.SEE_ACCOUNT: {OWNER, SENDER, DRAFTER, VIEWER, FINANCE},
    Permission.SEE_MONEY: {OWNER, FINANCE},
    Permission.TOP_UP: {OWNER, FINANCE},
    Permission.MOVE_MONEY: {OWNER},
    Permission.MANAGE_ACCOUNT: {OWNER},
    Permission.MANAGE_MEMBERS: {OWNER},
    Permission.MANAGE_SENDERS: {OWNER},
    Permission.MANAGE_KEYS: {OWNER},
}


@pytest.fixture(autouse=True)
def members(database: Connection) -> dict[str, Person]:
    """One of each at Harbour Florist."""
    make_places()
    customer = make_customer()
    people: dict[str, Person] = {}
    for who in WHO:
        role = SENDER if who == DRAFTER else who
        person = Person(login_name=f"my-{who}", customer=customer, role=role, created_at=NOW, may_send=who != DRAFTER)
        person.set_password(PASSWORD)
        person.save()
        people[who] = person
    return people


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(Permission)


@pytest.mark.parametrize("permission", Permission, ids=lambda permission: permission.value)
def test_each_role_does_what_the_table_says(permission: Permission, members: dict[str, Person]) -> None:
    assert {who for who, person in members.items() if may(person, permission)} == TABLE[permission]


def test_staff_and_who_was_removed_do_nothing(members: dict[str, Person]) -> None:
    staff = Person(login_name="wing", staff_role=Person.StaffRole.ADMIN, created_at=NOW)
    members[OWNER].is_active = False
    assert not any(may(person, permission) for person in (staff, members[OWNER]) for permission in Permission)


@pytest.mark.parametrize("who", WHO)
def test_every_page_asks_for_its_permission(who: str, members: dict[str, Person]) -> None:
    client = signed_in(f"my-{who}")
    asked = 0
    for pattern in urlpatterns:
        if not isinstance(pattern, URLPattern):
            continue  # the console has tests of its own
        permission = getattr(pattern.callback, "permission", None)
        if permission is None or pattern.pattern.converters:
            continue
        asked += 1
        response = client.get(f"/{pattern.pattern}")
        allowed = who in TABLE[permission]
        assert (response.status_code != 403) is allowed, pattern.name
    assert asked


def test_who_writes_drafts_and_may_not_send_leaves_them_to_others(members: dict[str, Person]) -> None:
    drafter = signed_in(f"my-{DRAFTER}")
    review = location(compose(drafter))
    page = drafter.get(review)
    assert "Somebody who may send finds this one on their home page." in words(page)
    assert drafter.post(review, {"seal": "x"}).status_code == 403
    assert not Batch.objects.exists()
    draft = ComposeDraft.objects.get()
    sender = signed_in(f"my-{SENDER}")
    assert f"/compose/{draft.pk}/" in html(sender.get("/"))
    assert send(sender, review).status_code == 302
    assert Batch.objects.get().person == members[SENDER]


@pytest.mark.parametrize("who", WHO)
def test_the_apis_let_in_who_may_send(database: Connection, who: str, members: dict[str, Person]) -> None:
    key = add_key(members[who], name="shop", now=NOW)
    for secret in (PASSWORD, key):
        if who in TABLE[Permission.SEND]:
            assert authenticate(database, f"my-{who}", secret).person_id == members[who].pk
        else:
            with pytest.raises(Refused):
                authenticate(database, f"my-{who}", secret)


def test_a_key_acts_for_its_member_alone_and_goes_with_them(database: Connection, members: dict[str, Person]) -> None:
    key = add_key(members[SENDER], name="shop", now=NOW)
    with pytest.raises(Refused):
        authenticate(database, f"my-{OWNER}", key)
    Person.objects.filter(pk=members[SENDER].pk).update(is_active=False)
    with pytest.raises(Refused):
        authenticate(database, f"my-{SENDER}", key)


def test_a_suspended_account_is_told_so_and_sends_nothing(members: dict[str, Person]) -> None:
    Customer.objects.update(status=Customer.Status.SUSPENDED, status_words="Spam was reported.")
    assert "Spam was reported." in words(signed_in(f"my-{VIEWER}").get("/account/"))
    refused = compose(signed_in(f"my-{OWNER}"))
    assert refused.status_code != 302
