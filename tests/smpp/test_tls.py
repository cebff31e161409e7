"""SMPP over TLS, either side (spec S136)."""

import asyncio
import ssl
from pathlib import Path

import pytest

from sampan.smpp.client import connect
from sampan.smpp.pdu import DeliverSm
from sampan.smpp.server import DoorSettings
from sampan.smpp.session import Limits
from tests.certificates import self_signed, serving
from tests.smpp.peers import Link, PromptDoor, connected_peer, message, open_door, operator_at, run


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and localhost and its key, in one file."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def test_a_link_over_tls_does_all_a_plain_one_does(certificate: Path) -> None:
    async def test() -> None:
        async with open_door(door := PromptDoor(), tls=serving(certificate)) as (port, _):
            trusting = ssl.create_default_context(cafile=str(certificate))
            session = await connect(operator_at(port, tls=trusting), link := Link(), Limits(window=500))
            session.submit([(number, message(number)) for number in range(500)])
            assert len(await link.until("answers", 500)) == 500
            door.told["bound"][0].deliver([("a", DeliverSm(short_message=b"STOP"))])
            (delivery,) = await link.until("deliveries")
            session.acknowledge([delivery.sequence_number])
            assert await door.until("answers") == [("a", 0, "")]
            await session.unbind()

    run(test)


def test_an_operator_that_cannot_prove_who_it_is_gets_no_password(certificate: Path) -> None:
    async def test() -> None:
        async with open_door(door := PromptDoor(), tls=serving(certificate)) as (port, _):
            with pytest.raises(ssl.SSLCertVerificationError):
                await connect(operator_at(port, tls=ssl.create_default_context()), Link())
            assert "binds" not in door.told

    run(test)


def test_who_speaks_no_tls_at_a_tls_door_is_shown_out(certificate: Path) -> None:
    async def test() -> None:
        settings = DoorSettings(bind_timeout_s=0.2, limits=Limits(enquire_link_s=None))
        async with open_door(PromptDoor(), settings, serving(certificate)) as (port, server):
            peer = await connected_peer(port)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await peer.ask(message())
            assert server.sessions == set()

    run(test)
