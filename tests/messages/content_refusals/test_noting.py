"""What operators refuse for its content by their own rules is noted for the library of words (spec S91)."""

from datetime import timedelta
from functools import partial

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.compliance.words import add_words
from sampan.database import Connection, Snapshot
from sampan.dispatch import inbox
from sampan.dispatch.dialects import Dialect
from sampan.dispatch.inbox import Receipt
from sampan.messages.content_refusals.noting import see_to, waiting
from sampan.messages.content_refusals.tables import ContentRefusal
from sampan.messages.retention.closing import close_due
from sampan.reasons import Reason, Refused
from tests.billing.money import at_once
from tests.dispatch.steps import UNDELIVERABLE, Owner, shown
from tests.world import NOW, make_customer, make_places, make_staff, send

NUMBERS = (85261234567, 85261234568)  # by a route with receipts; China has none (spec S74)
CONTENT = Dialect(errors={"099": Reason.ILLEGAL_WORD.number})
LATER = NOW + timedelta(days=63)


@pytest.fixture
def owner(database: Connection) -> Owner:
    return Owner(make_places())


@pytest.fixture
def florist(owner: Owner) -> Customer:
    return make_customer()


def refused_by_receipt(owner: Owner, message_id: int, recipient: int) -> None:
    """The operator takes it, and its filter says no."""
    owner.taken(message_id, ref=f"r{message_id}")
    found = Receipt(1, f"r{message_id}", recipient, UNDELIVERABLE, "099", False, "")
    owner.match(inbox.keep(owner.conn, owner.operator_id, [found], NOW), CONTENT)


def test_a_batch_is_noted_once_with_its_operators_code_and_how_many(
    database: Connection, owner: Owner, florist: Customer
) -> None:
    first, second = send(database, florist, NUMBERS).message_ids
    owner.hand_over(florist)
    refused_by_receipt(owner, first, NUMBERS[0])
    owner.refused(second, reason=Reason.ILLEGAL_WORD)
    (found,) = waiting(database)
    assert (found.customer, found.operator, found.messages) == ("Harbour Florist", "kai-tak", 2)
    assert (found.message_id, found.recipient, found.code) == (second, NUMBERS[1], "11")
    assert shown(first)[1] == Reason.ILLEGAL_WORD


def test_a_receipt_tells_its_code_and_one_that_comes_twice_counts_once(
    database: Connection, owner: Owner, florist: Customer
) -> None:
    (id_,) = send(database, florist, NUMBERS[:1]).message_ids
    owner.hand_over(florist)
    refused_by_receipt(owner, id_, NUMBERS[0])
    found = Receipt(1, f"r{id_}", NUMBERS[0], UNDELIVERABLE, "099", False, "")
    owner.match(inbox.keep(owner.conn, owner.operator_id, [found], NOW + timedelta(seconds=5)), CONTENT)
    (noted,) = waiting(database)
    assert (noted.messages, noted.code) == (1, "099")


def test_other_ends_and_words_of_our_own_library_are_no_news(
    database: Connection, owner: Owner, florist: Customer
) -> None:
    (id_,) = send(database, florist).message_ids
    owner.hand_over(florist)
    owner.refused(id_, reason=Reason.UNKNOWN_SUBSCRIBER)
    add_words(["发票"], by=make_staff(), now=NOW, why="a test")
    Snapshot.forget_all()
    send(database, florist, [8613812345678], text="可开发票")
    assert waiting(database) == []


def refusal(refusal_id: int, *, by: Person, why: str) -> Reason | None:
    try:
        see_to(refusal_id, by=by, why=why, now=NOW)
    except Refused as refused:
        return refused.reason
    return None


def test_staff_see_to_it_once_with_words_and_it_goes_with_its_batch(
    database: Connection, owner: Owner, florist: Customer
) -> None:
    (id_,) = send(database, florist, NUMBERS[:1]).message_ids
    owner.hand_over(florist)
    owner.refused(id_, reason=Reason.ILLEGAL_WORD)
    (found,) = waiting(database)
    cora = make_staff("cora", role=Person.StaffRole.COMPLIANCE)
    with pytest.raises(NotAllowed):
        see_to(found.id, by=make_staff("fay", role=Person.StaffRole.FINANCE), why="x", now=NOW)
    for why, reason in (("  ", Reason.NO_GROUNDS), ("added 发飘", None), ("again", Reason.DECIDED_ALREADY)):
        assert refusal(found.id, by=cora, why=why) == reason
    assert waiting(database) == []
    line = AuditEntry.objects.get()
    assert (line.act, line.customer, line.why) == ("content_refusal.see_to", florist, "added 发飘")
    close_due(database, LATER)
    assert not ContentRefusal.objects.exists()


def test_of_two_who_see_to_it_at_once_one_does(database: Connection, owner: Owner, florist: Customer) -> None:
    (id_,) = send(database, florist, NUMBERS[:1]).message_ids
    owner.hand_over(florist)
    owner.refused(id_, reason=Reason.ILLEGAL_WORD)
    (found,) = waiting(database)
    staff = [make_staff(name, role=Person.StaffRole.COMPLIANCE) for name in ("cora", "carol")]
    raised = at_once(*(partial(see_to, found.id, by=by, why="added 发飘", now=NOW) for by in staff))
    assert [each.reason for each in raised if isinstance(each, Refused)] == [Reason.DECIDED_ALREADY]
    assert AuditEntry.objects.count() == 1
