"""Importing OFCA's register (spec S93)."""

import gzip
import io
from datetime import date
from typing import Any

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Person
from sampan.compliance.register import ReadRegister, import_register
from sampan.compliance.tables import RegisteredNumber, RegisterImport
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.billing.money import at_once
from tests.world import NOW, make_staff

TODAY = date(2026, 11, 23)
Kind = RegisterImport.Kind


def load(
    text: str | bytes, *, by: Person, kind: Kind = Kind.REPLACE, **changes: Any
) -> tuple[RegisterImport, ReadRegister]:
    octets = text.encode() if isinstance(text, str) else text
    values: dict[str, Any] = {"register_date": TODAY, "file_name": "register.csv", "now": NOW, "today": TODAY} | changes
    return import_register(io.BytesIO(octets), kind=kind, by=by, **values)


def listed() -> dict[int, str]:
    return {row.number: row.listed_on.isoformat() for row in RegisteredNumber.objects.order_by("number")}


def test_a_file_has_a_number_and_the_day_it_was_listed(database: Connection) -> None:
    done, read = load(
        "Number,Date listed\r\n61234567,2008-01-24\r\n+852 6123 4568,24/01/2008\r\n85261234569,20080124\r\n",
        by=make_staff(),
    )
    assert listed() == dict.fromkeys((85261234567, 85261234568, 85261234569), "2008-01-24")
    assert (done.added, done.removed, done.total, done.rows, read.bad) == (3, 0, 3, 3, 0)


def test_without_a_day_it_is_that_of_the_import_and_stays(database: Connection) -> None:
    ada = make_staff()
    load("61234567\n", by=ada)
    load("61234567\n61234568\n", by=ada, today=date(2026, 12, 1))
    assert listed() == {85261234567: "2026-11-23", 85261234568: "2026-12-01"}


def test_the_whole_register_replaces_what_was_there(database: Connection) -> None:
    ada = make_staff()
    load("61234567,2008-01-24\n61234568,2008-01-24\n", by=ada)
    done, _ = load("61234568,2008-01-25\n61234569,2008-01-25\n", by=ada)
    assert listed() == {85261234568: "2008-01-25", 85261234569: "2008-01-25"}
    assert (done.added, done.removed, done.total) == (1, 1, 2)


def test_changes_add_and_take_off(database: Connection) -> None:
    ada = make_staff()
    load("61234567,2008-01-24\n", by=ada)
    load("61234568,2008-01-25\n", by=ada, kind=Kind.ADD)
    assert len(listed()) == 2
    done, _ = load("61234567\n61234567\n69999999\n", by=ada, kind=Kind.REMOVE)
    assert listed() == {85261234568: "2008-01-25"}
    assert (done.added, done.removed, done.total) == (0, 1, 1)


def test_bad_rows_are_counted_and_named(database: Connection) -> None:
    _, read = load("61234567\n1234\n61234568,yesterday\n\n", by=make_staff())
    assert listed() == {85261234567: "2026-11-23"}
    assert read.bad_rows == [(2, "1234"), (3, "61234568,yesterday")]


def test_a_gzipped_file_is_read_as_well(database: Connection) -> None:
    load(gzip.compress(b"61234567,2008-01-24\n", mtime=0), by=make_staff())
    assert listed() == {85261234567: "2008-01-24"}


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", Reason.REGISTER_EMPTY),
        (b"number\nnone\n", Reason.REGISTER_EMPTY),
        ("號碼\n".encode("big5"), Reason.REGISTER_UNREADABLE),
        (gzip.compress(b"61234567\n", mtime=0)[:-9], Reason.REGISTER_UNREADABLE),
        (b"61234568\n", Reason.REGISTER_SHRINKS),
    ],
)
def test_a_file_that_cannot_be_the_register_changes_nothing(
    database: Connection, octets: bytes, reason: Reason
) -> None:
    ada = make_staff()
    load("".join(f"6123456{n}\n" for n in range(9)), by=ada)
    with pytest.raises(Refused) as caught:
        load(octets, by=ada)
    assert caught.value.reason == reason
    assert len(listed()) == 9


def test_a_far_smaller_register_is_taken_where_that_is_meant(database: Connection) -> None:
    ada = make_staff()
    load("".join(f"6123456{n}\n" for n in range(9)), by=ada)
    load("61234568\n", by=ada, may_shrink=True)
    assert list(listed()) == [85261234568]


def test_of_two_imports_at_once_the_later_one_is_whole(database: Connection) -> None:
    """And texts that are screened meanwhile see one or the other, never a mixture."""
    ada, ben = make_staff(), make_staff("ben")
    ours, theirs = ({85_260_000_000 + first + n for n in range(500)} for first in (0, 250))
    texts = ["".join(f"{number}\n" for number in numbers) for numbers in (ours, theirs)]
    load(texts[0], by=ada)
    seen = []

    def read() -> None:
        for _ in range(20):
            seen.append(set(RegisteredNumber.objects.values_list("number", flat=True)))

    assert at_once(lambda: load(texts[0], by=ada), lambda: load(texts[1], by=ben), read) == [None] * 3
    assert all(numbers in (ours, theirs) for numbers in (*seen, set(listed())))
    assert [each.total for each in RegisterImport.objects.all()] == [500] * 3


def test_support_may_not_import_it_and_who_may_is_in_the_log(database: Connection) -> None:
    with pytest.raises(NotAllowed):
        load("61234567\n", by=make_staff("sue", role=Person.StaffRole.SUPPORT))
    load("61234567\n", by=make_staff("carol", role=Person.StaffRole.COMPLIANCE))
    (entry,) = AuditEntry.objects.all()
    assert (entry.act, entry.by.login_name, entry.after["total"]) == ("register.import", "carol", 1)


def test_a_whole_register_and_once_more_with_all_there_already(database: Connection) -> None:
    """How long a million take says `make bench MEASURES=register`."""
    ada = make_staff()
    octets = "".join(f"{60_000_000 + n},2008-01-24\n" for n in range(100_000)).encode()
    for added in (100_000, 0):
        done, _read = load(octets, by=ada)
        assert (done.total, done.added) == (100_000, added)
