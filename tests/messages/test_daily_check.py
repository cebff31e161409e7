"""Once a day the books are checked by themselves, and staff are told when they are off (spec S89)."""

from datetime import datetime, timedelta

import pytest

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Person
from sampan.billing.tables import BookCheck
from sampan.database import Connection
from sampan.interfaces.staff.worklists import waiting_for
from sampan.messages.daily_check import check_books_daily
from tests.world import NOW, make_customer, make_staff

EARLY = datetime.fromisoformat("2026-11-22T19:59:59+00:00")  # 03:59:59 in Hong Kong


def off_for(conn: Connection, person: Person) -> int:
    return next(each.things for each in waiting_for(person, conn, NOW) if each.worklist.page == "staff:books")


def test_it_is_done_once_a_day_in_the_small_hours(database: Connection) -> None:
    make_customer()
    assert check_books_daily(EARLY) == 0
    assert [check_books_daily(EARLY + timedelta(seconds=s)) for s in (1, 2, 3600)] == [1, 0, 0]
    assert check_books_daily(EARLY + timedelta(days=1, seconds=1)) == 1
    assert BookCheck.objects.filter(found=[]).count() == 2


def test_what_is_off_by_a_pip_is_kept_and_stands_in_the_worklist(
    database: Connection, migrated_database: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    make_customer()
    fanny = make_staff("fanny", role=Person.StaffRole.FINANCE)
    Person.objects.filter(pk=fanny.pk).update(email="fanny@sampan.example")
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    Person.objects.filter(login_name="wing").update(email="wing@sampan.example")
    assert off_for(database, fanny) == 0
    with migrated_database.transaction():
        migrated_database.execute("SET LOCAL session_replication_role = replica")
        migrated_database.execute("UPDATE account SET balance_pips = balance_pips + 1 WHERE kind = 1")
    check_books_daily(NOW)
    found = BookCheck.objects.get().found
    assert "all accounts sum to 0" in {each[0] for each in found}
    assert off_for(database, fanny) == len(found)
    assert "books.off" in capsys.readouterr().out
    mail = Mail.objects.get()
    assert mail.to == "fanny@sampan.example"
    assert "all accounts sum to 0: customer None, row 0: expected 0.0000, found 0.0001" in mail.text
