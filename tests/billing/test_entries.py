"""Money that staff enter: a second person above a limit, never the same one; who may; who is quicker (spec S85)."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import psycopg
import pytest
from django.db import IntegrityError

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.billing import entries, ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, StaffEntry, Transfer
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.billing.money import DONE, WAITING, at_once, credited, entered, filed, pips, reason_of, reversed_
from tests.world import NOW, make_customer, make_staff

Kind = StaffEntry.Kind
FINANCE = Person.StaffRole.FINANCE


@pytest.fixture
def fanny(database: Connection) -> Person:
    return make_staff("fanny", role=FINANCE)


@pytest.fixture
def frank(database: Connection) -> Person:
    return make_staff("frank", role=FINANCE)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer(balance="1,000")


def test_a_small_entry_is_done_at_once_and_logged_with_before_and_after(
    database: Connection, fanny: Person, harbour: Customer
) -> None:
    entry = entered(Kind.BONUS, harbour, "20", by=fanny)
    assert entry.state == DONE
    assert pips(database, harbour) == pips_of("1,020")
    log = AuditEntry.objects.get(act="money.bonus")
    assert (log.by, log.customer, log.why) == (fanny, harbour, "the tests' grounds")
    assert (log.before["available"], log.after["available"]) == ("1,000.0000", "1,020.0000")


def test_a_service_charge_is_taken_from_what_is_available(
    database: Connection, fanny: Person, harbour: Customer
) -> None:
    entered(Kind.SERVICE, harbour, "400", by=fanny)
    assert pips(database, harbour) == pips_of("600")
    assert reason_of(lambda: entered(Kind.SERVICE, harbour, "600.0001", by=fanny)) == Reason.BALANCE_TOO_LOW
    assert StaffEntry.objects.count() == 1, "a refused entry leaves nothing"


def test_above_the_limit_a_second_person_confirms_and_nobody_their_own(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    entry = entered(Kind.BONUS, harbour, "10,000.0001", by=fanny)
    assert entry.state == WAITING
    assert pips(database, harbour) == pips_of("1,000")
    own = reason_of(lambda: entries.confirm(entry.pk, by=fanny, now=NOW))
    assert own == Reason.SECOND_PERSON_NEEDED
    done = entries.confirm(entry.pk, by=frank, now=NOW)
    assert (done.state, done.decided_by) == (DONE, frank)
    assert pips(database, harbour) == pips_of("11,000.0001")
    assert Transfer.objects.get(entry=entry).entered_by == fanny
    assert reason_of(lambda: entries.confirm(entry.pk, by=frank, now=NOW)) == Reason.DECIDED_ALREADY


def test_small_steps_do_not_lead_past_the_limit(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    """What one person enters alone for one customer within a day counts together."""
    assert entered(Kind.BONUS, harbour, "6,000", by=fanny).state == DONE
    assert entered(Kind.BONUS, harbour, "4,000", by=fanny).state == DONE
    over = entered(Kind.BONUS, harbour, "0.0001", by=fanny)
    assert over.state == WAITING
    entries.confirm(over.pk, by=frank, now=NOW)
    assert entered(Kind.BONUS, harbour, "10,000", by=frank).state == DONE, "what a second one confirmed does not count"
    assert entered(Kind.BONUS, make_customer("other"), "10,000", by=fanny).state == DONE
    tomorrow = NOW + timedelta(days=1)
    again = entries.enter(
        Kind.BONUS, customer_id=harbour.pk, amount_pips=pips_of("10,000"), why="a day later", by=fanny, now=tomorrow
    )
    assert again.state == DONE


def test_one_who_enters_twice_at_once_is_counted_twice(database: Connection, fanny: Person, harbour: Customer) -> None:
    at_once(*[lambda: entered(Kind.BONUS, harbour, "6,000", by=fanny)] * 2)
    assert sorted(StaffEntry.objects.values_list("state", flat=True)) == [WAITING, DONE]


def test_a_move_to_nobody_is_refused(fanny: Person, harbour: Customer) -> None:
    for other in (None, 999_999, harbour.pk):
        refused = reason_of(lambda other=other: entered(Kind.MOVE, harbour, "1", by=fanny, other_customer_id=other))
        assert refused == Reason.NOT_OF_ONE_GROUP


def test_a_top_up_above_the_limit_waits_too_and_cannot_be_entered_twice(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    top_up = filed(harbour, "20,000")
    entry = entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why="listed", by=fanny, now=NOW)
    assert entry.state == WAITING
    twice = reason_of(lambda: entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why="listed", by=frank, now=NOW))
    assert twice == Reason.DECIDED_ALREADY
    entries.confirm(entry.pk, by=frank, now=NOW)
    assert pips(database, harbour) == pips_of("21,000")


def test_a_refused_entry_moves_nothing_and_its_top_up_can_be_entered_again(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    top_up = filed(harbour, "20,000")
    entry = entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why="listed", by=fanny, now=NOW)
    refused = entries.refuse(entry.pk, words="it says 2,000", by=frank, now=NOW)
    assert (refused.state, refused.words, refused.decided_by) == (StaffEntry.State.REFUSED, "it says 2,000", frank)
    again = entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why="looked again", by=fanny, now=NOW)
    taken_back = entries.refuse(again.pk, words="I was wrong", by=fanny, now=NOW)
    assert taken_back.decided_by is None
    assert pips(database, harbour) == pips_of("1,000")


def test_a_refund_needs_two_people_however_small(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    entry = entered(Kind.REFUND, harbour, "1", by=fanny)
    assert entry.state == WAITING
    entries.confirm(entry.pk, by=frank, now=NOW)
    assert pips(database, harbour, Account.Kind.PAID) == -pips_of("999")


def test_no_more_is_refunded_than_was_paid(database: Connection, fanny: Person, frank: Person) -> None:
    """Trial and bonus are not money to take out (spec S85a)."""
    harbour = make_customer(balance="0")
    credited(harbour, "300", by=fanny)
    entered(Kind.BONUS, harbour, "100", by=fanny)
    assert reason_of(lambda: entered(Kind.REFUND, harbour, "300.0001", by=fanny)) == Reason.MORE_THAN_PAID
    first, second = (entered(Kind.REFUND, harbour, "200", by=fanny) for _ in range(2))
    entries.confirm(first.pk, by=frank, now=NOW)
    assert reason_of(lambda: entries.confirm(second.pk, by=frank, now=NOW)) == Reason.MORE_THAN_PAID
    second.refresh_from_db()
    assert second.state == WAITING, "it can still be refused with words"
    assert pips(database, harbour) == pips_of("200")


def test_the_database_itself_wants_two_people(database: Connection, fanny: Person, harbour: Customer) -> None:
    entry = entered(Kind.REFUND, harbour, "1", by=fanny)
    for changes in ({"state": DONE}, {"state": DONE, "decided_by": fanny}):
        with pytest.raises(IntegrityError, match="staff_entry_two_people"):
            StaffEntry.objects.filter(pk=entry.pk).update(**changes)


@pytest.mark.parametrize("amount", ["0", "-1", "10,000,000.0001"])
def test_amounts_are_above_nothing_and_not_beyond_reason(
    database: Connection, fanny: Person, harbour: Customer, amount: str
) -> None:
    reason = reason_of(lambda: entered(Kind.BONUS, harbour, amount, by=fanny))
    assert reason in {Reason.AMOUNT_TOO_SMALL, Reason.AMOUNT_TOO_LARGE}


@pytest.mark.parametrize("role", [role for role in Person.StaffRole if role != FINANCE])
def test_only_finance_moves_money(database: Connection, fanny: Person, harbour: Customer, role: str) -> None:
    other = make_staff("other", role=Person.StaffRole(role))
    entry, top_up = entered(Kind.REFUND, harbour, "1", by=fanny), filed(harbour)
    attempts: list[Callable[[], object]] = [
        lambda: entered(Kind.BONUS, harbour, "1", by=other),
        lambda: entered(Kind.REFUND, harbour, "1", by=other),
        lambda: entries.confirm(entry.pk, by=other, now=NOW),
        lambda: entries.refuse(entry.pk, words="no", by=other, now=NOW),
        lambda: entries.enter_for_top_up(Kind.TOP_UP, top_up.pk, why="listed", by=other, now=NOW),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()
    assert pips(database, harbour) == pips_of("1,000")


def test_two_who_confirm_one_entry_at_once_move_it_once(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    fay = make_staff("fay", role=FINANCE)
    for _ in range(5):
        entry = entered(Kind.REFUND, harbour, "10", by=fanny)
        raised = at_once(*(partial(entries.confirm, entry.pk, by=person, now=NOW) for person in (frank, fay)))
        assert sum(error is not None for error in raised) == 1
    assert pips(database, harbour) == pips_of("950")


def test_one_who_confirms_and_one_who_refuses_at_once_agree_on_one(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    fay = make_staff("fay", role=FINANCE)
    entry = entered(Kind.REFUND, harbour, "10", by=fanny)
    raised = at_once(
        lambda: entries.confirm(entry.pk, by=frank, now=NOW),
        lambda: entries.refuse(entry.pk, words="no", by=fay, now=NOW),
    )
    entry.refresh_from_db()
    assert (raised[0] is None, pips(database, harbour)) == (
        (True, pips_of("990")) if entry.state == DONE else (False, pips_of("1,000"))
    )


def test_staff_who_refund_while_the_customer_spends_never_overdraw(
    database: Connection, fanny: Person, frank: Person, harbour: Customer
) -> None:
    """A hold and a refund of all there is, at once: exactly one of them gets it."""
    entry = entered(Kind.REFUND, harbour, "1,000", by=fanny)

    def spend() -> None:
        from sampan.database import connect

        with connect("tests") as conn:
            try:
                amount = pips_of("1,000")
                ledger.move(conn, Transfer.Kind.HOLD, customer_id=harbour.pk, amount_pips=amount, now=NOW, note="")
            except ledger.BalanceTooLow as error:
                raise Refused(Reason.BALANCE_TOO_LOW) from error

    raised = at_once(spend, lambda: entries.confirm(entry.pk, by=frank, now=NOW))
    assert sum(error is not None for error in raised) == 1
    assert pips(database, harbour) == 0


def test_a_reversal_while_the_customer_spends_leaves_a_debt_or_no_hold(
    database: Connection, fanny: Person, harbour: Customer
) -> None:
    customer = make_customer("other", balance="0")
    top_up = credited(customer, "300", by=fanny)

    def spend() -> None:
        from sampan.database import connect

        with connect("tests") as conn:
            try:
                amount = pips_of("300")
                ledger.move(conn, Transfer.Kind.HOLD, customer_id=customer.pk, amount_pips=amount, now=NOW, note="")
            except ledger.BalanceTooLow as error:
                raise Refused(Reason.BALANCE_TOO_LOW) from error

    raised = at_once(spend, lambda: reversed_(top_up, by=fanny))
    held, debt = pips(database, customer, Account.Kind.HELD), pips(database, customer, Account.Kind.DEBT)
    assert raised[1] is None
    assert (held, debt) == ((0, 0) if raised[0] else (pips_of("300"), -pips_of("300")))
    assert pips(database, customer) == 0


def test_a_plain_statement_of_sql_cannot_take_out_a_bonus(database: Connection, harbour: Customer) -> None:
    ledger.move(database, Transfer.Kind.BONUS, customer_id=harbour.pk, amount_pips=1, now=NOW, note="")
    with pytest.raises(psycopg.errors.CheckViolation, match="more would be taken out"):
        database.execute(
            """INSERT INTO transfer (at, kind, customer_id, from_account_id, to_account_id, amount_pips, note)
               SELECT now(), 8, a.customer_id, a.id, p.id, 10000001, ''
                 FROM account a JOIN account p USING (customer_id)
                WHERE a.kind = 1 AND p.kind = 4"""
        )
