"""SMPP over TLS, either side (spec S136)."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sampan.smpp.client import connect
from sampan.smpp.pdu import DeliverSm
from sampan.smpp.server import DoorSettings
from sampan.smpp.session import Limits
from tests.smpp.peers import Link, PromptDoor, connected_peer, message, open_door, operator_at, run


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and localhost and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SMSC")])
    now = datetime.now(UTC)
    names = [x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("localhost")]
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path_factory.mktemp("tls") / "smsc.pem"
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


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
