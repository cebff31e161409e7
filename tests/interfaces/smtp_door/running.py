"""The SMTP door on an event loop in a thread of its own, programs that send mails to it, and a domain that signs."""

import asyncio
import contextlib
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from typing import Any

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from sampan.accounts.mail_addresses import ask, wrong_code
from sampan.accounts.proofs.tables import MailAddress
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.smtp_door.authentic import Away
from sampan.interfaces.smtp_door.door import SmtpDoor, utc_now
from sampan.interfaces.smtp_door.server import Server
from tests.world import NOW, PASSWORD, PLATFORM

DOMAIN = "sms.localhost"  # as settings.py has it where nobody says otherwise
TO = f"91234567@{DOMAIN}"
LISTS = f"send@{DOMAIN}"
ADDRESS = "orders@harbour.example"
SELECTOR = "roses"
ANSWERED_WITHIN_S = 30.0
ROWS = "SELECT m.recipient, b.text, b.sender, b.source FROM message m JOIN batch b ON b.id = m.batch_id ORDER BY m.id"


@dataclass
class Zone:
    """Names and their records, for a door that asks no network."""

    records: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    is_away: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    def look_up(self, name: str, kind: str) -> list[Any]:
        """As sampan.interfaces.smtp_door.authentic.Dns has it."""
        self.asked.append((name, kind))
        if self.is_away:
            raise Away("nobody answers")
        return self.records.get((name, kind), [])

    def text(self, name: str, text: str) -> None:
        """A TXT record; none where `text` is empty."""
        self.records[name, "TXT"] = [(text.encode(),)] if text else []


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def vouching_zone(domain: str = "harbour.example") -> Zone:
    """A domain whose mails come from this machine, signed."""
    zone = Zone()
    zone.text(domain, "v=spf1 ip4:127.0.0.1 -all")
    public = (
        _key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    record = "v=DKIM1; k=rsa; p=" + "".join(public.decode().splitlines()[1:-1])
    zone.text(f"{SELECTOR}._domainkey.{domain}", record)
    return zone


def signed(octets: bytes, domain: str = "harbour.example", **how: Any) -> bytes:
    """The mail with a DKIM signature of the domain."""
    private = _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    how.setdefault("include_headers", [b"from", b"to", b"subject", b"date", b"message-id"])
    return bytes(dkim.sign(octets, SELECTOR.encode(), domain.encode(), private, **how)) + octets


def mail(
    text: str = "Your roses are ready",
    *,
    subject: str = "",
    sender: str = "program@harbour.example",
    name: str = "1",
    headers: Mapping[str, str] | None = None,
    date: datetime | None = None,
) -> EmailMessage:
    """A mail in UTF-8, with a Message-ID of that name."""
    made = EmailMessage()
    made["From"] = sender
    made["To"] = TO
    made["Subject"] = subject
    made["Message-ID"] = f"<{name}@harbour.example>"
    made["Date"] = format_datetime(date or datetime.now(UTC))
    for header, value in (headers or {}).items():
        made[header] = value
    made.set_content(text)
    return made


def octets_of(made: EmailMessage) -> bytes:
    """As it goes on the wire."""
    return made.as_bytes(policy=made.policy.clone(linesep="\r\n"))


def register(customer: Customer, address: str = ADDRESS) -> MailAddress:
    """An address of the customer's, with its code."""
    owner = Person.objects.get(customer=customer)
    assert wrong_code(owner, address, ask(owner, address, now=NOW), now=NOW) is None
    return MailAddress.objects.get(address=address, removed_at=None, customer=customer)


@dataclass(frozen=True)
class Reply:
    """What the door said of a mail: the code and all its words, and of each recipient that it refused."""

    code: int
    words: str
    refused: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def ids(self) -> list[int]:
        """The SMSD IDs it told."""
        rows = [line.partition("SMSDID:")[2] for line in self.words.splitlines()]
        return [int(id_) for row in rows if row for id_ in row.split(",")]


class Door:
    """A door that is open."""

    def __init__(self, server: Server, port: int, loop: asyncio.AbstractEventLoop) -> None:
        self.server = server
        self.port = port
        self.loop = loop

    @contextlib.contextmanager
    def connected(
        self, *, login: str = "", secret: str = PASSWORD, trusts: ssl.SSLContext | None = None
    ) -> Iterator[smtplib.SMTP]:
        """A program's session, signed in where `login` says as whom."""
        with smtplib.SMTP("localhost", self.port, local_hostname="florist.example", timeout=ANSWERED_WITHIN_S) as line:
            if trusts:
                line.starttls(context=trusts)
            if login:
                line.login(login, secret)
            yield line

    def give(
        self,
        octets: bytes | EmailMessage,
        to: Sequence[str] = (TO,),
        *,
        login: str = "harbour",
        secret: str = PASSWORD,
        envelope_sender: str = ADDRESS,
    ) -> Reply:
        """One mail in a session of its own; by default of a program that signs in as the florist."""
        with self.connected(login=login, secret=secret) as line:
            return give(line, octets, to, envelope_sender=envelope_sender)


def give(
    line: smtplib.SMTP, octets: bytes | EmailMessage, to: Sequence[str] = (TO,), *, envelope_sender: str = ADDRESS
) -> Reply:
    """One mail in a session that is open; its reply."""
    if isinstance(octets, EmailMessage):
        octets = octets_of(octets)
    line.ehlo_or_helo_if_needed()
    code, words = line.mail(envelope_sender, [f"size={len(octets)}"])
    if code != 250:
        return Reply(code, words.decode())
    answers = {each: line.rcpt(each) for each in to}
    refused = {each: (code, words.decode()) for each, (code, words) in answers.items() if code != 250}
    if len(refused) == len(answers):
        line.rset()
        return Reply(*refused[to[0]], refused)
    code, words = line.data(octets)
    return Reply(code, words.decode(), refused)


@contextlib.contextmanager
def open_door(
    dns: Zone | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    plain_on_loopback: bool = True,
    clock: Callable[[], datetime] = utc_now,
) -> Iterator[Door]:
    """The door on a free port, as `sampan smtp` has it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="smtp door")
    thread.start()

    async def start() -> Door:
        server = Server(SmtpDoor(PLATFORM, dns or Zone(), clock), tls=tls, plain_on_loopback=plain_on_loopback)
        return Door(server, await server.start("127.0.0.1", 0), loop)

    door = asyncio.run_coroutine_threadsafe(start(), loop).result(ANSWERED_WITHIN_S)
    try:
        yield door
    finally:
        asyncio.run_coroutine_threadsafe(door.server.stop(), loop).result(ANSWERED_WITHIN_S)
        asyncio.run_coroutine_threadsafe(loop.shutdown_default_executor(), loop).result(ANSWERED_WITHIN_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(ANSWERED_WITHIN_S)
        loop.close()


def texts(conn: Connection) -> list[tuple[int, str]]:
    """Recipient and text of every message."""
    return [(recipient, text) for recipient, text, _sender, _source in conn.execute(ROWS.encode()).fetchall()]
