"""Faults of receipts: late, twice, out of order, elsewhere, contradictory, strays and garbage (spec S77)."""

import pytest

from sampan.smpp.client import BindMode
from tests.smpp.peers import run_as_product
from tests.smpp.simulator.world import arm, bind, open_simulator, receipts, to

MANY = 20


@pytest.mark.parametrize(
    ("fault", "stats"),
    [
        ({"fault": "duplicate-receipts", "copies": 3}, ["DELIVRD"] * 3),
        ({"fault": "contradictory-receipts", "gap_s": 0.05}, ["DELIVRD", "UNDELIV"]),
        ({"fault": "stray-receipts"}, ["DELIVRD", "DELIVRD"]),
    ],
)
def test_more_receipts_come_than_there_should(fault: dict[str, object], stats: list[str]) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, fault)
            link.session.submit([("a", to(0))])
            found = await receipts(link, len(stats))
            assert [receipt.stat for receipt in found] == stats
            ((_, _, message_id),) = link.told["answers"]
            mine = [receipt for receipt in found if receipt.id == message_id]
            assert len(mine) == (1 if fault["fault"] == "stray-receipts" else len(stats))
            assert simulator.journal.record.since(0, 1)[0].state == 2, "the message's own state stays"

    run_as_product(test)


def test_slow_receipts_come_later_and_with_jitter_in_another_order() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "slow-receipts", "latency_s": 0.01, "jitter_s": 0.3})
            link.session.submit([(n, to(99, b"%d" % n)) for n in range(MANY)])
            order = [receipt.id for receipt in await receipts(link, MANY)]
            ids = [message_id for _, _, message_id in link.told["answers"]]
            assert sorted(map(str, order)) == sorted(ids)
            assert order != ids

    run_as_product(test)


def test_of_several_receipts_the_last_comes_first() -> None:
    async def test() -> None:
        async with open_simulator(time_scale=20) as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "reordered-receipts"})
            link.session.submit([("a", to(3, registered_delivery=0x11))])
            assert [receipt.stat for receipt in await receipts(link, 2)] == ["DELIVRD", "ENROUTE"]

    run_as_product(test)


def test_a_receipt_comes_before_its_answer() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "receipts-first"})
            link.session.submit([("a", to(0))])
            (receipt,) = await receipts(link)
            assert "answers" not in link.told
            ((_, _, message_id),) = await link.until("answers")
            assert receipt.id == message_id

    run_as_product(test)


def test_receipts_come_by_another_session() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            mine, other = await bind(simulator), await bind(simulator, mode=BindMode.RECEIVER)
            arm(simulator, {"fault": "receipts-elsewhere"})
            mine.session.submit([("a", to(0))])
            await receipts(other)
            assert "deliveries" not in mine.told

    run_as_product(test)


def test_garbage_in_a_deliver_sm_comes_before_the_receipt() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            arm(simulator, {"fault": "garbled-receipts"})
            link.session.submit([("a", to(0))])
            await receipts(link)
            assert len(link.told["deliveries"]) == 1, "garbage was refused below, and the session stands"

    run_as_product(test)
