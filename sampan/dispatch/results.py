"""What operators answered to submit_sm, recorded many at once: attempts, statuses and money in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.dispatch.claims import Claimed, Unsent, give_back, withdraw
from sampan.dispatch.tables import Attempt
from sampan.messages import status
from sampan.messages.status import Settled
from sampan.messages.tables import Status
from sampan.reasons import Reason


class Taken(NamedTuple):
    """The operator has the part, under its own message_id. Without receipts that is all there will be."""

    message_id: int
    part: int
    operator_ref: str
    receipts: bool


class RefusedForGood(NamedTuple):
    """The operator does not want the part, and never will."""

    claimed: Claimed
    part: int
    command_status: int
    reason: Reason


class Unanswered(NamedTuple):
    """The part was written and nobody knows what became of it (spec S76)."""

    message_id: int
    part: int


Result = Taken | RefusedForGood | Unanswered | Unsent

TAKE = one_line(f"""
UPDATE attempt a SET state = {Attempt.State.TAKEN.value}, operator_ref = g.operator_ref, answered_at = %(now)s,
       state_at = %(now)s
  FROM unnest(%(ids)s::int8[], %(parts)s::int2[], %(refs)s::text[]) AS g (message_id, part, operator_ref)
 WHERE a.message_id = g.message_id AND a.part = g.part
   AND a.state IN ({Attempt.State.SUBMITTING.value}, {Attempt.State.UNKNOWN.value})""")

END = one_line("""
WITH gone AS (
    DELETE FROM attempt a
     USING unnest(%(ids)s::int8[], %(parts)s::int2[], %(refs)s::text[], %(codes)s::int4[])
           AS g (message_id, part, operator_ref, command_status)
     WHERE a.message_id = g.message_id AND a.part = g.part
    RETURNING a.message_id, a.part, a.operator_id, a.link_id, a.sequence_number, a.submitted_at,
              g.operator_ref, g.command_status)
INSERT INTO message_part (message_id, part, operator_id, link_id, sequence_number, submitted_at, answered_at,
                          operator_ref, command_status)
SELECT message_id, part, operator_id, link_id, sequence_number, submitted_at, %(now)s, operator_ref, command_status
  FROM gone""")

LOSE = one_line(f"""
UPDATE attempt a SET state = {Attempt.State.UNKNOWN.value}, state_at = %(now)s
  FROM unnest(%(ids)s::int8[], %(parts)s::int2[]) AS g (message_id, part)
 WHERE a.message_id = g.message_id AND a.part = g.part AND a.state = {Attempt.State.SUBMITTING.value}
RETURNING a.message_id""")


def bit(part: int) -> int:
    """The bit of a part's number."""
    return 1 << part - 1


class _Ledger:
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
    """All of them, in one transaction. Each part at most once in a call."""
    taken = [result for result in results if isinstance(result, Taken)]
    refused = [result for result in results if isinstance(result, RefusedForGood)]
    lost = [result for result in results if isinstance(result, Unanswered)]
    unsent = [result for result in results if isinstance(result, Unsent)]
    decided = _Ledger()
    for part in taken:
        decided.add(Settled(part.message_id, bit(part.part), bit(part.part)))
    for refusal in refused:
        ending = Status.UNDELIVERABLE, refusal.reason
        decided.add(Settled(refusal.claimed.message_id, bit(refusal.part), 0, *ending))
    with conn.transaction():
        _give_back(conn, operator_id, unsent, decided)
        _drop_rest(conn, operator_id, refused, decided)
        _take(conn, [part for part in taken if part.receipts], now)
        _end(conn, [part for part in taken if not part.receipts], refused, now)
        status.doubt(conn, _lose(conn, lost, now))
        status.settle(conn, decided.rows(), now)


def _give_back(conn: Connection, operator_id: int, unsent: Sequence[Unsent], decided: _Ledger) -> None:
    """To the queue; what a cancelled batch had in hand is cancelled now."""
    whole: dict[int, Unsent] = {}
    for each in unsent:
        known = whole.get(each.claimed.message_id, each)
        whole[each.claimed.message_id] = each._replace(parts=known.parts | each.parts)
    if whole:
        for message_id in give_back(conn, operator_id, list(whole.values())):
            decided.add(Settled(message_id, whole[message_id].parts, 0, Status.UNDELIVERABLE, Reason.CANCELLED))


def _drop_rest(conn: Connection, operator_id: int, refused: Sequence[RefusedForGood], decided: _Ledger) -> None:
    """One part refused for good: those not yet sent are not sent (spec S73)."""
    if refused:
        for message_id, parts in withdraw(conn, operator_id, [refusal.claimed for refusal in refused]).items():
            decided.add(Settled(message_id, parts, 0))


def _take(conn: Connection, taken: Sequence[Taken], now: datetime) -> None:
    if taken:
        values = {
            "ids": array_of(part.message_id for part in taken),
            "parts": array_of(part.part for part in taken),
            "refs": [part.operator_ref for part in taken],
            "now": now,
        }
        conn.execute(TAKE, values, prepare=True)


def _end(conn: Connection, taken: Sequence[Taken], refused: Sequence[RefusedForGood], now: datetime) -> None:
    """Parts of which no receipt will come."""
    if not taken and not refused:
        return
    values = {
        "ids": array_of([*(p.message_id for p in taken), *(r.claimed.message_id for r in refused)]),
        "parts": array_of([*(p.part for p in taken), *(r.part for r in refused)]),
        "refs": [*(p.operator_ref for p in taken), *(None for _ in refused)],
        "codes": array_of([*(0 for _ in taken), *(r.command_status for r in refused)]),
        "now": now,
    }
    conn.execute(END, values, prepare=True)


def _lose(conn: Connection, lost: Sequence[Unanswered], now: datetime) -> list[int]:
    """Gives the messages of those that nobody had answered meanwhile."""
    if not lost:
        return []
    values = {
        "ids": array_of(part.message_id for part in lost),
        "parts": array_of(part.part for part in lost),
        "now": now,
    }
    return [message_id for (message_id,) in conn.execute(LOSE, values, prepare=True)]


def end_unsent(
    conn: Connection, operator_id: int, claimed: Iterable[Claimed], *, ending: Status, reason: Reason, now: datetime
) -> None:
    """Messages that are not sent any more, such as too late, leave the queue and are released (spec S70, S82)."""
    with conn.transaction():
        gone = withdraw(conn, operator_id, claimed)
        status.settle(conn, [Settled(message_id, parts, 0, ending, reason) for message_id, parts in gone.items()], now)
