"""What staff settle by the operator's word: money and status follow as by a receipt, once, and logged (spec S76)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Person
from sampan.database import Connection
from sampan.dispatch.doubts import Word, attach, dismiss, doubts, settle, strays
from sampan.dispatch.tables import Attempt, InboxReceipt
from sampan.messages.tables import Status
from sampan.reasons import Reason, Refused
from tests.dispatch.steps import DELIVERED, Owner, money, shown
from tests.dispatch.test_unknown import in_doubt, receipt
from tests.world import NOW, make_customer, make_places, make_staff, send

WHY = "the operator's desk, by phone"
LATER = NOW + timedelta(hours=73)


@pytest.mark.parametrize(
    ("word", "status", "reason", "charged"),
    [
        (Word.DELIVERED, Status.DELIVERED, Reason.NONE, 2_900),
        (Word.FAILED, Status.UNDELIVERABLE, Reason.OPERATOR_FAULT, 2_900),
        (Word.NEVER_HAD, Status.UNDELIVERABLE, Reason.OPERATOR_FAULT, 0),
    ],
)
def test_the_operators_word_ends_it(
    database: Connection, word: Word, status: Status, reason: Reason, charged: int
) -> None:
    _, harbour, (id_,) = in_doubt(database)
    settle(id_, word, by=make_staff(), why=WHY, now=NOW)
    assert shown(id_) == (status, reason, True)
    assert money(database, harbour) == {"held": 0, "charged": charged}
    assert not Attempt.objects.exists()
    line = AuditEntry.objects.get()
    assert (line.act, line.subject, line.customer, line.why) == ("message.settle", f"message {id_}", harbour, WHY)
    assert line.after == {"outcome": word.value}


def test_all_parts_in_doubt_end_together(database: Connection) -> None:
    _, harbour, (id_,) = in_doubt(database, text="花" * 80)
    settle(id_, Word.DELIVERED, by=make_staff(), why=WHY, now=NOW)
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert money(database, harbour) == {"held": 0, "charged": 5_800}


def test_what_is_not_in_doubt_is_refused(database: Connection) -> None:
    _, _, (id_,) = in_doubt(database)
    ada = make_staff()
    settle(id_, Word.NEVER_HAD, by=ada, why=WHY, now=NOW)
    for message_id, reason in ((id_, Reason.NOT_IN_DOUBT), (999, Reason.UNKNOWN_MESSAGE)):
        with pytest.raises(Refused) as refused:
            settle(message_id, Word.DELIVERED, by=ada, why=WHY, now=NOW)
        assert refused.value.reason == reason
    assert AuditEntry.objects.count() == 1


def test_a_message_of_which_a_part_is_on_its_way_waits(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour, text="花" * 80).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    owner.unanswered(id_, 1)
    with pytest.raises(Refused) as refused:
        settle(id_, Word.DELIVERED, by=make_staff(), why=WHY, now=NOW)
    assert refused.value.reason == Reason.STILL_ON_ITS_WAY
    assert not shown(id_)[2]


def test_a_reason_must_be_given_and_a_role_had(database: Connection) -> None:
    _, _, (id_,) = in_doubt(database)
    with pytest.raises(Refused) as refused:
        settle(id_, Word.DELIVERED, by=make_staff(), why=" ", now=NOW)
    assert refused.value.reason == Reason.NO_GROUNDS
    with pytest.raises(NotAllowed):
        settle(id_, Word.DELIVERED, by=make_staff("kei", role=Person.StaffRole.FINANCE), why=WHY, now=NOW)
    assert not shown(id_)[2]


def at_once(*works: Callable[[], object]) -> list[Exception | None]:
    """Each in a thread and a connection of its own; what each raised."""

    def run(work: Callable[[], object]) -> Exception | None:
        try:
            work()
        except Refused as error:
            return error
        finally:
            connections.close_all()
        return None

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def test_of_two_staff_who_settle_at_once_one_does(database: Connection) -> None:
    _, harbour, ids = in_doubt(database, (85261234567, 85261234568, 85261234569))
    ada, wing = make_staff(), make_staff("wing")
    for id_ in ids:
        raised = at_once(
            lambda id_=id_: settle(id_, Word.DELIVERED, by=ada, why=WHY, now=NOW),  # type: ignore[misc]
            lambda id_=id_: settle(id_, Word.NEVER_HAD, by=wing, why=WHY, now=NOW),  # type: ignore[misc]
        )
        assert [isinstance(each, Refused) for each in raised].count(True) == 1
    assert AuditEntry.objects.count() == 3
    assert money(database, harbour)["held"] == 0


def test_a_receipt_and_a_staffs_word_at_once_settle_it_once(database: Connection) -> None:
    owner, harbour, (id_,) = in_doubt(database)
    kept = receipt(owner)
    ada = make_staff()
    at_once(
        lambda: settle(id_, Word.NEVER_HAD, by=ada, why=WHY, now=NOW),
        lambda: owner.match(kept),
    )
    assert shown(id_)[2]
    assert money(database, harbour)["held"] == 0


def test_a_receipt_is_brought_to_its_message_by_hand(database: Connection) -> None:
    owner, harbour, (id_,) = in_doubt(database)
    (kept,) = receipt(owner, recipient=None)
    attach(kept.id, id_, by=make_staff(), why="same time, same sender", now=NOW)
    assert shown(id_) == (Status.DELIVERED, Reason.NONE, True)
    assert money(database, harbour) == {"held": 0, "charged": 2_900}
    assert not InboxReceipt.objects.exists()
    assert AuditEntry.objects.get().after == {"receipt": "unheard-of", "state": DELIVERED, "part": 1}


def test_a_receipt_fits_no_message_that_waits_for_none(database: Connection) -> None:
    owner, _, (id_,) = in_doubt(database)
    (kept,) = receipt(owner, recipient=None)
    ada = make_staff()
    settle(id_, Word.DELIVERED, by=ada, why=WHY, now=NOW)
    for receipt_id, reason in ((kept.id, Reason.NOTHING_OPEN_THERE), (999, Reason.NO_SUCH_RECEIPT)):
        with pytest.raises(Refused) as refused:
            attach(receipt_id, id_, by=ada, why=WHY, now=NOW)
        assert refused.value.reason == reason


def test_a_receipt_that_is_not_ours_is_dismissed(database: Connection) -> None:
    owner, _, _ = in_doubt(database)
    (kept,) = receipt(owner, recipient=None)
    dismiss(kept.id, by=make_staff(), why="of the account before ours", now=NOW)
    assert not InboxReceipt.objects.exists()
    assert AuditEntry.objects.get().before["receipt"] == "unheard-of"


def test_the_lists_say_what_is_needed_and_no_number_or_text(database: Connection) -> None:
    """spec S133"""
    owner, _, (id_,) = in_doubt(database)
    (doubt,) = doubts(database)
    assert (doubt.message_id, doubt.customer, doubt.operator, doubt.held_pips) == (
        id_,
        "Harbour Florist",
        "kai-tak",
        2_900,
    )
    receipt(owner)
    InboxReceipt.objects.update(tries=4)
    (stray,) = strays(database, NOW)
    assert (stray.operator_ref, stray.nearest, stray.is_for_staff) == ("unheard-of", id_, False)
    assert strays(database, LATER)[0].is_for_staff
    assert "61234567" not in f"{doubt}{stray}"
