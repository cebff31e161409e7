"""Receipts find their messages, however often and in whatever form they come (spec S73, S75–S78; peers.md)."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection, connect
from sampan.dispatch import inbox, receipts, sweeps
from sampan.dispatch.results import Taken
from sampan.dispatch.tables import Attempt, InboxReceipt
from sampan.messages.tables import Message, MessagePart, Status
from sampan.reasons import Reason
from tests.dispatch.steps import DELIVERED, DIALECT, ENROUTE, UNDELIVERABLE, Owner, money, shown
from tests.ops.heard import until
from tests.world import NOW, make_customer, make_places, send

TWO_PARTS = "花" * 80


def handed_over(conn: Connection, text: str = "Hello") -> tuple[Owner, Customer, int]:
    """One message with the operator, not answered yet."""
    operator, harbour = make_places(), make_customer()
    (id_,) = send(conn, harbour, text=text).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    return owner, harbour, id_


def test_a_receipt_ends_the_message_and_leaves_the_facts_of_its_part(database: Connection) -> None:
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="ab12")
    assert owner.receipt("ab12") == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    part = MessagePart.objects.get()
    assert (part.message_id, part.part, part.operator_ref, part.receipt_state) == (id_, 1, "ab12", DELIVERED)
    assert not Attempt.objects.exists()
    assert not InboxReceipt.objects.exists()


def meanwhile(change: str, act: Callable[[], object]) -> None:
    """`act` waits for somebody who changes the attempts and then commits."""
    waits = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FOR %UPDATE%'"
    with connect("tests") as other, connect("tests") as looking, ThreadPoolExecutor(1) as beside:
        with other.transaction():
            other.execute(change.encode())
            acting = beside.submit(act)
            until(lambda: looking.execute(waits).rowcount)
        acting.result(10)


@pytest.mark.parametrize("change", ["queried_at = now()", "state = 2, operator_ref = 'ab12'"])
def test_a_receipt_that_waits_for_who_changes_its_part_still_ends_it(database: Connection, change: str) -> None:
    """The part goes to where it ends, and is not left among those under way, too."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="ab12")
    meanwhile(f"UPDATE attempt SET {change}", lambda: owner.receipt("ab12"))
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert (MessagePart.objects.count(), Attempt.objects.count()) == (1, 0)
    assert sweeps.end_without_receipt(database, NOW + timedelta(days=9)) == 0


def test_an_answer_that_waits_for_who_changes_its_part_still_ends_it(database: Connection) -> None:
    owner, _, id_ = handed_over(database)
    meanwhile("UPDATE attempt SET state_at = now()", lambda: owner.refused(id_))
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, True)
    assert (MessagePart.objects.count(), Attempt.objects.count()) == (1, 0)


def test_parts_of_one_message_that_end_at_once_are_all_counted(database: Connection) -> None:
    owner, harbour, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    meanwhile("UPDATE message SET answered_parts = 1, taken_parts = 1", lambda: owner.taken(id_, 2, "b"))
    assert money(database, harbour)["held"] == 0  # both are taken: it is charged
    meanwhile("UPDATE message SET delivered_parts = 1", lambda: owner.receipt("b"))
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)


def test_a_long_message_is_delivered_when_all_its_parts_are(database: Connection) -> None:
    """Spec S73."""
    owner, _, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    owner.taken(id_, 2, "b")
    owner.receipt("b")
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)
    owner.receipt("a")
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)


def test_one_part_that_fails_ends_the_message_and_the_other_is_still_noted(database: Connection) -> None:
    owner, harbour, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    owner.taken(id_, 2, "b")
    owner.receipt("a", UNDELIVERABLE, "001")
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, True)
    owner.receipt("b")
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER, True)
    assert Message.objects.get().delivered_parts == 2
    assert MessagePart.objects.count() == 2
    assert money(database, harbour) == {"held": 0, "charged": 5_800}


def test_a_first_failure_shows_as_retry_and_then_the_end_as_it_is(database: Connection) -> None:
    """Spec S71: 19 with 304, 305 or 301."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="a")
    owner.receipt("a", ENROUTE, "027")
    assert shown(id_) == (Status.RETRY, Reason.PHONE_UNREACHABLE, False)
    assert Attempt.objects.get().state == Attempt.State.RETRYING
    owner.receipt("a")
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)


def test_the_answer_of_a_second_part_does_not_hide_that_the_first_is_being_retried(database: Connection) -> None:
    owner, _, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    owner.receipt("a", ENROUTE, "027")
    owner.taken(id_, 2, "b")
    assert shown(id_) == (Status.RETRY, Reason.PHONE_UNREACHABLE, False)


def test_a_receipt_before_its_answer_waits_and_finds_it(database: Connection) -> None:
    """Jasmin #472."""
    owner, _, id_ = handed_over(database)
    left = owner.receipt("early")
    assert [kept.receipt.operator_ref for kept in left] == ["early"]
    inbox.postpone(owner.conn, left)
    owner.taken(id_, ref="early")
    assert inbox.due(owner.conn, owner.operator_id, NOW) == []
    again = inbox.due(owner.conn, owner.operator_id, NOW + timedelta(seconds=2))
    assert receipts.match(owner.conn, owner.operator_id, again, DIALECT, NOW) == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)


def test_a_receipt_that_finds_nothing_waits_longer_each_time_and_then_for_staff(database: Connection) -> None:
    owner, *_ = handed_over(database)
    left = owner.receipt("nobody's")
    for _ in range(6):
        inbox.postpone(owner.conn, left)
        left = [kept._replace(tries=kept.tries + 1) for kept in left]
    kept = InboxReceipt.objects.get()
    assert kept.tries == 6
    assert kept.retry_at == NOW + inbox.KEPT_FOR


@pytest.mark.parametrize(
    ("answered", "receipted"),
    [("1234", "4D2"), ("1234", "4d2"), ("1234", "0001234"), ("ab12", "AB12"), ("AB12", "00ab12")],
)
def test_an_id_in_another_form_finds_its_message(database: Connection, answered: str, receipted: str) -> None:
    """Spec S77: hex for decimal, zeros, case."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref=answered)
    assert owner.receipt(receipted) == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert MessagePart.objects.get().operator_ref == answered


def test_another_form_of_an_id_counts_only_for_the_same_handset(database: Connection) -> None:
    """4D2 may be an id of its own, whose answer is still to come."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="1234")
    assert len(owner.receipt("4D2", recipient=85269999999)) == 1
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)


def test_the_exact_id_is_preferred_to_another_form(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    first, second = send(database, harbour, [85261111111, 85262222222]).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.taken(first, ref="1234")
    owner.taken(second, ref="4D2")
    owner.receipt("4D2", recipient=85261111111)
    assert shown(second) == (Status.DELIVERED, Reason.NONE, True)
    assert shown(first) == (Status.PROCESSING, Reason.PROCESSING, False)


def test_the_same_id_of_two_operators_is_two_ids(database: Connection) -> None:
    """Jasmin #643."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="7")
    kept = inbox.keep(owner.conn, 99, [inbox.Receipt(1, "7", None, DELIVERED, "", False, "")], NOW)
    assert receipts.match(owner.conn, 99, kept, DIALECT, NOW) == kept
    assert not shown(id_)[2]


def test_an_empty_id_is_nobodys(database: Connection) -> None:
    owner, _, id_ = handed_over(database)
    owner.record(Taken(owner.sent(id_), "", receipts=True))
    assert len(owner.receipt("")) == 1
    assert not shown(id_)[2]


def test_the_same_receipt_twice_is_one_and_is_forgotten_later(database: Connection) -> None:
    owner, harbour, id_ = handed_over(database)
    owner.taken(id_, ref="a")
    owner.receipt("a")
    inbox.postpone(owner.conn, owner.receipt("a"))
    assert InboxReceipt.objects.count() == 1
    assert sweeps.forget_repeated_receipts(database, NOW + timedelta(minutes=2)) == 1
    assert not InboxReceipt.objects.exists()
    assert money(database, harbour) == {"held": 0, "charged": 2_900}


def test_a_stray_receipt_is_looked_for_once_among_the_parts_that_have_ended(database: Connection) -> None:
    """However many parts are kept: reading them all again each minute would not go on for long."""
    owner, _, id_ = handed_over(database)
    inbox.postpone(owner.conn, owner.receipt("a"))
    assert sweeps.forget_repeated_receipts(database, NOW + timedelta(minutes=2)) == 0
    owner.taken(id_, ref="a")
    owner.receipt("a")
    assert InboxReceipt.objects.get().looked_for
    assert sweeps.forget_repeated_receipts(database, NOW + timedelta(minutes=3)) == 0


def test_receipts_as_they_come_end_their_messages_and_only_the_others_wait(database: Connection) -> None:
    """One transaction for both, so that all of them may be acknowledged (spec S77)."""
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="a")
    found = [inbox.Receipt(1, ref, None, DELIVERED, "", False, "") for ref in ("early", "a", "a")]
    left = receipts.take(owner.conn, owner.operator_id, found, DIALECT, NOW)
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert [kept.receipt.operator_ref for kept in left] == ["early"]
    assert inbox.due(database, owner.operator_id, NOW + timedelta(seconds=2)) == left


def test_two_receipts_of_one_part_in_one_batch_say_what_the_first_says(database: Connection) -> None:
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="a")
    found = [inbox.Receipt(1, "a", None, state, "001", False, "") for state in (DELIVERED, UNDELIVERABLE)]
    kept = inbox.keep(owner.conn, owner.operator_id, found, NOW)
    assert receipts.match(owner.conn, owner.operator_id, kept, DIALECT, NOW) == []
    assert MessagePart.objects.get().receipt_state == DELIVERED


def test_a_final_status_is_final(database: Connection) -> None:
    """Contradictory finals never move a status backwards."""
    owner, _, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    owner.taken(id_, 2, "b")
    owner.receipt("a", UNDELIVERABLE, "027")
    owner.receipt("b", ENROUTE)
    owner.receipt("b", UNDELIVERABLE, "001")
    assert shown(id_) == (Status.UNDELIVERABLE, Reason.PHONE_UNREACHABLE, True)


def test_a_receipt_proves_that_an_unknown_part_was_taken(database: Connection) -> None:
    """Spec S76, S82: evidence charges. (The late answer brings the id; the receipt was waiting for it.)"""
    owner, harbour, id_ = handed_over(database)
    owner.unanswered(id_)
    left = owner.receipt("late")
    owner.taken(id_, ref="late")
    assert receipts.match(owner.conn, owner.operator_id, left, DIALECT, NOW) == []
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}


def test_accepted_says_nothing_new(database: Connection) -> None:
    owner, _, id_ = handed_over(database)
    owner.taken(id_, ref="a")
    assert owner.receipt("a", 6) == []
    assert shown(id_) == (Status.PROCESSING, Reason.PROCESSING, False)
    assert Attempt.objects.count() == 1


def test_without_a_receipt_a_message_ends_a_day_after_its_validity(database: Connection) -> None:
    """Spec S75: 20/301, and it stays charged."""
    owner, harbour, id_ = handed_over(database)
    owner.taken(id_)
    assert sweeps.end_without_receipt(database, NOW + timedelta(hours=25)) == 0
    assert sweeps.end_without_receipt(database, NOW + timedelta(hours=26)) == 1
    assert shown(id_) == (Status.EXPIRED, Reason.NO_RECEIPT, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
    assert MessagePart.objects.get().receipt_at is None


def test_an_unknown_outcome_without_any_evidence_is_released_at_the_end(database: Connection) -> None:
    """Spec S82."""
    owner, harbour, id_ = handed_over(database)
    owner.unanswered(id_)
    assert sweeps.end_without_receipt(database, NOW + timedelta(hours=26)) == 1
    assert shown(id_) == (Status.EXPIRED, Reason.NO_RECEIPT, True)
    assert money(database, harbour) == {"held": 0, "charged": 0}


FLYING = """
    INSERT INTO attempt (message_id, part, try_number, carries, state, operator_id, link_id, sequence_number, epoch,
                         recipient, submitted_at, state_at, deadline_at, operator_ref)
    SELECT n, 1, 1, 1, 2, 1, 1, n, 1, 85261234567, now(), now(), now() + interval '1 day', to_hex(n)
      FROM generate_series(%s::int8, %s) AS n"""
WAITING = """
    INSERT INTO queued (operator_id, lane, customer_id, message_id, batch_id, send_by, parts_left)
    SELECT 1, 2, 1, n, 1, now() + interval '1 day', 1 FROM generate_series(%s::int8, %s) AS n"""


def test_a_sweep_that_was_planned_while_there_was_nothing_reads_all_once(database: Connection) -> None:
    """Else ten thousand awaited receipts cost a hundred million looks, every half a minute."""
    conn = connect("tests", by_key=True)
    conn.execute("VACUUM (ANALYZE) attempt, queued")
    overdue = sweeps.OVERDUE.replace("%(now)s", "$1").replace("%(most)s", "$2")
    conn.execute(f"PREPARE overdue (timestamptz, int) AS {overdue}".encode())
    conn.execute(f"PREPARE late (timestamptz, int) AS {sweeps.LATE % ('$1', '$2')}".encode())
    for name in ("overdue", "late"):
        conn.execute(f"EXECUTE {name} (now(), 100)".encode())
    conn.execute(FLYING, [1, 500])
    conn.execute(WAITING, [1, 500])
    for name in ("overdue", "late"):
        plan = conn.execute(f"EXPLAIN (ANALYZE, TIMING OFF) EXECUTE {name} (now(), 100)".encode()).fetchall()
        assert max(int(loops) for (line,) in plan for loops in re.findall(r"loops=(\d+)", line)) == 1, plan


def test_what_is_still_on_the_wire_is_not_swept(database: Connection) -> None:
    _, _, id_ = handed_over(database)
    assert sweeps.end_without_receipt(database, NOW + timedelta(days=30)) == 0
    assert not shown(id_)[2]


def test_half_of_a_long_message_in_doubt_is_settled_by_halves_at_the_end(database: Connection) -> None:
    owner, harbour, id_ = handed_over(database, TWO_PARTS)
    owner.taken(id_, 1, "a")
    owner.unanswered(id_, 2)
    assert money(database, harbour) == {"held": 5_800, "charged": 0}
    sweeps.end_without_receipt(database, NOW + timedelta(hours=26))
    assert shown(id_) == (Status.EXPIRED, Reason.NO_RECEIPT, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
