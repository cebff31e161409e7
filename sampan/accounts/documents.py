"""Documents of customers: registrations, grounds of sender IDs, receipts of payments (spec S131, S60, S85)."""

from datetime import datetime

from sampan.accounts.tables import Document, Person
from sampan.uploads import documents

LONGEST_FILE_NAME = 100


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


def shown_name(file_name: str) -> str:
    """What can be shown of a name that a stranger chose: its last part, without what does not print."""
    last = file_name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(char for char in last if char.isprintable())
    return printable[-LONGEST_FILE_NAME:] or "?"
