"""Acts of staff: each role does its own, and each is in a log that nobody rewrites (spec S134)."""

import os
import re
from itertools import product
from pathlib import Path

import psycopg
import pytest
from django.db import transaction

from sampan.accounts.acts import WITHOUT_GROUNDS, Act, NotAllowed, may, record
from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.accounts.doing import PAGES, Scene, do, set_the_scene
from tests.world import NOW, make_customer, make_staff

ROLES = list(Person.StaffRole)
PAGE = Path(__file__).parents[2] / "docs/operating/roles.md"
HEAD = """# What each role of staff does

`tests/accounts/test_acts.py` has every role really do every act and writes this page; do not edit it. Each act that is
done has a line in the audit log: who, what, before, after, why and from where. Members of customers do none of them.
"""


def test_the_table_of_acts_and_roles(database: Connection) -> None:
    """Every act, really done by every role: with its line in the log and why, or refused and nothing is changed.

    After a change: WRITE_PAGES=1 .venv/bin/pytest tests/accounts/test_acts.py -k table
    """
    scene = set_the_scene(database)
    staff = {role: make_staff(role.value, role=role) for role in ROLES}
    done = {(act, role): is_done(scene, act, staff[role]) for act, role in product(Act, ROLES)}
    assert done == {(act, role): role in act.roles for act, role in product(Act, ROLES)}
    page = page_of(done)
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def is_done(scene: Scene, act: Act, by: Person) -> bool:
    """Whether their role does it; what was done is undone again."""
    logged = AuditEntry.objects.count()
    with transaction.atomic():
        try:
            with transaction.atomic():
                do(scene, act, by)
        except NotAllowed:
            assert AuditEntry.objects.count() == logged, act
            return False
        lines = list(AuditEntry.objects.order_by("pk")[logged:])
        transaction.set_rollback(True)
    assert [(line.act, line.by) for line in lines] == ([] if act in PAGES else [(act.value, by)]), act
    assert all(line.why for line in lines) or act in WITHOUT_GROUNDS, act
    return True


@pytest.mark.parametrize("act", [act for act in Act if act not in WITHOUT_GROUNDS], ids=lambda act: act.value)
def test_nothing_is_done_without_a_reason(database: Connection, act: Act) -> None:
    """Spec S134: who, what, before, after, why."""
    with pytest.raises(Refused) as refused:
        record(act, by=make_staff(role=next(iter(act.roles))), subject="the tests", why="  ", now=NOW)
    assert refused.value.reason == Reason.NO_GROUNDS
    assert not AuditEntry.objects.exists()


def page_of(done: dict[tuple[Act, Person.StaffRole], bool]) -> str:
    rows = [
        f"| `{act.value}` | {' | '.join('yes' if done[act, role] else '–' for role in ROLES)} |"
        for act in sorted(Act, key=lambda act: act.value)
    ]
    head = f"| act | {' | '.join(role.value for role in ROLES)} |"
    return "\n".join((HEAD, head, "| --- |" + " --- |" * len(ROLES), *rows, ""))


@pytest.mark.parametrize("act", Act, ids=lambda act: act.value)
def test_an_act_names_a_thing_and_a_verb_and_somebody_may_do_it(act: Act) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", act.value)
    assert act.roles


def test_members_and_those_who_left_may_do_nothing(database: Connection) -> None:
    harbour = make_customer()
    owner = harbour.members.get()
    left = make_staff("left", role=Person.StaffRole.ADMIN)
    left.is_active = False
    assert [act for act in Act if may(owner, act) or may(left, act)] == []


def test_a_line_says_who_what_on_which_row_before_after_why_and_from_where(database: Connection) -> None:
    harbour = make_customer()
    ada = make_staff()
    ada.acting_from = "203.0.113.7"
    record(
        Act.HOLD_SENDING, by=ada, subject=harbour, before={"held": False}, after={"held": True}, why="a test", now=NOW
    )
    line = AuditEntry.objects.get()
    assert (line.at, line.act, line.by, line.role) == (NOW, "sending.hold", ada, "admin")
    assert (line.subject, line.customer) == (f"customer {harbour.pk}", harbour)
    assert (line.before, line.after, line.why) == ({"held": False}, {"held": True}, "a test")
    assert line.address == "203.0.113.7"


def test_what_is_undone_with_its_transaction_leaves_no_line(database: Connection) -> None:
    ada = make_staff()
    with transaction.atomic():
        record(Act.HOLD_SENDING, by=ada, subject="sending", why="a test", now=NOW)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET why = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"])
def test_the_database_refuses_to_rewrite_the_log(database: Connection, sql: str) -> None:
    record(Act.HOLD_SENDING, by=make_staff(), subject="sending", why="a test", now=NOW)
    with pytest.raises(psycopg.errors.RaiseException, match="only ever added"):
        database.execute(sql.encode())
    assert AuditEntry.objects.get().why == "a test"
