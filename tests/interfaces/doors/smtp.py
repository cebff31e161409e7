"""The SMTP door among the doors (spec S122)."""

import asyncio
import contextlib
import smtplib
import uuid
from collections.abc import AsyncIterator

from sampan.interfaces.smtp_door.options import PURPOSES
from sampan.interfaces.smtp_door.taking import ECONOMIC_SENDER
from sampan.interfaces.smtp_door.words import REPLIES
from sampan.messages.tables import Source
from sampan.reasons import Reason
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.interfaces.smtp_door.running import DOMAIN, give, mail, open_door
from tests.interfaces.smtp_door.running import Door as OpenDoor


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """A program that signs in, brings one mail, and reads the reply."""
    with open_door() as door:

        async def send(request: Request) -> Answer:
            return await asyncio.to_thread(ask, door, request)

        yield send


def ask(door: OpenDoor, request: Request) -> Answer:
    """The door's answer to one request."""
    name = request.client_reference.encode().hex() or uuid.uuid4().hex
    to = {f"{number}@{DOMAIN}": number for number in request.recipients}
    try:
        with door.connected(login=request.login_name, secret=request.secret) as line:
            reply = give(line, mail(request.text, subject=subject(request), name=name), list(to))
    except smtplib.SMTPAuthenticationError as error:
        said = error.smtp_error
        return Answer(word(error.smtp_code, said if isinstance(said, str) else said.decode()))
    if reply.code != 250:
        return Answer(word(reply.code, reply.words))
    return Answer(ids=tuple(reply.ids), refused={to[each]: word(*said) for each, said in reply.refused.items()})


def word(code: int, words: str) -> str:
    """The code and the enhanced code."""
    return f"{code} {words.split(maxsplit=1)[0]}"


def subject(request: Request) -> str:
    """What the request says beside its text."""
    said = {
        "sender": ECONOMIC_SENDER if request.economic else request.sender,
        "route": request.route,
        "at": request.scheduled_at.isoformat() if request.scheduled_at else "",
        "purpose": next((name for name, purpose in PURPOSES.items() if purpose == request.purpose), ""),
        "dncr": "" if request.register_filter is None else f"{request.register_filter:d}",
        "validity": f"{request.validity_minutes or ''}",
    }
    return " ".join(f"[{name}={value}]" for name, value in said.items() if value)


DOOR = Door(
    name="SMTP",
    source=Source.SMTP,
    open=opened,
    words=REPLIES,
    says=frozenset({"route", "purpose", "scheduled_at", "validity_minutes", "register_filter", "client_reference"}),
    most_recipients=1_000,
    all_or_nothing_to=1,
    reads_typed_numbers=True,
    never=frozenset(
        {
            Reason.NO_RECIPIENT,  # without RCPT there is no DATA
            Reason.TOO_MANY_RECIPIENTS,  # the others are brought in another mail transaction
            Reason.NOT_IN_ALPHABET,
        }
    ),
)
