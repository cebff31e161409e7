"""Members: invited by a link, changed and removed by owners of the same customer (spec S131)."""

import contextlib
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection

from sampan.accounts import members
from sampan.accounts.proofs.tables import Invitation
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_mallory

Role = Person.Role
EMAIL = "yan@harbour.example"


@pytest.fixture
def owner(database: Connection) -> Person:
    make_customer()
    return Person.objects.get()


def refusal(act: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def invite(owner: Person, email: str = EMAIL, role: Role = Role.SENDER, *, may_send: bool = True) -> str:
    return members.invite(owner, email=email, role=role, may_send=may_send, now=NOW)[1]


def accept(token: str, login_name: str = "yan", *, after: timedelta = timedelta(0)) -> Person:
    return members.accept(
        token, login_name=login_name, password="a bunch of lilies", name="Yan", language="zh-hant", now=NOW + after
    )


def add(owner: Person, login_name: str, role: Role) -> Person:
    return accept(invite(owner, f"{login_name}@harbour.example", role), login_name)


def test_who_opens_the_link_is_a_member_with_that_role(owner: Person) -> None:
    yan = accept(invite(owner, may_send=False))
    assert (yan.customer, yan.role, yan.may_send, yan.email) == (owner.customer, Role.SENDER, False, EMAIL)
    assert yan.check_password("a bunch of lilies")


def test_a_link_works_once_for_a_week_and_no_token_is_kept(owner: Person) -> None:
    token = invite(owner)
    assert token.encode() not in bytes(Invitation.objects.get().digest)
    late = members.VALID_FOR + timedelta(seconds=1)
    assert refusal(lambda: accept(token, after=late)) is Reason.INVITATION_VOID
    accept(token)
    assert refusal(lambda: accept(token, "yan2")) is Reason.INVITATION_VOID
    assert refusal(lambda: accept("guessed")) is Reason.INVITATION_VOID


def test_a_link_that_failed_for_its_login_name_still_works(owner: Person) -> None:
    token = invite(owner)
    assert refusal(lambda: accept(token, "HARBOUR")) is Reason.LOGIN_NAME_TAKEN
    accept(token)


def test_inviting_once_more_or_withdrawing_voids_the_link_before(owner: Person) -> None:
    first = invite(owner)
    second = invite(owner)
    assert refusal(lambda: accept(first)) is Reason.INVITATION_VOID
    members.withdraw_invitation(owner, Invitation.objects.get(withdrawn_at=None).pk, now=NOW)
    assert refusal(lambda: accept(second)) is Reason.INVITATION_VOID


def test_two_who_open_one_link_at_once_make_one_member(owner: Person) -> None:
    token = invite(owner)
    together = threading.Barrier(2)
    outcomes: list[str] = []

    def open_it(login_name: str) -> None:
        together.wait(10)
        try:
            outcomes.append(accept(token, login_name).login_name)
        except Refused as refused:
            outcomes.append(refused.reason.name)
        connection.close()

    threads = [threading.Thread(target=open_it, args=[name]) for name in ("yan", "wing")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert "INVITATION_VOID" in outcomes
    assert Person.objects.count() == 2


def test_a_member_is_not_invited_again_and_there_are_at_most_fifty(owner: Person) -> None:
    accept(invite(owner))
    assert refusal(lambda: invite(owner, EMAIL.upper())) is Reason.MEMBER_THERE
    Person.objects.bulk_create(
        Person(login_name=f"m{place}", customer=owner.customer, role=Role.VIEWER, created_at=NOW)
        for place in range(members.MOST_MEMBERS - 2)
    )
    assert refusal(lambda: invite(owner, "more@harbour.example")) is Reason.TOO_MANY_MEMBERS


def test_an_account_keeps_an_owner(owner: Person) -> None:
    assert refusal(lambda: members.change(owner, owner.pk, role=Role.VIEWER, may_send=True)) is Reason.LAST_OWNER
    assert refusal(lambda: members.remove(owner, owner.pk, now=NOW)) is Reason.LAST_OWNER
    second = add(owner, "second", Role.OWNER)
    members.change(second, owner.pk, role=Role.VIEWER, may_send=True)
    assert refusal(lambda: members.remove(owner, second.pk, now=NOW)) is Reason.LAST_OWNER


def test_two_owners_who_remove_each_other_at_once_leave_one(owner: Person) -> None:
    second = add(owner, "second", Role.OWNER)
    together = threading.Barrier(2)

    def remove(by: Person, other: Person) -> None:
        together.wait(10)
        with contextlib.suppress(Refused, Person.DoesNotExist):
            members.remove(by, other.pk, now=NOW)
        connection.close()

    pairs = ((owner, second), (second, owner))
    threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Person.objects.filter(role=Role.OWNER, is_active=True).count() == 1


def test_who_is_removed_signs_in_no_more_and_their_keys_are_void(owner: Person) -> None:
    yan = accept(invite(owner))
    assert owner.customer is not None
    assert owner.customer
    yan.apikey_set.create(customer=owner.customer, name="shop", sha256=b"x", created_at=NOW)
    members.remove(owner, yan.pk, now=NOW)
    yan.refresh_from_db()
    assert not yan.is_active
    assert yan.apikey_set.get().revoked_at == NOW


def test_nobody_changes_or_removes_a_member_of_another(owner: Person) -> None:
    yan = accept(invite(owner))
    mallory = Person.objects.get(customer=make_mallory())
    with pytest.raises(Person.DoesNotExist):
        members.change(mallory, yan.pk, role=Role.OWNER, may_send=True)
    with pytest.raises(Person.DoesNotExist):
        members.remove(mallory, yan.pk, now=NOW)
