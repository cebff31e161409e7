"""The only way in: all or nothing, charged once, never twice (spec S6, S8, S80, S81)."""

import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sampan.billing import ledger
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, connect
from sampan.messages.retention.closing import close_all_of
from sampan.messages.submit import Accepted, Outcome, submit
from sampan.messages.tables import Batch, ClientReference, Message, Queued, Source, Status
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import Owner
from tests.world import NOW, draft_of, make_customer, make_mallory, make_places, plan_of, send

HONG_KONG, LONDON, LAGOS = 85261234567, 447911123456, 2348031234567


def balances(conn: Connection, customer_id: int) -> tuple[int, int]:
    found = ledger.balances(conn, [customer_id])
    return found[customer_id, Account.Kind.AVAILABLE], found[customer_id, Account.Kind.HELD]


def submitted(conn: Connection, *drafts: Any) -> list[Outcome]:
    return submit(conn, [plan_of(conn, draft) for draft in drafts], NOW)


def reason_of(outcome: Outcome) -> Reason | None:
    return outcome.reason if isinstance(outcome, Refused) else None


def test_an_accepted_submission_is_a_batch_messages_a_hold_and_queue_rows(database: Connection) -> None:
    operator = make_places()
    harbour = make_customer(balance="100")
    accepted = send(database, harbour, [HONG_KONG, LONDON], text="花" * 71)
    batch = Batch.objects.get(pk=accepted.batch_id)
    assert (batch.state, batch.recipients, batch.price_pips, batch.source) == (2, 2, 2 * 2_900 + 2 * 3_700, Source.HTTP)
    messages = list(Message.objects.order_by("id"))
    assert [message.pk for message in messages] == accepted.message_ids
    assert [(m.recipient, m.status, m.reason, m.parts, m.units) for m in messages] == [
        (HONG_KONG, 2, 300, 2, 2),
        (LONDON, 2, 300, 2, 2),
    ]
    hold = Transfer.objects.get(kind=Transfer.Kind.HOLD)
    assert {message.hold_id for message in messages} == {hold.pk}
    assert hold.amount_pips == sum(message.price_pips for message in messages)
    assert balances(database, harbour.pk) == (1_000_000 - 13_200, 13_200)
    queued = list(Queued.objects.order_by("message_id"))
    assert [(q.operator_id, q.lane, q.message_id, q.parts_left) for q in queued] == [
        (operator.pk, 1, accepted.message_ids[0], 3),
        (operator.pk, 1, accepted.message_ids[1], 3),
    ]
    assert queued[0].send_by == NOW + timedelta(minutes=120)


def test_message_ids_have_six_digits_and_grow(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    ids = [id_ for _ in range(3) for id_ in send(database, harbour).message_ids]
    assert ids == sorted(ids)
    assert ids[0] == 100_001


def test_what_cannot_be_sent_ends_at_once_and_is_neither_held_nor_queued(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="1")
    accepted = send(database, harbour, [LAGOS, HONG_KONG])
    first, second = Message.objects.order_by("id")
    assert (first.status, first.reason, first.price_pips, first.hold_id) == (21, Reason.NO_ROUTE.number, 0, None)
    assert first.final_at == NOW
    assert second.final_at is None
    assert [q.message_id for q in Queued.objects.all()] == [accepted.message_ids[1]]
    assert balances(database, harbour.pk) == (7_100, 2_900)


def test_a_submission_dearer_than_the_balance_is_refused_whole(database: Connection) -> None:
    """Spec S81."""
    make_places()
    harbour = make_customer(balance="0.57")
    (outcome,) = submitted(database, draft_of(database, harbour, [HONG_KONG, LONDON]))
    assert reason_of(outcome) == Reason.BALANCE_TOO_LOW
    assert not Message.objects.exists()
    assert balances(database, harbour.pk) == (5_700, 0)


def test_of_those_gathered_together_each_is_accepted_or_refused_by_itself_in_order(database: Connection) -> None:
    make_places()
    harbour, mallory = make_customer(balance="0.60"), make_mallory()
    outcomes = submitted(
        database,
        draft_of(database, harbour),
        draft_of(database, harbour, [HONG_KONG, LONDON]),
        draft_of(database, mallory, sender="Mallory"),
        draft_of(database, harbour),
    )
    assert [reason_of(outcome) for outcome in outcomes] == [None, Reason.BALANCE_TOO_LOW, None, None]
    assert balances(database, harbour.pk) == (200, 5_800)
    assert Message.objects.filter(customer=mallory).count() == 1


def test_a_scheduled_batch_must_fit_and_holds_nothing(database: Connection) -> None:
    """Spec S81."""
    make_places()
    harbour = make_customer(balance="0.30")
    later: dict[str, Any] = {"scheduled_at": NOW + timedelta(hours=2)}
    accepted = send(database, harbour, **later)
    message = Message.objects.get(pk=accepted.message_ids[0])
    assert (message.status, message.hold_id) == (Status.SCHEDULING, None)
    assert not Queued.objects.exists()
    assert balances(database, harbour.pk) == (3_000, 0)
    (outcome,) = submitted(database, draft_of(database, harbour, [HONG_KONG, LONDON], **later))
    assert reason_of(outcome) == Reason.BALANCE_TOO_LOW


def test_a_number_given_twice_gets_one_message_and_its_id_twice(database: Connection) -> None:
    make_places()
    accepted = send(database, make_customer(), [HONG_KONG, LONDON, HONG_KONG])
    assert accepted.message_ids == [100_001, 100_002, 100_001]


def test_a_repeated_client_reference_gives_the_first_answer_and_sends_nothing(database: Connection) -> None:
    """Spec S8, also where the balance would not pay for it again."""
    make_places()
    harbour = make_customer(balance="0.60")
    reference: dict[str, Any] = {"client_reference": "order-1"}
    first = send(database, harbour, **reference)
    for now in (NOW, NOW + timedelta(days=29)):
        again = send(database, harbour, now=now, **reference)
        assert (again.batch_id, again.message_ids) == (first.batch_id, first.message_ids)
        assert (first.is_repeat, again.is_repeat) == (False, True)
    assert Message.objects.count() == 1
    assert balances(database, harbour.pk) == (3_100, 2_900)


def test_a_repeat_of_what_was_erased_is_refused_and_the_others_of_its_flush_go(database: Connection) -> None:
    """Spec S8, S130: its owner has erased the results, the client reference stays."""
    owner, harbour = Owner(make_places()), make_customer()
    (id_,) = send(database, harbour, client_reference="order-1").message_ids
    owner.hand_over(harbour)
    owner.taken(id_, ref="a")
    owner.receipt("a")
    assert close_all_of(database, harbour.pk, NOW) == 1
    draft = draft_of(database, harbour)
    outcomes = submitted(database, replace(draft, client_reference="order-1"), draft)
    assert [reason_of(outcome) for outcome in outcomes] == [Reason.REFERENCE_REUSED, None]


def test_a_client_reference_with_other_content_is_refused(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    send(database, harbour, client_reference="order-1")
    (outcome,) = submitted(database, draft_of(database, harbour, text="Something else", client_reference="order-1"))
    assert reason_of(outcome) == Reason.REFERENCE_REUSED
    assert Message.objects.count() == 1


def test_a_client_reference_of_a_test_is_not_taken_for_a_real_one(database: Connection) -> None:
    """Else what was tried first would never be sent."""
    make_places()
    harbour = make_customer()
    send(database, harbour, client_reference="order-1", source=Source.TEST)
    (outcome,) = submitted(database, draft_of(database, harbour, client_reference="order-1"))
    assert reason_of(outcome) == Reason.REFERENCE_REUSED


def test_a_client_reference_is_the_customers_own(database: Connection) -> None:
    make_places()
    first = send(database, make_customer(), client_reference="order-1")
    second = send(database, make_mallory(), sender="Mallory", client_reference="order-1")
    assert first.message_ids != second.message_ids


def test_a_refused_submission_leaves_its_client_reference_free(database: Connection) -> None:
    make_places()
    harbour = make_customer(balance="0.10")
    (outcome,) = submitted(database, draft_of(database, harbour, client_reference="order-1"))
    assert reason_of(outcome) == Reason.BALANCE_TOO_LOW
    assert not ClientReference.objects.exists()


def test_the_same_reference_twice_in_one_flush_is_one_submission(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    same = draft_of(database, harbour, client_reference="order-1")
    other = draft_of(database, harbour, text="Other", client_reference="order-1")
    first, second, third, fourth = submitted(database, same, draft_of(database, harbour), same, other)
    assert isinstance(first, Accepted)
    assert isinstance(third, Accepted)
    assert (third.batch_id, third.message_ids, third.is_repeat) == (first.batch_id, first.message_ids, True)
    assert isinstance(second, Accepted)
    assert reason_of(fourth) == Reason.REFERENCE_REUSED
    assert Message.objects.count() == 2


def test_many_with_one_reference_at_once_send_once_and_all_get_the_same_answer(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    plan = plan_of(database, draft_of(database, harbour, client_reference="order-1"))
    answers: list[Outcome] = []

    def client() -> None:
        with connect("tests") as conn:
            answers.extend(submit(conn, [plan], NOW))

    clients = [threading.Thread(target=client) for _ in range(8)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    accepted = [answer for answer in answers if isinstance(answer, Accepted)]
    assert len({(each.batch_id, *each.message_ids) for each in accepted}) == 1
    assert Counter(each.is_repeat for each in accepted) == {False: 1, True: 7}
    assert Message.objects.count() == 1


def test_many_customers_from_many_processes_hold_what_their_messages_cost(database: Connection) -> None:
    """Flushes that name the same customers in any order do not lock each other out, and nobody goes below 0."""
    make_places()
    people = [make_customer(f"customer{n}", balance="2.00") for n in range(5)]
    refused: list[Refused] = []

    def process(turn: int) -> None:
        with connect("tests") as conn:
            for n in range(10):
                ordered = [people[(turn + n + step) % 5] for step in range(5)]
                outcomes = submitted(conn, *(draft_of(conn, person, [HONG_KONG + n]) for person in ordered))
                refused.extend(outcome for outcome in outcomes if isinstance(outcome, Refused))

    processes = [threading.Thread(target=process, args=(turn,)) for turn in range(4)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    for person in people:
        messages = Message.objects.filter(customer=person)
        assert messages.count() == 6  # 6 × 0.29 fit in 2.00
        assert balances(database, person.pk) == (20_000 - 6 * 2_900, 6 * 2_900)
    assert len(refused) == 4 * 10 * 5 - 6 * 5


@pytest.mark.parametrize("count", [20, 5_000])
def test_any_number_of_recipients_is_one_batch(database: Connection, count: int) -> None:
    make_places()
    accepted = send(database, make_customer(balance="10000"), [85261000000 + n for n in range(count)])
    assert len(accepted.message_ids) == count
    assert Message.objects.filter(batch_id=accepted.batch_id).count() == count
    assert Queued.objects.count() == count
