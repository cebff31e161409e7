"""One-time passwords: a code is sent, and checked (spec S9, S123)."""

import uuid
from datetime import datetime
from typing import Annotated

import msgspec

from sampan.accounts.keys import Scope
from sampan.database import Connection
from sampan.interfaces.json_api.calls import Answer, Call, Given, Line, NoQuery, Operation, Tools, looked_up
from sampan.interfaces.json_api.problems import NOT_FOUND, Wrong
from sampan.interfaces.json_api.sending import REPLAYED, Number, Text
from sampan.messages.announcing import announce
from sampan.messages.planning import Platform, terms_in_force
from sampan.messages.verifications.asking import (
    LONGEST_CODE,
    LONGEST_TTL_S,
    SHORTEST_CODE,
    SHORTEST_TTL_S,
    USUAL_CODE,
    USUAL_TTL_S,
    Sent,
    Standing,
    State,
    Wanted,
    check_code,
    send_code,
    standing,
)
from sampan.reasons import Refused
from sampan.routing.numbers import parse_international

LONGEST_TYPED_CODE = 20


class NewVerification(Given):
    """A code to be made, sent and remembered."""

    to: Number
    sender: Annotated[Line, msgspec.Meta(description="One of your sender IDs")] = ""
    template: Annotated[Text, msgspec.Meta(description="`{code}` stands where the code goes")] = "{code} is your code."
    length: Annotated[int, msgspec.Meta(ge=SHORTEST_CODE, le=LONGEST_CODE, description="Digits")] = USUAL_CODE
    ttl_s: Annotated[int, msgspec.Meta(ge=SHORTEST_TTL_S, le=LONGEST_TTL_S, description="Seconds")] = USUAL_TTL_S


class Typed(Given):
    """What somebody typed."""

    code: Annotated[str, msgspec.Meta(max_length=LONGEST_TYPED_CODE)]


class Verification(msgspec.Struct):
    """One code that was sent."""

    id: str
    to: str
    status: State
    tries_left: int
    expires_at: datetime
    message_id: str


class Tried(msgspec.Struct):
    """What became of one try: only `verified` lets anybody in."""

    status: State
    tries_left: int


async def ask(tools: Tools, call: Call[NoQuery, NewVerification]) -> Answer:
    """A code goes out; or, with the Idempotency-Key of an earlier call, nothing more does."""
    try:
        sent, shown = await tools.threads.run(_ask, call, tools.platform)
    except Refused as refused:
        if refused.field == "text":
            refused.field = "template"
        raise
    return Answer(shown, headers=REPLAYED if sent.is_repeat else ())


def _ask(conn: Connection, call: Call[NoQuery, NewVerification], platform: Platform) -> tuple[Sent, Verification]:
    asked, holder = call.body, call.holder
    wanted = Wanted(
        customer=holder.customer,
        person_id=holder.person_id,
        number=parse_international(asked.to),
        template=asked.template,
        sender=asked.sender,
        length=asked.length,
        ttl_s=asked.ttl_s,
        is_test=holder.is_test,
        reference=call.own_reference,
    )
    sent = send_code(conn, wanted, terms_in_force(conn, platform), call.now)
    announce(conn, sent.places)
    found = standing(conn, call.customer_id, sent.id, tests_only=holder.is_test, now=call.now)
    return sent, _shown(found)


def _shown(found: Standing) -> Verification:
    return Verification(
        id=str(found.id),
        to=str(found.number),
        status=found.state,
        tries_left=found.tries_left,
        expires_at=found.expires_at,
        message_id=str(found.message_id),
    )


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Wrong(NOT_FOUND) from None


def show(conn: Connection, call: Call[NoQuery, None]) -> Verification:
    """Where it is."""
    return _shown(standing(conn, call.customer_id, _id(call.id), tests_only=call.holder.is_test, now=call.now))


def check(conn: Connection, call: Call[NoQuery, Typed]) -> Tried:
    """One try."""
    tests_only = call.holder.is_test
    found = check_code(conn, call.customer_id, _id(call.id), call.body.code, tests_only=tests_only, now=call.now)
    return Tried(found.state, found.tries_left)


OPERATIONS = (
    Operation(
        name="send_verification",
        method="POST",
        path="/v1/verifications",
        scope=Scope.SEND,
        summary="Send a one-time code",
        words="""We make the code, send it before all promotional texts, and keep only a mark of it. A new one for the
same number makes the ones before worthless; one goes to a number in 30 seconds and 10 in a day. Where too many codes
to numbers beside each other do not come back, no more go there for an hour: so nobody makes your site send texts to
numbers that earn from them. With a test key the code is 1234567890, cut to its length.""",
        handler=ask,
        body=NewVerification,
        answer=Verification,
        status=202,
        refusals=(402, 409, 422),
        takes_reference=True,
    ),
    Operation(
        name="show_verification",
        method="GET",
        path="/v1/verifications/{id}",
        scope=Scope.SEND,
        summary="Whether a code came back",
        handler=looked_up(show),
        answer=Verification,
        refusals=(404,),
    ),
    Operation(
        name="check_verification",
        method="POST",
        path="/v1/verifications/{id}/check",
        scope=Scope.SEND,
        summary="Check the code that somebody typed",
        words="A code is `verified` once, then `used`. After 5 wrong ones it is `tried-out`.",
        handler=looked_up(check),
        body=Typed,
        answer=Tried,
        refusals=(404,),
    ),
)
