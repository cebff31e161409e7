"""The door on the wire: aiosmtpd's protocol with our limits, and the port it listens on."""

import asyncio
import logging
import ssl
from ipaddress import ip_address

from aiosmtpd.smtp import SMTP

from sampan.interfaces.at_once import MOST_OF_ADDRESS, AtOnce
from sampan.interfaces.smtp_door.door import SmtpDoor
from sampan.interfaces.smtp_door.writers import address_of
from sampan.reasons import Refused

IDENT = "Sampan"
MOST_OCTETS = 2 * 1024 * 1024  # of a mail, attachments and all
MOST_CONNECTIONS = 500
MOST_MAILS_AT_ONCE = 30  # on their way in, of those who have signed in and of the others: each is kept in memory
IDLE_S = 120.0
BACKLOG = 200
# So many of each command in one session; who needs more connects again.
MOST_COMMANDS = {"AUTH": 5, "RCPT": 100_000, "STARTTLS": 1, "*": 10_000}

BLOCKED = "421 4.7.0 Too many wrong passwords came from your address. Try again later"
CROWDED_WITH_MAILS = "451 4.3.2 Too many mails at once. Try again later"
CROWDED = "421 4.3.2 Too many connections. Try again later"

# It logs what peers say, names and numbers among it (spec S136); what is worth a line the door logs itself.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)


class Protocol(SMTP):
    """One session. aiosmtpd asks its handler nothing before EHLO, so who may connect is looked at here."""

    def __init__(self, server: "Server") -> None:
        super().__init__(
            server.door,
            data_size_limit=MOST_OCTETS,
            hostname=server.door.domain,
            ident=IDENT,
            tls_context=server.tls,
            timeout=IDLE_S,
            command_call_limit=MOST_COMMANDS,
            loop=asyncio.get_running_loop(),
        )
        self._server = server

    async def _handle_client(self) -> None:
        """aiosmtpd runs this once a connection."""
        assert self.session is not None
        server, address = self._server, address_of(self.session)
        self._auth_require_tls = not (server.plain_on_loopback and ip_address(address).is_loopback)
        try:
            if await server.door.writers.is_blocked(self.session):
                await self._turn_away(BLOCKED)
                return
            with server.everybody.place(""), server.by_address.place(address):
                server.sessions.add(self)
                await super()._handle_client()
        except Refused:
            await self._turn_away(CROWDED)
        finally:
            server.sessions.discard(self)

    async def smtp_DATA(self, arg: str) -> None:
        """A mail comes in, where there is room for one."""
        assert self.session is not None
        try:
            with self._server.mails.place(self.session.authenticated):
                await super().smtp_DATA(arg)
        except Refused:
            await self.push(CROWDED_WITH_MAILS)

    async def _turn_away(self, words: str) -> None:
        await self.push(words)
        assert self.transport is not None
        self.transport.close()


class Server:
    """Listens for peers of a door."""

    def __init__(self, door: SmtpDoor, *, tls: ssl.SSLContext | None, plain_on_loopback: bool = False) -> None:
        self.door = door
        self.tls = tls
        self.plain_on_loopback = plain_on_loopback  # peers on this machine may sign in without TLS, for trying
        self.everybody = AtOnce(MOST_CONNECTIONS)
        self.by_address = AtOnce(MOST_OF_ADDRESS)
        self.mails = AtOnce(MOST_MAILS_AT_ONCE)
        self.sessions: set[Protocol] = set()
        self._listening: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port (a free one for 0)."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(lambda: Protocol(self), host, port, backlog=BACKLOG)
        return int(self._listening.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take nobody more, reply to the mails in hand, end the sessions."""
        assert self._listening is not None
        self._listening.close()
        await self.door.finish()
        for session in list(self.sessions):
            if session.transport is not None:
                session.transport.close()
        await self.door.close()
