"""What operators answered to submit_sm, recorded many at once: attempts, statuses and money in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection, array_of, array_of_texts, array_of_times, one_line
from sampan.dispatch.claims import Claimed, Waiting, requeue, withdraw
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.status import Settled
from sampan.messages.tables import Lane, Status
from sampan.reasons import Reason


class Sent(NamedTuple):
    """What one submit_sm carries of a message: its part, or all of them as `bits`; and when it was attempted."""

    claimed: Claimed
    part: int
    bits: int
    at: datetime


class Taken(NamedTuple):
    """The operator has it, under its own message_id. Without receipts that is all there will be."""

    sent: Sent
    operator_ref: str
    receipts: bool


class RefusedForGood(NamedTuple):
    """The operator does not want it, and never will."""

    sent: Sent
    command_status: int
    reason: Reason


class Unanswered(NamedTuple):
    """It was written and nobody knows what became of it (spec S76). A route may let codes go once more."""

    sent: Sent
    resends: bool


class Unsent(NamedTuple):
    """Proven not to have been taken: throttled, or never written. Where it was not even attempted, nothing happens."""

    sent: Sent
    not_before: datetime | None


Result = Taken | RefusedForGood | Unanswered | Unsent

KEYS = "%(ids)s::int8[], %(parts)s::int2[], %(tries)s::int2[]"
COLUMNS = """
    message_id, part, try_number, carries, state, operator_id, link_id, sequence_number, epoch, recipient,
    submitted_at, answered_at, state_at, deadline_at, operator_ref"""


def attempts(given: str, states: Iterable[int] = ()) -> str:
    """SQL: the rows of `given`, which begin with KEYS, each with its attempt, locked, and the `place` of that."""
    condition = f"AND state IN ({', '.join(map(str, states))})" if states else ""
    return f"""
        SELECT g.*, a.* FROM {given}
         CROSS JOIN LATERAL (
               SELECT ctid AS place, carries, state, operator_id, link_id, sequence_number, epoch, recipient,
                      submitted_at, answered_at, deadline_at, operator_ref
                 FROM attempt WHERE message_id = g.message_id AND part = g.part AND try_number = g.try_number
                  {condition} LIMIT 1 FOR UPDATE) a"""


LOCK = one_line(f"SELECT count(*) FROM ({attempts(f'unnest({KEYS}) AS g (message_id, part, try_number)')}) AS locked")

# The insertion always finds its row, which is locked: an update that can only go by the key.
TAKE = one_line(f"""
WITH found AS MATERIALIZED ({
    attempts(
        f"unnest({KEYS}, %(refs)s::text[]) AS g (message_id, part, try_number, ref)",
        (Attempt.State.SUBMITTING.value, Attempt.State.UNKNOWN.value),
    )
})
INSERT INTO attempt ({COLUMNS})
SELECT message_id, part, try_number, carries, {Attempt.State.TAKEN.value}, operator_id, link_id, sequence_number, epoch,
       recipient, submitted_at, %(now)s, %(now)s, deadline_at, ref FROM found
    ON CONFLICT (message_id, part, try_number) DO UPDATE
       SET state = excluded.state, operator_ref = excluded.operator_ref, answered_at = excluded.answered_at,
           state_at = excluded.state_at""")

END = one_line(f"""
WITH found AS MATERIALIZED ({
    attempts(
        f"unnest({KEYS}, %(refs)s::text[], %(codes)s::int4[]) AS g (message_id, part, try_number, ref, command_status)"
    )
}),
gone AS (DELETE FROM attempt WHERE ctid = ANY (ARRAY(SELECT place FROM found)))
INSERT INTO message_part (message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at,
                          answered_at, operator_ref, command_status)
SELECT message_id, part, try_number, operator_id, link_id, sequence_number, submitted_at, %(now)s, ref, command_status
  FROM found""")

LOSE = one_line(f"""
UPDATE attempt SET state = {Attempt.State.UNKNOWN.value}, state_at = %(now)s
 WHERE ctid = ANY (ARRAY(SELECT place FROM ({
    attempts(f"unnest({KEYS}) AS g (message_id, part, try_number)", (Attempt.State.SUBMITTING.value,))
}) AS found))
RETURNING message_id, part, try_number""")


# By its time as well: what comes a second time, because the line broke at COMMIT, must not undo the next attempt.
UNATTEMPT = one_line(f"""
DELETE FROM attempt WHERE ctid = ANY (ARRAY(SELECT place FROM ({
    attempts(f"unnest({KEYS}, %(at)s::timestamptz[]) AS g (message_id, part, try_number, at)")
}) AS found WHERE submitted_at = at))
RETURNING message_id, part""")


def bit(part: int) -> int:
    """The bit of a part's number."""
    return 1 << part - 1


def _keys(sent: Iterable[Sent]) -> dict[str, object]:
    rows = list(sent)
    return {
        "ids": array_of(each.claimed.message_id for each in rows),
        "parts": array_of(each.part for each in rows),
        "tries": array_of(each.claimed.try_number for each in rows),
    }


def lock(conn: Connection, keys: Mapping[str, object]) -> None:
    """Before a statement that moves attempts: so it sees each as it is then, and where it lies.

    A row that somebody else changed since the statement began is waited for and read as it is now; but where it lies
    now the statement does not see, and would leave it there.
    """
    conn.execute(LOCK, {name: keys[name] for name in ("ids", "parts", "tries")}, prepare=True)


class _Decisions:
    """Collects what is decided of each message, so that each is settled once in a transaction."""

    def __init__(self) -> None:
        self._rows: dict[int, Settled] = {}

    def add(self, settled: Settled) -> None:
        known = self._rows.get(settled.message_id)
        if known is not None:
            ending = known if known.status is not None else settled
            settled = Settled(
                settled.message_id,
                known.answered | settled.answered,
                known.taken | settled.taken,
                ending.status,
                ending.reason,
            )
        self._rows[settled.message_id] = settled

    def rows(self) -> Iterable[Settled]:
        return self._rows.values()


def record(conn: Connection, operator_id: int, results: Sequence[Result], now: datetime) -> None:
    """All of them, in one transaction. Each submit_sm at most once in a call."""
    taken = [result for result in results if isinstance(result, Taken)]
    refused = [result for result in results if isinstance(result, RefusedForGood)]
    lost = [result for result in results if isinstance(result, Unanswered)]
    unsent = [result for result in results if isinstance(result, Unsent)]
    decided = _Decisions()
    for each in taken:
        decided.add(Settled(each.sent.claimed.message_id, each.sent.bits, each.sent.bits))
    for refusal in refused:
        ending = Status.UNDELIVERABLE, refusal.reason
        decided.add(Settled(refusal.sent.claimed.message_id, refusal.sent.bits, 0, *ending))
    with conn.transaction():
        _give_back(conn, operator_id, unsent, decided)
        _drop_rest(conn, operator_id, refused, decided)
        _take(conn, [each for each in taken if each.receipts], now)
        _end(conn, [each for each in taken if not each.receipts], refused, now)
        _lose(conn, operator_id, lost, now)
        status.settle(conn, decided.rows(), now)


def _by_message(rows: Iterable[Waiting]) -> list[Waiting]:
    whole: dict[int, Waiting] = {}
    for each in rows:
        known = whole.get(each.claimed.message_id, each)
        whole[each.claimed.message_id] = each._replace(parts=known.parts | each.parts)
    return list(whole.values())


def _give_back(conn: Connection, operator_id: int, unsent: Sequence[Unsent], decided: _Decisions) -> None:
    """To the queue; what a cancelled batch had in hand is cancelled now."""
    if not unsent:
        return
    keys = _keys(each.sent for each in unsent) | {"at": array_of_times(each.sent.at for each in unsent)}
    undone = set(conn.execute(UNATTEMPT, keys, prepare=True).fetchall())
    waiting = _by_message(
        Waiting(each.sent.claimed, each.sent.bits, each.not_before)
        for each in unsent
        if (each.sent.claimed.message_id, each.sent.part) in undone
    )
    if waiting:
        ended = requeue(conn, operator_id, waiting)
        for each in waiting:
            if (message_id := each.claimed.message_id) in ended:
                decided.add(Settled(message_id, each.parts, 0, Status.UNDELIVERABLE, Reason.CANCELLED))


def _drop_rest(conn: Connection, operator_id: int, refused: Sequence[RefusedForGood], decided: _Decisions) -> None:
    """One part refused for good: those not yet sent are not sent (spec S73)."""
    if refused:
        for message_id, parts in withdraw(conn, operator_id, [each.sent.claimed for each in refused]).items():
            decided.add(Settled(message_id, parts, 0))


def _take(conn: Connection, taken: Sequence[Taken], now: datetime) -> None:
    if taken:
        refs = array_of_texts(each.operator_ref for each in taken)
        values = _keys(each.sent for each in taken) | {"refs": refs, "now": now}
        conn.execute(TAKE, values, prepare=True)


def _end(conn: Connection, taken: Sequence[Taken], refused: Sequence[RefusedForGood], now: datetime) -> None:
    """Those of which no receipt will come."""
    if taken or refused:
        values = _keys([*(each.sent for each in taken), *(each.sent for each in refused)]) | {
            "refs": array_of_texts([*(each.operator_ref for each in taken), *(None for _ in refused)]),
            "codes": array_of([*(0 for _ in taken), *(each.command_status for each in refused)]),
            "now": now,
        }
        lock(conn, values)
        conn.execute(END, values, prepare=True)


def _lose(conn: Connection, operator_id: int, lost: Sequence[Unanswered], now: datetime) -> None:
    """Those that nobody had answered meanwhile are in doubt; codes go once more where the route lets them."""
    if not lost:
        return
    gone = set(conn.execute(LOSE, _keys(each.sent for each in lost) | {"now": now}, prepare=True).fetchall())
    status.doubt(conn, [message_id for message_id, *_ in gone], now)
    again = [
        Waiting(each.sent.claimed._replace(try_number=2), each.sent.bits, None)
        for each in lost
        if each.resends
        and each.sent.claimed.try_number == 1
        and each.sent.claimed.lane == Lane.TRANSACTIONAL
        and (each.sent.claimed.message_id, each.sent.part, 1) in gone
    ]
    if again:
        requeue(conn, operator_id, _by_message(again))


def end_unsent(
    conn: Connection, operator_id: int, claimed: Iterable[Claimed], *, ending: Status, reason: Reason, now: datetime
) -> None:
    """Messages that are not sent any more, such as too late, leave the queue and are released (spec S70, S82)."""
    with conn.transaction():
        gone = withdraw(conn, operator_id, claimed)
        status.settle(conn, [Settled(message_id, parts, 0, ending, reason) for message_id, parts in gone.items()], now)
