"""Receipts find their way: to the session that submitted, to another, to the next, and again (spec S77)."""

import pytest

from sampan.smpp.client import BindMode, Delivery
from sampan.smpp.pdu import DeliverSm, Status
from sampan.smpp.simulator.outbox import MOST_KEPT, Outbound, Outbox
from tests.smpp.peers import Link, run_as_product
from tests.smpp.simulator.world import bind, open_simulator, receipts, settle, to


def test_receipts_come_by_the_session_that_submitted_where_it_can_receive() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            other, mine = await bind(simulator), await bind(simulator)
            mine.session.submit([(n, to(99, b"%d" % n)) for n in range(20)])
            await receipts(mine, 20)
            assert "deliveries" not in other.told
            assert simulator.journal.stats.receipts == 20

    run_as_product(test)


def test_a_transmitters_receipts_come_by_a_receiver_of_the_same_system_id() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            stranger = await bind(simulator, system_id="charity")
            receiver = await bind(simulator, mode=BindMode.RECEIVER)
            transmitter = await bind(simulator, mode=BindMode.TRANSMITTER)
            transmitter.session.submit([("a", to(0))])
            await receipts(receiver)
            assert "deliveries" not in stranger.told
            assert "deliveries" not in transmitter.told

    run_as_product(test)


def test_receipts_are_kept_until_somebody_binds_who_can_receive() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            transmitter = await bind(simulator, mode=BindMode.TRANSMITTER)
            transmitter.session.submit([(n, to(99, b"%d" % n)) for n in range(5)])
            ids = [message_id for _, _, message_id in await transmitter.until("answers", 5)]
            await transmitter.session.unbind()
            somebody_else = await bind(simulator, system_id="charity")
            somebody_else.session.submit([("later", to(99))])
            await receipts(somebody_else)
            assert simulator.accounts["florist"].outbox.waiting == 5
            receiver = await bind(simulator, mode=BindMode.RECEIVER)
            assert [receipt.id for receipt in await receipts(receiver, 5)] == ids

    run_as_product(test)


def test_what_a_session_did_not_acknowledge_comes_again_by_the_next_first_things_first() -> None:
    async def test() -> None:
        async with open_simulator(receipt_window=2) as simulator:
            forgetful = await bind(simulator, Link())
            forgetful.session.submit([(n, to(99, b"%d" % n)) for n in range(4)])
            ids = [message_id for _, _, message_id in await forgetful.until("answers", 4)]
            assert [receipt.id for receipt in await receipts(forgetful, 2)] == ids[:2]
            outbox = simulator.accounts["florist"].outbox
            assert (outbox.waiting, outbox.in_flight) == (2, 2)
            forgetful.session.abort("a crash")
            careful = await bind(simulator)
            assert [receipt.id for receipt in await receipts(careful, 4)] == ids
            await settle(careful)
            stats = simulator.journal.stats
            assert (stats.receipts, stats.receipts_acknowledged) == (6, 4), "two were written twice"
            assert (outbox.waiting, outbox.in_flight) == (0, 0)

    run_as_product(test)


class RefusingLink(Link):
    """Refuses each delivery once, with a status of the test's."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status

    def on_deliveries(self, deliveries: list[Delivery]) -> None:
        super().on_deliveries(deliveries)
        self.session.acknowledge([delivery.sequence_number for delivery in deliveries], self.status)
        self.status = 0


@pytest.mark.parametrize(("status", "comes"), [(Status.ESME_RX_T_APPN, 2), (Status.ESME_RX_P_APPN, 1)])
def test_a_delivery_refused_for_now_comes_again_and_one_refused_for_good_does_not(status: int, comes: int) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator, RefusingLink(status))
            link.session.submit([("a", to(0))])
            await receipts(link, comes)
            await settle(link)
            stats = simulator.journal.stats
            assert (stats.receipts_acknowledged, stats.deliveries_refused) == (comes - 1, 1)

    run_as_product(test)


def test_a_delivery_without_an_answer_comes_again_as_well() -> None:
    async def test() -> None:
        async with open_simulator(response_timeout_s=0.05) as simulator:
            deaf = await bind(simulator, Link())
            deaf.session.submit([("a", to(0))])
            assert len(await receipts(deaf, 3)) == 3

    run_as_product(test)


def test_beyond_a_bound_the_oldest_is_lost_and_counted() -> None:
    outbox = Outbox()
    for _ in range(MOST_KEPT + 3):
        outbox.put(Outbound(DeliverSm(), is_receipt=True))
    assert (outbox.waiting, outbox.lost) == (MOST_KEPT, 3)
    outbox.clear()
    assert outbox.waiting == 0
