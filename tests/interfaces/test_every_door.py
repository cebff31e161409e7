"""One meaning, many doors: the same good and bad requests through each, and the same outcome in its own words.

`cases.py` beside the doors has what is asked and what becomes of it; docs/api/reasons.md is made of both.
"""

import asyncio
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sampan
from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, Snapshot
from sampan.messages import intake
from sampan.messages.tables import Source, Status
from sampan.reasons import BY_NUMBER, Reason
from tests.dispatch import running  # noqa: F401 - lets a test's loop ask the ORM
from tests.interfaces.doors import Answer, Door, Request, all_doors
from tests.interfaces.doors.cases import ANOTHER, CASES, HONG_KONG, Case
from tests.interfaces.doors.page import PAGE, page, refusals
from tests.world import make_customer, make_places

DOORS = all_doors()
ANSWERED_WITHIN_S = 30.0
PACKAGE = Path(sampan.__file__).parent
CORE = (  # what a draft meets on its way
    "accounts/access.py",
    "compliance/footers.py",
    "composing/parts.py",
    "composing/template.py",
    "messages/intake.py",
    "messages/personal.py",
    "messages/planning.py",
    "messages/submit.py",
    "messages/ways.py",
)
SENDER_OF_POOR = "Poor"

ROWS = """
    SELECT m.recipient, m.status, m.reason, m.price_pips, b.source
      FROM message m JOIN batch b ON b.id = m.batch_id ORDER BY m.id"""


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer(balance="10")


def ask(door: Door, *requests: Request) -> list[Answer]:
    """What the door answers to each in turn."""

    async def scenario() -> list[Answer]:
        async with asyncio.timeout(ANSWERED_WITHIN_S), door.open() as send:
            return [await send(request) for request in requests]

    return asyncio.run(scenario())


def rows_of(conn: Connection) -> list[tuple[int, Status, Reason, int, Source]]:
    """What was written."""
    found = conn.execute(ROWS).fetchall()
    return [(to, Status(status), BY_NUMBER[reason], pips, Source(source)) for to, status, reason, pips, source in found]


def available(conn: Connection, customer: Customer) -> int:
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


def asked() -> list[Any]:
    pairs = [(door, case) for door in DOORS for case in CASES if case.is_asked_at(door)]
    return [pytest.param(door, case, id=f"{door.name}: {case.name}") for door, case in pairs]


def those_that_meet(reason: Reason) -> list[Door]:
    return [door for door in DOORS if reason not in door.never]


def named(door: Door) -> str:
    return door.name


@pytest.mark.parametrize(("door", "case"), asked())
def test_every_door_gives_the_same_outcome_in_its_own_words(
    database: Connection, harbour: Customer, door: Door, case: Case
) -> None:
    """Spec S7, S41, S60–S65, S81, S84, S87, S90–S96."""
    case.before(database, harbour)
    Snapshot.forget_all()
    before = available(database, harbour)
    (answer,) = ask(door, case.request)
    refusal = case.refusal_at(door)
    if refusal is not None:
        assert answer == Answer(door.words[refusal])
        assert rows_of(database) == []
        assert available(database, harbour) == before
        return
    written = [row for row in case.rows if row.reason != Reason.NOT_A_MOBILE]
    assert answer.refusal == ""
    assert answer.refused == {row.recipient: door.words[row.reason] for row in case.rows if row not in written}
    assert rows_of(database) == [
        (int(row.recipient), row.status, row.reason, row.price_pips, door.source) for row in written
    ]
    held = sum(row.price_pips for row in written if row.status != Status.SCHEDULING)  # which holds when it is due
    assert available(database, harbour) == before - held
    told = set(answer.ids)
    assert told
    assert told <= {id_ for (id_,) in database.execute("SELECT id FROM message")}


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_what_the_balance_does_not_cover_is_refused_whole(database: Connection, harbour: Customer, door: Door) -> None:
    """Spec S81."""
    make_customer("poor", senders=(SENDER_OF_POOR,), balance="0.5799")
    request = Request(login_name="poor", sender=SENDER_OF_POOR, recipients=(HONG_KONG, ANOTHER))
    assert ask(door, request) == [Answer(door.words[Reason.BALANCE_TOO_LOW])]
    assert rows_of(database) == []


@pytest.mark.parametrize("door", [door for door in DOORS if "client_reference" in door.says], ids=named)
def test_a_repeat_gives_the_first_answer_and_other_content_is_refused(
    database: Connection, harbour: Customer, door: Door
) -> None:
    """Spec S8."""
    request = Request(client_reference="order 7")
    first, again, other = ask(door, request, request, replace(request, text="Other roses"))
    assert first == again
    assert first.refusal == ""
    assert other == Answer(door.words[Reason.REFERENCE_REUSED])
    assert len(rows_of(database)) == 1


@pytest.mark.parametrize("door", those_that_meet(Reason.TOO_MANY_RECIPIENTS), ids=named)
def test_one_recipient_too_many_is_refused(database: Connection, harbour: Customer, door: Door) -> None:
    too_many = tuple(str(85260000000 + number) for number in range(door.most_recipients + 1))
    assert ask(door, Request(recipients=too_many)) == [Answer(door.words[Reason.TOO_MANY_RECIPIENTS])]
    assert rows_of(database) == []


@pytest.mark.parametrize("door", those_that_meet(Reason.OVERLOADED), ids=named)
def test_a_crowd_is_asked_to_come_again(
    database: Connection, harbour: Customer, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spec S125."""
    monkeypatch.setattr(intake, "MOST_PENDING", 0)
    assert ask(door, Request()) == [Answer(door.words[Reason.OVERLOADED])]


@pytest.mark.parametrize("door", DOORS, ids=named)
def test_what_nobody_expected_is_told_too(database: Connection, harbour: Customer, door: Door) -> None:
    database.execute("ALTER TABLE batch ADD CONSTRAINT nothing_goes CHECK (false) NOT VALID")
    try:
        assert ask(door, Request()) == [Answer(door.words[Reason.UNEXPECTED])]
    finally:
        database.execute("ALTER TABLE batch DROP CONSTRAINT nothing_goes")
    assert rows_of(database) == []


def test_whatever_the_core_can_refuse_is_asked_at_some_door() -> None:
    raised = {name for path in CORE for name in re.findall(r"Refused\(\s*Reason\.(\w+)", (PACKAGE / path).read_text())}
    assert {Reason[name] for name in raised} - set(refusals(DOORS)) == set()


def test_the_page_says_what_the_doors_say() -> None:
    """After a change: WRITE_PAGES=1 .venv/bin/pytest tests/interfaces/test_every_door.py -k page"""
    if os.environ.get("WRITE_PAGES"):
        PAGE.write_text(page(DOORS))
    assert PAGE.read_text() == page(DOORS)
