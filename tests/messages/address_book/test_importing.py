"""A file of people becomes contacts (spec S1, S4)."""

import pytest

from sampan.database import Connection
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Kept, Search
from sampan.messages.address_book.importing import import_file
from sampan.messages.address_book.tables import Contact
from sampan.reasons import Reason, Refused
from sampan.uploads.reading import Limits
from tests.world import NOW, make_customer, make_mallory

FILE = """電話,姓名,District,,{bad},Wedding date
6123 4567,Amy Wong,Sha Tin,x,y,2027-03-14
6123-4568,陳志明,,,,
2123 4567,Fixed line,,,,
+852 6123 4567,,Tai Po,,,
""".encode()


def test_numbers_names_and_headed_columns_are_kept_and_bad_rows_listed(database: Connection) -> None:
    harbour = make_customer().pk
    imported = import_file(database, harbour, FILE, NOW, limits=Limits())
    assert imported.kept == Kept(added=2, changed=0)
    assert (imported.column, imported.duplicates) == ("A", 1)
    assert [(bad.row, bad.flaw.value) for bad in imported.bad] == [(4, "2123 4567")]
    assert imported.fields == ["姓名", "District", "Wedding date"]
    found = contacts.by_id(database, Search(harbour), most=9)
    assert [(each.number, each.name, each.fields) for each in found] == [
        (85261234567, "Amy Wong", {"District": "Sha Tin", "Wedding date": "2027-03-14"}),
        (85261234568, "陳志明", {}),
    ]


def test_importing_again_merges_and_can_fill_a_group(database: Connection) -> None:
    harbour = make_customer().pk
    import_file(database, harbour, FILE, NOW, limits=Limits())
    group = groups.make_group(database, harbour, "Weddings", NOW)
    again = b"Mobile,Name\n61234567,Amy W\n61234569,New\n"
    assert import_file(database, harbour, again, NOW, limits=Limits(), group_id=group).kept == Kept(1, 1)
    assert groups.group_of(database, harbour, group).members == 2
    amy = contacts.by_numbers(database, harbour, [85261234567])[0]
    assert (amy.name, amy.fields["District"]) == ("Amy W", "Sha Tin")


def test_numbers_alone_are_people_without_a_name(database: Connection) -> None:
    harbour = make_customer().pk
    import_file(database, harbour, b"61234567\n61234568\n", NOW, limits=Limits())
    assert [each.name for each in contacts.by_id(database, Search(harbour), most=9)] == ["", ""]


def test_into_somebody_elses_group_nobody_is_imported(database: Connection) -> None:
    harbour, mallory = make_customer().pk, make_mallory().pk
    group = groups.make_group(database, harbour, "Weddings", NOW)
    with pytest.raises(Refused) as refused:
        import_file(database, mallory, FILE, NOW, limits=Limits(), group_id=group)
    assert refused.value.reason == Reason.NO_SUCH_GROUP
    assert not Contact.objects.exists()


def test_a_file_beyond_its_limits_is_refused(database: Connection) -> None:
    with pytest.raises(Refused) as refused:
        import_file(database, make_customer().pk, FILE, NOW, limits=Limits(rows=2))
    assert refused.value.reason == Reason.FILE_TOO_MANY_ROWS
