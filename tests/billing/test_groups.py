"""Groups: a primary and its sub accounts; money moves between them, by staff or the primary's owner (spec S88)."""

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import Customer, Person
from sampan.billing import entries, groups, ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, StaffEntry, Transfer
from sampan.database import Connection
from sampan.reasons import Reason
from tests.billing.money import at_once, entered, pips, reason_of
from tests.world import NOW, make_customer, make_mallory, make_staff

WHY = "one business registration"


@pytest.fixture
def fanny(database: Connection) -> Person:
    return make_staff("fanny", role=Person.StaffRole.FINANCE)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


@pytest.fixture
def macau(database: Connection, fanny: Person, harbour: Customer) -> Customer:
    """Harbour Florist's sub account."""
    macau = make_customer("macau", name="Harbour Florist Macau", senders=(), balance="0")
    groups.link(macau.pk, harbour.pk, why=WHY, by=fanny, now=NOW)
    return macau


def owner(customer: Customer) -> Person:
    return Person.objects.get(customer=customer, role=Person.Role.OWNER)


def moved(origin: Customer, target: Customer, amount: str, by: Person) -> None:
    groups.move_as_owner(origin.pk, target.pk, pips_of(amount), by=by, now=NOW)


def test_the_primarys_owner_moves_money_both_ways_and_each_has_it_in_its_books(
    database: Connection, harbour: Customer, macau: Customer
) -> None:
    moved(harbour, macau, "300", owner(harbour))
    moved(macau, harbour, "100", owner(harbour))
    assert (pips(database, harbour), pips(database, macau)) == (pips_of("800"), pips_of("200"))
    books = Transfer.objects.filter(customer=macau).order_by("id").values_list("kind", "amount_pips", "note")
    assert list(books) == [
        (Transfer.Kind.RECEIVED, 3_000_000, "Harbour Florist"),
        (Transfer.Kind.SENT, 1_000_000, "Harbour Florist"),
    ]
    moved_pips = [pips(database, each, Account.Kind.MOVED) for each in (harbour, macau)]
    assert moved_pips == [2_000_000, -2_000_000]


def test_only_paid_money_is_moved(database: Connection, fanny: Person, harbour: Customer, macau: Customer) -> None:
    entered(StaffEntry.Kind.BONUS, harbour, "50", by=fanny)
    assert reason_of(lambda: moved(harbour, macau, "1,000.0001", owner(harbour))) == Reason.MORE_THAN_PAID
    moved(harbour, macau, "1,000", owner(harbour))
    assert pips(database, harbour) == pips_of("50")
    moved(macau, harbour, "1,000", owner(harbour))


@pytest.mark.parametrize("who", ["macau", "mallory", "yan"])
def test_nobody_else_moves_money_of_a_group(database: Connection, harbour: Customer, macau: Customer, who: str) -> None:
    make_mallory()
    Person.objects.create(login_name="yan", customer=harbour, role=Person.Role.FINANCE, created_at=NOW)
    person = Person.objects.get(login_name=who)
    assert reason_of(lambda: moved(harbour, macau, "1", person)) == Reason.NOT_OF_ONE_GROUP
    assert pips(database, macau) == 0


def test_an_owner_moves_nothing_to_or_from_strangers(database: Connection, harbour: Customer, macau: Customer) -> None:
    mallory = make_mallory()
    for origin, target in ((harbour, mallory), (mallory, harbour), (macau, mallory), (harbour, harbour)):
        for by in (harbour, mallory):
            reason = reason_of(moved, origin, target, "1", owner(by))
            assert reason == Reason.NOT_OF_ONE_GROUP
    assert reason_of(lambda: moved(harbour, macau, "0", owner(harbour))) == Reason.AMOUNT_TOO_SMALL


@pytest.mark.parametrize("status", [Customer.Status.SUSPENDED, Customer.Status.CLOSED])
def test_a_suspended_accounts_money_stays_where_it_is(
    database: Connection, harbour: Customer, macau: Customer, status: Customer.Status
) -> None:
    Customer.objects.filter(pk=harbour.pk).update(status=status)
    assert reason_of(lambda: moved(harbour, macau, "1", owner(harbour))) == Reason.ACCOUNT_DISABLED


def test_staff_move_money_within_a_group_alone(
    database: Connection, fanny: Person, harbour: Customer, macau: Customer
) -> None:
    move = StaffEntry.Kind.MOVE
    entry = entered(move, harbour, "10", by=fanny, other_customer_id=macau.pk)
    assert [each.customer_id for each in entry.transfers.order_by("id")] == [harbour.pk, macau.pk]
    assert pips(database, macau) == pips_of("10")
    mallory = make_mallory()
    for amount in ("10", "10,000.01"):
        with_stranger = reason_of(entered, move, harbour, amount, by=fanny, other_customer_id=mallory.pk)
        assert with_stranger == Reason.NOT_OF_ONE_GROUP


def test_a_link_is_one_level_deep_and_to_one_primary(
    database: Connection, fanny: Person, harbour: Customer, macau: Customer
) -> None:
    other = make_mallory()
    for sub, primary in ((macau, other), (other, macau), (harbour, other), (other, other), (harbour, macau)):
        reason = reason_of(groups.link, sub.pk, primary.pk, why=WHY, by=fanny, now=NOW)
        assert reason in {Reason.CANNOT_BE_LINKED, Reason.NOT_OF_ONE_GROUP}
    groups.unlink(macau.pk, why="sold", by=fanny, now=NOW)
    assert reason_of(lambda: moved(harbour, macau, "1", owner(harbour))) == Reason.NOT_OF_ONE_GROUP
    groups.link(macau.pk, other.pk, why=WHY, by=fanny, now=NOW)


def test_two_links_at_once_make_one_group_and_no_chain(database: Connection, fanny: Person) -> None:
    one, other = make_customer("one"), make_customer("other", senders=())
    raised = at_once(
        lambda: groups.link(one.pk, other.pk, why=WHY, by=fanny, now=NOW),
        lambda: groups.link(other.pk, one.pk, why=WHY, by=fanny, now=NOW),
    )
    assert sum(error is not None for error in raised) == 1
    assert Customer.objects.exclude(primary=None).count() == 1


def test_money_that_goes_to_and_fro_at_once_is_neither_made_nor_lost(
    database: Connection, harbour: Customer, macau: Customer
) -> None:
    by = owner(harbour)
    moved(harbour, macau, "500", by)

    def to_and_fro(origin: Customer, target: Customer) -> None:
        for _ in range(20):
            moved(origin, target, "0.0001", by)

    raised = at_once(*(lambda o=o, t=t: to_and_fro(o, t) for o, t in ((harbour, macau), (macau, harbour)) * 2))
    assert list(raised) == [None] * 4
    assert (pips(database, harbour), pips(database, macau)) == (pips_of("500"), pips_of("500"))


def test_linking_is_staffs(database: Connection, harbour: Customer) -> None:
    mallory = make_mallory()
    for person in (owner(harbour), make_staff("comp", role=Person.StaffRole.COMPLIANCE)):
        with pytest.raises(NotAllowed):
            groups.link(mallory.pk, harbour.pk, why=WHY, by=person, now=NOW)


def test_an_entry_that_waits_is_refused_once_the_group_is_no_more(
    database: Connection, harbour: Customer, macau: Customer, fanny: Person
) -> None:
    frank = make_staff("frank", role=Person.StaffRole.FINANCE)
    ledger.move(database, Transfer.Kind.TOP_UP, customer_id=harbour.pk, amount_pips=pips_of("20,000"), now=NOW, note="")
    entry = entered(StaffEntry.Kind.MOVE, harbour, "15,000", by=fanny, other_customer_id=macau.pk)
    groups.unlink(macau.pk, why="sold", by=fanny, now=NOW)
    assert reason_of(lambda: entries.confirm(entry.pk, by=frank, now=NOW)) == Reason.NOT_OF_ONE_GROUP
