"""Replies that recipients wrote (spec S110, S111)."""

from datetime import datetime
from typing import Annotated

import msgspec

from sampan.accounts.keys import Scope
from sampan.database import Connection
from sampan.inbound import replies
from sampan.interfaces.json_api.calls import (
    MOST_ROWS,
    USUAL_ROWS,
    Call,
    Cursor,
    Given,
    Id,
    Line,
    Moment,
    NoQuery,
    Operation,
    looked_up,
    next_cursor,
    place_of,
)
from sampan.interfaces.json_api.problems import NOT_FOUND, Wrong


class Reply(msgspec.Struct, omit_defaults=True):
    """One reply. Ids grow in the order in which replies became known."""

    id: str
    received_at: datetime
    sender: str  # the handset: digits with the country code, or as the operator named it
    to: str  # your number
    text: str
    read: bool
    keyword: str = ""  # of a shared number
    message_id: str = ""  # which it answers
    unsubscribed: bool = False  # it was a STOP word
    parts_missing: int = 0  # of a long text; "[…]" stands for them


class ReplyList(msgspec.Struct):
    """Replies in their order. `next_cursor` is always there: ask with it again later, and none is missed."""

    replies: list[Reply]
    next_cursor: str


class ReplyQuery(Given):
    """Which replies, the oldest first."""

    since: Moment | None = None
    until: Moment | None = None
    sender: Annotated[Line, msgspec.Meta(description="A handset's number, digits only")] = ""
    to: Annotated[Line, msgspec.Meta(description="Your number, digits only")] = ""
    keyword: Line = ""
    unread: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_ROWS)] = USUAL_ROWS
    cursor: Cursor = ""


def list_replies(conn: Connection, call: Call[ReplyQuery, None]) -> ReplyList:
    """Those after the cursor."""
    asked = call.query
    place = place_of(asked.cursor, tuple[Id])
    after = place[0] if place else 0
    wanted = replies.Asked(
        since=asked.since,
        until=asked.until,
        handset=asked.sender,
        number=asked.to,
        keyword=asked.keyword,
        unread=asked.unread,
    )
    found = replies.following(conn, call.customer_id, wanted, after=after, most=asked.limit)
    return ReplyList([_shown(each) for each in found], next_cursor(found[-1].id if found else after))


def show_reply(conn: Connection, call: Call[NoQuery, None]) -> Reply:
    """One."""
    found = replies.reply(conn, call.customer_id, call.number)
    if found is None:
        raise Wrong(NOT_FOUND, field="id", value=call.id)
    return _shown(found)


def _shown(found: replies.ReplyFacts) -> Reply:
    return Reply(
        id=str(found.id),
        received_at=found.received_at,
        sender=found.handset,
        to=found.number,
        text=found.text,
        keyword=found.keyword,
        message_id=str(found.message_id) if found.message_id is not None else "",
        unsubscribed=found.unsubscribed,
        parts_missing=found.parts_missing,
        read=found.is_read,
    )


OPERATIONS = (
    Operation(
        name="list_replies",
        method="GET",
        path="/v1/replies",
        scope=Scope.READ,
        summary="Replies of your recipients, in their order",
        words="Keep `next_cursor` and ask again with it: what came since then follows.",
        handler=looked_up(list_replies),
        query=ReplyQuery,
        answer=ReplyList,
        live_only=True,
    ),
    Operation(
        name="show_reply",
        method="GET",
        path="/v1/replies/{id}",
        scope=Scope.READ,
        summary="One reply",
        handler=looked_up(show_reply),
        answer=Reply,
        refusals=(404,),
        live_only=True,
    ),
)
