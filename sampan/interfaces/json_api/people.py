"""Consents and unsubscribes (spec S94, S96)."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from sampan.accounts.keys import Scope
from sampan.compliance import preferences
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.interfaces.json_api.calls import (
    USUAL_ROWS,
    Call,
    Cursor,
    Given,
    Id,
    Limit,
    Moment,
    NoQuery,
    Operation,
    looked_up,
    looked_up_in_bulk,
    next_cursor,
    place_of,
)
from sampan.interfaces.json_api.sending import Number, number_of, numbers_of

MOST_NUMBERS = 10_000
LONGEST_EVIDENCE = 300

Evidence = Annotated[
    str,
    msgspec.Meta(max_length=LONGEST_EVIDENCE, pattern=r"^[^\x00]*$", description="How it is known; kept with it"),
]
Numbers = Annotated[list[Number], msgspec.Meta(description=f"At most {MOST_NUMBERS:,}")]


class Said(msgspec.Struct, omit_defaults=True):
    """What one number said last."""

    number: str
    way: str
    at: datetime
    recorded_at: datetime
    evidence: str = ""


class SaidList(msgspec.Struct, omit_defaults=True):
    """One page, the newest entry first."""

    numbers: list[Said]
    next_cursor: str = ""


class SaidQuery(Given):
    """All, or one number."""

    number: Number = ""
    limit: Limit = USUAL_ROWS
    cursor: Cursor = ""


class NewConsents(Given):
    """These people agreed to promotional texts of yours."""

    numbers: Numbers
    way: Literal["written", "verbal"]
    evidence: Evidence
    at: Annotated[Moment | None, msgspec.Meta(description="When they said so. Unsaid: now")] = None


class NewUnsubscribes(Given):
    """These people want no more promotional texts of yours; in force at once."""

    numbers: Numbers
    evidence: Evidence = ""
    at: Moment | None = None


class Recorded(msgspec.Struct):
    """How many numbers were written down."""

    recorded: int


def _listed(kind: Preference.Kind) -> Callable[[Connection, Call[SaidQuery, None]], SaidList]:
    def listed(conn: Connection, call: Call[SaidQuery, None]) -> SaidList:
        asked = call.query
        number = number_of(asked.number, "number") if asked.number else None
        place = place_of(asked.cursor, tuple[Id])
        before = place[0] if place else None
        found = preferences.standing(conn, call.customer_id, kind, number=number, before=before, most=asked.limit + 1)
        shown = [Said(str(row.number), row.way.value, row.at, row.recorded_at, row.evidence) for row in found]
        more = next_cursor(found[asked.limit - 1].id) if len(found) > asked.limit else ""
        return SaidList(shown[: asked.limit], more)

    return listed


def record_consents(conn: Connection, call: Call[NoQuery, NewConsents]) -> Recorded:
    """All of them, or none."""
    asked = call.body
    count = preferences.record_consents(
        conn,
        call.customer_id,
        numbers_of(asked.numbers, "numbers", MOST_NUMBERS),
        way=Preference.Way(asked.way),
        at=asked.at or call.now,
        evidence=asked.evidence,
        person_id=call.holder.person_id,
        now=call.now,
    )
    return Recorded(count)


def record_unsubscribes(conn: Connection, call: Call[NoQuery, NewUnsubscribes]) -> Recorded:
    """All of them, or none."""
    asked = call.body
    count = preferences.unsubscribe(
        conn,
        call.customer_id,
        numbers_of(asked.numbers, "numbers", MOST_NUMBERS),
        way=Preference.Way.HAND,
        at=asked.at or call.now,
        evidence=asked.evidence,
        person_id=call.holder.person_id,
        now=call.now,
    )
    return Recorded(count)


OPERATIONS = (
    Operation(
        name="list_consents",
        method="GET",
        path="/v1/consents",
        scope=Scope.CONTACTS,
        summary="Numbers whose last word to you is a consent",
        handler=looked_up(_listed(Preference.Kind.CONSENT)),
        query=SaidQuery,
        answer=SaidList,
        refusals=(422,),
    ),
    Operation(
        name="record_consents",
        method="POST",
        path="/v1/consents",
        scope=Scope.CONTACTS,
        summary="Record that people agreed to promotional texts",
        words="The latest of consent and unsubscribe wins. Refused as a whole where one number is no mobile.",
        handler=looked_up_in_bulk(record_consents),
        body=NewConsents,
        answer=Recorded,
        status=201,
        refusals=(422,),
    ),
    Operation(
        name="list_unsubscribes",
        method="GET",
        path="/v1/unsubscribes",
        scope=Scope.CONTACTS,
        summary="Numbers whose last word to you is that they want no more",
        handler=looked_up(_listed(Preference.Kind.UNSUBSCRIBED)),
        query=SaidQuery,
        answer=SaidList,
        refusals=(422,),
    ),
    Operation(
        name="record_unsubscribes",
        method="POST",
        path="/v1/unsubscribes",
        scope=Scope.CONTACTS,
        summary="Record that people want no more promotional texts",
        handler=looked_up_in_bulk(record_unsubscribes),
        body=NewUnsubscribes,
        answer=Recorded,
        status=201,
        refusals=(422,),
    ),
)
