"""Batches as they stand, their messages, and what is done to one (spec S10, S97, S100, S102)."""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from sampan.accounts.keys import Scope
from sampan.database import Connection
from sampan.interfaces.json_api.calls import (
    Answer,
    Call,
    Id,
    Moment,
    NoQuery,
    Operation,
    Page,
    Tools,
    hkd,
    looked_up,
    next_cursor,
    place_of,
)
from sampan.interfaces.json_api.reading import MessageList, page_of
from sampan.messages import batches
from sampan.messages.announcing import announce
from sampan.messages.planning import Platform, terms_in_force
from sampan.messages.reports import batches as reports
from sampan.messages.reports import periods
from sampan.messages.reports.batches import BatchFacts
from sampan.messages.reports.shown import OPEN
from sampan.messages.tables import Batch as BatchRow
from sampan.messages.tables import Source
from sampan.reasons import Reason, Refused

State = Literal["scheduled", "running", "paused", "held", "cancelled"]


class Counts(msgspec.Struct):
    """How many messages of a batch are where."""

    delivered: int = 0
    sent: int = 0
    processing: int = 0
    retry: int = 0
    unknown: int = 0
    waiting: int = 0
    scheduling: int = 0
    expired: int = 0
    undeliverable: int = 0
    filtered: int = 0
    upload_failed: int = 0


class Batch(msgspec.Struct, omit_defaults=True):
    """One submission."""

    id: str
    name: str
    state: State
    test: bool
    source: str
    purpose: str
    recipients: int
    price_hkd: str
    sender: str
    route: str
    text: str
    validity_minutes: int
    created_at: datetime
    started_at: datetime | None = None
    scheduled_at: datetime | None = None


class WholeBatch(Batch, omit_defaults=True, kw_only=True):
    """A batch and how far it has come."""

    messages: Counts
    finished: bool
    charged_hkd: str
    held_hkd: str


class BatchList(msgspec.Struct, omit_defaults=True):
    """One page of batches."""

    batches: list[Batch]
    next_cursor: str = ""


def list_batches(conn: Connection, call: Call[Page, None]) -> BatchList:
    """All batches, the newest first."""
    after, limit = place_of(call.query.cursor, tuple[Moment, Id]), call.query.limit
    found = reports.newest(conn, call.customer_id, tests_only=call.holder.is_test, after=after, most=limit + 1)
    shown = found[:limit]
    more = next_cursor(shown[-1].created_at, shown[-1].id) if len(found) > limit else ""
    return BatchList([Batch(**_facts(batch)) for batch in shown], more)


def _facts(batch: BatchFacts) -> dict[str, Any]:
    return {
        "id": str(batch.id),
        "name": batch.name,
        "state": batch.state.name.lower(),
        "test": batch.source == Source.TEST,
        "source": batch.source.name.lower(),
        "purpose": batch.purpose.name.lower(),
        "recipients": batch.recipients,
        "price_hkd": hkd(batch.price_pips),
        "sender": batch.sender,
        "route": batch.route,
        "text": batch.text,
        "validity_minutes": batch.validity_minutes,
        "created_at": batch.created_at,
        "started_at": batch.started_at,
        "scheduled_at": batch.scheduled_at,
    }


def _own(conn: Connection, call: Call[Any, Any]) -> BatchFacts:
    """The batch of the address. Raises Refused where this key sees none."""
    found = reports.batches(conn, call.customer_id, [call.number])
    if not found or (call.holder.is_test and found[0].source != Source.TEST):
        raise Refused(Reason.NO_SUCH_BATCH, "batch", call.id)
    return found[0]


def show_batch(conn: Connection, call: Call[NoQuery, None]) -> WholeBatch:
    """One batch, and how far it has come."""
    batch = _own(conn, call)
    progress = reports.progress(conn, call.customer_id, batch, call.now)
    counts = {shown.value.replace("-", "_"): count for shown, count in progress.messages.items()}
    return WholeBatch(
        **_facts(batch),
        messages=Counts(**counts),
        finished=not any(progress.messages[shown] for shown in OPEN),
        charged_hkd=hkd(progress.charged_pips),
        held_hkd=hkd(progress.held_pips),
    )


def list_results(conn: Connection, call: Call[Page, None]) -> MessageList:
    """The messages of one batch, in the order in which they were given."""
    batch = _own(conn, call)
    search = periods.Search(
        customer_id=call.customer_id,
        since=batch.created_at,
        until=batch.created_at + timedelta(microseconds=1),
        batch_id=batch.id,
    )
    return page_of(conn, search, call.query.limit, call.query.cursor, newest_first=False)


def pause(conn: Connection, call: Call[NoQuery, None]) -> WholeBatch:
    """Nothing more of it is handed over; it keeps its hold (spec S10)."""
    _own(conn, call)
    batches.pause(conn, call.number, call.now, customer_id=call.customer_id, person_id=call.holder.person_id)
    return show_batch(conn, call)


def cancel(conn: Connection, call: Call[NoQuery, None]) -> WholeBatch:
    """What of it was not handed over never is."""
    _own(conn, call)
    batches.cancel(conn, call.number, call.now, customer_id=call.customer_id, person_id=call.holder.person_id)
    return show_batch(conn, call)


async def _pause(tools: Tools, call: Call[NoQuery, None]) -> Answer:
    return Answer(await tools.bulk.run(pause, call))


async def _cancel(tools: Tools, call: Call[NoQuery, None]) -> Answer:
    return Answer(await tools.bulk.run(cancel, call))


async def _resume(tools: Tools, call: Call[NoQuery, None]) -> Answer:
    return Answer(await tools.bulk.run(resume, call, tools.platform))


def resume(conn: Connection, call: Call[NoQuery, None], platform: Platform) -> WholeBatch:
    """It goes on, or starts where it was held, with everything asked again (spec S53, S97)."""
    is_held = _own(conn, call).state == BatchRow.State.HELD
    places = (batches.release if is_held else batches.resume)(
        conn,
        call.number,
        terms_in_force(conn, platform),
        call.now,
        customer_id=call.customer_id,
        person_id=call.holder.person_id,
    )
    announce(conn, places)
    return show_batch(conn, call)


OPERATIONS = (
    Operation(
        name="list_batches",
        method="GET",
        path="/v1/batches",
        scope=Scope.READ,
        summary="Batches, the newest first",
        handler=looked_up(list_batches),
        query=Page,
        answer=BatchList,
    ),
    Operation(
        name="show_batch",
        method="GET",
        path="/v1/batches/{id}",
        scope=Scope.READ,
        summary="One batch and how far it has come",
        handler=looked_up(show_batch),
        answer=WholeBatch,
        refusals=(404,),
    ),
    Operation(
        name="list_results",
        method="GET",
        path="/v1/batches/{id}/results",
        scope=Scope.READ,
        summary="The messages of a batch, as given, each with its status and reason",
        handler=looked_up(list_results),
        query=Page,
        answer=MessageList,
        refusals=(404,),
    ),
    Operation(
        name="pause_batch",
        method="POST",
        path="/v1/batches/{id}/pause",
        scope=Scope.SEND,
        summary="Hand nothing more of a batch over; it keeps its hold",
        handler=_pause,
        answer=WholeBatch,
        refusals=(404, 409),
    ),
    Operation(
        name="resume_batch",
        method="POST",
        path="/v1/batches/{id}/resume",
        scope=Scope.SEND,
        summary="Go on with a paused batch, or one that is held; everything is asked again",
        handler=_resume,
        answer=WholeBatch,
        refusals=(403, 404, 409),
    ),
    Operation(
        name="cancel_batch",
        method="POST",
        path="/v1/batches/{id}/cancel",
        scope=Scope.SEND,
        summary="Send nothing more of a batch; what is held for it comes back",
        words="What an operator has already is not called back. A batch that waits for its time is cancelled as well.",
        handler=_cancel,
        answer=WholeBatch,
        refusals=(404, 409),
    ),
)
