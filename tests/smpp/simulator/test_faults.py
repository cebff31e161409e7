"""Faults on demand, as an ESME meets them: on its submits, its answers and its session."""

from typing import Any

import pytest

from sampan.smpp.client import BindRefused
from sampan.smpp.pdu import Status
from sampan.smpp.simulator import Simulator
from sampan.smpp.simulator.faults import KINDS, read_faults
from tests.smpp.peers import Link, StoringLink, run_as_product
from tests.smpp.simulator.world import arm, bind, eventually, open_simulator, settle, to

MANY = 40


def submit(link: Link, count: int = MANY) -> None:
    link.session.submit([(n, to(99, b"%d" % n)) for n in range(count)])


def test_no_fault_is_in_force_until_one_is_set_and_none_after_it_is_taken_back() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "throttle"})
            submit(link, 1)
            await link.until("answers")
            arm(simulator)
            submit(link, 1)
            assert [status for _, status, _ in await link.until("answers", 2)] == [Status.ESME_RTHROTTLED, 0]

    run_as_product(test)


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"after_submits": 4}, [4, 5]),
        ({"times": 2}, [0, 1]),
        ({"after_submits": 1, "times": 2}, [1, 2]),
        ({"system_id": "charity"}, []),
        ({"session": 1}, [0, 1, 2, 3, 4, 5]),
        ({"session": 2}, []),
        ({"after_s": 60}, []),
        ({"for_s": 0}, []),
        ({"most_submits_per_s": 2}, [2, 3, 4, 5]),
    ],
)
def test_a_fault_says_where_and_when_it_happens(where: dict[str, Any], hit: list[int]) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "throttle", "status": "ESME_RMSGQFUL"} | where)
            submit(link, 6)
            answers = await link.until("answers", 6)
            assert sorted(n for n, status, _ in answers if status == Status.ESME_RMSGQFUL) == hit

    run_as_product(test)


def test_the_same_seed_hits_the_same_submits_again() -> None:
    async def hits(simulator: Simulator) -> list[int]:
        link = await bind(simulator)
        arm(simulator, {"fault": "throttle", "probability": 0.5})
        submit(link)
        return sorted(n for n, status, _ in await link.until("answers", MANY) if status)

    async def test() -> None:
        async with open_simulator() as simulator:
            first = await hits(simulator)
            assert 0 < len(first) < MANY
            assert await hits(simulator) == first

    run_as_product(test)


def test_slow_answers_come_later_and_with_jitter_in_another_order() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "slow-answers", "latency_s": 0.01, "jitter_s": 0.2})
            submit(link)
            order = [n for n, _, _ in await link.until("answers", MANY)]
            assert sorted(order) == list(range(MANY)) != order

    run_as_product(test)


@pytest.mark.parametrize(
    ("fault", "answered", "unanswered"),
    [
        ({"fault": "lost-answers", "times": 3}, MANY - 3, 3),
        ({"fault": "spoilt-answers", "form": "twice", "times": 3}, MANY, 0),
        ({"fault": "spoilt-answers", "form": "unknown-number", "times": 3}, MANY - 3, 3),
        ({"fault": "spoilt-answers", "form": "previous-number", "times": 1}, MANY - 1, 1),
        ({"fault": "spoilt-answers", "form": "unknown-command", "times": 3}, MANY, 0),
    ],
)
def test_what_is_answered_wrongly_was_taken_all_the_same(fault: dict[str, Any], answered: int, unanswered: int) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator, StoringLink())
            arm(simulator, fault)
            submit(link)
            await settle(link)
            assert sorted(n for n, _, _ in link.told["answers"]) == sorted(set(range(MANY)))[MANY - answered :]
            stats = simulator.journal.stats
            assert (stats.taken, stats.duplicates, simulator.journal.unanswered) == (MANY, 0, unanswered)

    run_as_product(test)


@pytest.mark.parametrize("form", ["garbage-before", "endless", "cut-short"])
def test_octets_that_are_no_pdu_end_the_session(form: str) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "spoilt-answers", "form": form, "after_submits": 5, "times": 1})
            submit(link)
            ((_, unanswered, unsent),) = await link.until("closed")
            answered = [n for n, _, _ in link.told["answers"]]
            assert answered == list(range(5))
            assert sorted(unanswered) == list(range(5, MANY))
            assert not unsent

    run_as_product(test)


def test_an_answer_whose_id_is_garbage_is_an_answer() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "spoilt-answers", "form": "garbage-inside", "after_submits": 5, "times": 1})
            submit(link)
            await settle(link)
            assert [(n, status) for n, status, _ in link.told["answers"]] == [(n, 0) for n in range(MANY)]
            assert [n for n, _, message_id in link.told["answers"] if not message_id.isdigit()] == [5]
            assert simulator.journal.unanswered == 0

    run_as_product(test)


@pytest.mark.parametrize("kind", ["unbind", "close", "reset"])
def test_a_session_ends_in_the_middle_of_its_window(kind: str) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": kind, "after_submits": 10, "unanswered": 5})
            submit(link)
            ((_, unanswered, _),) = await link.until("closed")
            assert [n for n, _, _ in link.told["answers"]] == list(range(10))
            assert sorted(unanswered) == list(range(10, MANY))
            assert simulator.journal.unanswered == 5, "taken and not answered; those behind were never read"
            assert simulator.journal.stats.taken == 15
            again = await bind(simulator)
            submit(again, 1)
            assert await again.until("answers"), "it happens once"

    run_as_product(test)


def test_an_ending_can_come_at_a_moment_without_any_submit() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "close", "after_s": 0.05, "unanswered": 0})
            assert await link.until("closed")

    run_as_product(test)


def test_a_half_open_connection_says_nothing_more_and_is_cut_in_the_end() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "half-open", "unanswered": 0, "hold_s": 0.3})
            submit(link)
            began = simulator.lines[0]
            await link.until("closed")
            assert "answers" not in link.told
            assert began.is_gone

    run_as_product(test)


def test_who_takes_a_half_open_connection_back_cuts_it() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "half-open", "unanswered": 1})
            submit(link, 2)
            await eventually(lambda: simulator.lines[0].condition == "half-open")
            arm(simulator)
            assert await link.until("closed")

    run_as_product(test)


def test_a_slow_reader_takes_its_time_and_loses_nothing() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "slow-reader", "octets_per_s": 4000})
            submit(link, 1)
            await link.until("answers", 1)
            assert simulator.lines[0].condition == "reads slowly"
            submit(link, MANY)
            await link.until("answers", 2)
            assert len(link.told["answers"]) < MANY
            arm(simulator)
            await link.until("answers", MANY + 1)

    run_as_product(test)


def test_binds_are_refused_while_the_fault_stands() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            arm(simulator, {"fault": "refuse-binds", "status": "ESME_RALYBND", "times": 1})
            with pytest.raises(BindRefused):
                await bind(simulator)
            await bind(simulator)
            assert (simulator.journal.stats.binds, simulator.journal.stats.binds_refused) == (1, 1)

    run_as_product(test)


def test_every_kind_can_be_put_and_is_shown_as_it_was_put() -> None:
    needed: dict[str, dict[str, Any]] = {
        "slow-answers": {"latency_s": 1},
        "slow-receipts": {"latency_s": 1},
        "spoilt-answers": {"form": "twice"},
    }

    async def test() -> None:
        async with open_simulator() as simulator:
            arm(simulator, *({"fault": kind} | needed.get(kind, {}) for kind in KINDS))
            shown = simulator.faults.as_list(now=0)
            assert [fault["fault"] for fault in shown] == list(KINDS)
            assert [(fault["occasions"], fault["happened"], fault["over"]) for fault in shown] == [(0, 0, False)] * len(
                KINDS
            )

    run_as_product(test)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"{", "the body cannot be read"),
        (b'{"faults": [{"fault": "plague"}]}', "there are refuse-binds, throttle"),
        (b'{"faults": [{"fault": "throttle", "probability": 2}]}', "probability"),
        (b'{"faults": [{"fault": "throttle", "colour": 2}]}', "colour"),
        (b'{"faults": [{"fault": "refuse-binds", "session": 1}]}', "a bind has no session yet"),
        (b'{"faults": [' + b'{"fault": "throttle"},' * 100 + b'{"fault": "throttle"}]}', "length <= 100"),
    ],
)
def test_what_is_no_fault_is_said_in_words(octets: bytes, words: str) -> None:
    with pytest.raises(ValueError, match="cannot be") as caught:
        read_faults(octets)
    assert words in str(caught.value)
