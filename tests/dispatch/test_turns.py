"""Customers in turn, from a queue of which little is in memory (spec S9)."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sampan.compliance.footers import NO_FOOTERS
from sampan.dispatch.claims import Claimed, Turn
from sampan.dispatch.turns import Turns
from tests.world import NOW


def message(id_: int, customer: int = 1, parts: int = 1) -> Claimed:
    return Claimed(
        message_id=id_,
        customer_id=customer,
        lane=1,
        batch_id=1,
        send_by=NOW + timedelta(hours=1),
        parts_left=(1 << parts) - 1,
        try_number=1,
        recipient=85261234567,
        destination_id=1,
        route_id=1,
        coding=0,
        text="Hello",
        sender="HarbourFlo",
        signature="",
        footers=NO_FOOTERS,
        validity_minutes=120,
    )


class Queue:
    """What claims.claim does, in memory."""

    def __init__(self, rows: list[Claimed]) -> None:
        self.rows = {row.message_id: row for row in rows}

    def claim(self, turns: list[Turn]) -> list[Claimed]:
        found = []
        for turn in turns:
            own = (r for id_, r in sorted(self.rows.items()) if r.customer_id == turn.customer_id and id_ > turn.after)
            found += list(own)[: turn.limit]
        return found

    def customers(self) -> list[int]:
        return sorted({row.customer_id for row in self.rows.values()})


def test_one_message_goes_before_the_second_of_fifty_thousand() -> None:
    turns = Turns()
    turns.look_at([1])
    asked = turns.ask(50)
    turns.add(asked, [message(n) for n in range(1, 51)])
    turns.wake([2])
    turns.add(turns.ask(10), [message(99, customer=2)])
    assert [(m.customer_id, m.message_id) for m in turns.take(3)] == [(1, 1), (2, 99), (1, 2)]


def test_parts_are_counted_and_a_message_goes_whole() -> None:
    turns = Turns()
    turns.look_at([1])
    turns.add(turns.ask(10), [message(1, parts=3), message(2, parts=1), message(3, parts=2)])
    assert [m.message_id for m in turns.take(4)] == [1, 2]
    assert [m.message_id for m in turns.take(1)] == [3]
    assert turns.take(0) == []


def test_a_full_answer_is_asked_on_from_where_it_ended_and_a_short_one_only_when_told() -> None:
    turns = Turns()
    turns.look_at([1])
    turns.add(turns.ask(2), [message(1), message(2)])
    assert turns.ask(2) == [Turn(1, 2, 2)]
    turns.add(turns.ask(2), [message(3)])
    assert turns.ask(2) == []
    turns.wake([1])
    assert [turn.customer_id for turn in turns.ask(2)] == [1]


def test_an_id_that_commits_late_is_found_by_the_next_look() -> None:
    """Ids do not commit in their order: 5 was taken before 4 was there."""
    turns = Turns()
    turns.look_at([1])
    turns.add(turns.ask(10), [message(5)])
    turns.let_go([m.message_id for m in turns.take(1)])
    turns.look_at([1])
    assert turns.ask(10) == [Turn(1, 0, 10)]
    turns.add(turns.ask(10), [message(4)])
    assert [m.message_id for m in turns.take(1)] == [4]


def test_what_is_in_memory_is_not_taken_twice() -> None:
    turns = Turns()
    for _ in range(2):
        turns.look_at([1])
        turns.add(turns.ask(10), [message(1), message(2)])
    assert [m.message_id for m in turns.take(10)] == [1, 2]
    turns.look_at([1])
    turns.add(turns.ask(10), [message(1), message(2)])
    assert turns.take(10) == []
    turns.let_go([1, 2])
    turns.look_at([1])
    turns.add(turns.ask(10), [message(1)])
    assert [m.message_id for m in turns.take(10)] == [1]


def test_clearing_forgets_only_what_still_stands_in_the_queue() -> None:
    turns = Turns()
    turns.look_at([1])
    turns.add(turns.ask(10), [message(1), message(2)])
    taken = turns.take(1)
    turns.clear()
    assert len(turns) == 0
    turns.look_at([1])
    turns.add(turns.ask(10), [message(1), message(2)])
    assert [m.message_id for m in turns.take(10)] == [2]
    assert taken[0].message_id == 1


@given(
    rows=st.dictionaries(st.integers(1, 300), st.integers(1, 6), max_size=60),
    late=st.sets(st.integers(1, 300), max_size=10),
    rooms=st.lists(st.integers(1, 20), min_size=1, max_size=5),
)
def test_everything_is_taken_exactly_once_whatever_comes_in_whatever_order(
    rows: dict[int, int], late: set[int], rooms: list[int]
) -> None:
    """`late` are ids that appear in the queue only after some were taken."""
    queue = Queue([message(id_, customer) for id_, customer in rows.items() if id_ not in late])
    coming = [message(id_, customer) for id_, customer in rows.items() if id_ in late]
    turns, taken = Turns(), list[int]()
    for step in range(400):
        if step % 10 == 0:
            turns.look_at(queue.customers())
        if step == 30:
            queue.rows |= {row.message_id: row for row in coming}
            turns.wake(row.customer_id for row in coming)
        asked = turns.ask(rooms[step % len(rooms)] - len(turns))
        turns.add(asked, queue.claim(asked))
        now = [m.message_id for m in turns.take(rooms[-1])]
        taken += now
        for id_ in now:
            del queue.rows[id_]
        turns.let_go(now)
    assert sorted(taken) == sorted(rows)
