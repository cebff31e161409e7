"""China's block list and the white list that lifts it (spec S92)."""

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Person
from sampan.compliance.china_numbers import list_numbers, unlist_number
from sampan.compliance.tables import ChinaNumber
from sampan.database import Connection
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_staff

Kind = ChinaNumber.Kind


def test_staff_list_numbers_once_each_with_their_grounds(database: Connection) -> None:
    ada = make_staff(role=Person.StaffRole.SUPPORT)
    given = ["8613812345678", "+86 138 1234 5678", "8613912345678"]
    assert list_numbers(given, Kind.BLOCK, grounds="complained by telephone", by=ada, now=NOW) == 2
    assert list_numbers(given, Kind.BLOCK, grounds="again", by=ada, now=NOW) == 0
    assert list_numbers(given[:1], Kind.WHITE, grounds="a mistake", by=ada, now=NOW) == 1
    assert "138" not in str([entry.after for entry in AuditEntry.objects.all()])


@pytest.mark.parametrize("number", ["85261234567", "861081234567", "none", ""])
def test_only_mobiles_of_china_can_be_listed(database: Connection, number: str) -> None:
    with pytest.raises(Refused) as caught:
        list_numbers([number], Kind.BLOCK, grounds="complained", by=make_staff(), now=NOW)
    assert caught.value.reason == Reason.NOT_IN_CHINA


def test_without_grounds_nothing_is_listed_nor_taken_off(database: Connection) -> None:
    ada = make_staff()
    with pytest.raises(Refused):
        list_numbers(["8613812345678"], Kind.BLOCK, grounds=" ", by=ada, now=NOW)
    list_numbers(["8613812345678"], Kind.BLOCK, grounds="complained", by=ada, now=NOW)
    row = ChinaNumber.objects.get()
    with pytest.raises(Refused):
        unlist_number(row.pk, why="", by=ada, now=NOW)
    assert unlist_number(row.pk, why="a mistake", by=ada, now=NOW)
    assert not unlist_number(row.pk, why="a mistake", by=ada, now=NOW)


def test_finance_lists_nobody(database: Connection) -> None:
    with pytest.raises(NotAllowed):
        list_numbers(["8613812345678"], Kind.BLOCK, grounds="x", by=make_staff(role=Person.StaffRole.FINANCE), now=NOW)
