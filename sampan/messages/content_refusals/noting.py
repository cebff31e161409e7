"""Operators' own refusals for content: noted with the messages' status, shown to staff, seen to (spec S91)."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts.acts import Act, record
from sampan.accounts.tables import Person
from sampan.database import Connection, array_of
from sampan.messages.content_refusals.tables import ContentRefusal
from sampan.reasons import Reason, Refused

MOST_SHOWN = 200

# Our own rules end messages so, too, before anybody has them: those are no news to the library.
NOTE = f"""
    INSERT INTO content_refusal (batch_id, operator_id, customer_id, messages, message_id, first_at, last_at)
    SELECT m.batch_id, m.operator_id, m.customer_id, count(*), max(m.id), %(now)s, %(now)s
      FROM message m
     WHERE m.id = ANY(%(ids)s::int8[]) AND m.reason = {Reason.ILLEGAL_WORD.number} AND m.final_at = %(now)s
       AND (EXISTS (SELECT FROM message_part p WHERE p.message_id = m.id)
            OR EXISTS (SELECT FROM attempt a WHERE a.message_id = m.id))
     GROUP BY 1, 2, 3 ORDER BY 1, 2
    ON CONFLICT (batch_id, operator_id) DO UPDATE
       SET messages = content_refusal.messages + excluded.messages, message_id = excluded.message_id,
           last_at = excluded.last_at"""


def note(conn: Connection, ended: Iterable[tuple[int, Reason | None]], now: datetime) -> None:
    """Note those among these messages that an operator has just refused for their content."""
    if ids := [message_id for message_id, reason in ended if reason is Reason.ILLEGAL_WORD]:
        conn.execute(NOTE, {"ids": array_of(ids), "now": now})


WAITING = "SELECT count(*), min(first_at) FROM content_refusal WHERE seen_at IS NULL"
"""SQL: how many batches nobody has looked into, and since when the first of them waits."""


class Waiting(NamedTuple):
    """A batch that was refused: whose, by whom, with which code of theirs, and one of its messages."""

    id: int
    batch_id: int
    customer_id: int
    customer: str
    operator: str
    code: str
    messages: int
    message_id: int
    recipient: int | None
    last_at: datetime


FIND = """
    SELECT r.id, r.batch_id, r.customer_id, c.name, o.name, coalesce(said.code, ''), r.messages, r.message_id,
           (SELECT m.recipient FROM message m WHERE m.id = r.message_id), r.last_at
      FROM content_refusal r JOIN customer c ON c.id = r.customer_id JOIN operator o ON o.id = r.operator_id
      LEFT JOIN LATERAL (
           SELECT coalesce(nullif(p.receipt_error, ''), p.command_status::text) AS code
             FROM message_part p WHERE p.message_id = r.message_id AND p.operator_id = r.operator_id
            ORDER BY p.receipt_error IS NULL, p.try_number DESC, p.part LIMIT 1) said ON true
     WHERE r.seen_at IS NULL ORDER BY r.first_at, r.id LIMIT %s"""


def waiting(conn: Connection) -> list[Waiting]:
    """What nobody has looked into, the oldest first."""
    return [Waiting(*row) for row in conn.execute(FIND, [MOST_SHOWN])]


@transaction.atomic
def see_to(refusal_id: int, *, by: Person, why: str, now: datetime) -> None:
    """It is looked into: `why` says what came of it. Raises NotAllowed, Refused: DECIDED_ALREADY, NO_GROUNDS."""
    found = ContentRefusal.objects.select_for_update().filter(pk=refusal_id, seen_at=None).first()
    if found is None:
        raise Refused(Reason.DECIDED_ALREADY)
    about = {"batch": found.batch_id, "messages": found.messages, "operator": found.operator.name}
    record(Act.SEE_TO_CONTENT, by=by, subject=found, after=about, why=why, now=now)
    found.seen_by, found.seen_at = by, now
    found.save(update_fields=["seen_by", "seen_at"])
