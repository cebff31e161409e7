"""The SMPP door among the doors (spec S124)."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

from sampan.composing.alphabet import encode_gsm, is_gsm
from sampan.interfaces.smpp_door.reading import ECONOMIC_SENDER
from sampan.interfaces.smpp_door.words import STATUSES
from sampan.messages.tables import Source
from sampan.reasons import Reason
from sampan.smpp import time_format
from sampan.smpp.pdu import DataCoding, Status, SubmitMulti, SubmitMultiResp, SubmitSm, SubmitSmResp, Tag
from sampan.smpp.pdu.fields import SmeAddress
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.interfaces.smpp_door.running import bind_with, open_door

MOST_OCTETS_OF_SHORT_MESSAGE = 254


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """An ESME that binds, submits once, and reads the command_status."""
    async with open_door() as door:

        async def send(request: Request) -> Answer:
            peer, status = await bind_with(door.port, request.login_name, request.secret)
            try:
                if status:
                    return Answer(word(status))
                answer = await peer.ask(submit(request), 2)
            finally:
                peer.writer.close()
            if answer.status:
                return Answer(word(answer.status))
            assert isinstance(answer.body, SubmitSmResp | SubmitMultiResp)
            refused = answer.body.unsuccessful if isinstance(answer.body, SubmitMultiResp) else ()
            return Answer(
                ids=(int(answer.body.message_id),), refused={each.address: word(each.status) for each in refused}
            )

        yield send


def word(status: int) -> str:
    """The name of a command_status, or its number where it is our own."""
    return Status(status).name if status in set(Status) else f"0x{status:03X}"


def submit(request: Request) -> SubmitSm | SubmitMulti:
    """The PDU of a request: submit_sm to one, submit_multi to many."""
    gsm = is_gsm(request.text)
    octets = encode_gsm(request.text) if gsm else request.text.encode("utf-16-be")
    is_long = len(octets) > MOST_OCTETS_OF_SHORT_MESSAGE
    source = ECONOMIC_SENDER if request.economic else request.sender
    minutes = request.validity_minutes
    first, *others = request.recipients
    body = SubmitSm(
        "",
        5,
        0,
        source,
        1,
        1,
        first,
        data_coding=DataCoding.SMSC_DEFAULT if gsm else DataCoding.UCS2,
        schedule_delivery_time=time_format.format_absolute(request.scheduled_at) if request.scheduled_at else "",
        validity_period=time_format.format_relative(timedelta(minutes=minutes)) if minutes else "",
        short_message=b"" if is_long else octets,
        tlvs=((Tag.MESSAGE_PAYLOAD, octets),) if is_long else (),
    )
    if not others:
        return body
    shared = {name: value for name, value in body._asdict().items() if name in SubmitMulti._fields}
    return SubmitMulti(**shared, dest_addresses=tuple(SmeAddress(1, 1, number) for number in request.recipients))


DOOR = Door(
    name="SMPP",
    source=Source.SMPP,
    open=opened,
    words={reason: word(status) for reason, status in STATUSES.items()},
    says=frozenset({"scheduled_at", "validity_minutes"}),
    most_recipients=255,
    all_or_nothing_to=1,
    never=frozenset(
        {
            Reason.NO_RECIPIENT,  # a PDU without one is none
            Reason.TOO_MANY_RECIPIENTS,  # nor can it name more
            Reason.BAD_VALIDITY,  # cut to what is offered
            Reason.NOT_IN_ALPHABET,
            Reason.REFERENCE_REUSED,  # but by parts of a long text
        }
    ),
)
