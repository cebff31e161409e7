"""What the simulator takes, from whom, and what it refuses."""

import pytest

from sampan.smpp.concatenation import Concatenation, write_header
from sampan.smpp.pdu import (
    BindTransceiver,
    DataSm,
    DistributionList,
    EsmClass,
    ReplaceSm,
    SmeAddress,
    Status,
    SubmitMulti,
    SubmitMultiResp,
    Tag,
    UnsuccessfulSme,
)
from tests.smpp.peers import connected_peer, run, run_as_product
from tests.smpp.simulator.world import bind, open_simulator, receipts, to

HEADER = write_header(Concatenation(7, 2, 1))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"destination_addr": ""}, Status.ESME_RINVDSTADR),
        ({"validity_period": "xx0000020000000R"}, Status.ESME_RINVEXPIRY),
        ({"schedule_delivery_time": "xx0000020000000R"}, Status.ESME_RINVSCHED),
        ({"short_message": b"x" * 160}, Status.ESME_ROK),
        ({"short_message": b"x" * 161}, Status.ESME_RINVMSGLEN),
        ({"short_message": b"x" * 160, "data_coding": 1}, Status.ESME_ROK),
        ({"short_message": b"x" * 141, "data_coding": 4}, Status.ESME_RINVMSGLEN),
        ({"short_message": b"\x4f\x60" * 70, "data_coding": 8}, Status.ESME_ROK),
        ({"short_message": b"\x4f\x60" * 71, "data_coding": 8}, Status.ESME_RINVMSGLEN),
        ({"short_message": HEADER + b"x" * 153, "esm_class": EsmClass.UDHI}, Status.ESME_ROK),
        ({"short_message": HEADER + b"x" * 154, "esm_class": EsmClass.UDHI}, Status.ESME_RINVMSGLEN),
        ({"short_message": HEADER + b"\x4f\x60" * 67, "esm_class": 0x40, "data_coding": 8}, Status.ESME_ROK),
        ({"short_message": HEADER + b"\x4f\x60" * 68, "esm_class": 0x40, "data_coding": 8}, Status.ESME_RINVMSGLEN),
        ({"short_message": b"no header", "esm_class": EsmClass.UDHI}, Status.ESME_RINVESMCLASS),
        ({"short_message": b"", "tlvs": ((Tag.MESSAGE_PAYLOAD, b"x" * 2000),)}, Status.ESME_ROK),
    ],
)
def test_what_no_air_interface_carries_is_refused(changes: dict[str, object], status: Status) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(0)._replace(**changes))])  # type: ignore[arg-type]
            assert (await link.until("answers"))[0][1] == status

    run(test)


def test_a_message_can_be_scheduled() -> None:
    async def test() -> None:
        async with open_simulator(time_scale=36_000) as simulator:
            link = await bind(simulator)
            link.session.submit([("a", to(0, schedule_delivery_time="000000080000000R")), ("b", to(99))])
            answers = await link.until("answers", 2)
            assert [receipt.id for receipt in await receipts(link, 2)] == [answers[1][2], answers[0][2]]

    run_as_product(test)


def test_data_sm_is_taken_too() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            link = await bind(simulator)
            data = DataSm("", 5, 0, "Florist", 1, 1, "85251000000", 0, 1, 0, ((Tag.MESSAGE_PAYLOAD, b"hello"),))
            link.session.submit([("a", data), ("b", data._replace(destination_addr="8" * 30))])
            (_, status, message_id), (_, refused, _) = await link.until("answers", 2)
            (receipt,) = await receipts(link)
            assert (status, receipt.id, receipt.text) == (0, message_id, "hello")
            assert refused == Status.ESME_RINVDSTADR

    run_as_product(test)


def test_submit_multi_is_taken_for_each_destination_and_replace_sm_is_not_offered() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            peer = await connected_peer(simulator.port)
            await peer.ask(BindTransceiver("florist", "secret"))
            numbers = (0, 5, 1)
            many = SubmitMulti(
                source_addr="Florist",
                dest_addresses=(*(SmeAddress(1, 1, f"852510000{n:02}") for n in numbers), DistributionList("all")),
                short_message=b"hi",
            )
            answer = (await peer.ask(many, 2)).body
            assert isinstance(answer, SubmitMultiResp)
            assert answer.unsuccessful == (
                UnsuccessfulSme(1, 1, "85251000005", Status.ESME_RINVDSTADR),
                UnsuccessfulSme(0, 0, "all", Status.ESME_RINVDLNAME),
            )
            assert simulator.journal.stats.taken == 2
            assert (await peer.ask(ReplaceSm(answer.message_id), 3)).status == Status.ESME_RREPLACEFAIL

    run(test)


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("florist", "secret", Status.ESME_ROK),
        ("florist", "hope", Status.ESME_RINVPASWD),
        ("florist", "", Status.ESME_RINVPASWD),
        ("mallory", "secret", Status.ESME_RINVSYSID),
    ],
)
def test_only_who_knows_the_password_may_bind(system_id: str, password: str, status: Status) -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            peer = await connected_peer(simulator.port)
            assert (await peer.ask(BindTransceiver(system_id, password))).status == status
            assert simulator.journal.stats.binds_refused == (1 if status else 0)

    run(test)


def test_without_accounts_whoever_comes_may_bind() -> None:
    async def test() -> None:
        async with open_simulator(accounts=None) as simulator:
            peer = await connected_peer(simulator.port)
            assert (await peer.ask(BindTransceiver("anybody"))).status == 0

    run(test)


def test_beyond_its_window_a_session_is_throttled() -> None:
    async def test() -> None:
        async with open_simulator(window=2) as simulator:
            link = await bind(simulator)
            link.session.submit([(n, to(7, b"%d" % n)) for n in range(3)])
            assert await link.until("answers") == [(2, Status.ESME_RTHROTTLED, "")]
            (session,) = simulator._server.sessions
            await link.session.unbind()
            await session.wait_closed()
            assert simulator.journal.stats.throttled == 1

    run(test)
