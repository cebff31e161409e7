"""What became of each part, for its customer (spec S72, S73, S76)."""

import pytest

from sampan.database import Connection
from sampan.dispatch import claims
from sampan.dispatch.claims import Handover
from sampan.dispatch.parts import part_results
from sampan.dispatch.sweeps import end_without_receipt
from sampan.messages.reports.shown import Shown
from sampan.reasons import Reason
from tests.dispatch.steps import DELIVERED, ENROUTE, UNDELIVERABLE, Owner
from tests.world import NOW, make_customer, make_places, send

TEXT = "x" * 200  # two parts


@pytest.fixture
def owner(database: Connection) -> Owner:
    return Owner(make_places(errors={"001": 303, "027": 304}, refusals={"11": 303}))


@pytest.fixture
def handed_over(database: Connection, owner: Owner) -> int:
    """A message of two parts that an operator has been given, and has not answered."""
    florist = make_customer()
    (id_,) = send(database, florist, text=TEXT).message_ids
    owner.hand_over(florist)
    return id_


def shown(conn: Connection, id_: int) -> dict[int, tuple[Shown, Reason]]:
    return {number: (each.shown, each.reason) for number, each in part_results(conn, id_).items()}


def test_a_message_that_waits_has_none(database: Connection, owner: Owner) -> None:
    (id_,) = send(database, make_customer(), text=TEXT).message_ids
    assert part_results(database, id_) == {}


def test_parts_end_one_by_one(database: Connection, owner: Owner, handed_over: int) -> None:
    """spec S73"""
    processing = Shown.PROCESSING, Reason.PROCESSING
    assert shown(database, handed_over) == {1: processing, 2: processing}
    owner.taken(handed_over, 1)
    owner.taken(handed_over, 2)
    owner.receipt(f"{handed_over}1", DELIVERED)
    owner.receipt(f"{handed_over}2", ENROUTE, "027")
    assert shown(database, handed_over) == {
        1: (Shown.DELIVERED, Reason.NONE),
        2: (Shown.RETRY, Reason.PHONE_UNREACHABLE),
    }
    owner.receipt(f"{handed_over}2", UNDELIVERABLE, "001")
    assert shown(database, handed_over)[2] == (Shown.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER)


def test_a_part_tells_when_it_was_answered_and_told_of(database: Connection, owner: Owner, handed_over: int) -> None:
    owner.taken(handed_over, 1)
    owner.receipt(f"{handed_over}1", DELIVERED)
    results = part_results(database, handed_over)
    assert (results[1].submitted_at, results[1].answered_at, results[1].receipt_at) == (NOW, NOW, NOW)
    assert (results[2].answered_at, results[2].receipt_at) == (None, None)


def test_refused_and_without_receipts_and_in_doubt(database: Connection, owner: Owner, handed_over: int) -> None:
    """spec S72, S74, S76"""
    owner.refused(handed_over, 1)
    owner.unanswered(handed_over, 2)
    assert shown(database, handed_over) == {
        1: (Shown.UNDELIVERABLE, Reason.UNKNOWN_SUBSCRIBER),
        2: (Shown.UNKNOWN, Reason.OUTCOME_UNKNOWN),
    }


def test_sent_by_a_route_without_receipts(database: Connection, owner: Owner, handed_over: int) -> None:
    """spec S74"""
    owner.taken(handed_over, 1, receipts=False)
    assert shown(database, handed_over)[1] == (Shown.SENT, Reason.ROUTE_WITHOUT_RECEIPTS)


def test_a_receipt_that_never_came(database: Connection, owner: Owner, handed_over: int) -> None:
    """spec S75"""
    owner.taken(handed_over, 1)
    owner.taken(handed_over, 2)
    database.execute("UPDATE attempt SET deadline_at = %s", [NOW])
    assert end_without_receipt(database, NOW) == 2
    assert set(shown(database, handed_over).values()) == {(Shown.EXPIRED, Reason.NO_RECEIPT)}


def test_a_long_text_in_one_pdu_is_known_of_all_its_parts_while_it_is_open(database: Connection, owner: Owner) -> None:
    florist = make_customer()
    (id_,) = send(database, florist, text=TEXT).message_ids
    (claimed,) = owner.claim(florist)
    handover = Handover(claimed, claimed.parts_left, True, 1, 1, NOW)
    assert claims.attempt(owner.conn, owner.operator_id, owner.epoch, [handover], NOW) == {id_}
    assert set(part_results(database, id_)) == {1, 2}


def test_where_a_part_was_sent_again_the_last_time_counts(database: Connection, owner: Owner, handed_over: int) -> None:
    """spec S76: where a route may"""
    owner.unanswered(handed_over, 1)
    database.execute(
        "INSERT INTO attempt (message_id, part, try_number, carries, state, operator_id, link_id, sequence_number,"
        " epoch, recipient, submitted_at, state_at, deadline_at) SELECT message_id, part, 2, carries, 1, operator_id,"
        " link_id, 99, epoch, recipient, submitted_at, state_at, deadline_at FROM attempt WHERE part = 1"
    )
    assert shown(database, handed_over)[1] == (Shown.PROCESSING, Reason.PROCESSING)
