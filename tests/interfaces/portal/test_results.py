"""Delivery results: a period's messages, found by what one knows of them, and as a file (spec S100)."""

import csv
import io
import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot
from sampan.interfaces.tags import HONG_KONG
from sampan.messages.tables import Source
from tests.interfaces.portal.pages import errors_of, html, signed_in, words
from tests.messages.one_of_each import TEXT, OneOfEach, make_one_of_each
from tests.world import NOW, make_customer, make_places, send

DAY = "2026-11-23"
PERIOD: dict[str, str] = {"from": DAY, "to": DAY}


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    return make_one_of_each(database)


@pytest.fixture
def member(one: OneOfEach) -> Client:
    return signed_in()


def ids_of(page: object) -> list[int]:
    return [int(id_) for id_ in re.findall(r'href="/messages/(\d+)/"', html(page))]


def test_the_totals_come_by_status_with_their_share(member: Client) -> None:
    """spec S100"""
    said = words(member.get("/results/", {"from": DAY, "to": DAY}))
    assert "Messages: 10 HK$3.04 charged, HK$1.74 held" in said
    assert "Delivered 1 10.0%" in said
    assert "Undeliverable 2 20.0%" in said
    assert "Filtered, free 1 10.0%" in said


def test_the_hours_are_a_chart_and_a_table(member: Client) -> None:
    """design: give each chart its table"""
    page = member.get("/results/", {"from": DAY, "to": DAY})
    assert 'aria-label="Messages by hour; the most: 10:00 10"' in html(page)
    assert "10:00 1 6 0 2 1 11:00 0 0 0 0 0" in words(page)
    assert html(page).count('<rect class="delivered"') == 2


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({}, None),
        ({"status": "delivered"}, ["delivered"]),
        ({"status": "undeliverable"}, ["undeliverable", "refused"]),
        ({"status": "filtered"}, ["filtered"]),
        ({"status": "unknown"}, ["unknown"]),
        ({"status": "sent"}, ["sent"]),
        ({"reason": "304"}, ["retry"]),
        ({"reason": "303"}, ["undeliverable", "refused"]),
        ({"number": "9123 0003"}, ["retry"]),
        ({"number": "+86 138-0013-8000"}, ["sent"]),
        ({"sender": "HarbourFlo", "source": "1", "status": "waiting"}, ["waiting"]),
        ({"source": "2"}, []),
        ({"batch": "10001", "status": "retry"}, ["retry"]),
        ({"batch": "10002"}, []),
        ({"status": "nonsense"}, None),
    ],
)
def test_a_search_finds_what_it_names(
    member: Client, one: OneOfEach, asked: dict[str, str], names: list[str] | None
) -> None:
    """spec S100"""
    page = member.get("/results/", {**PERIOD, **asked})
    if asked == {"status": "nonsense"}:
        assert page.status_code == 422
        return
    wanted = sorted((one.ids[name] for name in (one.ids if names is None else names)), reverse=True)
    assert ids_of(page) == wanted
    if not wanted:
        assert "No messages match" in words(page)


def test_a_route_is_searched_by(member: Client, one: OneOfEach) -> None:
    page = html(member.get("/results/", {"more": 1}))
    route = re.search(r'<option value="(\d+)">Mainland China</option>', page)
    assert route
    assert ids_of(member.get("/results/", {**PERIOD, "route": route[1]})) == [one.ids["sent"]]


def test_an_smsd_id_is_found_whatever_the_period(member: Client, one: OneOfEach) -> None:
    """spec S6"""
    id_ = one.ids["delivered"]
    assert ids_of(member.get("/results/", {"number": str(id_), "from": "2026-01-01", "to": "2026-01-02"})) == [id_]


def test_a_number_that_may_be_a_mobile_or_an_id_finds_both(member: Client, database: Connection) -> None:
    """spec S6: IDs reach 8 digits one day"""
    database.execute("SELECT setval('message_id', 91230000)")
    database.execute("SELECT ensure_partitions(1)")
    (id_,) = send(database, make_customer("other"), now=NOW).message_ids  # of another customer
    assert id_ == 91_230_001
    page = member.get("/results/", {"number": str(id_), **PERIOD})
    assert "9123 0001" in words(page)
    assert id_ not in ids_of(page)


def test_the_period_is_whole_days_of_hong_kong(database: Connection) -> None:
    """spec S50, S100"""
    make_places()
    florist = make_customer()
    midnight = datetime(2026, 11, 20, tzinfo=HONG_KONG)
    first, last = (
        send(database, florist, now=moment).message_ids[0]
        for moment in (midnight, midnight + timedelta(days=1) - timedelta(microseconds=1))
    )
    send(database, florist, now=midnight + timedelta(days=1))
    send(database, florist, now=midnight - timedelta(microseconds=1))
    page = signed_in().get("/results/", {"from": "2026-11-20", "to": "2026-11-20"})
    assert ids_of(page) == [last, first]


def test_without_a_period_it_is_the_last_seven_days(member: Client) -> None:
    today = timezone.localtime()
    page = html(member.get("/results/"))
    assert f'name="from" value="{today - timedelta(days=6):%Y-%m-%d}"' in page
    assert f'name="to" value="{today:%Y-%m-%d}"' in page


@pytest.mark.parametrize(
    ("asked", "errors"),
    [
        ({"from": "yesterday"}, {"since": "Not a date. Write it as 2026-11-21."}),
        ({"from": "2026-11-24", "to": DAY}, {"since": "After the end of the period. Choose an earlier day."}),
        ({"from": "2026-01-01", "to": DAY}, {"since": "A period of more than 93 days. Choose a later day."}),
        ({"batch": "x"}, {"batch": "Not a batch. Its number has digits only."}),
        ({"batch": "9" * 19}, {"batch": "Not a batch. Its number has digits only."}),
        ({"number": "Wong"}, {"number": "Neither a mobile number nor an SMSD ID. Check the digits."}),
        ({"number": "1" * 19}, {"number": "Neither a mobile number nor an SMSD ID. Check the digits."}),
    ],
)
def test_what_cannot_be_searched_says_why_beside_its_field(
    member: Client, asked: dict[str, str], errors: dict[str, str]
) -> None:
    page = member.get("/results/", asked)
    assert page.status_code == 422
    assert errors_of(page) == errors
    file = member.get("/results.csv", asked)
    assert file.status_code == 422
    assert errors_of(file) == errors


def test_older_messages_follow_by_a_link_that_keeps_the_search(database: Connection) -> None:
    """By what the last row is, not by how many came before: new messages shift nothing."""
    make_places()
    florist = make_customer()
    sent = send(database, florist, range(85261000000, 85261000120), now=NOW, source=Source.PORTAL)
    member = signed_in()
    address: str | None = f"/results/?from={DAY}&to={DAY}&status=waiting"
    seen: list[int] = []
    while address:
        page = member.get(address)
        seen += ids_of(page)
        assert "of 120" in words(page)
        send(database, florist, [85269999999], now=NOW + timedelta(hours=1), source=Source.JSON)
        database.execute("DELETE FROM message WHERE recipient = 85269999999")
        older = re.search(r'href="(\?[^"]*after=[^"]*)"', html(page))
        address = f"/results/{older[1].replace('&amp;', '&')}" if older else None
    assert seen == sorted(sent.message_ids, reverse=True)


def test_more_filters_come_on_a_press_and_stay_with_what_is_set(member: Client) -> None:
    assert 'id="sender"' not in html(member.get("/results/"))
    more = html(member.get("/results/?more=1&status=retry"))
    assert 'id="sender"' in more
    assert '<option value="retry" selected>' in more
    assert '<option value="304" selected>' in html(member.get("/results/?reason=304"))


def test_a_spreadsheet_has_the_same_with_amounts_and_times_as_such(member: Client, one: OneOfEach) -> None:
    """spec S100"""
    asked = {"from": DAY, "to": DAY}
    response = member.get("/results.xlsx", asked)
    assert response.headers["Content-Disposition"] == f'attachment; filename="messages-{DAY}-{DAY}.xlsx"'
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content))).active  # type: ignore[attr-defined]
    assert sheet is not None
    head, *rows = sheet.iter_rows(values_only=True)
    lines = csv.reader(io.StringIO(html(member.get("/results.csv", asked)).removeprefix("\ufeff")))
    assert list(head) == next(lines)
    known = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    delivered = known[str(one.ids["delivered"])]
    assert set(known) == {str(id_) for id_ in one.ids.values()}
    assert delivered["Accepted, Hong Kong time"] == datetime.fromisoformat("2026-11-23 10:00")
    assert (delivered["Number"], delivered["Charged, HK$"]) == ("85291230001", 0.58)


def test_more_than_a_spreadsheet_is_made_of_is_told(member: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampan.interfaces.portal.results.MOST_IN_XLSX", 2)
    response = member.get("/results.xlsx", {"from": DAY, "to": DAY})
    assert (response.status_code, errors_of(response)) == (
        422,
        {"since": "More than 2 messages. Choose a shorter period, or export CSV."},
    )


def test_the_export_has_every_message_of_the_search(member: Client, one: OneOfEach) -> None:
    """spec S100"""
    response = member.get("/results.csv", {"from": DAY, "to": DAY})
    assert response.headers["Content-Disposition"] == f'attachment; filename="messages-{DAY}-{DAY}.csv"'
    text = html(response)
    assert text.startswith("\ufeff")
    rows = {int(row["SMSD ID"]): row for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))}
    assert set(rows) == set(one.ids.values())
    delivered = rows[one.ids["delivered"]]
    assert delivered == {
        "SMSD ID": str(one.ids["delivered"]),
        "Batch": str(one.batch_id),
        "Batch name": "Christmas market",
        "Accepted, Hong Kong time": "2026-11-23 10:00:00",
        "Number": "85291230001",
        "Destination": "Hong Kong",
        "Status": "22",
        "Status in words": "Delivered",
        "Reason": "300",
        "Reason in words": "",
        "Sender ID": "HarbourFlo",
        "Route": "Hong Kong, business",
        "Source": "Portal",
        "Charge units": "2",
        "Parts": "2",
        "Charged, HK$": "0.5800",
        "Held, HK$": "0.0000",
        "Taken, Hong Kong time": "2026-11-23 10:00:00",
        "Ended, Hong Kong time": "2026-11-23 10:00:00",
        "Text": TEXT,
    }
    being = rows[one.ids["being handed over"]]
    assert (being["Status"], being["Reason"], being["Held, HK$"]) == ("4", "301", "0.5800")


def test_an_export_tells_the_time_by_the_customers_clock(member: Client, one: OneOfEach) -> None:
    """spec S50, S100"""
    Customer.objects.update(time_zone="Europe/London")
    Snapshot.forget_all()
    text = html(member.get("/results.csv", {"from": DAY, "to": DAY}))
    (delivered,) = (
        row
        for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        if row["SMSD ID"] == str(one.ids["delivered"])
    )
    assert delivered["Accepted, Europe/London time"] == "2026-11-23 02:00:00"
    assert delivered["Ended, Europe/London time"] == "2026-11-23 02:00:00"


def test_the_page_says_how_long_results_are_kept(member: Client) -> None:
    """spec S130"""
    assert "Kept for 2 months" in words(member.get("/results/"))
    Customer.objects.update(results_kept_months=1)
    Snapshot.forget_all()
    assert "Kept for 1 month " in words(member.get("/results/"))


def test_an_export_of_one_status_has_those_alone(member: Client, one: OneOfEach) -> None:
    text = html(member.get("/results.csv", {"from": DAY, "to": DAY, "status": "retry"}))
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == [str(one.ids["retry"])]


def test_no_cell_of_an_export_is_run_by_a_spreadsheet(database: Connection) -> None:
    make_places()
    send(database, make_customer(), now=NOW, text="=1+1", name="+SUM(A1)")
    line = html(signed_in().get("/results.csv", {"from": DAY, "to": DAY})).splitlines()[1]
    assert ",'=1+1" in line
    assert ",'+SUM(A1)," in line
