"""Files that nobody's row tells of are removed, and no others (spec S131)."""

import os
from datetime import timedelta

import pytest

from sampan.accounts.documents import ORPHANED_AFTER, keep_document, read_document, sweep_orphans
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.settings import DATA
from sampan.uploads import documents
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer


def write(name: str, *, age: timedelta) -> None:
    """A file in the folder as it was left that long ago."""
    moment = (NOW - age).timestamp()
    os.utime(DATA / documents.FOLDER / name, (moment, moment))


def test_a_file_without_a_row_goes_after_a_day_and_one_with_it_stays(database: Connection) -> None:
    make_customer()
    kept = keep_document(Person.objects.get(), PDF, file_name="br.pdf", now=NOW)
    orphan, young = documents.keep(PDF), documents.keep(PDF)
    for name in (kept.stored_name, orphan):
        write(name, age=2 * ORPHANED_AFTER)
    write(young, age=ORPHANED_AFTER / 2)
    other = DATA / documents.FOLDER / "notes.txt"
    other.write_text("of the administrator")
    write("notes.txt", age=2 * ORPHANED_AFTER)
    assert sweep_orphans(NOW) == 1
    assert read_document(kept) == PDF
    assert documents.read(young) == PDF
    assert other.exists()
    with pytest.raises(FileNotFoundError):
        documents.read(orphan)
    assert sweep_orphans(NOW) == 0
