"""Support cases: the customer asks, staff test from the platform's account, the customer marks (spec S137)."""

from functools import partial

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection
from sampan.messages.cases import desk
from sampan.messages.cases.tables import CaseTest, SupportCase
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Message
from sampan.reasons import Reason, Refused
from sampan.settings import PLATFORM_SENDER
from tests.billing.money import at_once
from tests.dispatch.steps import Owner
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff, send

NUMBER = 85261234567


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


@pytest.fixture
def message_id(database: Connection, harbour: Customer) -> int:
    """Delivered, says the receipt."""
    owner = Owner(make_places())
    make_platform_account(NOW)
    (id_,) = send(database, harbour, [NUMBER]).message_ids
    owner.hand_over(harbour)
    owner.taken(id_, ref="r1")
    owner.receipt("r1")
    return id_


@pytest.fixture
def wing(database: Connection) -> Person:
    return make_staff("wing", role=Person.StaffRole.SUPPORT)


def opened(harbour: Customer, message_id: int) -> SupportCase:
    return desk.open_case(message_id, "It is not on the phone", by=harbour.members.get(), now=NOW)


def refusal(act: object) -> Reason:
    with pytest.raises(Refused) as refused:
        act()  # type: ignore[operator]
    return refused.value.reason


def test_a_case_is_of_one_message_and_says_what_it_is_about(harbour: Customer, message_id: int) -> None:
    case = opened(harbour, message_id)
    assert case.kind == SupportCase.Kind.DELIVERED_NOT_RECEIVED
    assert case.waits_for_staff
    assert refusal(lambda: opened(harbour, message_id)) == Reason.CASE_OPEN_ALREADY
    desk.close_case(case.pk, by=harbour.members.get(), now=NOW)
    assert opened(harbour, message_id).pk != case.pk


def test_only_what_an_operator_took_can_be_asked_about(
    database: Connection, harbour: Customer, message_id: int
) -> None:
    (waiting,) = send(database, harbour, [NUMBER]).message_ids
    assert refusal(lambda: opened(harbour, waiting)) == Reason.NOT_TAKEN_YET
    assert refusal(lambda: opened(harbour, 999)) == Reason.UNKNOWN_MESSAGE


def test_a_test_goes_to_the_same_number_from_our_own_account(
    database: Connection, harbour: Customer, message_id: int, wing: Person
) -> None:
    case = opened(harbour, message_id)
    before = ledger.balances(database, [harbour.pk])
    test = desk.send_test(case.pk, sender=PLATFORM_SENDER, route="hk-business", text="A test", by=wing, now=NOW)
    sent = Message.objects.get(pk=test.message_id)
    assert sent.recipient == NUMBER
    assert sent.customer.is_platform
    assert ledger.balances(database, [harbour.pk]) == before
    assert ledger.balances(database, [sent.customer_id])[sent.customer_id, Account.Kind.HELD] > 0
    line = AuditEntry.objects.get()
    assert (line.act, line.customer) == ("case.test", harbour)
    assert str(NUMBER) not in f"{line.after}{line.subject}{line.why}"


def test_the_customer_marks_a_test_once_and_it_waits_for_staff_again(
    harbour: Customer, message_id: int, wing: Person
) -> None:
    case, owner = opened(harbour, message_id), harbour.members.get()
    test = desk.send_test(case.pk, sender=PLATFORM_SENDER, route="", text="A test", by=wing, now=NOW)
    case.refresh_from_db()
    assert not case.waits_for_staff
    desk.mark_test(test.pk, received=False, by=owner, now=NOW)
    case.refresh_from_db()
    assert case.waits_for_staff
    assert CaseTest.objects.get().received is False
    assert refusal(lambda: desk.mark_test(test.pk, received=True, by=owner, now=NOW)) == Reason.NO_SUCH_CASE


def test_a_handset_gets_no_more_than_a_few_tests(harbour: Customer, message_id: int, wing: Person) -> None:
    case = opened(harbour, message_id)
    for number in range(desk.MOST_TESTS):
        desk.send_test(case.pk, sender=PLATFORM_SENDER, route="", text=f"Test {number}", by=wing, now=NOW)
    more = refusal(lambda: desk.send_test(case.pk, sender=PLATFORM_SENDER, route="", text="x", by=wing, now=NOW))
    assert more == Reason.TOO_MANY_TESTS


def test_a_customer_who_closes_a_case_gets_no_test_after_that(harbour: Customer, message_id: int, wing: Person) -> None:
    """Both at once: the test was sent before, or is refused."""
    case, mei = opened(harbour, message_id), harbour.members.get()
    test = partial(desk.send_test, case.pk, sender=PLATFORM_SENDER, route="", text="A test", by=wing, now=NOW)
    closed, tested = at_once(partial(desk.close_case, case.pk, by=mei, now=NOW), test)
    assert closed is None
    assert CaseTest.objects.count() == (tested is None)
    assert refusal(test) == Reason.NO_SUCH_CASE


def test_mallory_reaches_no_case_of_others(harbour: Customer, message_id: int, wing: Person) -> None:
    case = opened(harbour, message_id)
    test = desk.send_test(case.pk, sender=PLATFORM_SENDER, route="", text="A test", by=wing, now=NOW)
    mallory = make_mallory().members.get()
    for act in (
        lambda: desk.open_case(message_id, "Tell me", by=mallory, now=NOW),
        lambda: desk.ask(case.pk, "Tell me", by=mallory, now=NOW),
        lambda: desk.mark_test(test.pk, received=True, by=mallory, now=NOW),
        lambda: desk.close_case(case.pk, by=mallory, now=NOW),
    ):
        assert refusal(act) in (Reason.UNKNOWN_MESSAGE, Reason.NO_SUCH_CASE)


@pytest.mark.parametrize("role", [Person.StaffRole.FINANCE, Person.StaffRole.COMPLIANCE, Person.StaffRole.ADMIN])
def test_only_support_answers_and_tests(harbour: Customer, message_id: int, role: Person.StaffRole) -> None:
    case, other = opened(harbour, message_id), make_staff("other", role=role)
    with pytest.raises(NotAllowed):
        desk.answer(case.pk, "Hello", by=other, now=NOW)
    with pytest.raises(NotAllowed):
        desk.send_test(case.pk, sender=PLATFORM_SENDER, route="", text="A test", by=other, now=NOW)
    assert not CaseTest.objects.exists()
