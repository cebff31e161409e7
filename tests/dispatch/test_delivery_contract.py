"""From the queue to the wire at most once, and what every answer does to status and money (house.md, spec S71–S82a)."""

from datetime import timedelta
from typing import Any

import pytest

from sampan.database import Connection
from sampan.dispatch import claims, leases, results, sweeps
from sampan.dispatch.claims import NotTheOwner
from sampan.dispatch.results import RefusedForGood, Taken, Unsent
from sampan.dispatch.tables import Attempt
from sampan.messages.tables import Batch, Message, MessagePart, Queued, Status
from sampan.reasons import Reason
from tests.dispatch.steps import Owner, money, shown, take
from tests.world import NOW, make_customer, make_places, send

TWO_PARTS = "花" * 80  # 2 × 0.29
HELD, CHARGED = 5_800, 5_800


def test_a_taken_message_is_charged_once_and_waits_for_its_receipt(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    assert not Queued.objects.exists()
    assert money(database, harbour) == {"held": 2_900, "charged": 0}
    for _ in range(2):
        owner.taken(id_)
        assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)
        assert money(database, harbour) == {"held": 0, "charged": 2_900}
    message = Message.objects.get(pk=id_)
    assert message.charged_pips == message.price_pips == 2_900
    assert message.charge_id
    assert message.release_id is None


def test_a_long_message_is_charged_when_its_last_part_is_answered(database: Connection) -> None:
    """Spec S82a: all taken."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text=TWO_PARTS).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, 2)
    assert money(database, harbour) == {"held": HELD, "charged": 0}
    owner.taken(id_, 1)
    assert money(database, harbour) == {"held": 0, "charged": CHARGED}


def test_of_a_long_message_only_what_was_taken_is_charged(database: Connection) -> None:
    """Spec S73, S82a: a part refused for good ends it, the price is shared by parts, rounded down to the pip."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text="花" * 201).message_ids  # 3 × 0.29 = 8,700 pips
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.record(
        Taken(owner.sent(id_, 1), "a", receipts=True),
        RefusedForGood(owner.sent(id_, 2), 0x0B, Reason.UNKNOWN_SUBSCRIBER),
        Taken(owner.sent(id_, 3), "b", receipts=True),
    )
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, True)
    assert money(database, harbour) == {"held": 0, "charged": 5_800}
    message = Message.objects.get(pk=id_)
    assert (message.charged_pips, message.price_pips) == (5_800, 8_700)
    assert message.charge_id
    assert message.release_id


def test_a_refused_message_is_free(database: Connection) -> None:
    """Spec S82."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.refused(id_)
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, True)
    assert money(database, harbour) == {"held": 0, "charged": 0}
    assert MessagePart.objects.get().command_status == 0x0B
    assert not Attempt.objects.exists()


def test_a_throttled_message_goes_back_and_costs_nothing_until_it_is_taken(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text=TWO_PARTS).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    later = NOW + timedelta(seconds=1)
    owner.unsent(id_, 1, 2, not_before=later)
    queued = Queued.objects.get()
    assert (queued.message_id, queued.parts_left, queued.not_before) == (id_, 3, later)
    assert not Attempt.objects.exists()
    assert owner.claim(harbour) == []
    assert money(database, harbour) == {"held": HELD, "charged": 0}


def test_only_the_part_that_was_throttled_goes_again(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text=TWO_PARTS).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.record(Taken(owner.sent(id_, 1), "a", receipts=True), Unsent(owner.sent(id_, 2), None))
    (again,) = owner.claim(harbour)
    assert again.parts_left == 2
    owner.attempt([again])
    assert list(Attempt.objects.order_by("part").values_list("part", "state")) == [(1, 2), (2, 1)]
    owner.taken(id_, 2)
    assert money(database, harbour) == {"held": 0, "charged": CHARGED}


@pytest.mark.parametrize("refused_first", [True, False])
def test_once_a_part_is_refused_the_throttled_ones_are_not_sent(database: Connection, refused_first: bool) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text=TWO_PARTS).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    refused = RefusedForGood(owner.sent(id_, 1), 0x45, Reason.OPERATOR_FAULT)
    found: list[results.Result] = [refused, Unsent(owner.sent(id_, 2), None)]
    for each in found if refused_first else reversed(found):
        owner.record(each)
    assert not Queued.objects.exists()
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.OPERATOR_FAULT, True)
    assert money(database, harbour) == {"held": 0, "charged": 0}


def test_no_answer_is_unknown_and_held_and_never_queued_again(database: Connection) -> None:
    """Spec S76."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(id_)
    assert shown(id_) == (Status.PROCESSING, Reason.OUTCOME_UNKNOWN, False)
    assert money(database, harbour) == {"held": 2_900, "charged": 0}
    assert not Queued.objects.exists()


def test_a_late_answer_settles_an_unknown_outcome(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(id_)
    owner.taken(id_)
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
    assert owner.receipt(f"{id_}1") == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)


def test_an_answer_is_not_undone_by_a_loss_that_is_told_late(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_)
    owner.unanswered(id_)
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)
    assert Attempt.objects.get().state == Attempt.State.TAKEN


def test_by_a_route_without_receipts_taken_is_the_end_and_is_never_called_delivered(database: Connection) -> None:
    """Spec S74."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, sender="", route="hk-economic").message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(id_, ref="x", receipts=False)
    assert shown(id_) == (Status.PROCESSING, Reason.ROUTE_WITHOUT_RECEIPTS, True)
    assert money(database, harbour) == {"held": 0, "charged": 1_800}
    assert not Attempt.objects.exists()
    assert MessagePart.objects.get().operator_ref == "x"


def test_the_old_owner_hands_over_nothing_and_its_loose_ends_are_unknown(database: Connection) -> None:
    """A stale owner's attempts are refused; what it had written without an answer is never sent again."""
    operator, harbour = make_places(), make_customer()
    written, waiting = send(database, harbour, [85261111111, 85262222222]).message_ids
    old = Owner(operator)
    first, second = old.claim(harbour)
    old.attempt([first])
    database.execute("UPDATE operator_lease SET expires_at = now() - interval '1 second'")
    new = Owner(operator, "two")
    assert new.epoch == old.epoch + 1
    assert shown(written) == (Status.PROCESSING, Reason.OUTCOME_UNKNOWN, False)
    with pytest.raises(NotTheOwner):
        old.attempt([second])
    assert leases.renew(old.conn, "one") == {}
    assert [each.message_id for each in new.claim(harbour)] == [waiting]
    old.taken(written)  # the old one may still hear its answer
    assert shown(written) == (Status.PROCESSING, Reason.PROCESSING, False)


def test_a_lease_in_force_is_not_taken_and_a_released_one_is(database: Connection) -> None:
    operator = make_places()
    owner = Owner(operator)
    assert take(database, "two", operator.pk) is None
    assert leases.renew(database, "one") == {operator.pk: owner.epoch}
    leases.release(database, "one", [operator.pk])
    assert take(database, "two", operator.pk) == owner.epoch + 1


def test_two_who_claim_the_same_hand_it_over_once(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    ids = set(send(database, harbour, [85261000000 + n for n in range(5)]).message_ids)
    owner = Owner(operator)
    claimed = owner.claim(harbour)
    assert owner.attempt(claimed) == ids
    assert owner.attempt(claimed) == set()
    assert Attempt.objects.count() == 5


def test_what_was_not_sent_in_time_ends_and_is_released(database: Connection) -> None:
    """Spec S70: 20/315. By the owner when it comes to it, by the worker where no owner does."""
    operator, harbour = make_places(), make_customer()
    first, second = send(database, harbour, [85261111111, 85262222222]).message_ids
    owner = Owner(operator)
    claimed = owner.claim(harbour)
    late = NOW + timedelta(minutes=121)
    ending: dict[str, Any] = {"ending": Status.EXPIRED, "reason": Reason.NOT_SENT_IN_TIME}
    results.end_unsent(owner.conn, operator.pk, claimed[:1], now=late, **ending)
    assert shown(first) == (Status.EXPIRED, Reason.NOT_SENT_IN_TIME, True)
    assert sweeps.end_not_sent_in_time(database, late) == 1
    assert shown(second) == (Status.EXPIRED, Reason.NOT_SENT_IN_TIME, True)
    assert money(database, harbour) == {"held": 0, "charged": 0}
    assert owner.attempt(claimed) == set()


def test_half_sent_and_then_too_late_is_charged_by_half(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text=TWO_PARTS).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.record(Taken(owner.sent(id_, 1), "a", receipts=True), Unsent(owner.sent(id_, 2), None))
    sweeps.end_not_sent_in_time(database, NOW + timedelta(days=1))
    assert shown(id_) == (Status.EXPIRED, Reason.NOT_SENT_IN_TIME, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}


def test_what_comes_back_after_its_batch_was_cancelled_is_cancelled(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    accepted = send(database, harbour)
    owner = Owner(operator)
    (claimed,) = owner.hand_over(harbour)
    Batch.objects.filter(pk=accepted.batch_id).update(state=Batch.State.CANCELLED)
    owner.unsent(claimed.message_id, 1)
    assert shown(claimed.message_id) == (Status.UNDELIVERABLE, Reason.CANCELLED, True)
    assert money(database, harbour) == {"held": 0, "charged": 0}
    assert not Queued.objects.exists()


def test_customers_who_wait_are_found_without_reading_what_they_have_waiting(database: Connection) -> None:
    operator = make_places()
    people = [make_customer(f"customer{n}") for n in range(3)]
    for person in people:
        send(database, person, [85261000000 + n for n in range(40)])
    assert claims.waiting_customers(database, operator.pk, 1) == [person.pk for person in people]
    assert claims.waiting_customers(database, operator.pk, 2) == []
    plan = database.execute(
        "EXPLAIN (FORMAT TEXT) " + claims.WAITING.replace("%(operator)s", "1").replace("%(lane)s", "1")
    ).fetchall()
    assert not any("Seq Scan on queued" in row[0] for row in plan)
