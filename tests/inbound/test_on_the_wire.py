"""Replies over real SMPP: from a handset of the simulator to the inbox, a bound ESME and back; and through kill -9."""

import asyncio
import contextlib
import json
import socket
import sys
import urllib.request
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from typing import Any

from sampan.accounts.tables import Customer
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.dispatch.dispatcher import utc_now
from sampan.inbound import forwarding
from sampan.inbound.forwarding import Forwards
from sampan.inbound.taking import take_replies
from sampan.messages.announcing import announce
from sampan.smpp.concatenation import content_of
from sampan.smpp.simulator import Simulator
from sampan.smpp.simulator.control import ControlServer
from sampan.smpp.simulator.texts import decode_text
from tests.dispatch.running import accept, count, eventually, gateway, places_at, simulator
from tests.inbound.renting import HANDSET, OWN, inbox, make_number, make_rental
from tests.interfaces.smpp_door.running import open_door
from tests.world import NOW, PLATFORM, draft_of, make_customer

LONG = "可否中午前送到？之後我要返工。" * 12


@contextlib.asynccontextmanager
async def handsets(smsc: Simulator) -> AsyncIterator[Any]:
    """Lets a handset write, by the simulator's `POST /replies`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ControlServer(smsc, "127.0.0.1", port)
    await server.start()

    async def write(text: str, **more: Any) -> None:
        body = json.dumps({"from": HANDSET, "to": OWN, "text": text} | more).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/replies", body, method="POST")
        with await asyncio.to_thread(urllib.request.urlopen, request) as response:
            assert response.status == 200

    try:
        yield write
    finally:
        await server.stop()


def work(conn: Connection) -> int:
    """What the worker does."""
    taken, places = take_replies(PLATFORM, utc_now())
    announce(conn, places)
    return taken


def harbour_rents(smsc: Simulator) -> Customer:
    operator = places_at(smsc)
    harbour = make_customer()
    make_rental(make_number(operator), harbour)
    return harbour


def test_a_reply_goes_all_the_way_and_a_stop_word_comes_back_confirmed(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc, handsets(smsc) as write:
            harbour = harbour_rents(smsc)
            owner = harbour.members.get()
            forwarding.change_forwards(harbour.pk, Forwards(to_smpp=True), by=owner, now=NOW)
            async with gateway(), open_door() as door, door.bound(harbour) as link:
                sent = accept(database, draft_of(database, harbour, sender=OWN))
                await eventually(lambda: smsc.journal.stats.receipts_acknowledged)
                await write(LONG, backwards=True)
                await eventually(lambda: count(database, "reply_part") == 3)
                assert work(database) == 1
                (reply,) = inbox(database, harbour)
                assert (reply.text, reply.parts, reply.message_id) == (LONG, 3, sent.message_ids[0])

                (delivery,) = await link.until("deliveries")
                assert (delivery.body.source_addr, delivery.body.destination_addr) == (HANDSET, OWN)
                assert decode_text(content_of(delivery.body).octets, delivery.body.data_coding) == LONG
                await eventually(lambda: not database.execute("SELECT FROM reply WHERE tell_at IS NOT NULL").rowcount)

                await write("STOP")
                await eventually(lambda: count(database, "reply_part") == 4)
                assert work(database) == 1
                assert Preference.objects.get().number == int(HANDSET)
                await eventually(lambda: smsc.journal.stats.taken == 2)
                assert (await link.until("deliveries", 2))[1].body.short_message == b"STOP"
            assert smsc.journal.stats.replies_acknowledged == 4

    asyncio.run(scenario())


# The commit takes longer than the gateway lives: the row is there, and was never answered.
SLOW_COMMIT = """
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON reply_part
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slowly()"""
COMMITTING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


def test_a_gateway_killed_between_inbox_and_answer_brings_the_reply_once(database: Connection) -> None:
    """The operator had no answer and sends it again, to the next gateway."""

    async def scenario() -> None:
        async with simulator() as smsc, handsets(smsc) as write:
            harbour = harbour_rents(smsc)
            database.execute(SLOW_COMMIT)
            try:
                first = await asyncio.create_subprocess_exec(sys.executable, "-m", "sampan", "gateway", stdout=DEVNULL)
                try:
                    await eventually(lambda: smsc.sessions, 60)
                    await write("STOP")
                    await eventually(lambda: database.execute(COMMITTING).fetchall())
                finally:
                    first.kill()
                    await first.wait()
                await eventually(lambda: count(database, "reply_part") == 1)
            finally:
                database.execute("DROP FUNCTION slowly CASCADE")
            assert smsc.journal.stats.replies_acknowledged == 0
            assert work(database) == 1
            async with gateway():
                await eventually(lambda: smsc.journal.stats.replies_acknowledged == 1, 60)
            assert work(database) == 0
            assert count(database, "reply_part") == 1
            assert [reply.text for reply in inbox(database, harbour)] == ["STOP"]
            assert count(database, "batch") == 1

    asyncio.run(scenario())
