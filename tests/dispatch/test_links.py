"""An operator's links as they are set up, and changed while they run (spec S42, S136)."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from sampan.database import Connection
from sampan.routing.operators import add_link
from sampan.routing.tables import Link, Operator
from tests.certificates import self_signed, serving
from tests.dispatch.running import accept, count, eventually, gateway, places_at, simulator, statuses
from tests.world import draft_of, make_customer

MANY = [85261000000 + n for n in range(60)]
DELIVERED = (22, 300)


@contextlib.asynccontextmanager
async def tls_before(port: int, context: ssl.SSLContext) -> AsyncIterator[int]:
    """A port that speaks TLS and passes on to another."""

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while octets := await reader.read(65_536):
                writer.write(octets)
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def test_one_link_sends_and_another_receives(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.links.update(bind=Link.Bind.TRANSMITTER)
            account: dict[str, Any] = {
                "host": "127.0.0.1",
                "port": smsc.port,
                "system_id": "sampan",
                "password": "secret",
            }
            receiver = add_link(operator, bind=Link.Bind.RECEIVER, **account)
            async with gateway():
                ids = accept(database, draft_of(database, make_customer(), MANY)).message_ids
                await eventually(lambda: set(statuses(database, ids).values()) == {DELIVERED})
                assert smsc.sessions == 2
            used = database.execute("SELECT DISTINCT link_id FROM message_part").fetchall()
            assert used != [(receiver.pk,)], "a receiver hands nothing over"
            assert len(used) == 1

    asyncio.run(scenario())


def test_a_link_shows_its_certificate_to_an_smsc_with_an_authority_of_its_own(
    database: Connection, tmp_path: Path
) -> None:
    """Each side believes the other's certificate and no other."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for folder in (theirs, ours):
        folder.mkdir()
    context = serving(self_signed(theirs))
    context.load_verify_locations(self_signed(ours))
    context.verify_mode = ssl.CERT_REQUIRED

    async def scenario() -> None:
        async with simulator() as smsc, tls_before(smsc.port, context) as port:
            operator = places_at(smsc)
            operator.links.all().delete()
            account: dict[str, Any] = {"host": "127.0.0.1", "port": port, "system_id": "sampan", "password": "secret"}
            authorities = (theirs / "certificate.pem").read_text()
            add_link(operator, tls=True, tls_authorities=authorities, **account)
            stranger = operator.links.get()
            pem = (ours / "certificate.pem").read_text()
            key, certificate = pem.split("-----BEGIN CERTIFICATE-----")
            async with gateway():
                ids = accept(database, draft_of(database, make_customer())).message_ids
                await eventually(lambda: database.execute("SELECT 1 FROM link_state WHERE words <> ''").fetchone())
                assert not smsc.sessions, "without a certificate nobody binds"
                stranger.delete()
                add_link(
                    operator,
                    tls=True,
                    tls_authorities=authorities,
                    tls_certificate=f"-----BEGIN CERTIFICATE-----{certificate}",
                    tls_key=key,
                    **account,
                )
                await eventually(lambda: set(statuses(database, ids).values()) == {DELIVERED})

    asyncio.run(scenario())


def test_window_rate_and_links_change_while_it_sends(database: Connection) -> None:
    """By a rate of one a second these would take a minute."""

    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc, rate=1, window=1)
            async with gateway():
                ids = accept(database, draft_of(database, make_customer(), MANY)).message_ids
                await eventually(lambda: smsc.journal.stats.submits)
                account: dict[str, Any] = {
                    "host": "127.0.0.1",
                    "port": smsc.port,
                    "system_id": "sampan",
                    "password": "secret",
                }
                add_link(operator, window=5, **account)
                await eventually(lambda: smsc.sessions == 2)
                operator.links.update(window_size=20)
                Operator.objects.filter(pk=operator.pk).update(rate_parts_per_s=0)
                await eventually(lambda: set(statuses(database, ids).values()) == {DELIVERED})
            assert (smsc.journal.stats.submits, smsc.journal.stats.duplicates) == (len(MANY), 0)

    asyncio.run(scenario())


def test_one_that_is_drained_hands_over_what_waits(database: Connection) -> None:
    """Spec S42; what comes later goes by whoever else carries the route, or waits (`test_failover.py`)."""

    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            Operator.objects.filter(pk=operator.pk).update(state=Operator.State.PAUSED)
            ids = accept(database, draft_of(database, make_customer(), MANY)).message_ids
            async with gateway():
                await eventually(lambda: smsc.sessions)
                assert smsc.journal.stats.submits == 0
                Operator.objects.filter(pk=operator.pk).update(state=Operator.State.DRAINING)
                await eventually(lambda: set(statuses(database, ids).values()) == {DELIVERED})
                assert count(database, "queued") == 0

    asyncio.run(scenario())
