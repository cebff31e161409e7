"""Other people's SMPP clients as customers of a whole platform, bound to its SMPP door (spec S124)."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sampan.smpp.pdu import MessageState, Status
from tests.interop.peers import Peer, Program, running
from tests.interop.table import Row
from tests.interop.test_their_clients import CLIENTS, text_of
from tests.interop.texts import GSM, LONG, UCS2
from tests.journeys.platform import Platform, clean_environment, eventually, free_base_port, running_platform
from tests.smpp.test_tls import certificate

__all__ = ["certificate"]

DIRECTION = "their client, our SMPP door"
WITHIN_S = 20.0
DELIVERED, UNKNOWN_SUBSCRIBER, NO_MOBILE = "85251000000", "85251000001", "85221234567"
STATES = {DELIVERED: MessageState.DELIVERED, UNKNOWN_SUBSCRIBER: MessageState.UNDELIVERABLE}
WAYS = [
    pytest.param("udh", marks=pytest.mark.interop("long text in UDH parts"), id="udh"),
    pytest.param("sar", marks=pytest.mark.interop("long text in SAR parts"), id="sar"),
    pytest.param("payload", marks=pytest.mark.interop("long text in message_payload"), id="payload"),
]


class Account(NamedTuple):
    """A customer of the platform."""

    platform: Platform
    port: int
    login: str
    key: str
    sender: str

    def texts(self) -> list[str]:
        """All that were accepted, oldest first."""
        return [text for (text,) in self.platform.query("SELECT text FROM batch ORDER BY id")]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The demo customer of a platform that runs, with a key that fits SMPP's field."""
    with running_platform(tmp_path_factory.mktemp("door") / "var") as platform:
        ready = platform.ready
        customer = ready["demo"]["customer"]
        key = platform.sampan("customer", "key", customer["username"], "--short").strip()
        yield Account(platform, int(ready["smpp"].rpartition(":")[2]), customer["username"], key, customer["sender_id"])


@pytest.fixture(params=CLIENTS, ids=lambda program: program.name)
def program(request: pytest.FixtureRequest) -> Program:
    """Each client in turn."""
    chosen: Program = request.param
    return chosen


@pytest.fixture
def client(row: Row, program: Program, tmp_path: Path) -> Iterator[Peer]:
    """It runs, and has not yet connected."""
    row.version = program.version()
    with running(program, tmp_path / "log") as peer:
        yield peer


def bind(client: Peer, account: Account, mode: str = "transceiver", password: str = "") -> int:
    answer = client.call(
        "bind", mode=mode, port=account.port, system_id=account.login, password=password or account.key
    )
    return int(answer["status"])


def submit(
    client: Peer, account: Account, text: str, *, to: str = DELIVERED, coding: str = "gsm", way: str = ""
) -> list[list[Any]]:
    answers: list[list[Any]] = client.call("submit", to=to, source=account.sender, text=text, coding=coding, way=way)[
        "answers"
    ]
    return answers


@pytest.mark.interop("texts and their receipts")
@pytest.mark.parametrize(("text", "coding"), [(GSM, "gsm"), (UCS2, "ucs2")], ids=["gsm", "ucs2"])
def test_a_text_is_accepted_as_written_and_its_receipt_comes(
    row: Row, client: Peer, account: Account, text: str, coding: str
) -> None:
    assert bind(client, account) == Status.ESME_ROK
    ((status, message_id),) = submit(client, account, text, coding=coding)
    assert status == Status.ESME_ROK
    assert account.texts()[-1] == text
    (receipt,) = client.call("received", count=1)["deliveries"]
    assert (receipt["id"], receipt["state"], receipt["from"]) == (message_id, MessageState.DELIVERED, DELIVERED)
    assert text_of(receipt).startswith(f"id:{message_id} sub:001 ")
    eventually(lambda: account.platform.query("SELECT count(*) FROM smpp_receipt") == [(0,)], WITHIN_S)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("coding", LONG)
def test_a_long_text_is_one_message(row: Row, client: Peer, account: Account, coding: str, way: str) -> None:
    bind(client, account)
    before = account.texts()
    answers = submit(client, account, LONG[coding], coding=coding, way=way)
    assert {status for status, _ in answers} == {Status.ESME_ROK}
    assert account.texts() == [*before, LONG[coding]]


@pytest.mark.interop("a failure's receipt")
def test_a_failure_is_told(row: Row, client: Peer, account: Account) -> None:
    bind(client, account)
    ((_, message_id),) = submit(client, account, "Hello", to=UNKNOWN_SUBSCRIBER)
    deliveries = eventually(lambda: _of(client, message_id), WITHIN_S)
    assert deliveries[0]["state"] == MessageState.UNDELIVERABLE
    assert " stat:UNDELIV err:303 " in text_of(deliveries[0])


def _of(client: Peer, message_id: str) -> list[dict[str, Any]]:
    deliveries = client.call("received", count=1)["deliveries"]
    return [delivery for delivery in deliveries if delivery["id"] == message_id]


@pytest.mark.interop("receipts that waited for a receiver")
def test_receipts_wait_until_somebody_is_there_to_take_them(
    row: Row, program: Program, account: Account, tmp_path: Path
) -> None:
    row.version = program.version()
    with running(program, tmp_path / "tx") as transmitter:
        bind(transmitter, account, "transmitter")
        ((_, message_id),) = submit(transmitter, account, "Hello")
    if program.name == "Kannel":
        pytest.skip("Kannel tells its user only receipts of texts it sent itself since it started")
    with running(program, tmp_path / "rx") as receiver:
        bind(receiver, account, "receiver")
        assert eventually(lambda: _of(receiver, message_id), WITHIN_S)


@pytest.mark.interop("refusals")
def test_a_refusal_is_seen(row: Row, client: Peer, account: Account) -> None:
    bind(client, account)
    assert submit(client, account, "Hello", to=NO_MOBILE) == [[Status.ESME_RINVDSTADR, ""]]


@pytest.mark.interop("query_sm")
def test_a_message_can_be_asked_after(row: Row, client: Peer, account: Account) -> None:
    bind(client, account)
    ((_, message_id),) = submit(client, account, "Hello")
    assert eventually(lambda: _of(client, message_id), WITHIN_S)
    answer = client.call("query", message_id=message_id, source=account.sender)
    assert answer == {"status": Status.ESME_ROK, "state": MessageState.DELIVERED}


@pytest.mark.interop("enquire_link, unbind")
def test_enquire_link_and_unbind_are_answered(row: Row, client: Peer, account: Account) -> None:
    bind(client, account)
    if row.peer != "smpp34":  # which asks when it likes
        assert client.call("enquire")["status"] == Status.ESME_ROK
    assert client.call("unbind")["status"] == Status.ESME_ROK


@pytest.mark.interop("bind and text over TLS")
def test_a_client_binds_over_tls(row: Row, client: Peer, account: Account, certificate: Path, tmp_path: Path) -> None:
    with tls_door(account, certificate, tmp_path / "door.log") as port:
        secrets = {"system_id": account.login, "password": account.key}
        answer = client.call("bind", mode="transceiver", port=port, ca=str(certificate), **secrets)
        assert answer["status"] == Status.ESME_ROK
        ((status, _),) = submit(client, account, "Over TLS")
        assert status == Status.ESME_ROK
        client.call("unbind")


@contextlib.contextmanager
def tls_door(account: Account, certificate: Path, log: Path) -> Iterator[int]:
    """Another door of the same platform, which speaks TLS alone."""
    port = free_base_port()
    argv = [sys.executable, "-m", "sampan", "smpp", "--data", str(account.platform.folder), "--port", str(port)]
    argv += ["--tls-certificate", str(certificate)]
    with log.open("w") as output, subprocess.Popen(argv, stdout=output, stderr=output, env=clean_environment()) as door:
        try:
            eventually(lambda: listens(port), WITHIN_S)
            yield port
        finally:
            door.terminate()
            door.wait(WITHIN_S)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


@pytest.mark.interop("wrong password")
def test_a_wrong_password_is_refused(row: Row, client: Peer, account: Account) -> None:
    """The last test: after some more of these nobody is let in from here for a while."""
    assert bind(client, account, password="guess") in (Status.ESME_RINVPASWD, Status.ESME_RBINDFAIL)
