"""Receipts that ESMEs asked for: kept until one acknowledges them, told from the messages' rows (spec S124).

A receipt that is taken to be told is looked at again when its lease is over, unless it was acknowledged: so one that a
session or this process took along comes once more, and none is lost. How often a message is looked at goes by its age.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.interfaces.smpp_door.words import error_of, state_of
from sampan.messages.tables import Status
from sampan.reasons import BY_NUMBER, Reason
from sampan.smpp.pdu import DeliverSm, EsmClass, MessageState, RegisteredDelivery
from sampan.smpp.receipt import MOST_TEXT_OCTETS, DeliveryReceipt, write_text, write_tlvs

LEASE = timedelta(seconds=60)  # longer than a session waits for a deliver_sm_resp
KEPT = timedelta(days=7)  # for an ESME that does not bind
LEAST_WAIT_S, MOST_WAIT_S, WAIT_OF_AGE = 0.2, 30.0, 0.2
NEVER_WHOLE = Reason.NO_TEXT  # parts of a long text that did not all come
WANTS_ANY = RegisteredDelivery.RECEIPTS | RegisteredDelivery.INTERMEDIATE_NOTIFICATION


class Wanted(NamedTuple):
    """A receipt an ESME asks for; `message_id` is None where the text was refused after its answer, for `reason`."""

    person_id: int
    customer_id: int
    message_id: int | None
    told_id: int
    reason: Reason | None
    registered: int
    source_ton_npi: int
    source: str
    destination: str
    submitted_at: datetime


WANT = """
    INSERT INTO smpp_receipt (person_id, customer_id, message_id, told_id, reason, registered, source_ton_npi, source,
                              destination, submitted_at, look_at, enroute_told)
    SELECT w.*, w.submitted_at, false
      FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::int2[], %s::int2[], %s::int2[], %s::text[],
                  %s::text[], %s::timestamptz[])
           AS w (person_id, customer_id, message_id, told_id, reason, registered, source_ton_npi, source, destination,
                 submitted_at)"""


def want(conn: Connection, wanted: Iterable[Wanted]) -> None:
    """Keep that these are asked for; those of messages for which none is asked are left out."""
    rows = [
        each._replace(reason=each.reason.number if each.reason else None)  # type: ignore[arg-type]
        for each in wanted
        if each.registered & WANTS_ANY
    ]
    if rows:
        conn.execute(WANT, [list(column) for column in zip(*rows, strict=True)])


class Told(NamedTuple):
    """A receipt as it goes out to a login; `is_last` where none follows."""

    id: int
    person_id: int
    body: DeliverSm
    is_last: bool


TAKE = one_line(
    f"""
WITH due AS MATERIALIZED (
    SELECT r.* FROM unnest(%(persons)s::int8[], %(rooms)s::int4[]) AS p (person_id, room) CROSS JOIN LATERAL (
        SELECT * FROM smpp_receipt WHERE person_id = p.person_id AND look_at <= %(now)s
         ORDER BY look_at LIMIT p.room FOR UPDATE SKIP LOCKED) r),
seen AS MATERIALIZED (
    SELECT d.*, m.status, coalesce(d.reason, m.reason) AS why, m.final_at, b.text,
           d.message_id IS NULL OR m.id IS NULL OR m.final_at IS NOT NULL AS is_last,
           m.status = {Status.RETRY.value} AND NOT d.enroute_told
           AND d.registered & {RegisteredDelivery.INTERMEDIATE_NOTIFICATION.value} > 0 AS is_enroute
      FROM due d LEFT JOIN LATERAL (SELECT * FROM message WHERE id = d.message_id LIMIT 1) m ON true
      LEFT JOIN LATERAL (SELECT text FROM batch WHERE id = m.batch_id LIMIT 1) b ON true),
moved AS (
    UPDATE smpp_receipt r SET look_at = CASE WHEN s.is_last OR s.is_enroute THEN %(now)s + %(lease)s
           ELSE %(now)s + make_interval(secs => least({MOST_WAIT_S}, greatest({LEAST_WAIT_S},
                extract(epoch FROM %(now)s - s.submitted_at) * {WAIT_OF_AGE}))) END
      FROM seen s WHERE r.id = s.id)
SELECT id, person_id, told_id, registered, source_ton_npi, source, destination, submitted_at, status, why, final_at,
       text, is_last
  FROM seen WHERE is_last OR is_enroute"""
)


def take(conn: Connection, rooms: Mapping[int, int], now: datetime) -> list[Told]:
    """Receipts that these logins are to be told now, of each at most so many: who is slow keeps nobody else waiting.

    What nobody wants after all is gone.
    """
    values = {"persons": array_of(rooms), "rooms": array_of(rooms.values()), "now": now, "lease": LEASE}
    told, unwanted = [], []
    for id_, person_id, told_id, registered, ton_npi, source, destination, *facts in conn.execute(TAKE, values):
        submitted_at, status, reason_number, final_at, text, is_last = facts
        reason = BY_NUMBER[reason_number] if reason_number is not None else Reason.UNEXPECTED
        state = _state(status, reason, is_last=is_last)
        kind = registered & RegisteredDelivery.RECEIPTS
        if is_last and (not kind or (kind == RegisteredDelivery.RECEIPT_OF_FAILURE and state in GOOD)):
            unwanted.append(id_)
            continue
        receipt = DeliveryReceipt(
            str(told_id),
            state,
            error_of(reason),
            submitted=1,
            delivered=int(state == MessageState.DELIVERED),
            submitted_at=submitted_at,
            done_at=final_at or now,
            text=(text or "")[:MOST_TEXT_OCTETS].encode("ascii", "replace").decode(),  # alike in every alphabet
            intermediate=not is_last,
        )
        told.append(Told(id_, person_id, _deliver(receipt, ton_npi, source, destination), is_last))
    done(conn, unwanted)
    return told


GOOD = {MessageState.DELIVERED, MessageState.ACCEPTED}


def _state(status: int | None, reason: Reason, *, is_last: bool) -> MessageState:
    if status is None:
        return MessageState.REJECTED
    return state_of(Status(status), reason, is_final=is_last)


def _deliver(receipt: DeliveryReceipt, ton_npi: int, source: str, destination: str) -> DeliverSm:
    kind = EsmClass.INTERMEDIATE_NOTIFICATION if receipt.intermediate else EsmClass.DELIVERY_RECEIPT
    return DeliverSm(
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr=destination,
        dest_addr_ton=ton_npi >> 8,
        dest_addr_npi=ton_npi & 0xFF,
        destination_addr=source,
        esm_class=kind,
        short_message=write_text(receipt),
        tlvs=write_tlvs(receipt),
    )


def done(conn: Connection, ids: Sequence[int]) -> None:
    """These were acknowledged, and nothing follows."""
    if ids:
        conn.execute("DELETE FROM smpp_receipt WHERE id = ANY(%s::int8[])", [array_of(ids)])


def enroute_told(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    """Of these the ESME knows that the phone is being tried; the end follows."""
    if ids:
        conn.execute(
            "UPDATE smpp_receipt SET enroute_told = true, look_at = %s WHERE id = ANY(%s::int8[])", [now, array_of(ids)]
        )


def give_back(conn: Connection, ids: Sequence[int], at: datetime) -> None:
    """These were not acknowledged: they come again, not before `at`."""
    if ids:
        conn.execute("UPDATE smpp_receipt SET look_at = %s WHERE id = ANY(%s::int8[])", [at, array_of(ids)])


def forget_old(conn: Connection, now: datetime) -> None:
    """Nobody came for these."""
    conn.execute("DELETE FROM smpp_receipt WHERE submitted_at < %s", [now - KEPT])
