"""Outcomes in doubt: never sent again by themselves, and settled by whatever evidence comes (spec S76; peers.md)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.dispatch import inbox, sweeps
from sampan.dispatch.dialects import Dialect, user_reference
from sampan.dispatch.inbox import Kept, Receipt
from sampan.dispatch.tables import Attempt
from sampan.messages.tables import Lane, Message, Purpose, Queued, Status
from sampan.reasons import Reason
from sampan.routing.tables import Route
from tests.dispatch.steps import DELIVERED, UNDELIVERABLE, Owner, money, shown
from tests.world import NOW, SENDER, make_customer, make_places, send

NUMBER = 85261234567
REFERENCES = Dialect(user_reference=True)
ONE_RECEIPT = Dialect(one_receipt=True)


def in_doubt(
    conn: Connection, recipients: tuple[int, ...] = (NUMBER,), **changes: Any
) -> tuple[Owner, Customer, list[int]]:
    """Messages that were written and not answered."""
    operator, harbour = make_places(), make_customer()
    ids = send(conn, harbour, recipients, **changes).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    for id_ in ids:
        for part in range(1, Message.objects.get(pk=id_).parts + 1):
            owner.unanswered(id_, part)
    return owner, harbour, ids


def receipt(owner: Owner, *, tries: int = 2, **changes: Any) -> list[Kept]:
    """One receipt of an id nobody knows, that has been tried before."""
    values: dict[str, Any] = {
        "link_id": 1,
        "operator_ref": "unheard-of",
        "recipient": NUMBER,
        "state": DELIVERED,
        "error": "",
        "intermediate": False,
        "text": "",
        "source": SENDER,
    }
    kept = inbox.keep(owner.conn, owner.operator_id, [Receipt(**(values | changes))], NOW)
    return [each._replace(tries=tries) for each in kept]


def test_one_part_in_doubt_keeps_the_message_in_doubt_until_all_are_answered(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, [NUMBER], text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(id_, 1)
    owner.taken(id_, 2)
    assert shown(id_) == (Status.PROCESSING, Reason.OUTCOME_UNKNOWN, False)
    owner.taken(id_, 1)
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)


def test_the_only_one_that_fits_is_meant(database: Connection) -> None:
    owner, harbour, (id_,) = in_doubt(database)
    assert owner.match(receipt(owner)) == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}


def test_while_its_answer_may_still_be_on_its_way_nobody_guesses(database: Connection) -> None:
    owner, _, (id_,) = in_doubt(database)
    kept = receipt(owner, tries=1)
    assert owner.match(kept) == kept
    assert not shown(id_)[2]


def test_of_two_that_fit_neither_is_taken(database: Connection) -> None:
    owner, harbour, ids = in_doubt(database)
    other = send(database, harbour, [NUMBER]).message_ids[0]
    owner.hand_over(harbour)
    owner.unanswered(other)
    kept = receipt(owner)
    assert owner.match(kept) == kept
    assert not any(shown(id_)[2] for id_ in (*ids, other))


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": NUMBER + 1},
        {"recipient": None},
        {"source": "Somebody"},
        {"submitted_at": NOW - timedelta(minutes=10)},
        {"submitted_at": NOW + timedelta(minutes=10)},
    ],
)
def test_another_handset_sender_or_time_does_not_fit(database: Connection, changes: dict[str, Any]) -> None:
    owner, _, (id_,) = in_doubt(database)
    kept = receipt(owner, **changes)
    assert owner.match(kept) == kept
    assert not shown(id_)[2]


@pytest.mark.parametrize("submitted_at", [NOW - timedelta(seconds=80), NOW - timedelta(days=300), None])
def test_a_time_that_is_near_or_makes_no_sense_fits(database: Connection, submitted_at: datetime | None) -> None:
    owner, _, (id_,) = in_doubt(database)
    assert owner.match(receipt(owner, submitted_at=submitted_at)) == []
    assert shown(id_)[2]


def test_by_a_route_without_own_sender_the_operators_sender_fits(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    operator.sender = "Kaitak"
    operator.save()
    Route.objects.filter(code="hk-economic").update(receipts=True)
    (id_,) = send(database, harbour, [NUMBER], sender="", route="hk-economic").message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(id_)
    assert owner.match(receipt(owner, source=SENDER)) != []
    assert owner.match(receipt(owner, source="Kaitak")) == []


def test_our_own_reference_tells_which_of_several_is_meant(database: Connection) -> None:
    owner, harbour, ids = in_doubt(database, text="花" * 80)
    other = send(database, harbour, [NUMBER]).message_ids[0]
    owner.hand_over(harbour)
    owner.unanswered(other)
    found = receipt(owner, tries=0, user_reference=user_reference(other, 1))
    assert owner.match(found, REFERENCES) == []
    assert shown(other) == (Status.DELIVERED, Reason.NONE, True)
    second = receipt(owner, tries=0, user_reference=user_reference(ids[0], 2), state=UNDELIVERABLE)
    assert owner.match(second, REFERENCES) == []
    assert shown(ids[0]) == (Status.UNDELIVERABLE, Reason.OPERATOR_FAULT, True)
    assert money(database, harbour) == {"held": 5_800, "charged": 2_900}  # part 1 is still in doubt
    sweeps.end_without_receipt(database, NOW + timedelta(hours=26))
    assert money(database, harbour) == {"held": 0, "charged": 5_800}


def test_one_receipt_for_a_long_message_ends_all_its_parts(database: Connection) -> None:
    """Spec S78: a setting of the operator."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, [NUMBER], text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, 1, "a")
    owner.taken(id_, 2, "b")
    assert owner.match(receipt(owner, operator_ref="b"), ONE_RECEIPT) == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert not Attempt.objects.exists()


def codes_go_again(conn: Connection, **changes: Any) -> tuple[Owner, Customer, int]:
    """A code by a route that may send it again, written and not answered."""
    operator, harbour = make_places(), make_customer()
    Route.objects.filter(code="hk-business").update(resends_unknown=True)
    (id_,) = send(conn, harbour, [NUMBER], **changes).message_ids
    owner = Owner(operator)
    lane = Lane.PROMOTIONAL if changes.get("purpose") == Purpose.PROMOTIONAL else Lane.TRANSACTIONAL
    owner.attempt(owner.claim(harbour, lane))
    owner.unanswered(id_, resends=True)
    return owner, harbour, id_


def test_a_code_goes_once_more_where_its_route_lets_it_and_is_charged_once(database: Connection) -> None:
    owner, harbour, id_ = codes_go_again(database)
    (again,) = owner.claim(harbour)
    assert (again.message_id, again.try_number, again.parts_left) == (id_, 2, 1)
    owner.attempt([again])
    owner.taken(id_, ref="second")
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
    owner.attempted[id_] = again._replace(try_number=1)
    owner.taken(id_, ref="first")  # the first answer comes after all
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
    owner.receipt("second")
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    owner.receipt("first")
    assert not Attempt.objects.exists()


def test_a_code_goes_no_third_time(database: Connection) -> None:
    owner, harbour, id_ = codes_go_again(database)
    owner.attempt(owner.claim(harbour))
    owner.unanswered(id_, resends=True)
    assert not Queued.objects.exists()
    assert shown(id_) == (Status.PROCESSING, Reason.OUTCOME_UNKNOWN, False)
    sweeps.end_without_receipt(database, NOW + timedelta(hours=26))
    assert money(database, harbour) == {"held": 0, "charged": 0}


def test_promotion_never_goes_again(database: Connection) -> None:
    codes_go_again(database, purpose=Purpose.PROMOTIONAL)
    assert not Queued.objects.exists()


def test_what_a_dead_owner_left_goes_again_only_where_the_route_lets_it(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    Route.objects.filter(code="overseas").update(resends_unknown=True)
    local, abroad = send(database, harbour, [NUMBER, 447911123456]).message_ids
    Owner(operator).hand_over(harbour)
    database.execute("UPDATE operator_lease SET expires_at = now() - interval '1 second'")
    new = Owner(operator, "two")
    assert [(each.message_id, each.try_number) for each in new.claim(harbour)] == [(abroad, 2)]
    assert shown(local) == (Status.PROCESSING, Reason.OUTCOME_UNKNOWN, False)


def test_references_are_16_bits_and_differ_by_part() -> None:
    references = {user_reference(100_001, part) for part in range(1, 9)}
    assert len(references) == 8
    assert all(0 <= reference < 1 << 16 for reference in references)
