"""Deliveries are kept once, whoever brings them and however often, and put together in any order (spec S111)."""

import threading
from datetime import timedelta
from itertools import permutations

import pytest

from sampan.database import Connection, connect
from sampan.inbound import parts
from sampan.inbound.parts import PART_REPEATED_WITHIN, REPEATED_WITHIN, REST_WITHIN
from sampan.inbound.reading import LEFT_OUT, ReceivedPart
from tests.world import NOW

OPERATOR = 1
HANDSET, NUMBER = "85261234567", "85264478200"
SHORT = ReceivedPart(HANDSET, NUMBER, 0, b"hello", 0, 1, 1)


def long_part(number: int, octets: bytes | None = None, *, reference: int = 9, handset: str = HANDSET) -> ReceivedPart:
    return ReceivedPart(handset, NUMBER, 0, octets or b"abc"[number - 1 : number], reference, 3, number)


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])), ids=str)
@pytest.mark.parametrize("repeated", [1, 2, 3])
def test_the_parts_of_a_long_text_make_one_in_every_order_with_a_repeat(
    database: Connection, order: tuple[int, ...], repeated: int
) -> None:
    for number in [*order, repeated]:
        parts.keep(database, OPERATOR, [long_part(number)], NOW)
    (text,) = parts.waiting(database, NOW)
    assert (text.text, text.parts, text.parts_missing) == ("abc", 3, 0)
    assert parts.read(database, text.ids)
    parts.keep(database, OPERATOR, [long_part(repeated)], NOW + timedelta(hours=1))
    assert parts.waiting(database, NOW + timedelta(hours=2)) == []


def test_a_repeat_is_kept_once_for_ten_minutes_and_is_meant_afterwards(database: Connection) -> None:
    assert parts.keep(database, OPERATOR, [SHORT, SHORT], NOW) == 1
    assert parts.keep(database, OPERATOR, [SHORT], NOW + REPEATED_WITHIN - timedelta(seconds=1)) == 0
    assert parts.keep(database, OPERATOR, [SHORT], NOW + REPEATED_WITHIN) == 1
    assert parts.keep(database, OPERATOR, [SHORT._replace(handset="85261234568")], NOW) == 1
    assert parts.keep(database, OPERATOR + 1, [SHORT], NOW) == 1


def test_two_gateways_that_overlap_keep_a_delivery_once(database: Connection) -> None:
    """A lease that passes on: the old owner and the new one are given the same at the same moment."""
    barrier, kept = threading.Barrier(8), []

    def gateway() -> None:
        with connect("tests") as conn:
            barrier.wait()
            kept.append(parts.keep(conn, OPERATOR, [SHORT, long_part(1), long_part(2)], NOW))

    threads = [threading.Thread(target=gateway) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kept) == [0] * 7 + [3]


def test_a_text_that_lacks_a_part_is_shown_after_a_wait_and_not_before(database: Connection) -> None:
    parts.keep(database, OPERATOR, [long_part(3), long_part(1)], NOW)
    assert parts.waiting(database, NOW + REST_WITHIN - timedelta(seconds=1)) == []
    (text,) = parts.waiting(database, NOW + REST_WITHIN)
    assert (text.text, text.parts_missing) == (f"a{LEFT_OUT}c", 1)


def test_long_texts_with_the_same_reference_from_two_handsets_are_not_mixed(database: Connection) -> None:
    other = "85261234568"
    given = [long_part(1), long_part(1, b"x", handset=other), long_part(2), long_part(3)]
    parts.keep(database, OPERATOR, [*given, long_part(3, b"z", handset=other), long_part(2, b"y", handset=other)], NOW)
    assert sorted(text.text for text in parts.waiting(database, NOW)) == ["abc", "xyz"]


def test_a_reference_used_again_gives_the_later_text_its_own_part(database: Connection) -> None:
    parts.keep(database, OPERATOR, [long_part(1, b"?")], NOW)
    parts.keep(database, OPERATOR, [long_part(1), long_part(2), long_part(3)], NOW + timedelta(minutes=5))
    (text,) = parts.waiting(database, NOW + timedelta(minutes=5))
    assert text.text == "abc"
    assert len(text.ids) == 4


def test_a_text_is_read_by_one_alone(database: Connection) -> None:
    parts.keep(database, OPERATOR, [SHORT], NOW)
    (text,) = parts.waiting(database, NOW)
    assert parts.read(database, text.ids)
    assert not parts.read(database, text.ids)


def test_what_cannot_be_read_waits_ever_longer_and_holds_up_nobody(database: Connection) -> None:
    parts.keep(database, OPERATOR, [SHORT, SHORT._replace(octets=b"second")], NOW)
    first, second = parts.waiting(database, NOW)
    parts.postpone(database, first.ids, NOW)
    assert parts.waiting(database, NOW) == [second]
    assert parts.waiting(database, NOW + timedelta(seconds=10)) == [first, second]
    parts.postpone(database, first.ids, NOW)
    assert parts.waiting(database, NOW + timedelta(seconds=10)) == [second]


def test_parts_that_were_read_go_after_a_day_and_others_stay(database: Connection) -> None:
    parts.keep(database, OPERATOR, [SHORT, long_part(1)], NOW)
    (text,) = parts.waiting(database, NOW)
    parts.read(database, text.ids)
    assert parts.forget(database, NOW + PART_REPEATED_WITHIN) == 0
    assert parts.forget(database, NOW + PART_REPEATED_WITHIN + timedelta(seconds=1)) == 1
    assert len(parts.waiting(database, NOW + REST_WITHIN)) == 1
