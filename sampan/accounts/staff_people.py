"""Our own people: an administrator lets them in, gives them a role, and lets them out (spec S134).

Nobody changes themselves, and one administrator always stays. Whoever was let in chooses a password by a link that goes
to their mail address, and is asked for a second factor before anything else.
"""

from datetime import datetime
from typing import TypeAlias

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from sampan.accounts import second_factor, sessions
from sampan.accounts.acts import Act, record, require
from sampan.accounts.sign_up import is_login_name, refuse_taken
from sampan.accounts.tables import Person
from sampan.reasons import Reason, Refused

Role: TypeAlias = Person.StaffRole


@transaction.atomic
def make_first_administrator(login_name: str, *, name: str, password: str, now: datetime) -> Person:
    """For a platform that has none. Raises Refused: ADMINISTRATOR_THERE, BAD_LOGIN_NAME, LOGIN_NAME_TAKEN."""
    if _lock_administrators():
        raise Refused(Reason.ADMINISTRATOR_THERE)
    person = _made(login_name, name=name, email="", role=Role.ADMIN, password=make_password(password), now=now)
    after = {"login_name": login_name, "role": Role.ADMIN.value}
    record(Act.ADD_STAFF, by=person, subject=person, after=after, why="the first, at the command line", now=now)
    return person


@transaction.atomic
def add(login_name: str, *, name: str, email: str, role: str, by: Person, why: str, now: datetime) -> Person:
    """Somebody who has no password yet. Raises NotAllowed, Refused."""
    require(by, Act.ADD_STAFF)
    _refuse_silence(why)
    person = _made(login_name, name=name, email=email, role=Role(role), password=make_password(None), now=now)
    after = {"login_name": login_name, "role": role, "email": email}
    record(Act.ADD_STAFF, by=by, subject=person, after=after, why=why, now=now)
    return person


def _made(login_name: str, *, name: str, email: str, role: Role, password: str, now: datetime) -> Person:
    if not is_login_name(login_name):
        raise Refused(Reason.BAD_LOGIN_NAME, "login_name", login_name)
    refuse_taken(login_name)
    try:
        with transaction.atomic():
            return Person.objects.create(
                login_name=login_name, name=name, email=email, staff_role=role, password=password, created_at=now
            )
    except IntegrityError:
        raise Refused(Reason.LOGIN_NAME_TAKEN, "login_name", login_name) from None


@transaction.atomic
def change_role(person_id: int, role: str, *, by: Person, why: str, now: datetime) -> Person:
    """Another role, from this moment on. Raises NotAllowed, Refused: OWN_ROLE, NO_GROUNDS."""
    person = _somebody_else(person_id, Act.CHANGE_STAFF, by, why)
    before, person.staff_role = person.staff_role, Role(role)
    person.save(update_fields=["staff_role"])
    after = {"role": role}
    record(Act.CHANGE_STAFF, by=by, subject=person, before={"role": before}, after=after, why=why, now=now)
    return person


@transaction.atomic
def let_out(person_id: int, *, by: Person, why: str, now: datetime) -> Person:
    """They sign in no more, and are signed out everywhere; what they did stays theirs. Raises as `change_role`."""
    person = _somebody_else(person_id, Act.LET_STAFF_OUT, by, why)
    person.is_active = False
    person.save(update_fields=["is_active"])
    sessions.end_all(person)
    record(Act.LET_STAFF_OUT, by=by, subject=person, before={"role": person.staff_role}, why=why, now=now)
    return person


@transaction.atomic
def let_in_again(person_id: int, *, by: Person, why: str, now: datetime) -> Person:
    """With the role they had, and without the second factor they had: it is set up anew. Raises as `change_role`."""
    person = _somebody_else(person_id, Act.ADD_STAFF, by, why)
    person.is_active = True
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    second_factor.remove(person)
    record(Act.ADD_STAFF, by=by, subject=person, after={"role": person.staff_role}, why=why, now=now)
    return person


@transaction.atomic
def remove_second_factor(person_id: int, *, by: Person, why: str, now: datetime) -> Person:
    """For who lost the phone and the codes: the next sign-in sets up another one. Raises as `change_role`."""
    person = _somebody_else(person_id, Act.RESET_STAFF_FACTOR, by, why)
    second_factor.remove(person)
    sessions.end_all(person)
    record(Act.RESET_STAFF_FACTOR, by=by, subject=person, why=why, now=now)
    return person


def _somebody_else(person_id: int, act: Act, by: Person, why: str) -> Person:
    """The person, locked; and the administrators, so that two who let each other out do it one after the other."""
    if by.pk not in _lock_administrators():
        by.refresh_from_db(fields=["is_active", "staff_role"])
    require(by, act)
    if by.pk == person_id:
        raise Refused(Reason.OWN_ROLE, "person")
    _refuse_silence(why)
    return Person.objects.select_for_update(no_key=True).get(pk=person_id, customer=None)


def _lock_administrators() -> list[int]:
    administrators = Person.objects.select_for_update(no_key=True).filter(staff_role=Role.ADMIN, is_active=True)
    return list(administrators.order_by("pk").values_list("pk", flat=True))


def _refuse_silence(why: str) -> None:
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
