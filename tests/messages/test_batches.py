"""Pause, resume, cancel and release: what an operator has is not called back, the rest obeys (spec S10, S53)."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from sampan.database import Connection, connect
from sampan.dispatch import sweeps
from sampan.messages import batches
from sampan.messages.holding import GAP, hold_after_restore, hold_sending, is_sending_held
from sampan.messages.schedule import STALE_AFTER, start_one
from sampan.messages.tables import Batch, Message, Queued, Status
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import Owner, money, shown
from tests.world import NOW, make_customer, make_mallory, make_places, send, terms

NUMBERS = [85261000000 + n for n in range(6)]
TWO_PARTS = "花" * 80


def state(batch_id: int) -> Batch.State:
    return Batch.State(Batch.objects.get(pk=batch_id).state)


def test_a_paused_batch_keeps_its_hold_and_goes_on_where_it_stood(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, NUMBERS)
    owner = Owner(operator)
    owner.attempt(owner.claim(harbour, limit=2))
    assert batches.pause(database, sent.batch_id, NOW) == 4
    assert state(sent.batch_id) == Batch.State.PAUSED
    assert owner.claim(harbour) == []
    assert money(database, harbour)["held"] == 6 * 2_900
    later = NOW + timedelta(hours=5)
    assert sweeps.end_not_sent_in_time(database, later) == 0  # it does not age
    assert batches.resume(database, sent.batch_id, terms(database), later) == {(operator.pk, 1, harbour.pk)}
    assert [each.message_id for each in owner.claim(harbour)] == sent.message_ids[2:]
    assert set(Queued.objects.values_list("send_by", flat=True)) == {later + timedelta(minutes=120)}


def test_a_part_that_comes_back_while_its_batch_is_paused_goes_when_it_resumes(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, text=TWO_PARTS)
    owner = Owner(operator)
    owner.hand_over(harbour)
    batches.pause(database, sent.batch_id, NOW)
    owner.taken(sent.message_ids[0], 1)
    owner.unsent(sent.message_ids[0], 2)
    assert not Queued.objects.exists()
    batches.resume(database, sent.batch_id, terms(database), NOW)
    assert Queued.objects.get().parts_left == 2


def test_what_is_in_doubt_does_not_go_again_when_a_batch_resumes(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour)
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(sent.message_ids[0])
    batches.pause(database, sent.batch_id, NOW)
    batches.resume(database, sent.batch_id, terms(database), NOW)
    assert not Queued.objects.exists()


@pytest.mark.parametrize("paused", [True, False])
def test_a_cancelled_batch_ends_what_was_not_handed_over_and_gives_its_money_back(
    database: Connection, paused: bool
) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, NUMBERS)
    owner = Owner(operator)
    owner.attempt(owner.claim(harbour, limit=2))
    if paused:
        batches.pause(database, sent.batch_id, NOW)
    assert batches.cancel(database, sent.batch_id, NOW) == 4
    assert state(sent.batch_id) == Batch.State.CANCELLED
    assert {shown(id_) for id_ in sent.message_ids[2:]} == {(Status.UNDELIVERABLE, Reason.CANCELLED, True)}
    assert money(database, harbour)["held"] == 2 * 2_900
    owner.taken(sent.message_ids[0])
    owner.taken(sent.message_ids[1])
    assert money(database, harbour) == {"held": 0, "charged": 2 * 2_900}
    assert not Queued.objects.exists()


def test_half_sent_and_then_cancelled_is_charged_by_half(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, text=TWO_PARTS)
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(sent.message_ids[0], 1)
    owner.unsent(sent.message_ids[0], 2)
    batches.cancel(database, sent.batch_id, NOW)
    assert shown(sent.message_ids[0]) == (Status.UNDELIVERABLE, Reason.CANCELLED, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}


def test_a_scheduled_batch_is_cancelled_and_never_starts(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    due = NOW + timedelta(hours=2)
    sent = send(database, harbour, NUMBERS, scheduled_at=due)
    assert batches.cancel(database, sent.batch_id, NOW) == 6
    assert start_one(database, terms(database), due) is None
    assert {shown(id_) for id_ in sent.message_ids} == {(Status.UNDELIVERABLE, Reason.CANCELLED, True)}
    assert money(database, harbour) == {"held": 0, "charged": 0}


def test_what_cannot_be_done_says_why(database: Connection) -> None:
    make_places()
    batch_id = send(database, make_customer()).batch_id

    def reason_of(act: Callable[[], object]) -> Reason:
        with pytest.raises(Refused) as caught:
            act()
        return caught.value.reason

    assert reason_of(lambda: batches.resume(database, batch_id, terms(database), NOW)) == Reason.BATCH_NOT_PAUSED
    assert reason_of(lambda: batches.release(database, batch_id, terms(database), NOW)) == Reason.BATCH_NOT_HELD
    batches.cancel(database, batch_id, NOW)
    assert reason_of(lambda: batches.pause(database, batch_id, NOW)) == Reason.BATCH_NOT_RUNNING
    assert reason_of(lambda: batches.cancel(database, batch_id, NOW)) == Reason.BATCH_CANCELLED


def test_anothers_batch_is_as_if_it_were_not(database: Connection) -> None:
    make_places()
    sent = send(database, make_customer())
    mallory = make_mallory()
    for act in (
        lambda: batches.pause(database, sent.batch_id, NOW, customer_id=mallory.pk),
        lambda: batches.resume(database, sent.batch_id, terms(database), NOW, customer_id=mallory.pk),
        lambda: batches.cancel(database, sent.batch_id, NOW, customer_id=mallory.pk),
        lambda: batches.release(database, sent.batch_id, terms(database), NOW, customer_id=mallory.pk),
    ):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.reason == Reason.NO_SUCH_BATCH
    assert state(sent.batch_id) == Batch.State.RUNNING


def test_a_batch_that_comes_due_much_too_late_waits_for_somebodys_word(database: Connection) -> None:
    """Spec S53: so after a restore nothing old goes out by itself."""
    operator, harbour = make_places(), make_customer()
    due = NOW + timedelta(hours=1)
    punctual = send(database, harbour, NUMBERS[:1], scheduled_at=due)
    late = due + STALE_AFTER + timedelta(seconds=1)
    assert start_one(database, terms(database), late) == set()
    assert state(punctual.batch_id) == Batch.State.HELD
    assert shown(punctual.message_ids[0]) == (Status.SCHEDULING, Reason.NONE, False)
    batches.release(database, punctual.batch_id, terms(database), late)
    assert start_one(database, terms(database), late) == {(operator.pk, 1, harbour.pk)}


def test_cancel_and_hand_over_at_once_agree_on_each_message(database: Connection) -> None:
    """Each message is either handed over or cancelled, never both, never neither."""
    operator, harbour = make_places(), make_customer()
    sent = send(database, harbour, [85261000000 + n for n in range(400)])
    owner = Owner(operator)
    claimed = owner.claim(harbour, limit=400)
    handed: set[int] = set()
    begin = threading.Barrier(2)

    def hand_over() -> None:
        begin.wait()
        for place in range(0, 400, 20):
            handed.update(owner.attempt(claimed[place : place + 20]))

    def cancel() -> None:
        begin.wait()
        with connect("tests", by_key=True) as conn:
            batches.cancel(conn, sent.batch_id, NOW)

    both = [threading.Thread(target=hand_over), threading.Thread(target=cancel)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    cancelled = set(Message.objects.filter(reason=Reason.CANCELLED.number).values_list("pk", flat=True))
    assert handed | cancelled == set(sent.message_ids)
    assert not handed & cancelled
    assert money(database, harbour)["held"] == len(handed) * 2_900


def test_sending_is_held_for_all_and_released(database: Connection) -> None:
    assert not is_sending_held(database)
    hold_sending(database, held=True, words="a test", now=NOW)
    with connect("another process") as other:
        assert other.execute("SELECT words FROM platform_state").fetchone() == ("a test",)
    hold_sending(database, held=False, words="", now=NOW)
    assert database.execute("SELECT sending_held FROM platform_state").fetchone() == (False,)


def test_after_a_restore_no_id_is_given_twice(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    first = send(database, harbour)
    hold_after_restore(database, NOW)
    second = send(database, harbour)
    assert second.message_ids[0] > first.message_ids[0] + GAP
    assert second.batch_id > first.batch_id + GAP
