"""What must be true whatever happened (house.md, delivery contract; spec S76, S80, S82)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection
from sampan.dispatch import sweeps
from sampan.dispatch.tables import Attempt
from sampan.messages.reconcile import discrepancies
from tests.fire.cases import INVARIANTS

AFTER_ALL_PATIENCE = timedelta(days=3)  # validity and grace of every message are over (spec S75)


class Counts(NamedTuple):
    """Messages of a case by what is known of them; a message with an unknown part is unknown."""

    messages: int
    final: int
    unknown: int  # not final
    with_operator: int  # neither, and taken
    elsewhere: int  # none of these
    delivered: int
    parts_taken: int
    parts_unknown: int
    charged: int
    handed_over: int  # at least one part was taken, and every part is decided
    unsettled_pips: int


COUNTS = f"""
    WITH those AS (
        SELECT m.*, answered_parts = (1 << parts) - 1 AS is_decided,
               EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id AND a.state = {Attempt.State.UNKNOWN.value})
                   AS is_unknown,
               EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id
                          AND a.state IN ({Attempt.State.TAKEN.value}, {Attempt.State.RETRYING.value})) AS is_taken
          FROM message m WHERE m.id = ANY(%(ids)s))
    SELECT count(*), count(*) FILTER (WHERE final_at IS NOT NULL),
           count(*) FILTER (WHERE final_at IS NULL AND is_unknown),
           count(*) FILTER (WHERE final_at IS NULL AND NOT is_unknown AND is_taken AND is_decided),
           count(*) FILTER (WHERE final_at IS NULL AND NOT is_unknown AND NOT (is_taken AND is_decided)),
           count(*) FILTER (WHERE status = 22), coalesce(sum(bit_count(taken_parts::int4::bit(32))), 0)::int8,
           (SELECT coalesce(sum(bit_count(carries::int4::bit(32))), 0)::int8 FROM attempt
             WHERE message_id = ANY(%(ids)s) AND state = {Attempt.State.UNKNOWN.value}),
           count(*) FILTER (WHERE charge_id IS NOT NULL),
           count(*) FILTER (WHERE taken_parts <> 0 AND is_decided),
           coalesce(sum(price_pips) FILTER (WHERE charge_id IS NULL AND release_id IS NULL), 0)::int8
      FROM those"""
HELD = "SELECT coalesce(sum(balance_pips), 0)::int8 FROM account WHERE kind = 2"
LEDGER = "SELECT coalesce(sum(balance_pips), 0)::int8 FROM account"


def counts(conn: Connection, ids: list[int]) -> Counts:
    """Of these messages."""
    row = conn.execute(COUNTS, {"ids": ids}).fetchone()
    assert row is not None
    return Counts(*row)


def broken(
    conn: Connection, ids: list[int], accepted: int, stats: Mapping[str, int], *, receipts_may_be_lost: bool
) -> dict[str, str]:
    """What is not as it must be, by the invariant; `stats` are the simulator's since the case began.

    Ends all messages of the case as time would (spec S75), and looks again.
    """
    found: dict[str, str] = {}

    def must(name: str, holds: bool, words: str) -> None:
        assert name in INVARIANTS
        if not holds:
            found.setdefault(name, words)

    now = counts(conn, ids)
    repeated = stats["duplicates"]
    must("at most once", repeated == 0, f"{repeated} parts were submitted twice")
    must("all there", len(set(ids)) == accepted == now.messages, f"{accepted} accepted, {len(set(ids))} ids, {now}")
    least, most = now.parts_taken, now.parts_taken + now.parts_unknown
    must("all there", least <= stats["distinct"] <= most, f"the SMSC took {stats['distinct']} parts: {now}")
    open_ = now.elsewhere + (0 if receipts_may_be_lost else now.with_operator)
    must("final or unknown", open_ == 0, f"{open_} are neither: {now}")
    held = _one(conn, HELD)
    must("held = open", held == now.unsettled_pips, f"{held} pips are held, {now.unsettled_pips} are open")
    must("charged = handed over", now.charged == now.handed_over, f"{now}")
    must("books", _one(conn, LEDGER) == 0, "the ledger does not sum to 0")
    off = discrepancies(conn)
    must("books", not off, f"{off[:3]}")
    _let_time_pass(conn)
    then = counts(conn, ids)
    must("ends", then.final == accepted and then.unsettled_pips == 0, f"after all patience {then}")
    must("ends", _one(conn, HELD) == 0 and not discrepancies(conn), "the books are off after all patience")
    return found


def _let_time_pass(conn: Connection) -> None:
    late = datetime.now(UTC) + AFTER_ALL_PATIENCE
    while sweeps.end_without_receipt(conn, late):
        pass


def _one(conn: Connection, sql: str) -> int:
    row = conn.execute(sql.encode()).fetchone()
    assert row is not None
    return int(row[0])
