"""Messages of a batch that ended undelivered, gathered in a draft that a member reviews and sends (spec S101).

What was sent again once is not offered again, and of a batch there is one open draft at a time: so two who resend at
once send once.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts.tables import Person
from sampan.database import Connection, array_of, beneath_django
from sampan.messages import drafts, stored
from sampan.messages.recipients import FileFields
from sampan.messages.reports.periods import WITH_BATCH, Search
from sampan.messages.stored import Recipient, Stored
from sampan.messages.tables import ComposeDraft, ComposeList, Status
from sampan.reasons import BY_NUMBER, Reason, Refused

# What may not be sent is not sent again.
NOT_AGAIN = frozenset({Reason.DO_NOT_CALL, Reason.UNSUBSCRIBED, Reason.ILLEGAL_WORD, Reason.NOT_A_MOBILE})
MAY_HAVE_ARRIVED = frozenset({Reason.NO_RECEIPT})  # the page warns: such a text may come twice

# Ended and not delivered, and not among those of a resend that went out; open and unknown ones have not ended.
UNDELIVERED = f"""
    FROM message m
   WHERE m.customer_id = %(customer)s AND m.created_at = %(created)s AND m.batch_id = %(batch)s
     AND m.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value})
     AND m.recipient NOT IN (
         SELECT again.recipient FROM batch b
           JOIN message again ON again.customer_id = b.customer_id AND again.created_at = b.created_at
                             AND again.batch_id = b.id
          WHERE b.resend_of = %(batch)s AND again.reason <> {Reason.CANCELLED.number})"""
COUNTS = f"SELECT m.reason, count(*) {UNDELIVERED} GROUP BY 1 ORDER BY 2 DESC, 1"
RECIPIENTS = f"SELECT m.recipient, m.fields::text {UNDELIVERED} AND m.reason = ANY(%(reasons)s::int2[]) ORDER BY m.id"


class Ended(NamedTuple):
    """How many messages ended for a reason and can be sent again."""

    reason: Reason
    messages: int

    @property
    def may_have_arrived(self) -> bool:
        """No receipt came: some of these may have reached the handset."""
        return self.reason in MAY_HAVE_ARRIVED


class Undelivered(NamedTuple):
    """What can be sent again of a batch, by reason; and how many may not be."""

    ended: list[Ended]
    left_out: int


def undelivered(conn: Connection, batch: Stored) -> Undelivered:
    """The messages of a batch that ended without being delivered."""
    counts = [(BY_NUMBER[number], messages) for number, messages in conn.execute(COUNTS, batch.key)]
    ended = [Ended(reason, messages) for reason, messages in counts if reason not in NOT_AGAIN]
    return Undelivered(ended, sum(messages for reason, messages in counts if reason in NOT_AGAIN))


class Candidate(NamedTuple):
    """A batch with messages that ended undelivered, and how many."""

    batch_id: int
    name: str
    messages: int


OF_SEARCH = f"""
    SELECT m.batch_id, b.name, count(*) FROM {WITH_BATCH}
     WHERE {{conditions}} AND m.status IN ({Status.EXPIRED.value}, {Status.UNDELIVERABLE.value})
       AND NOT m.reason = ANY(%(not_again)s::int2[])
     GROUP BY 1, 2 ORDER BY 1 DESC LIMIT %(most)s"""


def candidates(conn: Connection, search: Search, *, most: int) -> list[Candidate]:
    """The batches of a search with messages that could be sent again, the newest first.

    Those that were sent again already are counted here too; the batch's own page leaves them out.
    """
    values = search.values | {"not_again": array_of(reason.number for reason in NOT_AGAIN), "most": most}
    rows = conn.execute(OF_SEARCH.format(conditions=search.conditions), values)
    return [Candidate(*row) for row in rows]


def draft_again(batch_id: int, reasons: Collection[Reason], person: Person, now: datetime) -> ComposeDraft:
    """A draft with the batch's settings, of its messages that ended for these reasons.

    Where one is open already it becomes this one. Raises Refused: NO_SUCH_BATCH, NOTHING_TO_RESEND.
    """
    with transaction.atomic(), beneath_django() as conn:
        batch = stored.lock(conn, batch_id, person.customer_id)
        recipients = _recipients(conn, batch, reasons)
        if not recipients:
            raise Refused(Reason.NOTHING_TO_RESEND, "reasons")
        draft = _open_draft(conn, batch_id) or drafts.new_draft(person, now)
        draft.source = ComposeDraft.Source.RESEND
        draft.resend_of = batch_id
        draft.name, draft.text, draft.sender = batch.name, _as_template(batch.text, recipients), batch.sender
        draft.route, draft.purpose, draft.validity_minutes = batch.route, batch.purpose, batch.validity_minutes
        draft.updated_at = now
        draft.save()
        known = ComposeList.objects.filter(draft=draft, source=draft.source).first()
        known = known or ComposeList(draft=draft, source=draft.source, octets=b"")
        known.numbers, known.rows = [each.number for each in recipients], len(recipients)
        drafts.set_fields(known, _fields(recipients))
        known.save()
    return draft


def _recipients(conn: Connection, batch: Stored, reasons: Iterable[Reason]) -> list[Recipient]:
    wanted = array_of(reason.number for reason in set(reasons) - NOT_AGAIN)
    return [Recipient.read(*row) for row in conn.execute(RECIPIENTS, batch.key | {"reasons": wanted})]


def _as_template(text: str, recipients: Sequence[Recipient]) -> str:
    """Every text of the portal is a template (drafts.py); one that was none has its braces doubled."""
    is_personal = any(each.fields is not None for each in recipients)
    return text if is_personal else text.replace("{", "{{").replace("}", "}}")


def _fields(recipients: Sequence[Recipient]) -> FileFields:
    """The fields of personal texts, to be filled in once more (spec S4)."""
    names = tuple(dict.fromkeys(name for each in recipients for name in each.fields or ()))
    return FileFields(names, [[(each.fields or {}).get(name, "") for name in names] for each in recipients])


def _open_draft(conn: Connection, batch_id: int) -> ComposeDraft | None:
    draft = ComposeDraft.objects.filter(resend_of=batch_id, batch_id=None).first()
    return draft if draft and drafts.batch_of(conn, draft) is None else None
