"""Who wrote a mail: whoever signed in, or the owner of a registered address whose domain vouches for the mail."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import NamedTuple

from aiosmtpd.smtp import Envelope, Session

from sampan.accounts.access import authenticate, remembered
from sampan.accounts.allow_lists import admit
from sampan.accounts.blocking import blocks, note_failure
from sampan.accounts.customers import CustomerFacts
from sampan.accounts.mail_addresses import note_refused, registered
from sampan.database import DatabaseThreads
from sampan.interfaces.smtp_door.authentic import Dns, NotVouched, require_vouched
from sampan.interfaces.smtp_door.reading import Heading
from sampan.interfaces.smtp_door.taking import Writer
from sampan.reasons import Reason, Refused

DOOR = "SMTP"  # as staff see it among the blocked addresses
LONGEST_SECRET = 100
DNS_THREADS = 8


class Login(NamedTuple):
    """What a peer signed in with; asked again for each mail, as it may have been revoked since."""

    name: str
    secret: str


def address_of(session: Session) -> str:
    """Where the peer is, without its port."""
    assert session.peer is not None
    return str(session.peer[0]).partition("%")[0]


class Writers:
    """Of one process. Made on its event loop."""

    def __init__(self, threads: DatabaseThreads, dns: Dns, clock: Callable[[], datetime]) -> None:
        self._threads = threads
        self._dns = dns
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._dns_threads = ThreadPoolExecutor(DNS_THREADS, "dns")

    def close(self) -> None:
        """Let the threads go."""
        self._dns_threads.shutdown()

    async def is_blocked(self, session: Session) -> bool:
        """Whether nobody is let in from there for now (spec S125)."""
        blocked = blocks.current()
        if blocked is None:
            blocked = await self._threads.run(blocks.get)
        until = blocked.get(address_of(session))
        return until is not None and until > self._clock()

    async def sign_in(self, session: Session, name: bytes, secret: bytes) -> Login:
        """The login of a peer that proves it. Raises Refused: BAD_CREDENTIALS, ADDRESS_NOT_ALLOWED."""
        login = Login(name.decode("utf-8", "replace"), secret.decode("utf-8", "replace"))
        address = address_of(session)
        try:
            if max(len(login.name), len(login.secret)) > LONGEST_SECRET or "\0" in login.name + login.secret:
                raise Refused(Reason.BAD_CREDENTIALS, "username")
            caller = await self._threads.run(authenticate, *login)
        except Refused as refused:
            await self._threads.run(note_failure, refused.value, DOOR, address, self._clock())
            raise Refused(refused.reason) from None  # the name stays out of the reply
        await self._admit(session, caller.customer)
        return login

    async def writer_of(self, session: Session, envelope: Envelope, heading: Heading, octets: bytes) -> Writer:
        """Who wrote the mail. Raises NotVouched, Away, Refused.

        Its answer goes to the address in From where that is a registered one of the same account, else nowhere.
        """
        who = await self._threads.run(registered, heading.sender)
        if not session.authenticated:
            if who is None:
                raise NotVouched("5.7.1", "The address is not registered")
            await self._require_vouched(session, envelope, heading, octets)
            await self._admit(session, who.customer)
            return Writer(who.person_id, who.customer, heading.sender, who.language)
        login = session.auth_data
        assert isinstance(login, Login)
        caller = remembered(*login) or await self._threads.run(authenticate, *login)
        await self._admit(session, caller.customer)
        if who is None or who.customer.id != caller.customer.id:
            return Writer(caller.person_id, caller.customer)
        return Writer(caller.person_id, caller.customer, heading.sender, who.language)

    async def _admit(self, session: Session, customer: CustomerFacts) -> None:
        await admit(self._threads, customer, door=DOOR, address=address_of(session), now=self._clock())

    async def _require_vouched(self, session: Session, envelope: Envelope, heading: Heading, octets: bytes) -> None:
        asked = partial(
            require_vouched,
            octets,
            sender=heading.sender,
            envelope_sender=envelope.mail_from or "",
            helo=session.host_name or "",
            peer=address_of(session),
            date=heading.date,
            dns=self._dns,
            now=self._clock(),
        )
        try:
            await self._loop.run_in_executor(self._dns_threads, asked)
        except NotVouched as error:
            await self._threads.run(note_refused, heading.sender, str(error), self._clock())
            raise
