"""A scheduled batch is changed, moved or deleted until an hour before it is due (spec S51, S52)."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person, SenderId
from sampan.database import Connection, Snapshot, connect
from sampan.messages import batches
from sampan.messages.changes import Changes, change, preview
from sampan.messages.schedule import start_one
from sampan.messages.submit import Accepted
from sampan.messages.tables import Batch, BatchAct, Message, Queued, Status
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import money, shown
from tests.world import NOW, SENDER, make_customer, make_mallory, make_places, make_staff, send, terms

DUE = NOW + timedelta(hours=3)
TOO_LATE = DUE - timedelta(hours=1)
HONG_KONG, LONDON = 85261234567, 447911123456
SAME = Changes("", "Your flowers are on their way.", SENDER, 120, DUE)


def scheduled(conn: Connection, customer: Customer) -> Accepted:
    return send(conn, customer, [HONG_KONG, LONDON], scheduled_at=DUE)


def refusal(caught: pytest.ExceptionInfo[Refused]) -> Reason:
    return caught.value.reason


def test_a_changed_text_changes_lengths_and_prices_and_keeps_the_ids(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    wanted = replace(SAME, text="花" * 80, name="Flowers", sender="85298765432", validity_minutes=60)
    planned = preview(database, sent.batch_id, wanted, terms(database), NOW, customer_id=harbour.pk)
    assert planned.price_pips == 2 * (2_900 + 3_700)
    assert Batch.objects.get().text == SAME.text  # nothing is written yet
    change(database, sent.batch_id, wanted, terms(database), NOW, customer_id=harbour.pk, person_id=None)
    batch = Batch.objects.get()
    assert (batch.text, batch.name, batch.sender, batch.validity_minutes) == ("花" * 80, "Flowers", "85298765432", 60)
    assert batch.price_pips == 2 * (2_900 + 3_700)
    found = Message.objects.order_by("id").values_list("id", "status", "units", "parts", "coding", "price_pips")
    assert list(found) == [
        (sent.message_ids[0], Status.SCHEDULING, 2, 2, 8, 5_800),
        (sent.message_ids[1], Status.SCHEDULING, 2, 2, 8, 7_400),
    ]
    assert BatchAct.objects.get().kind == BatchAct.Kind.CHANGED
    start_one(database, terms(database), DUE)
    assert [queued.parts_left for queued in Queued.objects.all()] == [3, 3]
    assert money(database, harbour)["held"] == 2 * (2_900 + 3_700)


def test_a_moved_batch_starts_at_its_new_time_and_one_moved_to_the_past_now(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    for moved_to, starts_at in ((DUE + timedelta(days=1), DUE + timedelta(days=1)), (NOW - timedelta(days=1), NOW)):
        sent = scheduled(database, harbour)
        wanted = replace(SAME, scheduled_at=moved_to)
        change(database, sent.batch_id, wanted, terms(database), NOW, customer_id=harbour.pk, person_id=None)
        assert start_one(database, terms(database), starts_at - timedelta(seconds=1)) is None
        assert start_one(database, terms(database), starts_at) is not None
        assert Batch.objects.get(pk=sent.batch_id).state == Batch.State.RUNNING


def test_what_would_be_refused_now_waits_and_is_asked_when_it_starts(database: Connection) -> None:
    """Spec S97: so a slip that is mended in time costs nobody a message."""
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    Customer.objects.update(message_limit_pips=3_000)
    Snapshot.forget_all()
    wanted = replace(SAME, name="Flowers")
    change(database, sent.batch_id, wanted, terms(database), NOW, customer_id=harbour.pk, person_id=None)
    assert shown(sent.message_ids[1]) == (Status.SCHEDULING, Reason.NONE, False)
    assert Batch.objects.get().price_pips == 2_900
    start_one(database, terms(database), DUE)
    assert shown(sent.message_ids[1]) == (Status.UNDELIVERABLE, Reason.OVER_MESSAGE_LIMIT, True)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (replace(SAME, text=""), Reason.NO_TEXT),
        (replace(SAME, text="花" * 202), Reason.TOO_LONG),
        (replace(SAME, sender="Mallory"), Reason.SENDER_NOT_YOURS),
        (replace(SAME, scheduled_at=NOW.replace(year=2032)), Reason.TOO_FAR_AHEAD),
        (replace(SAME, validity_minutes=9), Reason.BAD_VALIDITY),
        (replace(SAME, text="花" * 200), Reason.BALANCE_TOO_LOW),
    ],
)
def test_what_no_submission_could_be_no_change_makes(database: Connection, wanted: Changes, reason: Reason) -> None:
    make_places()
    harbour = make_customer(balance="1")
    sent = scheduled(database, harbour)
    with pytest.raises(Refused) as caught:
        change(database, sent.batch_id, wanted, terms(database), NOW, customer_id=harbour.pk, person_id=None)
    assert refusal(caught) == reason
    assert Batch.objects.get().text == SAME.text


def test_in_the_last_hour_nothing_is_changed_or_deleted_but_it_can_be_stopped(database: Connection) -> None:
    """Spec S10, S51, S52."""
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    with pytest.raises(Refused) as caught:
        change(database, sent.batch_id, SAME, terms(database), TOO_LATE, customer_id=harbour.pk, person_id=None)
    assert refusal(caught) == Reason.BATCH_DUE_SOON
    with pytest.raises(Refused) as caught:
        batches.delete(database, sent.batch_id, TOO_LATE, customer_id=harbour.pk, person_id=None)
    assert refusal(caught) == Reason.BATCH_DUE_SOON
    assert batches.cancel(database, sent.batch_id, TOO_LATE, customer_id=harbour.pk) == 2
    assert shown(sent.message_ids[0]) == (Status.UNDELIVERABLE, Reason.CANCELLED, True)


def test_a_member_deletes_until_an_hour_before(database: Connection) -> None:
    """Spec S51."""
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    owner = Person.objects.get(customer=harbour)
    just_in_time = TOO_LATE - timedelta(seconds=1)
    assert batches.delete(database, sent.batch_id, just_in_time, customer_id=harbour.pk, person_id=owner.pk) == 2
    assert shown(sent.message_ids[0]) == (Status.UNDELIVERABLE, Reason.CANCELLED, True)
    assert (BatchAct.objects.get().kind, BatchAct.objects.get().person) == (BatchAct.Kind.DELETED, owner)
    with pytest.raises(Refused) as caught:
        batches.delete(database, sent.batch_id, NOW, customer_id=harbour.pk, person_id=owner.pk)
    assert refusal(caught) == Reason.BATCH_NOT_SCHEDULED


def test_staff_delete_until_it_starts_and_the_log_says_so(database: Connection) -> None:
    """Spec S51, S134."""
    make_places()
    harbour = make_customer()
    first, second = scheduled(database, harbour), scheduled(database, harbour)
    ada = make_staff()
    late = DUE - timedelta(minutes=1)
    assert batches.delete_late(first.batch_id, by=ada, why="they called", now=late) == 2
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.customer, entry.why) == ("batch.delete", harbour, "they called")
    assert entry.before["state"] == "SCHEDULED"
    start_one(database, terms(database), DUE)
    with pytest.raises(Refused) as caught:
        batches.delete_late(second.batch_id, by=ada, why="too late", now=DUE)
    assert refusal(caught) == Reason.BATCH_NOT_SCHEDULED
    assert AuditEntry.objects.count() == 1


def test_staff_who_may_not_change_nothing(database: Connection) -> None:
    make_places()
    sent = scheduled(database, make_customer())
    money_only = make_staff("fay", role=Person.StaffRole.FINANCE)
    with pytest.raises(NotAllowed):
        batches.delete_late(sent.batch_id, by=money_only, why="a try", now=NOW)
    assert Batch.objects.get().state == Batch.State.SCHEDULED
    assert shown(sent.message_ids[0]) == (Status.SCHEDULING, Reason.NONE, False)


def test_anothers_batch_is_as_if_it_were_not(database: Connection) -> None:
    make_places()
    sent = scheduled(database, make_customer())
    mallory = make_mallory()
    with pytest.raises(Refused) as caught:
        change(database, sent.batch_id, SAME, terms(database), NOW, customer_id=mallory.pk, person_id=None)
    assert refusal(caught) == Reason.NO_SUCH_BATCH
    with pytest.raises(Refused) as caught:
        preview(database, sent.batch_id, SAME, terms(database), NOW, customer_id=mallory.pk)
    assert refusal(caught) == Reason.NO_SUCH_BATCH
    with pytest.raises(Refused) as caught:
        batches.delete(database, sent.batch_id, NOW, customer_id=mallory.pk, person_id=None)
    assert refusal(caught) == Reason.NO_SUCH_BATCH


def at_once(*works: object) -> list[object]:
    """Each in a thread with a connection of its own, all from the same moment; gives what each gave, or its reason."""
    begin = threading.Barrier(len(works))
    gave: list[object] = [None] * len(works)

    def run(place: int, work: object) -> None:
        with connect("tests", by_key=True) as conn:
            begin.wait()
            try:
                gave[place] = work(conn)  # type: ignore[operator]
            except Refused as refused:
                gave[place] = refused.reason
            finally:
                connections.close_all()  # where the work used the ORM

    threads = [threading.Thread(target=run, args=each) for each in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return gave


@pytest.mark.parametrize("attempt", range(3))
def test_change_and_start_at_once_give_the_old_or_the_new_and_never_a_mixture(
    database: Connection, attempt: int
) -> None:
    """The change is made by a clock that runs late, as another machine's may."""
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    wanted = replace(SAME, text="花" * 80, scheduled_at=DUE)
    earlier = TOO_LATE - timedelta(seconds=1)
    changed, _ = at_once(
        lambda conn: change(conn, sent.batch_id, wanted, terms(conn), earlier, customer_id=harbour.pk, person_id=None),
        lambda conn: start_one(conn, terms(conn), DUE),
    )
    start_one(database, terms(database), DUE)
    is_new = changed is None
    assert changed in (None, Reason.BATCH_NOT_SCHEDULED)
    assert Batch.objects.get().text == (wanted.text if is_new else SAME.text)
    assert {queued.parts_left for queued in Queued.objects.all()} == {3 if is_new else 1}
    assert money(database, harbour)["held"] == (2 if is_new else 1) * (2_900 + 3_700)


@pytest.mark.parametrize("attempt", range(3))
def test_cancel_and_start_at_once_leave_nothing_in_the_queue_and_nothing_held(
    database: Connection, attempt: int
) -> None:
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    cancelled, _ = at_once(
        lambda conn: batches.cancel(conn, sent.batch_id, DUE),
        lambda conn: start_one(conn, terms(conn), DUE),
    )
    assert cancelled == 2
    assert not Queued.objects.exists()
    assert money(database, harbour) == {"held": 0, "charged": 0}
    assert {shown(id_) for id_ in sent.message_ids} == {(Status.UNDELIVERABLE, Reason.CANCELLED, True)}


def test_of_two_who_release_one_does_and_it_starts_once(database: Connection) -> None:
    """Spec S53."""
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    late = DUE + timedelta(hours=2)
    start_one(database, terms(database), late)
    ada = make_staff()
    gave = at_once(
        lambda conn: batches.release(conn, sent.batch_id, terms(conn), late, customer_id=harbour.pk),
        lambda conn: batches.release_held(sent.batch_id, terms(conn), by=ada, why="they called", now=late),
    )
    assert sorted(map(str, gave)) == sorted(map(str, [set(), Reason.BATCH_NOT_HELD]))
    assert start_one(database, terms(database), late) is not None
    assert start_one(database, terms(database), late) is None
    assert Queued.objects.count() == 2
    assert AuditEntry.objects.count() == gave.count(set()) - (gave[0] == set())


def test_a_withdrawn_sender_is_seen_before_the_change(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    sent = scheduled(database, harbour)
    SenderId.objects.filter(text=SENDER).update(withdrawn_at=NOW)
    Snapshot.forget_all()
    with pytest.raises(Refused) as caught:
        preview(database, sent.batch_id, SAME, terms(database), NOW, customer_id=harbour.pk)
    assert refusal(caught) == Reason.SENDER_NOT_YOURS
