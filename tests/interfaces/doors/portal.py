"""The portal among the doors: a member signs in, composes, reviews and presses Send (spec S2, S5)."""

import contextlib
import csv
import re
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

from django.test import Client

from sampan.interfaces.tags import HONG_KONG
from sampan.interfaces.words import REASONS, REFUSALS
from sampan.messages.tables import Message, Purpose, Source, Status
from sampan.reasons import Reason
from sampan.routing.directory import ECONOMIC_ROUTE
from tests.interfaces.doors import Answer, Door, Request, Send
from tests.interfaces.doors.cases import FILTERED
from tests.interfaces.portal.pages import TYPED, errors_of, html, value_of, visitor, words

REFUSED = {reason: str(said) for reason, said in REFUSALS.items()} | {
    Reason.BAD_CREDENTIALS: "Login name and password do not match",
    Reason.BAD_VALIDITY: "Not one of these. Choose how long to keep trying.",
    Reason.BALANCE_TOO_LOW: "more is needed",
    Reason.NOT_A_MOBILE: "Fixed line. Only mobiles can receive SMS.",
    Reason.BAD_TEXT: "Null characters are not allowed.",
    Reason.TOO_FAR_AHEAD: "More than 5 years ahead. The latest is {value}.",
    Reason.UNEXPECTED: "HTTP 500",
}
NOTHING_TO_SEND = {case.name for case in FILTERED if not any(row.status == Status.UPLOAD_SUCCESS for row in case.rows)}


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Send]:
    """What the pages say; each request is a visit of its own."""

    async def send(request: Request) -> Answer:
        client = visitor(raise_request_exception=False)
        signed = client.post("/sign-in/", {"name": request.login_name, "password": request.secret})
        if signed.status_code != 302:
            return Answer(canonical(words(signed)))
        return _send(client, request)

    yield send


def _send(client: Client, request: Request) -> Answer:
    composed: Any = client.post("/compose/", typed(request))
    if composed.status_code == 422:
        return Answer(canonical(*errors_of(composed).values(), words(composed)))
    review = composed.headers["Location"]
    seen: Any = client.get(review)
    if "more is needed" in words(seen):
        return Answer(REFUSED[Reason.BALANCE_TOO_LOW])
    bad = csv.reader(StringIO(html(client.get(f"{review.removesuffix('review/')}bad-rows.csv")).lstrip("\ufeff")))
    sent = client.post(review, {"seal": value_of(seen, "seal")})
    if sent.status_code != 302:
        return Answer(f"HTTP {sent.status_code}")
    return Answer(
        ids=tuple(Message.objects.values_list("id", flat=True)), refused={row[2]: row[3] for row in list(bad)[1:]}
    )


def typed(request: Request) -> dict[str, str]:
    """The compose page, filled in."""
    at = request.scheduled_at and request.scheduled_at.astimezone(HONG_KONG)
    usual = Purpose.PROMOTIONAL if request.economic else Purpose.TRANSACTIONAL
    later = {"when": "later", "date": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}"} if at else {}
    return (
        TYPED
        | later
        | {
            "numbers": "\n".join(request.recipients),
            "text": request.text,
            "sender": request.sender or TYPED["sender"],  # the economic route shows none
            "purpose": str(int(request.purpose or usual)),
            "route": ECONOMIC_ROUTE if request.economic else request.route or TYPED["route"],
            "validity": str(request.validity_minutes or TYPED["validity"]),
        }
    )


def canonical(*said: str) -> str:
    """The words of which these are an example; or what was said."""
    for sentence in said:
        for template in REFUSED.values():
            pattern = ".*".join(map(re.escape, re.split(r"\{\w+\}", template)))
            if re.search(pattern, sentence):
                return template
    return " ".join(said)


DOOR = Door(
    name="Portal",
    source=Source.PORTAL,
    open=opened,
    words=REFUSED,
    row_words={reason: str(said) for reason, said in REASONS.items()},
    says=frozenset({"route", "purpose", "scheduled_at", "validity_minutes"}),
    most_recipients=50_000,
    never=frozenset({Reason.ADDRESS_NOT_ALLOWED, Reason.OVERLOADED, Reason.REFERENCE_REUSED}),  # of programs alone
    otherwise=frozenset(
        {
            "no country code",  # 8 digits are a Hong Kong number
            "a sender ID that cannot be shown there",  # one is always chosen, and abroad it is shown
            *NOTHING_TO_SEND,  # it stays a draft
        }
    ),
)
