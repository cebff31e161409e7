"""A thousand random acts with money against a plain model; then the books are checked to the pip (spec S80–S89)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from sampan.accounts.tables import Customer, Person
from sampan.billing import charities, entries, groups, ledger
from sampan.billing.tables import Account, StaffEntry, TopUp, Transfer
from sampan.billing.top_ups import file_top_up
from sampan.billing.trial import give_trial
from sampan.database import Connection
from sampan.messages.batches import cancel
from sampan.messages.reconcile import discrepancies
from sampan.reasons import Refused
from tests.dispatch.steps import Owner
from tests.world import NOW, SENDER, make_customer, make_places, make_staff, send

UNIT_PIPS = 2_900
ACTS, EXAMPLES, MOST_ACTS_EACH = 1_000, 5, 200
Kind = Account.Kind
AMOUNTS = st.integers(1, 4_000_000)
WHO = st.integers(0, 3)


class Money(RuleBasedStateMachine):
    """Four customers: a plain one, its sub, a charity, and one on its own; each beside a plain Counter of pips."""

    conn: Connection
    owner: Owner
    staff: tuple[Person, Person]
    made = 0
    compared = 0  # how often the ledger was found to be the model: after each act

    top_ups = Bundle("top_ups")
    waiting = Bundle("waiting")  # messages
    handed = Bundle("handed")

    def __init__(self) -> None:
        super().__init__()
        Money.made += 1
        names = [f"{name}{Money.made}" for name in ("plain", "sub", "charity", "alone")]
        self.customers = [make_customer(name, name=name, senders=(SENDER,), balance="0") for name in names]
        self.model = [Counter[Account.Kind]() for _ in names]
        self.first_bonus = False
        fanny, _frank = self.staff
        groups.link(self.customers[1].pk, self.customers[0].pk, why="a test", by=fanny, now=NOW)
        charities.record_certificate(
            self.customers[2], names[2], valid_from=NOW.date(), valid_until=None, why="a test", by=fanny, now=NOW
        )

    def moved(self, who: int, origin: Kind, target: Kind, pips: int) -> None:
        self.model[who][origin] -= pips
        self.model[who][target] += pips

    def movable(self, who: int) -> int:
        books = self.model[who]
        return max(0, min(books[Kind.AVAILABLE], -books[Kind.PAID] - books[Kind.MOVED]))

    def tried(self, allowed: bool, act: Any, *args: Any, **kwargs: Any) -> bool:
        """Do it; it must be done exactly where the model allows it."""
        try:
            act(*args, **kwargs)
        except (Refused, ledger.BalanceTooLow):
            assert not allowed
            return False
        assert allowed
        return True

    def enter(self, kind: StaffEntry.Kind, who: int, pips: int, **more: Any) -> None:
        """By two people where it takes them."""
        fanny, _frank = self.staff
        customer_id = self.customers[who].pk
        entry = entries.enter(kind, customer_id=customer_id, amount_pips=pips, why="a test", by=fanny, now=NOW, **more)
        self.confirm(entry)

    def enter_for_top_up(self, kind: StaffEntry.Kind, top_up_id: int) -> None:
        self.confirm(entries.enter_for_top_up(kind, top_up_id, why="a test", by=self.staff[0], now=NOW))

    def confirm(self, entry: StaffEntry) -> None:
        """By somebody else, where it waits for that."""
        if entry.state == StaffEntry.State.WAITING:
            entries.confirm(entry.pk, by=self.staff[1], now=NOW)

    @rule(target=top_ups, who=WHO, pips=st.integers(3_000_000, 9_000_000))
    def top_up(self, who: int, pips: int) -> tuple[int, int, int, int]:
        customer, books = self.customers[who], self.model[who]
        top_up = file_top_up(
            customer.pk,
            amount_pips=pips,
            way=TopUp.Way.FPS,
            reference=f"{who} {pips} {TopUp.objects.count()}",
            document=None,
            person=Person.objects.get(customer=customer),
            now=NOW,
        )
        self.enter_for_top_up(StaffEntry.Kind.TOP_UP, top_up.pk)
        bonus = 0
        if who == 2:
            bonus = pips // 10 + (0 if self.first_bonus else 2_000_000)
            self.first_bonus = True
        self.moved(who, Kind.PAID, Kind.AVAILABLE, pips)
        self.moved(who, Kind.BONUS, Kind.AVAILABLE, bonus)
        self.moved(who, Kind.AVAILABLE, Kind.DEBT, min(-books[Kind.DEBT], books[Kind.AVAILABLE]))
        return who, top_up.pk, pips, bonus

    @rule(top_up=consumes(top_ups))
    def reverse(self, top_up: tuple[int, int, int, int]) -> None:
        who, pk, pips, bonus = top_up
        self.enter_for_top_up(StaffEntry.Kind.REVERSAL, pk)
        self.moved(who, Kind.DEBT, Kind.AVAILABLE, max(0, pips + bonus - self.model[who][Kind.AVAILABLE]))
        self.moved(who, Kind.AVAILABLE, Kind.PAID, pips)
        self.moved(who, Kind.AVAILABLE, Kind.BONUS, bonus)
        if bonus > pips // 10:
            self.first_bonus = False
        Customer.objects.filter(pk=self.customers[who].pk).update(status=Customer.Status.NORMAL)

    @rule(who=WHO)
    def trial(self, who: int) -> None:
        mobile = 85290000000 + self.customers[who].pk
        if give_trial(self.customers[who].pk, mobile=mobile, registration=None, now=NOW):
            assert not self.model[who][Kind.TRIAL]
            self.moved(who, Kind.TRIAL, Kind.AVAILABLE, 50_000)

    @rule(who=WHO, pips=AMOUNTS)
    def bonus(self, who: int, pips: int) -> None:
        self.enter(StaffEntry.Kind.BONUS, who, pips)
        self.moved(who, Kind.BONUS, Kind.AVAILABLE, pips)

    @rule(who=WHO, pips=AMOUNTS)
    def service(self, who: int, pips: int) -> None:
        allowed = pips <= self.model[who][Kind.AVAILABLE]
        if self.tried(allowed, self.enter, StaffEntry.Kind.SERVICE, who, pips):
            self.moved(who, Kind.AVAILABLE, Kind.CHARGED, pips)

    @rule(who=WHO, pips=AMOUNTS)
    def refund(self, who: int, pips: int) -> None:
        if self.tried(pips <= self.movable(who), self.enter, StaffEntry.Kind.REFUND, who, pips):
            self.moved(who, Kind.AVAILABLE, Kind.PAID, pips)

    @rule(origin=WHO, other=WHO, pips=AMOUNTS, by_staff=st.booleans())
    def move(self, origin: int, other: int, pips: int, by_staff: bool) -> None:
        allowed = {origin, other} == {0, 1} and pips <= self.movable(origin)
        source, target = self.customers[origin].pk, self.customers[other].pk
        if by_staff:
            done = self.tried(allowed, self.enter, StaffEntry.Kind.MOVE, origin, pips, other_customer_id=target)
        else:
            person = Person.objects.get(customer=self.customers[0])
            done = self.tried(allowed, groups.move_as_owner, source, target, pips, by=person, now=NOW)
        if done:
            self.moved(origin, Kind.AVAILABLE, Kind.MOVED, pips)
            self.moved(other, Kind.MOVED, Kind.AVAILABLE, pips)

    @rule(target=waiting, who=WHO)
    def send(self, who: int) -> Any:
        if self.model[who][Kind.AVAILABLE] < UNIT_PIPS:
            return multiple()
        sent = send(self.conn, self.customers[who])
        self.moved(who, Kind.AVAILABLE, Kind.HELD, UNIT_PIPS)
        return who, sent.batch_id, sent.message_ids[0]

    @rule(target=handed, message=consumes(waiting))
    def hand_over(self, message: tuple[int, int, int]) -> tuple[int, int]:
        who, _batch_id, message_id = message
        self.owner.hand_over(self.customers[who])
        return who, message_id

    @rule(message=consumes(waiting))
    def cancel(self, message: tuple[int, int, int]) -> None:
        who, batch_id, message_id = message
        if message_id not in self.owner.attempted:
            cancel(self.conn, batch_id, NOW)
            self.moved(who, Kind.HELD, Kind.AVAILABLE, UNIT_PIPS)

    @rule(message=consumes(handed), is_taken=st.booleans())
    def answer(self, message: tuple[int, int], is_taken: bool) -> None:
        who, message_id = message
        (self.owner.taken if is_taken else self.owner.refused)(message_id)
        self.moved(who, Kind.HELD, Kind.CHARGED if is_taken else Kind.AVAILABLE, UNIT_PIPS)

    @invariant()
    def the_ledger_is_the_model(self) -> None:
        balances = ledger.balances(self.conn, [customer.pk for customer in self.customers])
        for customer, books in zip(self.customers, self.model, strict=True):
            assert {kind: balances[customer.pk, kind] for kind in Kind} == {kind: books[kind] for kind in Kind}
        Money.compared += 1

    def teardown(self) -> None:
        assert discrepancies(self.conn) == []


@pytest.mark.usefixtures("database")
def test_a_thousand_random_acts_leave_the_books_as_the_model_has_them(database: Connection) -> None:
    Money.conn, Money.owner = database, Owner(make_places())
    finance = Person.StaffRole.FINANCE
    Money.staff = make_staff("fanny", role=finance), make_staff("frank", role=finance)
    bounds = settings(
        max_examples=EXAMPLES,
        stateful_step_count=MOST_ACTS_EACH,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    while Money.compared < ACTS:  # an example may end early, as chance has it
        run_state_machine_as_test(Money, settings=bounds)
    assert Transfer.objects.exists()
