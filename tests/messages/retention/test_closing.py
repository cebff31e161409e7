"""Delivery records go after their time; what they came to stays, and open + closed = ledger (spec S130)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection, connect
from sampan.messages.lookup import shown_status
from sampan.messages.reconcile import discrepancies
from sampan.messages.retention.closing import (
    close_all_of,
    close_due,
    closed_months,
    drop_emptied_partitions,
    forget_decisions,
)
from sampan.messages.retention.tables import ClosedShare, ClosedTotal
from sampan.messages.tables import Batch, Message, MessagePart, Status
from tests.dispatch.steps import Owner, money
from tests.messages.one_of_each import make_one_of_each
from tests.world import NOW, make_customer, make_places, send

AFTER = NOW + timedelta(days=63)  # more than 2 months, also from November on
FINAL = {"delivered", "refused", "sent", "filtered"}  # a part of "undeliverable" is still with the operator


def deliver(conn: Connection, owner: Owner, customer: Customer, count: int = 1) -> list[int]:
    """Messages that are on the handset."""
    ids = send(conn, customer, [85261230000 + number for number in range(count)]).message_ids
    owner.hand_over(customer)
    for id_ in ids:
        owner.taken(id_, ref=f"r{id_}")
        owner.receipt(f"r{id_}")
    return ids


@pytest.fixture
def owner(database: Connection) -> Owner:
    return Owner(make_places())


def test_final_ones_go_and_open_ones_stay(database: Connection) -> None:
    one = make_one_of_each(database)
    before = money(database, one.customer)
    assert close_due(database, AFTER) == len(FINAL)
    left = set(Message.objects.values_list("pk", flat=True))
    assert left == {id_ for name, id_ in one.ids.items() if name not in FINAL}
    assert set(MessagePart.objects.values_list("message_id", flat=True)) <= left
    assert money(database, one.customer) == before
    assert shown_status(database, one.customer.pk, one.ids["delivered"]) is None  # answers 9


def test_a_month_is_never_so_short_that_a_link_stops_working(database: Connection, owner: Owner) -> None:
    """Spec S95, S130: a customer may keep results for a month; the way out in a text works for 30 days."""
    harbour = make_customer()
    deliver(database, owner, harbour)
    Customer.objects.filter(pk=harbour.pk).update(results_kept_months=1)
    end_of_january = datetime(2027, 1, 31, 12, tzinfo=UTC)
    Batch.objects.update(created_at=end_of_january)
    Message.objects.update(created_at=end_of_january, final_at=end_of_january)
    assert close_due(database, end_of_january + timedelta(days=29, hours=23)) == 0
    assert close_due(database, end_of_january + timedelta(days=30, hours=1)) == 1


def test_what_they_came_to_stays_by_day_route_and_end(database: Connection) -> None:
    one = make_one_of_each(database)
    gone = Message.objects.filter(pk__in=[one.ids[name] for name in FINAL])
    charged = sum(gone.values_list("charged_pips", flat=True))
    close_due(database, AFTER)
    rows = ClosedTotal.objects.filter(customer=one.customer)
    assert {row.day.isoformat() for row in rows} == {"2026-11-23"}
    assert sum(row.messages for row in rows) == len(FINAL)
    assert sum(row.charged_pips for row in rows) == charged > 0
    assert {row.status for row in rows} >= {Status.DELIVERED, Status.UNDELIVERABLE}
    (month,) = closed_months(database, one.customer.pk, most=12)
    assert (month.messages, month.delivered, month.charged_pips) == (len(FINAL), 1, charged)


def test_a_day_is_closed_in_several_goes_into_the_same_rows(database: Connection, owner: Owner) -> None:
    harbour = make_customer()
    deliver(database, owner, harbour)
    close_due(database, AFTER)
    deliver(database, owner, harbour, 2)
    close_due(database, AFTER)
    assert ClosedTotal.objects.get().messages == 3
    assert discrepancies(database) == []


def test_one_transfer_may_be_of_kept_and_deleted_messages(database: Connection, owner: Owner) -> None:
    harbour = make_customer()
    ids = send(database, harbour, [85261230000, 85261230001]).message_ids
    owner.hand_over(harbour)
    for id_ in ids:
        owner.taken(id_, ref=f"r{id_}")
    owner.receipt(f"r{ids[0]}")
    assert close_due(database, AFTER) == 1
    assert ClosedShare.objects.order_by("pk")[0].amount_pips == 2_900
    assert discrepancies(database) == []
    owner.receipt(f"r{ids[1]}")
    assert close_due(database, AFTER) == 1
    assert ClosedShare.objects.order_by("-amount_pips")[0].amount_pips == 5_800
    assert discrepancies(database) == []


def test_a_batch_goes_with_its_last_message(database: Connection, owner: Owner) -> None:
    harbour = make_customer()
    deliver(database, owner, harbour)
    waiting = send(database, harbour, [85261230009])
    close_due(database, AFTER)
    assert Batch.objects.get().pk == waiting.batch_id


def test_a_customer_may_keep_them_up_to_seven_years(database: Connection, owner: Owner) -> None:
    harbour, mallory = make_customer(), make_customer("mallory", senders=("HarbourFlo",))
    Customer.objects.filter(pk=harbour.pk).update(results_kept_months=84)
    deliver(database, owner, harbour)
    deliver(database, owner, mallory)
    assert close_due(database, AFTER) == 1
    assert Message.objects.get().customer == harbour
    assert close_due(database, NOW + timedelta(days=7 * 365)) == 0
    assert close_due(database, NOW + timedelta(days=7 * 366 + 1)) == 1


def test_the_time_runs_from_the_end_of_the_message(database: Connection, owner: Owner) -> None:
    harbour = make_customer()
    (id_,) = deliver(database, owner, harbour)
    Message.objects.filter(pk=id_).update(final_at=AFTER - timedelta(days=10))
    assert close_due(database, AFTER) == 0


def test_two_workers_at_once_close_each_message_once(database: Connection, owner: Owner) -> None:
    harbour = make_customer()
    deliver(database, owner, harbour, 60)

    def work(_: int) -> int:
        with connect("tests", by_key=True) as conn:
            return close_due(conn, AFTER)

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(work, range(3)))
    assert sum(counts) == 60
    assert sum(ClosedTotal.objects.values_list("messages", flat=True)) == 60
    assert discrepancies(database) == []


def test_all_of_one_customer_go_whatever_their_age(database: Connection, owner: Owner) -> None:
    harbour, mallory = make_customer(), make_customer("mallory", senders=("HarbourFlo",))
    deliver(database, owner, harbour, 2)
    deliver(database, owner, mallory)
    assert close_all_of(database, harbour.pk, NOW) == 2
    assert Message.objects.get().customer == mallory
    assert discrepancies(database) == []


def test_partitions_that_are_empty_and_past_go(database: Connection) -> None:
    def partitions() -> list[str]:
        rows = database.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'message'::regclass"
        )
        return sorted(name for (name,) in rows)

    first = partitions()
    make_places()
    waiting = send(database, make_customer()).message_ids[0]
    try:
        database.execute("SELECT setval(name, 4000000 * 9) FROM (VALUES ('message_id'), ('batch_id')) AS s (name)")
        database.execute("SELECT ensure_partitions(2)")
        drop_emptied_partitions(database, ahead=2)
        assert partitions() == ["message_00000", "message_00009", "message_00010", "message_00011"]
        assert Message.objects.get().pk == waiting
    finally:
        database.execute("SELECT setval(name, 1) FROM (VALUES ('message_id'), ('batch_id')) AS s (name)")
        database.execute("SELECT ensure_partitions(2)")
    assert set(first) <= set(partitions())


def test_filter_decisions_go_after_three_years(database: Connection) -> None:
    insert = "INSERT INTO filter_decision (at, batch_id, customer_id, rule, number_hash) VALUES (%s, 1, 1, 307, '')"
    for years in (2, 4):
        database.execute(insert, [NOW - timedelta(days=366 * years)])
    assert forget_decisions(database, NOW) == 1
