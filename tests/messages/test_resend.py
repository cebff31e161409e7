"""Messages that ended undelivered, gathered by reason and sent again, once (spec S101)."""

import threading
from typing import Any

import pytest
from django.db import connections

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, connect
from sampan.messages import drafts, resend, stored
from sampan.messages.planning import plan
from sampan.messages.resend import Ended, Undelivered
from sampan.messages.tables import Batch, ComposeDraft, Message, Status
from sampan.reasons import Reason, Refused
from tests.messages.one_of_each import RECIPIENTS, TEXT, OneOfEach, make_one_of_each
from tests.world import NOW, facts_of, make_customer, make_mallory, make_places, terms
from tests.world import send as send_new


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    """With one more reason: a message that got no receipt."""
    found = make_one_of_each(database)
    ended = {"status": Status.EXPIRED, "reason": Reason.NO_RECEIPT.number, "final_at": NOW}
    Message.objects.filter(pk=found.ids["retry"]).update(**ended)
    return found


def owner() -> Person:
    return Person.objects.get(login_name="harbour")


def undelivered(conn: Connection, one: OneOfEach) -> Undelivered:
    with conn.transaction():
        return resend.undelivered(conn, stored.lock(conn, one.batch_id, one.customer.pk))


def again(one: OneOfEach, *reasons: Reason) -> ComposeDraft:
    return resend.draft_again(one.batch_id, reasons, owner(), NOW)


def send(conn: Connection, one: OneOfEach, draft: ComposeDraft) -> int:
    numbers = drafts.numbers_of(draft)
    planned = plan(drafts.as_submitted(draft, facts_of(conn, one.customer), numbers), terms(conn), NOW)
    return drafts.send(conn, draft, planned, NOW)


def test_reasons_are_counted_and_open_unknown_and_delivered_ones_are_not(database: Connection, one: OneOfEach) -> None:
    found = undelivered(database, one)
    assert sorted(found.ended, key=lambda ended: ended.reason.number) == [
        Ended(Reason.NO_RECEIPT, 1),
        Ended(Reason.UNKNOWN_SUBSCRIBER, 2),
        Ended(Reason.NO_ROUTE, 1),
    ]
    assert [each.reason for each in found.ended if each.may_have_arrived] == [Reason.NO_RECEIPT]
    assert found.left_out == 0


def test_what_may_not_be_sent_is_counted_and_left_out(database: Connection, one: OneOfEach) -> None:
    Message.objects.filter(pk=one.ids["filtered"]).update(reason=Reason.DO_NOT_CALL.number)
    assert undelivered(database, one).left_out == 1
    with pytest.raises(Refused) as caught:
        again(one, Reason.DO_NOT_CALL)
    assert caught.value.reason == Reason.NOTHING_TO_RESEND


def test_the_draft_has_the_same_settings_and_the_messages_that_match(database: Connection, one: OneOfEach) -> None:
    draft = again(one, Reason.UNKNOWN_SUBSCRIBER)
    batch = Batch.objects.get()
    assert (draft.text, draft.sender, draft.name) == (TEXT, batch.sender, "Christmas market")
    assert (draft.purpose, draft.validity_minutes, draft.route) == (batch.purpose, batch.validity_minutes, batch.route)
    numbers = drafts.numbers_of(draft).numbers
    assert numbers == [RECIPIENTS["undeliverable"], RECIPIENTS["refused"]]
    assert draft.batch_id is None  # the member sends it


def test_what_was_sent_again_is_not_offered_again(database: Connection, one: OneOfEach) -> None:
    batch_id = send(database, one, again(one, Reason.UNKNOWN_SUBSCRIBER))
    assert Batch.objects.get(pk=batch_id).resend_of == one.batch_id
    left = {ended.reason for ended in undelivered(database, one).ended}
    assert left == {Reason.NO_RECEIPT, Reason.NO_ROUTE}
    with pytest.raises(Refused):
        again(one, Reason.UNKNOWN_SUBSCRIBER)


def test_other_reasons_go_into_the_draft_that_is_open_and_into_a_new_one_once_it_is_sent(
    database: Connection, one: OneOfEach
) -> None:
    first = again(one, Reason.UNKNOWN_SUBSCRIBER)
    second = again(one, Reason.NO_RECEIPT)
    assert second.pk == first.pk
    assert drafts.numbers_of(second).numbers == [RECIPIENTS["retry"]]
    send(database, one, second)
    third = again(one, Reason.UNKNOWN_SUBSCRIBER)
    assert third.pk != first.pk


def test_two_who_resend_at_once_send_once(database: Connection, one: OneOfEach) -> None:
    """Never twice: both get the same draft, and it is one batch however often it is sent."""
    begin = threading.Barrier(2)
    sent: list[int] = []
    refused: list[Reason] = []

    def resend_and_send() -> None:
        with connect("tests", by_key=True) as conn:
            begin.wait()
            try:
                sent.append(send(conn, one, again(one, Reason.UNKNOWN_SUBSCRIBER)))
            except Refused as error:
                refused.append(error.reason)
            finally:
                connections.close_all()

    both = [threading.Thread(target=resend_and_send) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert len(set(sent)) == 1
    assert len(sent) + len(refused) == 2
    assert set(refused) <= {Reason.NOTHING_TO_RESEND, Reason.NO_RECIPIENT}  # the draft of the first, once it is sent
    assert Message.objects.exclude(batch_id=one.batch_id).count() == 2


def test_anothers_batch_is_as_if_it_were_not(database: Connection, one: OneOfEach) -> None:
    make_mallory()
    with pytest.raises(Refused) as caught:
        resend.draft_again(one.batch_id, [Reason.UNKNOWN_SUBSCRIBER], Person.objects.get(login_name="mallory"), NOW)
    assert caught.value.reason == Reason.NO_SUCH_BATCH


# Personal texts (S4)


def ended(conn: Connection, harbour: Customer, **changes: Any) -> ComposeDraft:
    """A batch to two of whom one ended undelivered, gathered again."""
    accepted = send_new(conn, harbour, [85261234567, 85261234568], **changes)
    end = {"status": Status.UNDELIVERABLE, "reason": Reason.UNKNOWN_SUBSCRIBER.number, "final_at": NOW}
    Message.objects.filter(pk=accepted.message_ids[1]).update(**end)
    return resend.draft_again(accepted.batch_id, [Reason.UNKNOWN_SUBSCRIBER], owner(), NOW)


def test_personal_texts_are_filled_in_once_more(database: Connection) -> None:
    make_places()
    draft = ended(database, make_customer(), text="Dear {name}", fields=[{"name": "Amy"}, {"name": "Ben"}])
    assert drafts.field_names_of(draft) == ["name"]
    draft.text = "Once more, {name}"
    planned = plan(
        drafts.as_submitted(draft, facts_of(database, draft.customer), drafts.numbers_of(draft)), terms(database), NOW
    )
    assert planned.own is not None
    assert planned.own.texts == ["Once more, Ben"]


def test_a_text_that_was_no_template_keeps_its_braces(database: Connection) -> None:
    make_places()
    draft = ended(database, make_customer(), text="Use {code}")
    facts = facts_of(database, draft.customer)
    planned = plan(drafts.as_submitted(draft, facts, drafts.numbers_of(draft)), terms(database), NOW)
    assert planned.own is not None
    assert planned.own.texts == ["Use {code}"]
