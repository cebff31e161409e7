"""What reports say of messages, and that they read no more than they must (spec S71, S100, S102)."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sampan.billing.money import pips_of
from sampan.database import Connection
from sampan.messages.reports import batches, periods
from sampan.messages.reports.batches import Progress
from sampan.messages.reports.messages import message
from sampan.messages.reports.periods import Search
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Message, Source, Status
from sampan.reasons import Reason
from tests.dispatch.steps import money
from tests.messages.one_of_each import RECIPIENTS, OneOfEach, make_one_of_each
from tests.world import NOW, make_customer, make_mallory, make_places, send

PRICE = pips_of("0.58")


def search(one: OneOfEach, **asked: Any) -> Search:
    period = {"since": NOW - timedelta(hours=1), "until": NOW + timedelta(hours=1)}
    return Search(customer_id=one.customer.pk, **(period | asked))


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    return make_one_of_each(database)


def test_each_message_is_shown_as_it_is(database: Connection, one: OneOfEach) -> None:
    """spec S71, S74, S76"""
    found = {row.id: row.shown for row in periods.rows(database, search(one), most=50)}
    assert found == {id_: one.shown(name) for name, id_ in one.ids.items()}
    for name, id_ in one.ids.items():
        facts = message(database, one.customer.pk, id_)
        assert facts is not None
        assert facts.shown == one.shown(name), name


def test_a_message_being_handed_over_is_processing_as_at_every_other_door(database: Connection, one: OneOfEach) -> None:
    """spec S71: from the first attempt on"""
    id_ = one.ids["being handed over"]
    assert Message.objects.get(pk=id_).status == Status.UPLOAD_SUCCESS
    (row,) = periods.rows(database, search(one, message_id=id_), most=2)
    assert (row.status, row.reason) == (Status.PROCESSING, Reason.PROCESSING)


def test_totals_are_those_of_the_rows(database: Connection, one: OneOfEach) -> None:
    """spec S100"""
    totals = periods.totals(database, search(one))
    rows = periods.rows(database, search(one), most=50)
    assert totals.messages == Counter(row.shown for row in rows)
    assert totals.count == 10
    assert totals.hours[10].messages == totals.messages
    assert sum(hour.messages.total() for hour in totals.hours) == 10
    assert (totals.charged_pips, totals.held_pips) == (
        sum(row.charged_pips for row in rows),
        sum(row.held_pips for row in rows),
    )
    assert money(database, one.customer) == {"held": totals.held_pips, "charged": totals.charged_pips}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"shown": Shown.DELIVERED}, ["delivered"]),
        ({"shown": Shown.PROCESSING}, ["processing", "being handed over"]),
        ({"shown": Shown.FILTERED}, ["filtered"]),
        ({"shown": Shown.UNDELIVERABLE}, ["undeliverable", "refused"]),
        ({"reasons": frozenset({Reason.UNKNOWN_SUBSCRIBER})}, ["undeliverable", "refused"]),
        ({"recipient": RECIPIENTS["retry"]}, ["retry"]),
        ({"recipient": RECIPIENTS["retry"], "message_id": 1}, ["retry"]),
        ({"source": Source.PORTAL, "sender": "HarbourFlo", "recipient": RECIPIENTS["sent"]}, ["sent"]),
        ({"source": Source.SMPP}, []),
        ({"sender": "Stranger"}, []),
        ({"until": NOW}, []),
        ({"since": NOW, "until": NOW + timedelta(microseconds=1), "shown": Shown.WAITING}, ["waiting"]),
    ],
)
def test_a_search_finds_what_it_names_and_nothing_else(
    database: Connection, one: OneOfEach, asked: dict[str, Any], names: list[str]
) -> None:
    """spec S100"""
    asked_for = search(one, **asked)
    assert {row.id for row in periods.rows(database, asked_for, most=50)} == {one.ids[name] for name in names}
    assert periods.totals(database, asked_for).count == len(names)
    assert {exported.row.id for exported in periods.exported(asked_for)} == {one.ids[name] for name in names}


def test_pages_of_rows_follow_one_another_without_gap_or_repeat(database: Connection) -> None:
    """Messages of one batch share their moment; batches of one moment share it, too."""
    make_places()
    florist = make_customer()
    ids = [id_ for _ in range(3) for id_ in send(database, florist, range(85261000000, 85261000007)).message_ids]
    asked = Search(customer_id=florist.pk, since=NOW, until=NOW + timedelta(seconds=1))
    for newest_first in (True, False):
        found: list[int] = []
        after = None
        while page := periods.rows(database, asked, most=4, after=after, newest_first=newest_first):
            found += [row.id for row in page]
            after = page[-1].place
        assert found == sorted(ids, reverse=newest_first)


def test_nobody_else_is_in_a_report(database: Connection, one: OneOfEach) -> None:
    mallory = make_mallory()
    assert periods.rows(database, search(one._replace(customer=mallory)), most=9) == []
    assert batches.batches(database, mallory.pk, [one.batch_id]) == []
    assert batches.being_sent(database, mallory.pk, most=5) == ([], 0)
    assert batches.sent_since(database, mallory.pk, NOW, most=5) == []
    assert message(database, mallory.pk, one.ids["delivered"]) is None


def test_the_money_of_a_batch_adds_up(database: Connection, one: OneOfEach) -> None:
    """spec S80, S82, S82a"""
    (facts,) = batches.batches(database, one.customer.pk, [one.batch_id])
    progress = batches.progress(database, one.customer.pk, facts, NOW)
    china = pips_of("0.72")
    assert progress.held_at_first_pips == facts.price_pips == 8 * PRICE + china
    assert progress.charged_pips == 4 * PRICE + china  # delivered, processing, retry, undeliverable; sent
    assert progress.held_pips == 3 * PRICE  # unknown, being handed over, waiting
    assert progress.released_pips == PRICE  # refused


def test_progress_counts_what_was_handed_over_and_how_fast(database: Connection, one: OneOfEach) -> None:
    """spec S102"""
    (facts,) = batches.batches(database, one.customer.pk, [one.batch_id])
    progress = batches.progress(database, one.customer.pk, facts, NOW)
    assert (progress.to_send, progress.handed_over, progress.waiting) == (9, 8, 1)
    assert (progress.taken_lately, progress.a_second, progress.seconds_left) == (5, 0.5, 2)
    assert (progress.first_taken_at, progress.first_delivered_at) == (NOW, NOW)
    later = batches.progress(database, one.customer.pk, facts, NOW + timedelta(minutes=1))
    assert (later.taken_lately, later.seconds_left) == (0, None)


def test_a_batch_without_messages_has_no_progress(database: Connection, one: OneOfEach) -> None:
    """spec S130: they were deleted"""
    (facts,) = batches.batches(database, one.customer.pk, [one.batch_id])
    database.execute("DELETE FROM message")
    assert batches.progress(database, one.customer.pk, facts, NOW) == Progress()


def test_what_is_being_sent_are_the_largest_batches_that_wait(database: Connection) -> None:
    make_places()
    florist = make_customer()
    sizes = {send(database, florist, range(85261000000, 85261000000 + n)).batch_id: n for n in (1, 3, 2)}
    largest, total = batches.being_sent(database, florist.pk, most=2)
    assert total == 3
    assert {batch.id for batch in largest} == {id_ for id_, size in sizes.items() if size > 1}


def test_what_was_sent_today_is_one_line_a_portal_batch_and_one_an_api(database: Connection, one: OneOfEach) -> None:
    for recipient in (85261234567, 85261234568):
        send(database, one.customer, [recipient], now=NOW + timedelta(minutes=1), source=Source.JSON)
    send(database, one.customer, now=NOW + timedelta(minutes=2), scheduled_at=NOW + timedelta(days=1))
    portal, api = sorted(batches.sent_since(database, one.customer.pk, NOW, most=9), key=lambda sent: sent.source)
    assert (portal.batch_id, portal.name, portal.messages, portal.delivered) == (
        one.batch_id,
        "Christmas market",
        10,
        1,
    )
    assert (api.batch_id, api.source, api.messages) == (None, Source.JSON, 2)
    assert api.since == NOW + timedelta(minutes=1)


def test_what_comes_up_is_in_order_and_has_its_sum(database: Connection) -> None:
    """spec S81"""
    make_places()
    florist = make_customer()
    for hours in (3, 1, 2):
        send(database, florist, name=f"in {hours}", scheduled_at=NOW + timedelta(hours=hours))
    found = batches.coming_up(database, florist.pk, most=2)
    assert [batch.name for batch in found.batches] == ["in 1", "in 2"]
    assert (found.total, found.price_pips, found.last_at) == (3, 3 * pips_of("0.29"), NOW + timedelta(hours=3))
    assert batches.coming_up(database, make_mallory().pk, most=2).total == 0


def test_an_export_reads_all_of_them_with_their_names(database: Connection, one: OneOfEach) -> None:
    """spec S100"""
    found = {exported.row.id: exported for exported in periods.exported(search(one))}
    delivered = found[one.ids["delivered"]]
    assert (delivered.batch_name, delivered.destination, delivered.route) == (
        "Christmas market",
        "Hong Kong",
        "Hong Kong, business",
    )
    assert (delivered.parts, delivered.taken_at, delivered.final_at) == (2, NOW, NOW)
    assert found[one.ids["filtered"]].destination == ""


def plan_of(conn: Connection, sql: str, values: dict[str, Any]) -> str:
    conn.execute("SET enable_seqscan = off")  # a young table would be read whole, being so small
    try:
        return "\n".join(line for (line,) in conn.execute(f"EXPLAIN {sql}".encode(), values))
    finally:
        conn.execute("RESET enable_seqscan")


def test_periods_and_batches_are_read_by_their_index(database: Connection, one: OneOfEach) -> None:
    """One index serves both: a batch's messages share its moment."""
    asked = search(one, shown=Shown.DELIVERED)
    for sql, values in (
        (f"{periods.TOTALS} FROM message m WHERE {asked.conditions} GROUP BY 1, 2", asked.values),
        (
            f"{periods.ROWS} FROM {periods.WITH_BATCH} WHERE {asked.conditions}"
            " ORDER BY m.created_at DESC, m.id DESC LIMIT 50",
            asked.values,
        ),
        (batches.PROGRESS, {"customer": 1, "created_at": NOW, "batch": 1, "lately": NOW}),
    ):
        plan = plan_of(database, sql, values)
        assert "customer_id_created_at_id_idx" in plan, plan
        assert "Seq Scan on message" not in plan, plan
        assert "Sort  (" not in plan or "GROUP BY" in sql, plan
