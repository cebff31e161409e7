"""What members compose at the portal: kept while they type, planned for the review, sent once (spec S1, S2, S5).

A draft's numbers stand in lists, one for each file and one for what was typed, so that a page never carries them; or
in groups of the address book. With each stand the fields that a personal text is filled in from (spec S4): in every
text of the portal `{` begins a field, and `{{` is a brace.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import repeat
from typing import NamedTuple

import msgspec
from django.db import transaction
from django.db.models import QuerySet

from sampan.accounts.customers import CustomerFacts
from sampan.accounts.tables import Person
from sampan.composing.template import is_template
from sampan.database import Connection, beneath_django
from sampan.messages import announcing, recurring
from sampan.messages.address_book import contacts, groups
from sampan.messages.personal import Fields
from sampan.messages.planning import Draft, Plan
from sampan.messages.recipients import FileFields, Recipients, fields_in, in_rows, in_text, is_mobile
from sampan.messages.submit import submit
from sampan.messages.tables import ComposeDraft, ComposeList, Purpose, Recurrence, Source
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import Fault, Flaw
from sampan.uploads.columns import find_number_column, number_column
from sampan.uploads.reading import Limits, Rows, read_rows

LIMITS = Limits()
MOST_FILES = 5  # the form keeps to it
KEPT_FOR = timedelta(days=30)
LONGEST_COLUMN_NAME = 100
FIELDS = ("field_names", "field_values")


def new_draft(person: Person, now: datetime) -> ComposeDraft:
    """An empty draft; the member's organisation loses those that nobody has touched for long."""
    assert person.customer_id is not None
    ComposeDraft.objects.filter(customer_id=person.customer_id, updated_at__lt=now - KEPT_FOR).delete()
    return ComposeDraft.objects.create(customer_id=person.customer_id, person=person, created_at=now, updated_at=now)


# Lists of numbers


def add_file(draft: ComposeDraft, file_name: str, octets: bytes) -> ComposeList:
    """The numbers of a file, by the column that seems to hold them. Raises Refused about "file"."""
    added = ComposeList(draft=draft, source=ComposeDraft.Source.FILE, file_name=_keepable(file_name), octets=octets)
    _read(added, read_rows(octets, LIMITS), None)
    return added


def choose_column(known: ComposeList, *, sheet: str, column: int) -> None:
    """Read a file's numbers from where the member says they are. Raises Refused about "file"."""
    _read(known, rows_of(known, sheet), column)


def rows_of(known: ComposeList, sheet: str = "") -> Rows:
    """A file's rows once more. Raises Refused about "file"."""
    return read_rows(bytes(known.octets), LIMITS, sheet=sheet or known.sheet or None)


def set_typed(draft: ComposeDraft, text: str) -> None:
    """The numbers a member typed or pasted, instead of those before. Raises Refused about "numbers"."""
    recipients = in_text(text)
    if recipients.total > LIMITS.rows:
        raise Refused(Reason.TOO_MANY_RECIPIENTS, "numbers", f"{recipients.total:,}")
    source = ComposeDraft.Source.TYPED
    typed = draft.lists.filter(source=source).first() or ComposeList(draft=draft, source=source)
    typed.octets = text.encode()
    _keep(typed, recipients)


def _read(known: ComposeList, rows: Rows, column: int | None) -> None:
    """Where no column has a mobile number it is the first: then the list of bad rows says what is wrong with each."""
    found = None if column is not None else find_number_column(rows, is_mobile)
    found = found or number_column(rows, column or 0, is_mobile)
    known.sheet = rows.sheet
    known.column = found.index
    known.column_name = _keepable(found.header)[:LONGEST_COLUMN_NAME]
    recipients = in_rows(rows, found)
    set_fields(known, fields_in(rows, found, recipients))
    _keep(known, recipients)


def set_fields(known: ComposeList, fields: FileFields) -> None:
    """What its personal texts are filled in from, in the order of its numbers."""
    known.field_names = list(fields.names)
    known.field_values = _values.encode(fields.values) if fields.names else b""


def _keep(known: ComposeList, recipients: Recipients) -> None:
    known.rows = recipients.total
    known.numbers = recipients.numbers
    known.bad = len(recipients.bad)
    known.bad_rows = [
        [bad.row, bad.flaw.fault.name, _keepable(bad.flaw.value), bad.flaw.digits] for bad in recipients.bad
    ]
    known.save()


def _keepable(words: str) -> str:
    """PostgreSQL keeps no NUL."""
    return words.replace("\0", "�")


_values = msgspec.json.Encoder()
_read_values = msgspec.json.Decoder(list[list[str]]).decode


@dataclass(frozen=True)
class Numbers:
    """The numbers of a draft, each once, and what was left out of its lists."""

    numbers: list[int]
    rows: int
    bad: int
    fields: list[Fields] | None = None  # of each number, where the text is a template (spec S4)

    @property
    def duplicates(self) -> int:
        """Rows whose number stands in an earlier one."""
        return self.rows - self.bad - len(self.numbers)


def _lists(draft: ComposeDraft) -> QuerySet[ComposeList]:
    """Of one that was never kept there are none."""
    return ComposeList.objects.filter(draft_id=draft.id, source=draft.source).order_by("id")


def numbers_of(draft: ComposeDraft) -> Numbers:
    """All that the draft's lists or groups hold, those of its source."""
    is_personal = is_template(draft.text)
    if draft.source == ComposeDraft.Source.GROUPS:
        with beneath_django() as conn:
            chosen = groups.chosen(conn, draft.customer_id, draft.group_ids)
        return Numbers(chosen.numbers, chosen.places, 0, chosen.rows if is_personal else None)
    fields_of: dict[int, Fields] = {}
    rows = bad = 0
    for known in _lists(draft).only("numbers", "rows", "bad", *(FIELDS if is_personal else ())):
        for number, fields in zip(known.numbers, _fields_of(known) if is_personal else repeat({}), strict=False):
            fields_of.setdefault(number, fields)  # the first row of a number counts
        rows += known.rows
        bad += known.bad
    return Numbers(list(fields_of), rows, bad, list(fields_of.values()) if is_personal else None)


def _fields_of(known: ComposeList) -> Iterable[Fields]:
    if not known.field_names:
        return repeat({})
    return [dict(zip(known.field_names, row, strict=True)) for row in _read_values(bytes(known.field_values))]


def field_names_of(draft: ComposeDraft) -> list[str]:
    """What a personal text of the draft can name: the headings of its files, or the fields of the address book."""
    if draft.source == ComposeDraft.Source.GROUPS:
        with beneath_django() as conn:
            return [contacts.NAME_FIELD, *contacts.field_names(conn, draft.customer_id)]
    return list(dict.fromkeys(name for names in _lists(draft).values_list("field_names", flat=True) for name in names))


class BadRow(NamedTuple):
    """A row that gave no number, and of which file."""

    file_name: str
    row: int
    flaw: Flaw


def bad_rows_of(draft: ComposeDraft) -> Iterator[BadRow]:
    """The rows left out, in order."""
    for file_name, rows in _lists(draft).values_list("file_name", "bad_rows"):
        for row, fault, value, digits in rows:
            yield BadRow(file_name, row, Flaw(Fault[fault], value, digits))


# From draft to batch


def as_submitted(draft: ComposeDraft, customer: CustomerFacts, found: Numbers) -> Draft:
    """The draft as every door submits one. Its client reference makes that happen once, however often it is tried."""
    return Draft(
        customer=customer,
        source=Source.PORTAL,
        recipients=found.numbers,
        text=draft.text,
        fields=found.fields,
        sender=draft.sender,
        person_id=draft.person_id,
        purpose=Purpose(draft.purpose),
        route=draft.route,
        scheduled_at=draft.scheduled_at,
        validity_minutes=draft.validity_minutes,
        client_reference=_reference(draft),
        name=draft.name,
    )


def _reference(draft: ComposeDraft) -> str:
    return f"draft:{draft.id}"


def seal(plan: Plan, *also: str) -> str:
    """What a member has seen on the review and agrees to: another one where text, numbers, filters or price differ.

    Also where what else was shown differs, such as how often it is sent.
    """
    draft = plan.draft
    counts: Counter[tuple[int, int, int, int, int]] = Counter()  # not by operator: that is our own affair
    for place, count in plan.counts.items():
        kind = plan.kinds[place]
        reason = kind.reason or Reason.NONE
        counts[kind.destination_id, kind.route_id or 0, kind.units, kind.unit_pips, reason.number] += count
    seen = (
        draft.text,
        plan.sender,
        plan.signature,
        list(plan.footers),
        draft.route,
        plan.purpose,
        plan.validity_minutes,
        plan.scheduled_at,
        draft.name,
        sorted(counts.items()),
        also,
    )
    digest = hashlib.sha256(msgspec.json.encode(seen))
    digest.update(array("q", plan.recipients).tobytes())
    digest.update(msgspec.json.encode(plan.own and plan.own.texts))
    return digest.hexdigest()[:32]


def send(conn: Connection, draft: ComposeDraft, plan: Plan, now: datetime) -> int:
    """Submit the draft as planned; gives its batch. Repeated, also after a crash in mid-way, it gives the same batch.

    Raises Refused: BALANCE_TOO_LOW, or REFERENCE_REUSED where it was sent before with other content.
    """
    with conn.transaction():
        (outcome,) = submit(conn, [plan], now)
        if isinstance(outcome, Refused):
            raise outcome
        if draft.source == ComposeDraft.Source.RESEND:
            conn.execute(IS_RESEND, [draft.resend_of, outcome.batch_id])
        if draft.every:
            every = Recurrence.Every(draft.every)
            recurring.begin(conn, plan, outcome.batch_id, every=every, until=draft.repeat_until, now=now)
    announcing.announce(conn, announcing.places_of([plan]))
    _mark_sent(draft, outcome.batch_id)
    return outcome.batch_id


IS_RESEND = "UPDATE batch SET resend_of = %s WHERE id = %s"


def _mark_sent(draft: ComposeDraft, batch_id: int) -> None:
    draft.batch_id = batch_id
    with transaction.atomic():
        draft.save(update_fields=["batch_id"])
        draft.lists.all().delete()


SENT_AS = "SELECT batch_id FROM client_reference WHERE customer_id = %s AND reference = %s"


def batch_of(conn: Connection, draft: ComposeDraft) -> int | None:
    """The batch as which the draft was sent, also where we died before we could write that down."""
    if draft.batch_id is None:
        row = conn.execute(SENT_AS, [draft.customer_id, _reference(draft)]).fetchone()
        if row:
            _mark_sent(draft, row[0])
    return draft.batch_id
