"""The inbox: receipts kept before they are acknowledged, until they have found their message (spec S77).

It belongs to the operator's account, not to the link. What finds nothing is tried again, ever more seldom, and waits
for staff in the end.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, array_of_texts, array_of_times, one_line
from sampan.smpp.pdu import DataSm, DeliverSm, Tag, integer
from sampan.smpp.receipt import DeliveryReceipt

MOST_A_LOOK = 1_000
LONGEST_TEXT = 300
LONGEST_REF = 255  # SMPP 3.4 allows 64 (§5.2.23); garbage of more octets than an index takes must not stop a batch
DIGITS = re.compile("[0-9]{1,15}")
# How long a receipt that found nothing waits before it is tried again; after the last it waits for staff.
PATIENCE = (timedelta(seconds=1), timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=10))
KEPT_FOR = timedelta(hours=72)


class Receipt(NamedTuple):
    """A receipt as its link read it, or what query_sm was answered."""

    link_id: int
    operator_ref: str
    recipient: int | None  # the handset, where the operator names it in digits
    state: int  # message_state, SMPP 3.4 §5.2.28
    error: str
    intermediate: bool
    text: str
    source: str = ""  # the sender it names
    submitted_at: datetime | None = None  # when the operator says it took the message
    user_reference: int | None = None


class Kept(NamedTuple):
    """A receipt in the inbox."""

    id: int
    receipt: Receipt
    received_at: datetime
    tries: int = 0


def receipt_of(link_id: int, body: DeliverSm | DataSm, read: DeliveryReceipt) -> Receipt:
    """What is kept of a delivery that is a receipt."""
    handset = body.source_addr.lstrip("+")
    return Receipt(
        link_id=link_id,
        operator_ref=(read.id or "")[:LONGEST_REF],
        recipient=int(handset) if DIGITS.fullmatch(handset) else None,
        state=int(read.state or 0),
        error=read.error,
        intermediate=read.intermediate,
        text=read.text[:LONGEST_TEXT],
        source=body.destination_addr,
        submitted_at=read.submitted_at,
        user_reference=integer(body.tlvs, Tag.USER_MESSAGE_REFERENCE),
    )


KEEP = one_line("""
INSERT INTO inbox_receipt (operator_id, link_id, received_at, retry_at, operator_ref, recipient, receipt_state,
                           receipt_error, intermediate, text, source, submitted_at, user_reference)
SELECT %(operator)s, g.link_id, %(now)s, %(now)s + interval '1 s', g.operator_ref, g.recipient, g.state, g.error,
       g.intermediate, g.text, g.source, g.submitted_at, g.user_reference
  FROM unnest(%(links)s::int4[], %(refs)s::text[], %(recipients)s::int8[], %(states)s::int2[], %(errors)s::text[],
              %(intermediate)s::bool[], %(texts)s::text[], %(sources)s::text[], %(submitted)s::timestamptz[],
              %(references)s::int4[])
       AS g (link_id, operator_ref, recipient, state, error, intermediate, text, source, submitted_at, user_reference)
RETURNING id""")


def keep(conn: Connection, operator_id: int, receipts: Sequence[Receipt], now: datetime) -> list[Kept]:
    """Into the inbox; once that is committed they may be acknowledged."""
    if not receipts:
        return []
    values = {
        "operator": operator_id,
        "now": now,
        "links": array_of(receipt.link_id for receipt in receipts),
        "refs": array_of_texts(receipt.operator_ref for receipt in receipts),
        "recipients": array_of(receipt.recipient for receipt in receipts),
        "states": array_of(receipt.state for receipt in receipts),
        "errors": array_of_texts(receipt.error for receipt in receipts),
        "intermediate": array_of(receipt.intermediate for receipt in receipts),
        "texts": array_of_texts(receipt.text for receipt in receipts),
        "sources": array_of_texts(receipt.source for receipt in receipts),
        "submitted": array_of_times(receipt.submitted_at for receipt in receipts),
        "references": array_of(receipt.user_reference for receipt in receipts),
    }
    ids = conn.execute(KEEP, values, prepare=True).fetchall()
    return [Kept(id_, receipt, now) for (id_,), receipt in zip(ids, receipts, strict=True)]


DUE = """
    SELECT id, received_at, tries, link_id, operator_ref, recipient, receipt_state, receipt_error, intermediate, text,
           source, submitted_at, user_reference
      FROM inbox_receipt WHERE operator_id = %s AND retry_at <= %s ORDER BY id LIMIT %s"""


def due(conn: Connection, operator_id: int, now: datetime) -> list[Kept]:
    """Receipts of the inbox whose turn to be tried again has come."""
    rows = conn.execute(DUE, [operator_id, now, MOST_A_LOOK])
    return [Kept(id_, Receipt(*receipt), received_at, tries) for id_, received_at, tries, *receipt in rows]


FORGET = "DELETE FROM inbox_receipt WHERE id = ANY(%s::int8[])"
POSTPONE = """
    UPDATE inbox_receipt SET tries = tries + 1,
           retry_at = (%(at)s::timestamptz[])[array_position(%(ids)s::int8[], id)] WHERE id = ANY(%(ids)s::int8[])"""


def forget(conn: Connection, ids: Iterable[int]) -> None:
    """These have found their messages."""
    conn.execute(FORGET, [array_of(ids)], prepare=True)


def postpone(conn: Connection, kept: Sequence[Kept]) -> None:
    """Try these again later; after the last try they wait until staff see them (spec S77)."""
    if not kept:
        return
    at = [
        each.received_at + PATIENCE[each.tries] if each.tries < len(PATIENCE) else each.received_at + KEPT_FOR
        for each in kept
    ]
    conn.execute(POSTPONE, {"ids": array_of(each.id for each in kept), "at": array_of_times(at)})
