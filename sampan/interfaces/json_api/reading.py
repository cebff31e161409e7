"""Messages as they stand: a period's, or one (spec S6, S71, S100)."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from sampan.accounts.keys import Scope
from sampan.database import Connection
from sampan.interfaces.json_api.calls import (
    USUAL_ROWS,
    Call,
    Cursor,
    Given,
    Id,
    Limit,
    Line,
    Moment,
    NoQuery,
    Operation,
    hkd,
    looked_up,
    next_cursor,
    place_of,
)
from sampan.interfaces.json_api.problems import OF_REASONS
from sampan.interfaces.json_api.sending import Number, number_of
from sampan.messages.reports import messages, periods
from sampan.messages.reports.messages import MessageFacts
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Source
from sampan.reasons import BY_NUMBER, Reason, Refused

USUAL_PERIOD = timedelta(days=62)
SHOWN_REASONS = {
    shown: frozenset(reason for reason in BY_NUMBER.values() if reason.shown == shown)
    for shown in {reason.shown for reason in Reason if reason.shown is not None}
}

StatusWord = Literal[
    "delivered",
    "sent",
    "processing",
    "retry",
    "unknown",
    "waiting",
    "scheduling",
    "expired",
    "undeliverable",
    "filtered",
    "upload-failed",
]


class Message(msgspec.Struct, omit_defaults=True):
    """One message and what became of it. `status_code` and `reason_code` are those of all our APIs."""

    id: str
    batch_id: str
    to: str
    sender: str
    status: StatusWord
    status_code: int
    reason_code: int
    created_at: datetime
    units: int
    price_hkd: str
    charged_hkd: str
    test: bool
    reason: str = ""
    changed_at: datetime | None = None  # when an operator took it, or it ended


class WholeMessage(Message, omit_defaults=True, kw_only=True):
    """One message with its text and its way."""

    text: str
    parts: int
    taken_parts: int
    delivered_parts: int
    destination: str
    route: str
    purpose: str
    scheduled_at: datetime | None = None
    taken_at: datetime | None = None
    final_at: datetime | None = None


class MessageList(msgspec.Struct, omit_defaults=True):
    """One page of messages."""

    messages: list[Message]
    next_cursor: str = ""  # absent on the last page


class MessageQuery(Given):
    """Which messages, the newest first."""

    since: Annotated[Moment | None, msgspec.Meta(description="Accepted from then on. Unsaid: 62 days ago")] = None
    until: Annotated[Moment | None, msgspec.Meta(description="Accepted before then")] = None
    status: StatusWord | None = None
    reason_code: Annotated[int | None, msgspec.Meta(description="Such as 304")] = None
    batch_id: Id | None = None
    to: Number = ""
    sender: Line = ""
    limit: Limit = USUAL_ROWS
    cursor: Cursor = ""


def _shown(row: periods.Row) -> Message:
    return Message(
        id=str(row.id),
        batch_id=str(row.batch_id),
        to=str(row.recipient),
        sender=row.sender,
        status=row.shown.value,
        status_code=row.status.value,
        reason_code=row.reason.shown or 0,
        created_at=row.created_at,
        units=row.units,
        price_hkd=hkd(row.price_pips),
        charged_hkd=hkd(row.charged_pips),
        test=row.source == Source.TEST,
        reason="" if row.reason == Reason.NONE else OF_REASONS[row.reason].name,
        changed_at=row.changed_at,
    )


def page_of(conn: Connection, search: periods.Search, limit: int, cursor: str, *, newest_first: bool) -> MessageList:
    """One page of what is searched for. Raises Wrong(BAD_CURSOR)."""
    place = place_of(cursor, tuple[Moment, Id])
    after = periods.Place(*place) if place else None
    rows = periods.rows(conn, search, most=limit + 1, after=after, newest_first=newest_first)
    shown = rows[:limit]
    more = next_cursor(*shown[-1].place) if len(rows) > limit else ""
    return MessageList([_shown(row) for row in shown], more)


def _source(call: Call[Any, Any]) -> Source | None:
    """A test key sees tests alone."""
    return Source.TEST if call.holder.is_test else None


def list_messages(conn: Connection, call: Call[MessageQuery, None]) -> MessageList:
    """Messages of a period."""
    asked = call.query
    if asked.reason_code is not None and asked.reason_code not in SHOWN_REASONS:
        raise Refused(Reason.NO_CHOICE, "reason_code", str(asked.reason_code))
    search = periods.Search(
        customer_id=call.customer_id,
        since=asked.since or call.now - USUAL_PERIOD,
        until=asked.until or call.now + timedelta(days=1),
        shown=Shown(asked.status) if asked.status else None,
        reasons=SHOWN_REASONS[asked.reason_code] if asked.reason_code is not None else None,
        batch_id=asked.batch_id,
        recipient=number_of(asked.to, "to") if asked.to else None,
        sender=asked.sender or None,
        source=_source(call),
    )
    return page_of(conn, search, asked.limit, asked.cursor, newest_first=True)


def show_message(conn: Connection, call: Call[NoQuery, None]) -> WholeMessage:
    """One message."""
    facts = messages.message(conn, call.customer_id, call.number)
    if facts is None or (call.holder.is_test and facts.source != Source.TEST):
        raise Refused(Reason.UNKNOWN_MESSAGE, "id", call.id)
    return _whole(facts)


def _whole(facts: MessageFacts) -> WholeMessage:
    return WholeMessage(
        id=str(facts.id),
        batch_id=str(facts.batch_id),
        to=str(facts.recipient),
        sender=facts.sender,
        status=facts.shown.value,
        status_code=facts.status.value,
        reason_code=facts.reason.shown or 0,
        created_at=facts.created_at,
        units=facts.units,
        price_hkd=hkd(facts.price_pips),
        charged_hkd=hkd(facts.charged_pips),
        test=facts.source == Source.TEST,
        reason="" if facts.reason == Reason.NONE else OF_REASONS[facts.reason].name,
        changed_at=facts.final_at or facts.taken_at,
        text=facts.text,
        parts=facts.parts,
        taken_parts=facts.taken_parts,
        delivered_parts=facts.delivered_parts,
        destination=facts.destination,
        route=facts.route,
        purpose=facts.purpose.name.lower(),
        scheduled_at=facts.scheduled_at,
        taken_at=facts.taken_at,
        final_at=facts.final_at,
    )


OPERATIONS = (
    Operation(
        name="list_messages",
        method="GET",
        path="/v1/messages",
        scope=Scope.READ,
        summary="Messages of a period, the newest first",
        handler=looked_up(list_messages),
        query=MessageQuery,
        answer=MessageList,
        refusals=(422,),
    ),
    Operation(
        name="show_message",
        method="GET",
        path="/v1/messages/{id}",
        scope=Scope.READ,
        summary="One message and what became of it",
        handler=looked_up(show_message),
        answer=WholeMessage,
        refusals=(404,),
    ),
)
