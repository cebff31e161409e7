"""Our own people: let in, given a role and let out by administrators, and never by themselves (spec S134)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections

from sampan.accounts import staff_people
from sampan.accounts.acts import NotAllowed
from sampan.accounts.proofs.tables import OpenSession, SecondFactor
from sampan.accounts.second_factor import has_second_factor
from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.world import NOW, PASSWORD, make_customer, make_staff

Role = Person.StaffRole
WHY = "joined us on Monday"


def let_in(by: Person, login_name: str = "wing", role: str = Role.FINANCE, why: str = WHY) -> Person:
    return staff_people.add(login_name, name="Wing", email="wing@sampan.example", role=role, by=by, why=why, now=NOW)


def test_who_is_let_in_has_a_role_no_password_and_a_line_in_the_log(database: Connection) -> None:
    ada = make_staff()
    wing = let_in(ada)
    assert (wing.staff_role, wing.customer, wing.is_active) == (Role.FINANCE, None, True)
    assert not wing.has_usable_password()
    assert not has_second_factor(wing)
    line = AuditEntry.objects.get()
    assert (line.act, line.by, line.subject, line.why) == ("staff.add", ada, f"person {wing.pk}", WHY)
    assert line.after == {"login_name": "wing", "role": "finance", "email": "wing@sampan.example"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"login_name": "ada"}, Reason.LOGIN_NAME_TAKEN),
        ({"login_name": "HARBOUR"}, Reason.LOGIN_NAME_TAKEN),
        ({"login_name": "w!"}, Reason.BAD_LOGIN_NAME),
        ({"why": "  "}, Reason.NO_GROUNDS),
    ],
)
def test_who_cannot_be_let_in_is_not(database: Connection, changes: dict[str, Any], reason: Reason) -> None:
    make_customer()
    ada = make_staff()
    with pytest.raises(Refused) as refused:
        let_in(ada, **changes)
    assert refused.value.reason == reason
    assert not AuditEntry.objects.exists()


def test_a_role_counts_from_that_moment_on(database: Connection) -> None:
    ada, fay = make_staff(), make_staff("fay", role=Role.FINANCE)
    staff_people.change_role(fay.pk, Role.SUPPORT, by=ada, why=WHY, now=NOW)
    assert Person.objects.get(pk=fay.pk).staff_role == Role.SUPPORT
    line = AuditEntry.objects.get()
    assert (line.act, line.before, line.after) == ("staff.change", {"role": "finance"}, {"role": "support"})


def test_who_is_let_out_is_signed_out_everywhere_and_comes_back_with_nothing_but_the_role(database: Connection) -> None:
    ada, fay = make_staff(), make_staff("fay", role=Role.FINANCE)
    OpenSession.objects.create(key="k", person=fay, created_at=NOW, seen_at=NOW)
    staff_people.let_out(fay.pk, by=ada, why="left us", now=NOW)
    assert not Person.objects.get(pk=fay.pk).is_active
    assert not OpenSession.objects.exists()
    back = staff_people.let_in_again(fay.pk, by=ada, why="came back", now=NOW)
    assert (back.is_active, back.staff_role, back.check_password(PASSWORD)) == (True, Role.FINANCE, False)
    assert not has_second_factor(back)


def test_a_lost_phone_is_replaced_by_an_administrator(database: Connection) -> None:
    ada, fay = make_staff(), make_staff("fay", role=Role.FINANCE)
    staff_people.remove_second_factor(fay.pk, by=ada, why="lost the phone; called back", now=NOW)
    assert list(SecondFactor.objects.values_list("person__login_name", flat=True)) == ["ada"]
    assert AuditEntry.objects.get().act == "staff.reset_second_factor"


Do = Callable[[int, Person], object]
ACTS: list[Do] = [
    lambda who, by: staff_people.change_role(who, Role.SUPPORT, by=by, why=WHY, now=NOW),
    lambda who, by: staff_people.let_out(who, by=by, why=WHY, now=NOW),
    lambda who, by: staff_people.let_in_again(who, by=by, why=WHY, now=NOW),
    lambda who, by: staff_people.remove_second_factor(who, by=by, why=WHY, now=NOW),
]
NAMES = ["change", "let out", "let in again", "second factor"]


@pytest.mark.parametrize("do", ACTS, ids=NAMES)
def test_nobody_does_it_to_themselves(database: Connection, do: Do) -> None:
    ada = make_staff()
    make_staff("ben")
    with pytest.raises(Refused) as refused:
        do(ada.pk, ada)
    assert refused.value.reason == Reason.OWN_ROLE
    assert Person.objects.get(pk=ada.pk).staff_role == Role.ADMIN


@pytest.mark.parametrize("do", ACTS, ids=NAMES)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_administrators_alone_do_it(database: Connection, do: Do, role: Person.StaffRole) -> None:
    someone, other = make_staff("someone", role=role), make_staff("other", role=Role.FINANCE)
    with pytest.raises(NotAllowed):
        do(other.pk, someone)
    with pytest.raises(NotAllowed):
        let_in(someone)


@pytest.mark.parametrize("do", ACTS, ids=NAMES)
def test_members_of_customers_are_none_of_our_people(database: Connection, do: Do) -> None:
    owner = make_customer().members.get()
    with pytest.raises(Person.DoesNotExist):
        do(owner.pk, make_staff())


def test_two_administrators_who_let_each_other_out_at_once_leave_one(database: Connection) -> None:
    for name in ("ada", "ben"):
        make_staff(name)

    def let_out(names: tuple[str, str]) -> str:
        by, who = (Person.objects.get(login_name=name) for name in names)
        try:
            staff_people.let_out(who.pk, by=by, why="a quarrel", now=NOW)
        except NotAllowed:
            return "refused"
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(let_out, [("ada", "ben"), ("ben", "ada")]))
    assert sorted(outcomes) == ["done", "refused"]
    assert Person.objects.filter(staff_role=Role.ADMIN, is_active=True).count() == 1


def test_the_first_administrator_is_made_once(database: Connection) -> None:
    first = staff_people.make_first_administrator("ada", name="Ada", password=PASSWORD, now=NOW)
    assert (first.staff_role, first.check_password(PASSWORD)) == (Role.ADMIN, True)
    assert AuditEntry.objects.get().by == first
    with pytest.raises(Refused) as refused:
        staff_people.make_first_administrator("ben", name="Ben", password=PASSWORD, now=NOW)
    assert refused.value.reason == Reason.ADMINISTRATOR_THERE
