"""Each test that asks for the database gets it as it is after the migrations (tests/database.py)."""

import os
from datetime import UTC, datetime

import psycopg
import pytest

from sampan.database import Connection, connect
from sampan.models import Account, Customer, Transfer
from tests.database import GIVEN, PUT_BACK

ROWS_OF_A_LARGE_TABLE = 20_000


def one(conn: Connection, sql: str) -> object:
    row = conn.execute(sql.encode()).fetchone()
    assert row
    return row[0]


def reference(conn: Connection, rows: int = 1) -> None:
    conn.execute(
        "INSERT INTO client_reference SELECT n, 'reference', 'fingerprint', n, now() FROM generate_series(1, %s) AS n",
        [rows],
    )


@pytest.mark.parametrize("rows", [1, ROWS_OF_A_LARGE_TABLE])
def test_what_a_test_committed_is_gone_in_the_next(
    database: Connection, migrated_database: Connection, rows: int
) -> None:
    reference(database, rows)
    migrated_database.execute(PUT_BACK)
    assert one(database, "SELECT count(*) FROM client_reference") == 0


@pytest.mark.parametrize("turn", [1, 2])
def test_it_is_empty_at_the_start(database: Connection, turn: int) -> None:
    assert one(database, "SELECT count(*) FROM client_reference") == 0
    reference(database)


def test_money_that_may_only_be_inserted_goes_too(database: Connection, migrated_database: Connection) -> None:
    """spec S80: no statement may change or remove a transfer."""
    now = datetime.now(UTC)
    customer = Customer.objects.create(name="Harbour Florist", created_at=now)
    paid, available = (Account.objects.create(customer=customer, kind=kind) for kind in (4, 1))
    Transfer.objects.create(
        at=now, kind=4, customer=customer, from_account=paid, to_account=available, amount_pips=3_000_000
    )
    with pytest.raises(psycopg.errors.RaiseException, match="only ever moved by a new transfer"):
        database.execute("DELETE FROM transfer")
    migrated_database.execute(PUT_BACK)
    assert [one(database, f"SELECT count(*) FROM {table}") for table in ("transfer", "account", "customer")] == [
        0,
        0,
        0,
    ]


def test_rows_that_migrations_made_come_back(database: Connection, migrated_database: Connection) -> None:
    sql = "SELECT string_agg(content_type::text, ',' ORDER BY id) FROM django_content_type AS content_type"
    before = one(database, sql)
    database.execute("UPDATE django_content_type SET model = model || '!' WHERE id = 1")
    database.execute("INSERT INTO django_content_type (app_label, model) VALUES ('of', 'a test')")
    assert one(database, sql) != before
    migrated_database.execute(PUT_BACK)
    assert one(database, sql) == before


def test_numbers_begin_again(database: Connection, migrated_database: Connection) -> None:
    first = one(database, "SELECT nextval('message_id')")
    assert one(database, "SELECT nextval('message_id')") != first
    migrated_database.execute(PUT_BACK)
    assert one(database, "SELECT nextval('message_id')") == first


def test_tables_that_a_test_made_go(database: Connection, migrated_database: Connection) -> None:
    sql = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
    before = one(database, sql)
    database.execute("SELECT ensure_partitions(9)")
    assert one(database, sql) != before
    migrated_database.execute(PUT_BACK)
    assert one(database, sql) == before


def test_a_transaction_left_open_does_not_hold_up_the_next_test(
    database: Connection, migrated_database: Connection
) -> None:
    left = connect("left open")
    left.execute("BEGIN")
    left.execute("LOCK TABLE client_reference")
    migrated_database.execute(PUT_BACK)
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")


def test_processes_that_keep_things_in_memory_are_told(database: Connection, migrated_database: Connection) -> None:
    reference(database)
    database.execute("LISTEN changed")
    migrated_database.execute(PUT_BACK)
    assert [told.payload for told in database.notifies(timeout=10, stop_after=1)] == ["client_reference"]


@pytest.mark.skipif(GIVEN in os.environ, reason="a server of one's own is used by the role it was given with")
def test_the_platform_is_no_superuser_in_the_tests_either(database: Connection) -> None:
    assert one(database, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
