"""An answer that was lost: the mail comes again, and nothing is sent or charged twice (spec S8, S122)."""

import contextlib
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, connect
from sampan.ops.ports import wait_until_listening
from tests.interfaces.smtp_door.running import ADDRESS, TO, Reply, give, mail, octets_of, register, texts
from tests.world import PASSWORD, make_customer, make_places

READY_WITHIN_S = 60.0
WITHIN_S = 30.0
LOOK_EVERY_S = 0.02
DATE = datetime.now(UTC)


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    customer = make_customer()
    register(customer)
    return customer


@contextlib.contextmanager
def smtp_process() -> Iterator["tuple[int, subprocess.Popen[bytes]]"]:
    """`sampan smtp` on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    argv = [sys.executable, "-m", "sampan", "smtp", "--port", str(port), "--plain-on-loopback"]
    with subprocess.Popen(argv, env=os.environ) as process:
        try:
            wait_until_listening({"smtp process": ("127.0.0.1", port)}, within_s=READY_WITHIN_S)
            yield port, process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(WITHIN_S)


def bring(port: int) -> Reply:
    """The florist's program brings its mail."""
    with smtplib.SMTP("127.0.0.1", port, timeout=WITHIN_S) as line:
        line.login("harbour", PASSWORD)
        return give(line, mail(sender=ADDRESS, date=DATE))


def eventually(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(LOOK_EVERY_S)


def everything(conn: Connection, customer: Customer) -> tuple[int, int, int]:
    """Messages, answers that wait, pips that are held."""
    held = ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.HELD]
    return len(texts(conn)), Mail.objects.count(), held


def test_killed_between_the_commit_and_the_250_it_sends_once_and_answers_once(
    database: Connection, harbour: Customer
) -> None:
    """The door stands where it writes the answer: after the commit of the text, before its 250."""
    heard: list[object] = []

    def peer(port: int) -> None:
        try:
            heard.append(bring(port))
        except (smtplib.SMTPServerDisconnected, ConnectionError) as error:
            heard.append(error)

    with connect("holder") as holder, smtp_process() as (port, process):
        with holder.transaction():
            holder.execute("LOCK TABLE mail IN ACCESS EXCLUSIVE MODE")
            bringing = threading.Thread(target=peer, args=[port])
            bringing.start()
            eventually(lambda: texts(database))
            process.send_signal(signal.SIGKILL)
            process.wait(WITHIN_S)
            bringing.join(WITHIN_S)
        assert isinstance(heard[0], Exception), "the peer never had its answer"
    assert everything(database, harbour) == (1, 0, 2_900)
    with smtp_process() as (port, _process):
        again = bring(port)
        assert bring(port) == again
    assert again.code == 250
    assert again.ids == [id_ for (id_,) in database.execute("SELECT id FROM message")]
    assert everything(database, harbour) == (1, 1, 2_900)


def test_a_peer_that_hangs_up_before_it_hears_the_250_brings_the_mail_again(
    database: Connection, harbour: Customer
) -> None:
    with smtp_process() as (port, _process):
        with smtplib.SMTP("127.0.0.1", port, timeout=WITHIN_S) as line:
            line.login("harbour", PASSWORD)
            line.mail(ADDRESS)
            line.rcpt(TO)
            line.docmd("DATA")
            line.send(octets_of(mail(sender=ADDRESS, date=DATE)) + b".\r\n")
            line.close()
        eventually(Mail.objects.exists)
        assert bring(port).code == 250
    assert everything(database, harbour) == (1, 1, 2_900)


def test_told_to_stop_it_replies_to_what_is_in_hand(database: Connection, harbour: Customer) -> None:
    heard: list[Reply] = []
    with connect("holder") as holder, smtp_process() as (port, process):
        with holder.transaction():
            holder.execute("LOCK TABLE mail IN ACCESS EXCLUSIVE MODE")
            bringing = threading.Thread(target=lambda: heard.append(bring(port)))
            bringing.start()
            eventually(lambda: texts(database))
            process.send_signal(signal.SIGTERM)
        bringing.join(WITHIN_S)
        assert process.wait(WITHIN_S) == 0
    assert [reply.code for reply in heard] == [250]
