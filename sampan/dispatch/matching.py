"""Which part a receipt is about: by its id or a form of it, by our reference, by being the only one (spec S76)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, array_of_texts, array_of_times, one_line
from sampan.dispatch.dialects import PARTS_OF_A_MESSAGE, Dialect, Verdict
from sampan.dispatch.inbox import Kept
from sampan.dispatch.tables import Attempt
from sampan.messages.tables import Status

MOST_DAYS_BACK = 3
NEAR = timedelta(minutes=2)  # how far the operator's clock may be off
SURE_AFTER_TRIES = 2  # by then any answer is recorded, so a part without one is really in doubt


class Found(NamedTuple):
    """A receipt with the attempt it is about."""

    kept: Kept
    verdict: Verdict
    message_id: int
    part: int
    try_number: int
    carries: int  # bits
    state: int  # of the attempt


Row = tuple[int, int, int, int, int]  # message, part, try, carries, state
COLUMNS = "a.message_id, a.part, a.try_number, a.carries, a.state"

# The look-up is pinned to the index: a join would read all attempts of the operator while statistics are young.
BY_REF = one_line(f"""
SELECT g.place, {COLUMNS}
  FROM unnest(%(refs)s::text[], %(places)s::int4[], %(recipients)s::int8[]) AS g (operator_ref, place, recipient)
 CROSS JOIN LATERAL (
       SELECT * FROM attempt
        WHERE operator_id = %(operator)s AND operator_ref = g.operator_ref AND operator_ref <> ''
          AND (g.recipient IS NULL OR recipient = g.recipient) LIMIT 1) a""")

BY_USER_REFERENCE = one_line(f"""
SELECT g.place, {COLUMNS}
  FROM unnest(%(places)s::int4[], %(recipients)s::int8[], %(references)s::int4[]) AS g (place, recipient, reference)
 CROSS JOIN LATERAL (
       SELECT * FROM attempt
        WHERE operator_id = %(operator)s AND state = {Attempt.State.UNKNOWN.value} AND recipient = g.recipient
          AND (message_id * {PARTS_OF_A_MESSAGE} + part) %% 65536 = g.reference LIMIT 1) a""")

# Exactly one unknown part to that handset from that sender, of about that time.
BY_BEING_THE_ONLY_ONE = one_line(f"""
SELECT g.place, {COLUMNS}
  FROM unnest(%(places)s::int4[], %(recipients)s::int8[], %(sources)s::text[], %(since)s::timestamptz[],
              %(until)s::timestamptz[]) AS g (place, recipient, source, since, until)
 CROSS JOIN LATERAL (
       SELECT x.*, count(*) OVER () AS fitting
         FROM (SELECT * FROM attempt
                WHERE operator_id = %(operator)s AND state = {Attempt.State.UNKNOWN.value}
                  AND recipient = g.recipient AND submitted_at BETWEEN g.since AND g.until LIMIT 20) x
         JOIN message m ON m.id = x.message_id JOIN batch b ON b.id = m.batch_id
         JOIN route r ON r.id = m.route_id JOIN operator o ON o.id = x.operator_id
        WHERE g.source IN ('', CASE WHEN r.own_sender THEN b.sender ELSE o.sender END)) a
 WHERE a.fitting = 1""")

SIBLINGS = f"""
    SELECT {COLUMNS} FROM unnest(%(ids)s::int8[]) AS g (id)
     CROSS JOIN LATERAL (SELECT * FROM attempt WHERE message_id = g.id LIMIT {PARTS_OF_A_MESSAGE}) a"""


def find(conn: Connection, operator_id: int, kept: Sequence[Kept], dialect: Dialect) -> list[Found]:
    """Receipts with their parts. The surer ways go first; another form of an id counts only for the same handset."""
    rows = _by_ref(conn, operator_id, ((each.receipt.operator_ref, n, None) for n, each in enumerate(kept)))
    left = [(n, each) for n, each in enumerate(kept) if n not in rows and each.receipt.recipient]
    if left:
        forms = (
            (form, n, each.receipt.recipient)
            for n, each in left
            for form in dialect.other_forms(each.receipt.operator_ref)
        )
        rows |= _by_ref(conn, operator_id, forms)
        doubtful = [(n, each) for n, each in left if n not in rows]
        rows |= _by_user_reference(conn, operator_id, doubtful)
        rows |= _by_being_the_only_one(conn, operator_id, [each for each in doubtful if each[0] not in rows])
    found = [Found(kept[n], _verdict(kept[n], dialect), *row) for n, row in rows.items()]
    return _with_siblings(conn, found) if dialect.one_receipt else found


def _verdict(kept: Kept, dialect: Dialect) -> Verdict:
    return dialect.verdict(kept.receipt.state, kept.receipt.error)


def _by_ref(conn: Connection, operator_id: int, forms: Iterable[tuple[str, int, int | None]]) -> dict[int, Row]:
    rows = list(forms)
    if not rows:
        return {}
    values = {
        "operator": operator_id,
        "refs": array_of_texts(ref for ref, _, _ in rows),
        "places": array_of(n for _, n, _ in rows),
        "recipients": array_of(recipient for _, _, recipient in rows),
    }
    return {n: tuple(row) for n, *row in conn.execute(BY_REF, values, prepare=True)}


def _by_user_reference(conn: Connection, operator_id: int, kept: Sequence[tuple[int, Kept]]) -> dict[int, Row]:
    """Operators that return our user_message_reference."""
    asked = [(n, each.receipt) for n, each in kept if each.receipt.user_reference is not None]
    if not asked:
        return {}
    values = {
        "operator": operator_id,
        "places": array_of(n for n, _ in asked),
        "recipients": array_of(receipt.recipient for _, receipt in asked),
        "references": array_of(receipt.user_reference for _, receipt in asked),
    }
    return {n: tuple(row) for n, *row in conn.execute(BY_USER_REFERENCE, values)}


def _span(kept: Kept) -> tuple[datetime, datetime]:
    """When the part that is meant was written."""
    said = kept.receipt.submitted_at
    if said is None or abs(kept.received_at - said) > timedelta(days=MOST_DAYS_BACK):
        return kept.received_at - timedelta(days=MOST_DAYS_BACK), kept.received_at
    return said - NEAR, said + NEAR


def _by_being_the_only_one(conn: Connection, operator_id: int, kept: Sequence[tuple[int, Kept]]) -> dict[int, Row]:
    asked = [(n, each) for n, each in kept if each.tries >= SURE_AFTER_TRIES]
    if not asked:
        return {}
    spans = [_span(each) for _, each in asked]
    values = {
        "operator": operator_id,
        "places": array_of(n for n, _ in asked),
        "recipients": array_of(each.receipt.recipient for _, each in asked),
        "sources": array_of_texts(each.receipt.source for _, each in asked),
        "since": array_of_times(since for since, _ in spans),
        "until": array_of_times(until for _, until in spans),
    }
    return {n: tuple(row) for n, *row in conn.execute(BY_BEING_THE_ONLY_ONE, values)}


def _with_siblings(conn: Connection, found: Sequence[Found]) -> list[Found]:
    """Where an operator sends one receipt for a long message, its end is that of all its parts (spec S78)."""
    ends = {each.message_id: each for each in found if each.verdict.status not in (None, Status.RETRY)}
    known = {(each.message_id, each.part, each.try_number) for each in found}
    rows = conn.execute(SIBLINGS, {"ids": array_of(ends)}) if ends else ()
    return [
        *found,
        *(
            Found(ends[row[0]].kept, ends[row[0]].verdict, *row)
            for row in rows
            if row[:3] not in known and row[4] != Attempt.State.SUBMITTING
        ),
    ]
