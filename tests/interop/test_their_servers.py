"""Our client, with what the gateway writes by its dialects, against other people's SMSCs (spec S77, S78)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sampan.composing.alphabet import decode_gsm
from sampan.composing.parts import compose
from sampan.dispatch.dialects import Dialect, Way
from sampan.smpp.client import BindMode, BindRefused, ClientSession, connect
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DataCoding, DeliverSm, MessageState, QuerySm, Status, SubmitSm
from sampan.smpp.receipt import read_receipt
from sampan.smpp.session import Limits
from tests.dispatch.test_dialects import BUSINESS, HONG_KONG, claimed, on_the_wire
from tests.interop.peers import Kind, Peer, Program, running
from tests.interop.table import Row
from tests.interop.texts import GSM, LONG, UCS2
from tests.journeys.platform import eventually
from tests.smpp.peers import NAME, PASSWORD, StoringLink, operator_at, run_as_product

DIRECTION = "our client, their server"
SERVERS = (
    Program("npm smpp", Kind.NPM, "smpp", "server.js"),
    Program("smpp34", Kind.PYPI, "smpp34", "tests.interop.servers.smpp34_server"),
    Program("bench/smsc", Kind.OURS, "", "tests.interop.servers.bench_smsc"),
)
SENDER, OUR_NUMBER, HANDSET = "HarbourFlo", "85290000000", "85261234567"
OFTEN_S = 0.05
WAYS = [
    pytest.param("udh", marks=pytest.mark.interop("long text in UDH parts"), id="udh"),
    pytest.param("sar", marks=pytest.mark.interop("long text in SAR parts"), id="sar"),
    pytest.param("payload", marks=pytest.mark.interop("long text in message_payload"), id="payload"),
]


@pytest.fixture(params=SERVERS, ids=lambda program: program.name)
def program(request: pytest.FixtureRequest) -> Program:
    """Each server in turn."""
    chosen: Program = request.param
    return chosen


@pytest.fixture
def server(row: Row, program: Program, tmp_path: Path) -> Iterator[Peer]:
    """It runs, and does not yet listen."""
    row.version = program.version()
    with running(program, tmp_path / "log") as peer:
        yield peer


async def ask(server: Peer, do: str, **arguments: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await asyncio.to_thread(server.call, do, **arguments)
    return answer


async def listen(server: Peer, receipts: str = "both", *, throttles: bool = False) -> dict[str, Any]:
    return await ask(server, "listen", system_id=NAME, password=PASSWORD, receipts=receipts, throttles=throttles)


@contextlib.asynccontextmanager
async def bound(
    server: Peer, mode: BindMode = BindMode.TRANSCEIVER, limits: Limits | None = None, **listening: Any
) -> AsyncIterator[tuple[StoringLink, ClientSession]]:
    """The server listens, and we are bound to it; at the end we unbind."""
    said = await listen(server, **listening)
    async with bound_at(said["port"], mode, limits) as both:
        yield both


@contextlib.asynccontextmanager
async def bound_at(
    port: int, mode: BindMode = BindMode.TRANSCEIVER, limits: Limits | None = None
) -> AsyncIterator[tuple[StoringLink, ClientSession]]:
    """We are bound to who listens there; at the end we unbind."""
    session = await connect(operator_at(port, mode=mode), link := StoringLink(), limits)
    yield link, session
    await session.unbind()


def written(text: str, dialect: Dialect | None = None) -> list[SubmitSm]:
    """The submits the gateway makes of a text."""
    all_parts = (1 << len(compose(text).parts)) - 1
    return on_the_wire(claimed(text=text, parts_left=all_parts), Way(BUSINESS, HONG_KONG, ""), dialect)


async def arrived(server: Peer, link: StoringLink, bodies: list[SubmitSm]) -> list[dict[str, Any]]:
    """Submit these; what the server says it got."""
    link.session.submit(list(enumerate(bodies)))
    answers = await link.until("answers", len(bodies))
    assert [status for _, status, _ in answers] == [Status.ESME_ROK] * len(bodies)
    found = await ask(server, "seen")
    if "messages" not in found:
        pytest.skip(f"{server.name} keeps no messages")
    messages: list[dict[str, Any]] = found["messages"]
    return messages


def text_of(message: dict[str, Any]) -> str:
    """As the server decoded it, or, where it leaves that to its user, as its octets say."""
    if "text" in message:
        return str(message["text"])
    octets = content_of(SubmitSm(esm_class=message["esm_class"], short_message=bytes.fromhex(message["octets"]))).octets
    return octets.decode("utf-16-be") if message["data_coding"] == DataCoding.UCS2 else decode_gsm(octets)


def place_of(message: dict[str, Any]) -> list[int]:
    """Reference, total and number, as the server read them; where it leaves that to its user, as the header says."""
    if message["part"] or "octets" not in message:
        return list(message["part"] or ())
    octets = bytes.fromhex(message["octets"])
    part = content_of(SubmitSm(esm_class=message["esm_class"], short_message=octets)).concatenation
    return [part.reference, part.total, part.number] if part else []


@pytest.mark.interop("bind tx, rx, trx")
@pytest.mark.parametrize("mode", BindMode)
def test_we_bind_in_each_mode(row: Row, server: Peer, mode: BindMode) -> None:
    async def test() -> None:
        async with bound(server, mode) as (_, session):
            assert session.state.bound
            assert session.state.may_submit == (mode is not BindMode.RECEIVER)
            assert session.state.may_deliver == (mode is not BindMode.TRANSMITTER)

    run_as_product(test)


@pytest.mark.interop("wrong password")
def test_a_wrong_password_is_told(row: Row, server: Peer) -> None:
    async def test() -> None:
        said = await listen(server)
        if "lets_everybody_in" in said:
            pytest.skip(f"{server.name} lets everybody in")
        operator = operator_at(said["port"])
        with pytest.raises(BindRefused) as refused:
            await connect(type(operator)(**{**vars(operator), "password": "guess"}), StoringLink())
        assert refused.value.status == Status.ESME_RINVPASWD

    run_as_product(test)


@pytest.mark.interop("GSM and UCS-2 texts")
@pytest.mark.parametrize("text", [GSM, UCS2], ids=["gsm", "ucs2"])
def test_a_text_arrives_as_it_was_written(row: Row, server: Peer, text: str) -> None:
    async def test() -> None:
        async with bound(server) as (link, _):
            (message,) = await arrived(server, link, written(text))
            assert (text_of(message), message["from"], message["to"]) == (text, SENDER, HANDSET)

    run_as_product(test)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("coding", LONG)
def test_a_long_text_arrives_whole(row: Row, server: Peer, coding: str, way: Any) -> None:
    async def test() -> None:
        async with bound(server) as (link, _):
            bodies = written(LONG[coding], Dialect(long_texts=way))
            messages = await arrived(server, link, bodies)
            places = [place_of(message) for message in messages]
            if places != sorted(places):
                row.differs("hands its user submits in another order than they came in")
            ordered = sorted(messages, key=place_of)
            assert "".join(map(text_of, ordered)) == LONG[coding]
            if way != "payload":
                reference = places[0][0]
                assert sorted(places) == [[reference, len(bodies), number] for number in range(1, len(bodies) + 1)]

    run_as_product(test)


@pytest.mark.interop("receipts as text, as TLVs, as both")
@pytest.mark.parametrize("form", ["text", "tlvs", "both"])
def test_a_receipt_is_read_in_each_form(row: Row, server: Peer, form: str) -> None:
    async def test() -> None:
        async with bound(server, receipts=form) as (link, session):
            session.submit([(1, written("Hello")[0])])
            ((_, _, message_id),) = await link.until("answers")
            (delivery,) = await link.until("deliveries")
            receipt = read_receipt(delivery.body)
            assert receipt is not None
            assert (receipt.id, receipt.state) == (message_id, MessageState.DELIVERED)
            assert (delivery.body.source_addr, delivery.body.destination_addr) == (HANDSET, SENDER)

    run_as_product(test)


@pytest.mark.interop("a reply")
def test_a_reply_is_delivered(row: Row, server: Peer) -> None:
    async def test() -> None:
        async with bound(server) as (link, _):
            answer = await ask(server, "deliver", to=OUR_NUMBER, text="STOP", **{"from": HANDSET})
            assert answer == {"status": Status.ESME_ROK}
            (delivery,) = await link.until("deliveries")
            assert isinstance(delivery.body, DeliverSm)
            assert (delivery.body.short_message, delivery.body.destination_addr) == (b"STOP", OUR_NUMBER)

    run_as_product(test)


@pytest.mark.interop("throttling")
def test_throttling_is_told(row: Row, server: Peer) -> None:
    async def test() -> None:
        async with bound(server, throttles=True) as (link, session):
            session.submit([(number, written("Hello")[0]) for number in (1, 2)])
            answers = await link.until("answers", 2)
            assert sorted(status for _, status, _ in answers) == [Status.ESME_ROK, Status.ESME_RTHROTTLED]

    run_as_product(test)


@pytest.mark.interop("query_sm")
def test_a_message_can_be_asked_after(row: Row, server: Peer) -> None:
    async def test() -> None:
        said = await listen(server)
        if "answers_queries" not in said:
            pytest.skip(f"{server.name} answers no query_sm")
        async with bound_at(said["port"]) as (link, session):
            session.submit([(1, written("Hello")[0])])
            ((_, _, message_id),) = await link.until("answers")
            answer = await session.query(QuerySm(message_id=message_id, source_addr=SENDER))
            assert (answer.message_id, answer.message_state) == (message_id, MessageState.DELIVERED)

    run_as_product(test)


@pytest.mark.interop("enquire_link")
def test_enquire_link_keeps_a_silent_link_up(row: Row, server: Peer) -> None:
    async def test() -> None:
        often = Limits(enquire_link_s=OFTEN_S, response_timeout_s=OFTEN_S * 20)
        async with bound(server, limits=often) as (_, session):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(OFTEN_S * 40):  # longer than an unanswered one lets it live
                    await session.wait_closed()
            assert session.state.bound

    run_as_product(test)


@pytest.mark.interop("unbind")
def test_we_unbind(row: Row, server: Peer) -> None:
    async def test() -> None:
        async with bound(server) as (_, session):
            pass
        if session.close_reason != "unbound by us":
            row.differs("hangs up where unbind asks for an answer")
            assert session.close_reason == "closed by the peer"
        await asyncio.to_thread(eventually, lambda: not server.call("seen")["sessions"], OFTEN_S * 40)

    run_as_product(test)
