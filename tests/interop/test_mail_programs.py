"""swaks, the mail tester of Debian, at our SMTP door (spec S122)."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sampan.database import Connection
from tests.certificates import self_signed, serving
from tests.interfaces.smtp_door.running import ADDRESS, DOMAIN, TO, Door, open_door, signed, texts, vouching_zone
from tests.interfaces.smtp_door.running import register as register_address
from tests.interfaces.smtp_door.test_samples import FIRST, run
from tests.interop.peers import TO_MEND
from tests.interop.table import Row
from tests.world import PASSWORD, make_customer, make_places

PEER, DIRECTION = "swaks", "their mail program, our SMTP door"
ENDS_WITHIN_S = 60.0
CHINESE = "您訂的玫瑰已到店，請來取。嘅"


def said_by(door: Door, certificate: Path, *arguments: str, octets: bytes = b"") -> str:
    """What it writes of its talk with the door. It ends with 0 where the mail was taken."""
    argv = ["swaks", "--server", f"127.0.0.1:{door.port}", "--from", ADDRESS, *arguments]
    if octets:
        argv += ["--data", "-"]
    trusting = os.environ | {"SSL_CERT_FILE": str(certificate)}
    done = subprocess.run(argv, env=trusting, input=octets, capture_output=True, timeout=ENDS_WITHIN_S, check=False)
    return done.stdout.decode("utf-8", "replace")


SIGNED_IN = ("--tls", "--auth-user", "harbour", "--auth-password", PASSWORD)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path)


@pytest.fixture
def door(database: Connection, row: Row, certificate: Path) -> Iterator[Door]:
    """The door with TLS, and the florist with a registered address."""
    if not shutil.which("swaks"):
        pytest.skip(f"swaks is not installed: {TO_MEND}")
    version = subprocess.run(["swaks", "--version"], capture_output=True, text=True, check=True).stdout
    row.version = re.findall(r"version ([0-9.]+)", version)[0]
    make_places()
    register_address(make_customer())
    with open_door(vouching_zone(), tls=serving(certificate), plain_on_loopback=False) as opened:
        yield opened


@pytest.mark.interop("sign in by PLAIN and LOGIN, under TLS")
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_it_signs_in(database: Connection, door: Door, certificate: Path, mechanism: str) -> None:
    said = said_by(door, certificate, *SIGNED_IN, "--auth", mechanism, "--to", TO, "--body", "Ready")
    assert re.search(r"<~  250 2\.0\.0 SMSDID:\d+", said), said
    assert texts(database) == [(85291234567, "Ready")]


@pytest.mark.interop("a password without TLS is refused")
def test_it_gets_no_password_across_without_tls(database: Connection, door: Door, certificate: Path) -> None:
    said = said_by(door, certificate, *SIGNED_IN[1:], "--auth", "PLAIN", "--to", TO)
    assert "250 2.0.0" not in said
    assert texts(database) == []


@pytest.mark.interop("one recipient of two is refused")
def test_one_recipient_is_refused_and_the_other_served(database: Connection, door: Door, certificate: Path) -> None:
    said = said_by(door, certificate, *SIGNED_IN, "--to", f"23456789@{DOMAIN},{TO}", "--body", "Ready")
    assert "<~* 550 5.1.1 Fixed line." in said
    assert texts(database) == [(85291234567, "Ready")]


@pytest.mark.interop("the same mail again")
def test_the_same_mail_again_is_answered_as_the_first(database: Connection, door: Door, certificate: Path) -> None:
    arguments = (*SIGNED_IN, "--to", TO, "--h-Message-Id", "<7@harbour.example>", "--body", "Ready")
    replies = [re.findall(r"SMSDID:\d+", said_by(door, certificate, *arguments)) for _ in range(2)]
    assert replies[0] == replies[1]
    assert len(texts(database)) == len(replies[0]) == 1


@pytest.mark.interop("a mail in Big5")
def test_a_mail_in_big5(database: Connection, door: Door, certificate: Path) -> None:
    octets = (
        f"From: {ADDRESS}\r\nTo: {TO}\r\nMessage-ID: <8@harbour.example>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=big5\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ).encode() + CHINESE.encode("big5hkscs")
    said_by(door, certificate, *SIGNED_IN, "--to", TO, octets=octets + b"\r\n")
    assert texts(database) == [(85291234567, CHINESE)]


@pytest.mark.interop("a mail that its domain has signed, without signing in")
def test_a_signed_mail_of_a_registered_address(database: Connection, door: Door, certificate: Path) -> None:
    heading = f"From: {ADDRESS}\r\nTo: {TO}\r\nSubject: \r\nMessage-ID: <9@harbour.example>\r\n"
    date = subprocess.run(["date", "-R"], capture_output=True, text=True, check=True).stdout.strip()
    octets = signed(f"{heading}Date: {date}\r\n\r\nReady\r\n".encode())
    spoofed = octets.replace(b"Ready", b"Spoof")
    assert "550 5.7.26" in said_by(door, certificate, "--to", TO, octets=spoofed)
    assert "250 2.0.0 SMSDID" in said_by(door, certificate, "--tls", "--to", TO, octets=octets)
    assert texts(database) == [(85291234567, "Ready")]


@pytest.mark.interop("the sample of docs/api")
def test_the_sample(database: Connection, row: Row, tmp_path: Path) -> None:
    if not shutil.which("swaks"):
        pytest.skip(f"swaks is not installed: {TO_MEND}")
    make_places()
    run(["sh"], "sh", tmp_path)
    assert texts(database) == [FIRST]
