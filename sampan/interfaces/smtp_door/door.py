"""The door itself: what it says to a peer at each step, and whom it believes; all on one event loop.

A mail is believed where its peer has signed in, or where its From is a registered address whose domain vouches for it
(authentic.py). The reply to DATA follows the commit, and an answer goes by mail to registered addresses.
"""

import asyncio
from base64 import b64decode
from binascii import Error as NotBase64
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from aiosmtpd.smtp import MISSING, AuthResult, Envelope, Session
from django.conf import settings

from sampan.database import DatabaseThreads
from sampan.interfaces.at_once import MOST_OF_ACCOUNT, AtOnce
from sampan.interfaces.smtp_door import answers
from sampan.interfaces.smtp_door.authentic import Away, Dns, NotVouched
from sampan.interfaces.smtp_door.reading import NotRead, read_body, read_heading
from sampan.interfaces.smtp_door.taking import Taken, Taking
from sampan.interfaces.smtp_door.words import PASSING, REPLIES, accepted, reply, reply_to
from sampan.interfaces.smtp_door.writers import Writers
from sampan.messages.intake import Intake
from sampan.messages.planning import Platform
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import parse

LIST_ADDRESS = "send"  # send@sms.<domain>: the numbers stand in the text's first lines
MOST_ENVELOPE_RECIPIENTS = 1_000  # the peer brings the others in another mail transaction (RFC 5321 §4.5.3.1.10)
LONGEST_LOCAL_PART = 64
MOST_MAILS_A_MINUTE = 600  # of one customer
MINUTE_S = 60.0
FINISH_WITHIN_S = 10.0
DATABASE_THREADS = 3

CLOSING = "421 4.3.2 The platform stops now. Try again later"
BUSY = "451 4.7.1 Too many mails of this account. Try again in a minute"
NOT_OURS = "550 5.7.1 Mails to other places are not taken. Write to NUMBER@{domain}"
NO_ANSWERS = "550 5.7.1 Answers by programs and bounces are not taken"
NOT_BELIEVED = (
    "550 5.7.26 Sign in, or write from a registered address whose domain vouches for the mail by SPF and by DKIM"
)
NAMES_AWAY = "451 4.4.3 The name servers of the address in From do not answer. Try again later"

log = structlog.get_logger()


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class SmtpDoor:
    """What aiosmtpd asks at each step (its handler). Made on the event loop of its process."""

    def __init__(self, platform: Platform, dns: Dns, clock: Callable[[], datetime] = utc_now) -> None:
        self.domain = settings.MAIL_DOMAIN
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._intake = Intake(platform, clock)
        self._threads = DatabaseThreads(DATABASE_THREADS, "smtp")
        self.writers = Writers(self._threads, dns, clock)
        self._taking = Taking(self._intake, self._threads, clock)
        self._at_once = AtOnce(MOST_OF_ACCOUNT)
        self._pace = Pace(MOST_MAILS_A_MINUTE)
        self._in_hand: set[asyncio.Task[str]] = set()
        self._closing = False

    async def finish(self) -> None:
        """Take no more mails, and reply to those in hand."""
        self._closing = True
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=FINISH_WITHIN_S)

    async def close(self) -> None:
        """Let go of the database. The sessions are closed before."""
        await self._intake.close()
        self.writers.close()
        self._threads.close()

    # What aiosmtpd asks. `server` is its protocol (server.py).

    async def auth_PLAIN(self, server: Any, args: list[str]) -> AuthResult:
        """RFC 4616: authorization identity, login name and secret with NULs between."""
        octets = await server.challenge_auth("") if len(args) == 1 else _of_base64(args[1])
        if octets is MISSING:
            return AuthResult(success=False, handled=True)
        fields = octets.split(b"\0") if octets is not None else []
        if len(fields) != 3:
            return AuthResult(success=False, handled=False, message="501 5.5.2 Not what PLAIN asks for")
        return await self._signed_in(server.session, fields[1], fields[2])

    async def auth_LOGIN(self, server: Any, args: list[str]) -> AuthResult:
        """Login name, then secret; what old mail programs speak."""
        name = _of_base64(args[1]) if len(args) > 1 else await server.challenge_auth(b"User Name\0")
        if name is None:
            return AuthResult(success=False, handled=False, message="501 5.5.2 Not base64")
        secret = await server.challenge_auth(b"Password\0") if name is not MISSING else MISSING
        if secret is MISSING:
            return AuthResult(success=False, handled=True)
        return await self._signed_in(server.session, name, secret)

    async def _signed_in(self, session: Session, name: bytes, secret: bytes) -> AuthResult:
        try:
            return AuthResult(success=True, auth_data=await self.writers.sign_in(session, name, secret))
        except Refused as refused:
            return AuthResult(success=False, handled=False, message=reply_to(refused))

    async def handle_MAIL(
        self,
        _server: Any,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Who the envelope says it is from; a bounce is from nobody."""
        if self._closing:
            return CLOSING
        if address.strip("<>") == "":
            return NO_ANSWERS
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self,
        _server: Any,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """A number, or the address of lists; each is refused by itself."""
        local, _, domain = address.rpartition("@")
        if domain.lower() != self.domain or len(local) > LONGEST_LOCAL_PART:
            return NOT_OURS.format(domain=self.domain)
        if len(envelope.rcpt_tos) >= MOST_ENVELOPE_RECIPIENTS:
            return reply(REPLIES[Reason.TOO_MANY_RECIPIENTS], "Bring the others in another mail transaction")
        if local.lower() != LIST_ADDRESS:
            try:
                parse(local)
            except Refused as refused:
                return reply_to(refused)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: Any, session: Session, envelope: Envelope) -> str:
        """The reply that a mail gets; what it says is committed."""
        task = self._loop.create_task(self._reply(session, envelope))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)
        return await asyncio.shield(task)  # a peer that hangs up changes nothing: it asks again

    async def handle_exception(self, error: Exception) -> str:
        """Whatever went wrong between aiosmtpd and its peer."""
        log.warning("smtp_door.session_failed", error=type(error).__name__)
        return reply_to(Refused(Reason.UNEXPECTED))

    # Its work.

    async def _reply(self, session: Session, envelope: Envelope) -> str:
        try:
            return await self._mail(session, envelope)
        except NotRead as error:
            return reply("554 5.6.0", str(error))
        except NotVouched as error:
            log.info("smtp_door.not_believed", code=error.code)
            return NOT_BELIEVED
        except Away:
            return NAMES_AWAY
        except Refused as refused:
            return reply_to(refused)
        except Exception as error:  # noqa: BLE001 - the door's top: the peer keeps its mail, the log the cause
            log.error("smtp_door.failed", error=repr(error))
            return reply_to(Refused(Reason.UNEXPECTED))

    async def _mail(self, session: Session, envelope: Envelope) -> str:
        octets = bytes(envelope.original_content or b"")
        heading = read_heading(octets)
        if heading.is_answer:
            return NO_ANSWERS
        writer = await self.writers.writer_of(session, envelope, heading, octets)
        if not self._pace.keeps(writer.customer.id, self._loop.time()):
            return BUSY
        locals_ = [address.rpartition("@")[0] for address in envelope.rcpt_tos]
        numbers = [parse(local) for local in locals_ if local.lower() != LIST_ADDRESS]
        now, said_by_mail = self._clock(), bool(writer.answer_to) and not heading.is_automatic
        with self._at_once.place(writer.customer.id):
            try:
                body = await asyncio.to_thread(read_body, octets)
                has_list = len(numbers) < len(locals_)
                taken = await self._taking.take(heading, body, writer, numbers, has_list=has_list)
            except Refused as refused:
                if refused.reason in PASSING:
                    raise
                if said_by_mail:
                    await asyncio.to_thread(answers.answer_refused, heading, writer, refused, now)
                return self._refusal(session, refused)
            if said_by_mail:
                await asyncio.to_thread(answers.answer, heading, writer, taken, body.attachments, now)
        return self._outcome(session, taken)

    def _outcome(self, session: Session, taken: Taken) -> str:
        refusals = [outcome for _, outcome in taken.outcomes if isinstance(outcome, Refused)]
        if refusals and not taken.message_ids:
            return self._refusal(session, refusals[0])
        return accepted(taken.message_ids, list(dict.fromkeys(bad.row for bad in taken.bad)))

    def _refusal(self, session: Session, refused: Refused) -> str:
        """A program that has signed in is told; a mail server would only make a bounce beside our answer."""
        return reply_to(refused) if session.authenticated else "250 2.0.0 Not sent. The answer mail says why"


class Pace:
    """How many mails of a customer came within the last minute; in memory, as the door is one process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[int, deque[float]] = {}

    def keeps(self, customer_id: int, now_s: float) -> bool:
        """Whether one more may come now; it is counted."""
        times = self._of.setdefault(customer_id, deque())
        while times and now_s - times[0] >= MINUTE_S:
            times.popleft()
        if len(times) >= self._most:
            return False
        times.append(now_s)
        return True


def _of_base64(text: str) -> bytes | None:
    try:
        return b64decode(text.encode(), validate=True)
    except NotBase64:
        return None
