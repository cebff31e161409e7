"""The HTTP API among the doors (spec S120)."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from sampan.composing.alphabet import Coding, is_gsm
from sampan.database import DatabaseThreads
from sampan.interfaces.http_api import CODES, HONG_KONG, MOST_RECIPIENTS, HttpApi
from sampan.messages.intake import Intake
from sampan.messages.tables import Source
from sampan.reasons import Reason
from tests.interfaces.calling import call
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.world import PLATFORM

ADDRESS = "/misweb/f_sendsms.aspx"


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """Plain text: `SMSDID:…`, `ERROR:n`, or HTTP 429."""
    intake, threads = Intake(PLATFORM), DatabaseThreads(1, "tests")
    door = HttpApi(intake, threads)

    async def send(request: Request) -> Answer:
        reply = await call(door, ADDRESS, method="POST", body=urlencode(parameters(request)).encode())
        if reply.status != 200:
            return Answer(f"HTTP {reply.status}")
        if reply.text.startswith("ERROR:"):
            return Answer(reply.text)
        return Answer(ids=tuple(map(int, reply.text.removeprefix("SMSDID:").split(","))))

    try:
        yield send
    finally:
        await intake.close()
        threads.close()


def parameters(request: Request) -> dict[str, Any]:
    """As the form has them."""
    english = is_gsm(request.text) if request.coding is None else request.coding == Coding.GSM7
    at = request.scheduled_at
    optional = {
        "purpose": request.purpose and request.purpose.name.lower(),
        "dncr": None if request.register_filter is None else int(request.register_filter),
        "client_ref": request.client_reference or None,
    }
    return {
        "username": request.login_name,
        "password": request.secret,
        "content": request.text if english else request.text.encode("utf-16-be").hex(),
        "langeng": int(english),
        "recipient": ",".join(request.recipients),
        "dos": f"{at.astimezone(HONG_KONG):%Y-%m-%d %H:%M}" if at else "now",
        "senderid": "RANDOMID" if request.economic else request.sender,
    } | {name: value for name, value in optional.items() if value is not None}


DOOR = Door(
    name="HTTP API",
    source=Source.HTTP,
    open=opened,
    words={reason: f"ERROR:{code}" for reason, code in CODES.items()}
    | {Reason.OVERLOADED: "HTTP 429", Reason.ADDRESS_NOT_ALLOWED: "HTTP 403"},
    says=frozenset({"purpose", "scheduled_at", "register_filter", "client_reference", "coding"}),
    most_recipients=MOST_RECIPIENTS,
    all_or_nothing_to=MOST_RECIPIENTS,
    never=frozenset({Reason.BAD_TEXT}),  # a `content` that is no text is 241 or 249 before that
)
