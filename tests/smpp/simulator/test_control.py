"""The simulator's control over HTTP."""

import asyncio
import json
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sampan.smpp.client import BindMode
from sampan.smpp.concatenation import content_of
from sampan.smpp.pdu import DeliverSm
from sampan.smpp.simulator import Simulator
from sampan.smpp.simulator.control import MOST_BODY_OCTETS, ControlServer
from sampan.smpp.simulator.texts import decode_text
from tests.smpp.peers import run, run_as_product
from tests.smpp.simulator.world import bind, body_of, eventually, open_simulator, receipts, settle, to


class Http:
    """A client of the control."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __call__(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        return await asyncio.get_running_loop().run_in_executor(None, self._ask, method, path, body)

    def _ask(self, method: str, path: str, body: object) -> tuple[int, Any]:
        octets = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}{path}", data=octets, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@asynccontextmanager
async def controlled(**more: Any) -> AsyncIterator[tuple[Simulator, Http]]:
    async with open_simulator(**more) as simulator:
        port = free_port()
        control = ControlServer(simulator, "127.0.0.1", port)
        await control.start()
        try:
            yield simulator, Http(port)
        finally:
            await control.stop()


def test_figures_and_messages_can_be_read() -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator)
            link.session.submit([("a", to(1, b"Your roses \x1b\x28are\x1b\x29 ready")), ("b", to(5))])
            answers = await link.until("answers", 2)
            await receipts(link)
            status, messages = await http("GET", "/messages")
            assert status == 200
            first, second = messages
            assert first["n"] == 1
            assert first["system_id"] == "florist"
            assert first["source"] == {"ton": 5, "npi": 0, "address": "Florist"}
            assert first["destination"] == {"ton": 1, "npi": 1, "address": "85251000001"}
            assert first["text"] == "Your roses {are} ready"
            assert (first["data_coding"], first["registered_delivery"], first["validity_period"]) == (0, 1, "")
            assert (first["behaviour"], first["state"]) == ("unknown-subscriber", "UNDELIVERABLE")
            assert first["message_id"] == answers[0][2]
            assert (second["command_status"], second["message_id"], second["state"]) == (11, "", "")
            assert await http("GET", "/messages?since=1&limit=1") == (200, [second])
            _, stats = await http("GET", "/stats")
            assert (stats["submits"], stats["taken"], stats["refused"], stats["receipts"]) == (2, 1, 1, 1)
            assert (stats["sessions"], stats["last"]) == (1, 2)

    run_as_product(test)


def test_a_behaviour_can_be_set_and_taken_back() -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator)
            rule = {"numbers": "8526*", "behaviour": "refused", "with": {"status": 0x58}}
            assert (await http("PUT", "/behaviour", rule))[0] == 200
            link.session.submit([("a", to(0)._replace(destination_addr="85261234567"))])
            assert (await link.until("answers"))[0][1] == 0x58
            _, behaviours = await http("GET", "/behaviours")
            assert behaviours["8526*"]["status"] == 0x58
            assert behaviours["*"]["name"] == "delivered"
            assert (await http("PUT", "/behaviour", {"numbers": "8526*"}))[0] == 200
            link.session.submit([("b", to(0)._replace(destination_addr="85261234567"))])
            assert (await link.until("answers", 2))[1][1] == 0

    run_as_product(test)


def test_a_handset_replies_in_as_many_parts_as_it_needs() -> None:
    """spec S111."""

    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator)
            reply = {"from": "85251000000", "to": "85261234567", "text": "退訂"}
            assert await http("POST", "/replies", reply) == (200, {"system_id": "florist", "parts": 1})
            await link.until("deliveries")
            body = body_of(link)
            assert (body.source_addr, body.destination_addr, body.esm_class) == ("85251000000", "85261234567", 0)
            assert decode_text(body.short_message, body.data_coding) == "退訂"
            long = "a[" * 100
            status, answer = await http("POST", "/replies", reply | {"to": "Florist", "text": long, "backwards": True})
            assert (status, answer["parts"]) == (200, 2)
            await link.until("deliveries", 3)
            parts = [content_of(body_of(link, place)) for place in (1, 2)]
            assert [part.concatenation.number for part in parts if part.concatenation] == [2, 1]
            assert "".join(decode_text(part.octets, 0) for part in reversed(parts)) == long
            assert body_of(link, 1).dest_addr_ton == 5
            await settle(link)
            assert simulator.journal.stats.replies_acknowledged == 3

    run_as_product(test)


def test_a_reply_waits_for_whoever_its_number_belongs_to() -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            reply = {"from": "85251000000", "to": "85261234567", "text": "hello"}
            status, answer = await http("POST", "/replies", reply)
            assert (status, answer) == (400, {"error": "say whose the number is by system_id; 0 accounts have bound"})
            florist, _ = await bind(simulator), await bind(simulator, system_id="charity")
            await florist.session.unbind()
            assert (await http("POST", "/replies", reply))[0] == 400
            assert (await http("POST", "/replies", reply | {"system_id": "mallory"}))[0] == 404
            assert (await http("POST", "/replies", reply | {"system_id": "florist"}))[0] == 200
            florist = await bind(simulator)
            (delivery,) = await florist.until("deliveries")
            assert isinstance(delivery.body, DeliverSm)
            assert delivery.body.short_message == b"hello"

    run_as_product(test)


def test_reset_makes_it_as_new_but_for_sessions_and_numbers() -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator)
            await http("PUT", "/behaviour", {"numbers": "*", "behaviour": "blocked"})
            link.session.submit([("a", to(7)), ("b", to(0))])
            await link.until("answers", 2)
            assert (await http("POST", "/reset"))[0] == 200
            _, stats = await http("GET", "/stats")
            assert (stats["submits"], stats["sessions"], stats["last"]) == (0, 1, 2)
            assert (await http("GET", "/messages"))[1] == []
            link.session.submit([("c", to(0))])
            (receipt,) = await receipts(link)
            assert receipt.stat == "DELIVRD"
            assert [message["n"] for message in (await http("GET", "/messages"))[1]] == [3]

    run_as_product(test)


def test_faults_can_be_put_looked_at_and_taken_back() -> None:
    async def test() -> None:
        async with controlled(seed=5) as (simulator, http):
            link = await bind(simulator)
            status, put = await http("PUT", "/faults", {"faults": [{"fault": "lost-answers", "times": 1}], "seed": 9})
            assert (status, put["seed"], put["faults"][0]["happened"]) == (200, 9, 0)
            link.session.submit([("a", to(0)), ("b", to(1))])
            await link.until("answers", 1)
            (fault,) = (await http("GET", "/faults"))[1]["faults"]
            assert (fault["fault"], fault["happened"], fault["over"]) == ("lost-answers", 1, True)
            (lost,) = (await http("GET", "/unanswered"))[1]
            assert (lost["n"], lost["answered"]) == (1, False)
            assert (await http("GET", "/stats"))[1]["unanswered"] == 1
            assert (await http("DELETE", "/faults"))[1]["faults"] == []

    run_as_product(test)


def test_what_was_taken_twice_is_shown() -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator)
            link.session.submit([("a", to(0)), ("b", to(1)), ("again", to(0))])
            await link.until("answers", 3)
            (repeated,) = (await http("GET", "/duplicates"))[1]
            assert (repeated["destination"], repeated["times"], repeated["n"]) == ("85251000000", 2, [1, 3])

    run_as_product(test)


@pytest.mark.parametrize(("keep", "forgotten"), [(True, 0), (False, 1)])
def test_a_restart_ends_all_sessions_and_listens_again_with_what_it_knew(keep: bool, forgotten: int) -> None:
    async def test() -> None:
        async with controlled() as (simulator, http):
            link = await bind(simulator, mode=BindMode.TRANSMITTER)
            link.session.submit([("a", to(0))])
            await link.until("answers")
            await eventually(lambda: simulator.accounts["florist"].outbox.waiting)
            status, said = await http("POST", "/restart", {"down_s": 0.2, "keep_receipts": keep})
            assert (status, said["sessions"]) == (200, 1)
            assert await link.until("closed")
            assert (await http("POST", "/restart", {"down_s": 0}))[0] == 409
            await eventually(lambda: not simulator.is_down)
            _, stats = await http("GET", "/stats")
            assert (stats["taken"], stats["restarts"], stats["receipts_forgotten"]) == (1, 1, forgotten)
            again = await bind(simulator)
            if keep:
                await receipts(again)
            sessions = (await http("GET", "/sessions"))[1]
            assert [(each["session"], each["system_id"], each["condition"]) for each in sessions] == [
                (2, "florist", "")
            ]

    run_as_product(test)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/", None, 404, "there is no /; there are GET /stats"),
        ("POST", "/stats", {}, 405, "/stats takes GET, not POST"),
        ("PUT", "/behaviour", b"{", 400, "the body cannot be read"),
        ("PUT", "/behaviour", b"\xff\xfe", 400, "the body cannot be read"),
        ("PUT", "/behaviour", {"numbers": "8525*", "behaviour": "unheard"}, 400, "there is no behaviour 'unheard'"),
        ("PUT", "/behaviour", {"numbers": "8x", "behaviour": "blocked"}, 400, "'8x' is no number"),
        ("PUT", "/behaviour", {"behaviour": "blocked"}, 400, "numbers"),
        ("PUT", "/behaviour", {"numbers": "*", "behaviour": "blocked", "with": {"x": 1}}, 400, "x"),
        ("POST", "/replies", {"from": "+852", "to": "8526", "text": "hi"}, 400, "from"),
        ("POST", "/replies", {"from": "8525", "to": "", "text": "hi"}, 400, "to"),
        ("GET", "/messages?since=-1", None, 400, "since is '-1', it must be a whole number from 0 on"),
        ("GET", "/messages?limit=0", None, 400, "limit is '0', it must be a whole number from 1 on"),
        ("PUT", "/faults", {"faults": [{"fault": "plague"}]}, 400, "there are refuse-binds"),
        ("POST", "/restart", {}, 400, "down_s"),
        ("POST", "/restart", {"down_s": 3601}, 400, "down_s"),
        ("POST", "/replies", b" " * (MOST_BODY_OCTETS + 1), 413, "more than 1048576 octets"),
    ],
)
def test_what_cannot_be_served_is_said_in_words(method: str, path: str, body: object, status: int, words: str) -> None:
    async def test() -> None:
        async with controlled() as (_, http):
            answered, answer = await http(method, path, body)
            assert answered == status
            assert words in answer["error"]

    run_as_product(test)


def test_a_taken_port_is_an_error_not_a_share() -> None:
    async def test() -> None:
        async with open_simulator() as simulator:
            with socket.create_server(("127.0.0.1", 0)) as taken:
                control = ControlServer(simulator, "127.0.0.1", taken.getsockname()[1])
                with pytest.raises(OSError, match="in use"):
                    await control.start()
                await control.stop()

    run(test)
