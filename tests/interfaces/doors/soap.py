"""The SOAP door among the doors (spec S121)."""

import contextlib
from collections.abc import AsyncIterator
from xml.sax.saxutils import escape

from lxml import etree

from sampan.composing.alphabet import Coding
from sampan.database import DatabaseThreads
from sampan.interfaces.soap.answers import code_of
from sampan.interfaces.soap.contract import SAMPAN
from sampan.interfaces.soap.door import SoapDoor
from sampan.interfaces.soap.reading import MOST_RECIPIENTS, Version
from sampan.messages.intake import Intake
from sampan.messages.tables import Source
from sampan.reasons import Reason
from sampan.routing.directory import ECONOMIC_ROUTE
from tests.interfaces.calling import call
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.world import PLATFORM

NAMES = {"s": SAMPAN}


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """SendSms in SOAP 1.1: a result for each recipient, or a fault whose detail has a code."""
    intake, threads = Intake(PLATFORM), DatabaseThreads(1, "tests")
    door = SoapDoor(intake, threads)

    async def send(request: Request) -> Answer:
        reply = await call(door, "/soap/", method="POST", body=envelope(send_sms(request)).encode())
        tree = etree.fromstring(reply.body)
        if (code := tree.findtext(".//s:Refusal/s:code", namespaces=NAMES)) is not None:
            return Answer(code)
        results = tree.findall(".//s:result", NAMES)
        told = [{etree.QName(each).localname: each.text or "" for each in result} for result in results]
        return Answer(
            ids=tuple(int(each["messageId"]) for each in told if "messageId" in each),
            refused={each["recipient"]: each["code"] for each in told if "messageId" not in each},
        )

    try:
        yield send
    finally:
        await intake.close()
        threads.close()


def envelope(body: str, version: Version = Version.SOAP_1_1) -> str:
    """Around a request."""
    return f'<e:Envelope xmlns:e="{version.namespace}"><e:Body>{body}</e:Body></e:Envelope>'


def send_sms(request: Request) -> str:
    """The request as the contract has it."""
    route = ECONOMIC_ROUTE if request.economic else request.route
    optional = {
        "sender": request.sender,
        "route": route,
        "purpose": request.purpose and request.purpose.name.title(),
        "dncr": "" if request.register_filter is None else str(request.register_filter).lower(),
        "scheduledAt": request.scheduled_at and request.scheduled_at.isoformat(),
        "validityMinutes": request.validity_minutes,
        "coding": request.coding is not None and {Coding.GSM7: "English", Coding.UCS2: "Unicode"}[request.coding],
        "clientRef": request.client_reference,
    }
    recipients = "".join(f"<recipient>{escape(each)}</recipient>" for each in request.recipients)
    return (
        f'<SendSms xmlns="{SAMPAN}"><username>{request.login_name}</username><password>{request.secret}</password>'
        f"<recipients>{recipients}</recipients><text>{escape(request.text)}</text>"
        + "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in optional.items() if value)
        + "</SendSms>"
    )


DOOR = Door(
    name="SOAP",
    source=Source.SOAP,
    open=opened,
    words={reason: code_of(reason) for reason in Reason},
    says=frozenset(
        {
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
    never=frozenset({Reason.BAD_TEXT}),  # XML cannot carry such a character
)
