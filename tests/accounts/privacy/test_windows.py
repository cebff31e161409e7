"""Staff see recipients and texts only through an open window, and every look is logged (spec S133)."""

from datetime import timedelta

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.privacy.tables import SupportWindow
from sampan.accounts.privacy.windows import (
    close_abuse_case,
    close_window,
    look,
    looks_of,
    mask,
    open_abuse_case,
    open_to_customer,
    open_window,
    window_for,
    windows_of,
)
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.billing.money import at_once
from tests.world import NOW, make_customer, make_staff

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


@pytest.fixture
def wing(database: Connection) -> Person:
    return make_staff("wing", role=Person.StaffRole.SUPPORT)


@pytest.fixture
def carol(database: Connection) -> Person:
    return make_staff("carol", role=Person.StaffRole.COMPLIANCE)


def refusal(customer: Customer, person: Person) -> Reason | None:
    try:
        look(customer.pk, "message 100001", by=person, now=NOW)
    except Refused as refused:
        return refused.reason
    return None


def test_without_a_window_nobody_looks(harbour: Customer, wing: Person, carol: Person) -> None:
    assert refusal(harbour, wing) == refusal(harbour, carol) == Reason.NO_WINDOW
    assert not looks_of(harbour.pk, NOW).exists()


def test_the_owner_opens_one_and_sees_who_looked(harbour: Customer, wing: Person) -> None:
    owner = harbour.members.get()
    open_window(hours=24, why="ticket 4", by=owner, now=NOW)
    assert refusal(harbour, wing) is None
    (seen,) = looks_of(harbour.pk, NOW)
    assert (seen.by, seen.subject, seen.why) == (wing, "message 100001", "ticket 4")
    close_window(by=owner, now=NOW)
    assert refusal(harbour, wing) == Reason.NO_WINDOW
    assert open_to_customer(harbour.pk, NOW) is None


def test_it_closes_by_itself(harbour: Customer, wing: Person) -> None:
    open_window(hours=1, why="", by=harbour.members.get(), now=NOW)
    assert window_for(wing, harbour.pk, LATER - timedelta(seconds=1))
    assert window_for(wing, harbour.pk, LATER) is None


def test_a_window_is_for_its_customer_alone(harbour: Customer, wing: Person) -> None:
    mallory = make_customer("mallory", name="Mallory Ltd", senders=("Mallory",))
    open_window(hours=1, why="", by=mallory.members.get(), now=NOW)
    assert refusal(harbour, wing) == Reason.NO_WINDOW
    assert not windows_of(harbour.pk, NOW).exists()


@pytest.mark.parametrize("role", [Person.Role.SENDER, Person.Role.VIEWER, Person.Role.FINANCE])
def test_only_the_owner_opens_and_closes(harbour: Customer, role: Person.Role) -> None:
    member = Person.objects.create(login_name="yan", customer=harbour, role=role, created_at=NOW)
    for attempt in (
        lambda: open_window(hours=1, why="", by=member, now=NOW),
        lambda: close_window(by=member, now=NOW),
    ):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.reason == Reason.OWNERS_ONLY


def test_only_offered_times_are_taken(harbour: Customer) -> None:
    with pytest.raises(Refused):
        open_window(hours=100_000, why="", by=harbour.members.get(), now=NOW)


def test_a_customer_who_closes_it_while_staff_look_knows_of_every_look(harbour: Customer, wing: Person) -> None:
    owner, looked = harbour.members.get(), 0
    for _ in range(5):
        open_window(hours=1, why="", by=owner, now=NOW)
        closed, refused = at_once(
            lambda: close_window(by=owner, now=NOW), lambda: look(harbour.pk, "message 100001", by=wing, now=NOW)
        )
        assert closed is None
        looked += refused is None
        assert looks_of(harbour.pk, NOW).count() == looked
        assert refusal(harbour, wing) == Reason.NO_WINDOW


def test_opening_again_closes_the_one_before(harbour: Customer) -> None:
    for hours in (1, 24):
        open_window(hours=hours, why="", by=harbour.members.get(), now=NOW)
    assert [each.closed_at for each in SupportWindow.objects.order_by("pk")] == [NOW, None]


def test_an_abuse_case_has_a_reason_and_is_for_compliance_alone(harbour: Customer, wing: Person, carol: Person) -> None:
    with pytest.raises(NotAllowed):
        open_abuse_case(harbour, why="phishing reports", by=wing, now=NOW)
    with pytest.raises(Refused) as refused:
        open_abuse_case(harbour, why=" ", by=carol, now=NOW)
    assert refused.value.reason == Reason.NO_GROUNDS
    open_abuse_case(harbour, why="phishing reports", by=carol, now=NOW)
    assert refusal(harbour, carol) is None
    assert refusal(harbour, wing) == Reason.NO_WINDOW


def test_of_an_abuse_case_the_customer_learns_when_it_is_over(harbour: Customer, carol: Person) -> None:
    open_abuse_case(harbour, why="phishing reports", by=carol, now=NOW)
    look(harbour.pk, "message 100001", by=carol, now=NOW)
    assert not windows_of(harbour.pk, NOW).exists()
    assert not looks_of(harbour.pk, NOW).exists()
    close_abuse_case(harbour, why="unfounded", by=carol, now=NOW)
    assert windows_of(harbour.pk, NOW).get().why == "phishing reports"
    assert looks_of(harbour.pk, NOW).get().by == carol


def test_the_customer_cannot_close_an_abuse_case(harbour: Customer, carol: Person) -> None:
    open_abuse_case(harbour, why="phishing reports", by=carol, now=NOW)
    owner = harbour.members.get()
    open_window(hours=1, why="", by=owner, now=NOW)
    close_window(by=owner, now=NOW)
    assert refusal(harbour, carol) is None


@pytest.mark.parametrize(
    ("number", "masked"), [(85291234567, "852••••••67"), (8613800138000, "861••••••••00"), (1234, "••••")]
)
def test_a_masked_number_tells_little(number: int, masked: str) -> None:
    assert mask(number) == masked
