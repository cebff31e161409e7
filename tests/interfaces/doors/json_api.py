"""The JSON API among the doors (spec S123)."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from sampan.accounts.tables import Person
from sampan.composing.alphabet import Coding
from sampan.database import DatabaseThreads
from sampan.interfaces.json_api.door import JsonApi
from sampan.interfaces.json_api.problems import OF_REASONS
from sampan.interfaces.json_api.sending import MOST_RECIPIENTS
from sampan.messages.intake import Intake
from sampan.messages.tables import Source
from sampan.reasons import Reason
from sampan.routing.directory import ECONOMIC_ROUTE
from tests.interfaces.calling import call
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.interfaces.json_api.asking import key_of
from tests.world import PASSWORD, PLATFORM


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """POST /v1/messages: a result for each recipient, or a problem that is told by its type."""
    intake, threads = Intake(PLATFORM), DatabaseThreads(1, "tests")
    door = JsonApi(intake, threads, PLATFORM)

    async def send(request: Request) -> Answer:
        is_known = request.secret == PASSWORD and Person.objects.filter(login_name=request.login_name).exists()
        key = key_of(request.login_name) if is_known else "sk_live_guessed"
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        if request.client_reference:
            headers["idempotency-key"] = request.client_reference
        reply = await call(
            door, "/v1/messages", method="POST", body=json.dumps(asked(request)).encode(), headers=headers
        )
        said = json.loads(reply.body)
        if reply.status != 202:
            return Answer(said["type"].rpartition("/")[2])
        return Answer(
            ids=tuple(int(each["id"]) for each in said["results"] if "id" in each),
            refused={each["to"]: each["reason"] for each in said["results"] if "id" not in each},
        )

    try:
        yield send
    finally:
        await door.close()
        await intake.close()
        threads.close()


def asked(request: Request) -> dict[str, Any]:
    """The body."""
    optional = {
        "route": ECONOMIC_ROUTE if request.economic else request.route,
        "purpose": request.purpose and request.purpose.name.lower(),
        "register_filter": request.register_filter,
        "scheduled_at": request.scheduled_at and request.scheduled_at.isoformat(),
        "validity_minutes": request.validity_minutes,
        "coding": None if request.coding is None else {Coding.GSM7: "gsm", Coding.UCS2: "unicode"}[request.coding],
    }
    to: list[Any] = [*request.recipients]
    if request.fields:
        to = [{"to": each, "fields": fields} for each, fields in zip(to, request.fields, strict=True)]
    required = {"to": to, "text": request.text, "sender": request.sender}
    return required | {name: value for name, value in optional.items() if value not in (None, "")}


DOOR = Door(
    name="JSON API",
    source=Source.JSON,
    open=opened,
    words={reason: OF_REASONS[reason].name for reason in Reason},
    says=frozenset(
        {
            "fields",
            "route",
            "purpose",
            "scheduled_at",
            "validity_minutes",
            "register_filter",
            "client_reference",
            "coding",
        }
    ),
    most_recipients=MOST_RECIPIENTS,
)
