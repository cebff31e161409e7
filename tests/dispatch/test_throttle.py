"""Speed in parts a second, halved by a refusal and climbing back (peers.md: throttled)."""

import pytest

from sampan.dispatch.throttle import Throttle


def sent_in(throttle: Throttle, seconds: float, begin_s: float = 0.0) -> int:
    """How many parts go in so many seconds, asked a hundred times a second."""
    sent = 0
    for step in range(int(seconds * 100)):
        now_s = begin_s + step / 100
        while throttle.available(now_s) >= 1:
            throttle.take(1, now_s)
            sent += 1
    return sent


def test_a_rate_is_kept_and_a_little_may_go_at_once() -> None:
    throttle = Throttle(100, 0)
    assert throttle.available(0) == pytest.approx(10)
    assert sent_in(throttle, 10) == pytest.approx(1_010, abs=2)


def test_without_a_rate_all_may_go() -> None:
    throttle = Throttle(0, 0)
    throttle.take(10_000, 0)
    assert throttle.available(0) == float("inf")
    assert throttle.wait_s(0) == 0


def test_a_message_of_several_parts_goes_whole_and_is_paid_for_later() -> None:
    throttle = Throttle(10, 0)
    throttle.take(3, 0)
    assert throttle.available(0) == -2
    assert throttle.wait_s(0) == pytest.approx(0.3)


def test_a_refusal_halves_the_rate_once_a_second_and_it_climbs_back() -> None:
    throttle = Throttle(100, 0)
    for moment in (1.0, 1.1, 1.5):
        throttle.refused(moment)
    assert throttle.rate == 50
    throttle.refused(2.1)
    assert throttle.rate == pytest.approx(25, rel=0.15)
    throttle.available(5.1)
    assert 35 < throttle.rate < 45
    for second in range(6, 30):
        throttle.available(second)
    assert throttle.rate == 100


def test_a_refusal_without_a_ceiling_halves_the_speed_of_the_moment_and_growth_frees_it_again() -> None:
    throttle = Throttle(0, 0)
    for second in range(3):
        throttle.take(1_000, second)
    throttle.refused(3)
    assert throttle.rate == pytest.approx(500, rel=0.2)
    for second in range(4, 40):
        throttle.available(second)
    assert throttle.rate == float("inf")


def test_a_refusal_while_little_was_sent_does_not_stop_the_operator() -> None:
    throttle = Throttle(0, 0)
    throttle.take(1, 0)
    throttle.refused(0.1)
    assert throttle.rate == 10


def test_staff_may_change_the_rate_while_it_runs() -> None:
    throttle = Throttle(100, 0)
    throttle.set_ceiling(10)
    assert throttle.rate == 10
    assert throttle.available(0) <= 1
    throttle.set_ceiling(0)
    assert throttle.rate >= 10


def test_a_clock_that_stood_still_for_days_breaks_nothing() -> None:
    throttle = Throttle(0, 0)
    throttle.refused(0)
    assert throttle.available(1e9) > 0
