"""Requests that wait for their answer."""

from hypothesis import given
from hypothesis import strategies as st

from sampan.smpp.pdu import MOST_SEQUENCE_NUMBER
from sampan.smpp.window import MOST_LATE, NOTHING, Window


def opened(window: Window, tokens: list[str], now: float = 0.0) -> list[int]:
    numbers = window.allot(len(tokens))
    window.open(numbers, tokens, now=now)
    return numbers


def test_numbers_run_from_one_to_the_standards_last_and_round_again() -> None:
    window = Window(10, 30)
    assert window.allot(3) == [1, 2, 3]
    window._last_number = MOST_SEQUENCE_NUMBER - 1
    assert window.allot(3) == [MOST_SEQUENCE_NUMBER, 1, 2]


def test_a_number_that_still_waits_is_passed_over() -> None:
    window = Window(10, 30)
    opened(window, ["a", "b"])
    window._last_number = MOST_SEQUENCE_NUMBER
    assert window.allot(2) == [3, 4]


def test_an_answer_frees_room_and_comes_once() -> None:
    window = Window(3, 30)
    numbers = opened(window, ["a", "b"])
    assert window.room == 1
    assert window.answer(numbers[1]) == "b"
    assert window.answer(numbers[1]) is NOTHING
    assert window.room == 2


def test_what_is_not_answered_in_time_expires_together_and_is_still_known() -> None:
    window = Window(10, 30)
    first = opened(window, ["a", "b", "c"], now=0)
    opened(window, ["d"], now=1)
    window.answer(first[0])
    assert window.expire(now=29.9) == []
    assert window.expire(now=30) == ["b", "c"]
    assert window.room == 9
    assert window.answer(first[1]) is NOTHING
    assert window.answer_late(first[1]) == "b"
    assert window.answer_late(first[1]) is NOTHING


def test_late_ones_are_forgotten_beyond_a_number() -> None:
    window = Window(MOST_LATE + 1, 30)
    numbers = opened(window, ["x"] * (MOST_LATE + 1))
    window.expire(now=30)
    assert window.answer_late(numbers[0]) is NOTHING
    assert window.answer_late(numbers[1]) == "x"


def test_what_was_never_written_is_told_from_what_was() -> None:
    window = Window(10, 30)
    opened(window, ["written"])
    waiting = opened(window, ["waiting"])
    assert window.withdraw(waiting) == ["waiting"]
    assert window.drain() == ["written"]
    assert window.room == 10


@given(st.lists(st.sampled_from(["open", "answer", "expire", "late"]), max_size=60), st.data())
def test_every_token_comes_back_exactly_once(steps: list[str], data: st.DataObject) -> None:
    window, now, sent, back = Window(20, 5), 0.0, 0, []
    waiting: list[int] = []
    for step in steps:
        now += data.draw(st.floats(0, 3))
        if step == "open":
            count = data.draw(st.integers(0, window.room))
            waiting += opened(window, [f"t{sent + i}" for i in range(count)], now)
            sent += count
        elif step == "expire":
            back += window.expire(now=now)
        elif waiting:
            token = window.answer(data.draw(st.sampled_from(waiting)))
            back += [token] if token is not NOTHING else []
    back += window.drain()
    assert sorted(back) == sorted(f"t{i}" for i in range(sent))
