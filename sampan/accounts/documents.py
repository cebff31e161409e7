"""Documents of customers: registrations, grounds of sender IDs, receipts of payments (spec S131, S60, S85)."""

from datetime import datetime, timedelta
from itertools import islice

from sampan.accounts.tables import Document, Person
from sampan.uploads import documents

LONGEST_FILE_NAME = 100
ORPHANED_AFTER = timedelta(days=1)
MOST_AT_ONCE, NAMES_AT_ONCE = 100_000, 1_000


def keep_document(person: Person, octets: bytes, *, file_name: str, now: datetime) -> Document:
    """A member's file. Raises Refused: too large, or no PDF, JPEG or PNG by its content."""
    assert person.customer is not None, "staff upload nothing"
    stored_name = documents.keep(octets)
    return Document.objects.create(
        customer=person.customer,
        stored_name=stored_name,
        file_name=shown_name(file_name),
        media_type=documents.media_type_of(octets),
        octets=len(octets),
        uploaded_by=person,
        created_at=now,
    )


def read_document(document: Document) -> bytes:
    """The file again. Raises FileNotFoundError where the folder was not restored with the database."""
    return documents.read(document.stored_name)


def sweep_orphans(now: datetime) -> int:
    """Remove files whose row was never committed, as when the page that took them failed; how many.

    The file is written before its row, so that no row is without its file; a day later the row is there or never comes.
    """
    old = islice(documents.kept_before(now - ORPHANED_AFTER), MOST_AT_ONCE)
    removed = 0
    while names := list(islice(old, NAMES_AT_ONCE)):
        known = set(Document.objects.filter(stored_name__in=names).values_list("stored_name", flat=True))
        for name in names:
            if name not in known:
                documents.remove(name)
                removed += 1
    return removed


def shown_name(file_name: str) -> str:
    """What can be shown of a name that a stranger chose: its last part, without what does not print."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(char for char in last if char.isprintable())
    return printable[-LONGEST_FILE_NAME:] or "?"
