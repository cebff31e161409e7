"""Composing: files, typed numbers, the counter, and each error beside its field (spec S1–S5, S50)."""

from datetime import datetime, timedelta

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer
from sampan.database import Connection, Snapshot
from sampan.interfaces.portal.compose import counter_of
from sampan.interfaces.tags import HONG_KONG, full_moment
from sampan.messages.moments import latest_schedule
from sampan.messages.tables import ComposeDraft, ComposeList, Purpose
from sampan.uploads.reading import MEBI
from tests.interfaces.portal.pages import (
    TYPED,
    compose,
    csv_file,
    errors_of,
    html,
    location,
    reviewed,
    signed_in,
    words,
)
from tests.uploads.files import saved, xlsx
from tests.world import make_customer, make_places


@pytest.fixture(autouse=True)
def florist(database: Connection) -> Customer:
    make_places()
    return make_customer()


@pytest.fixture
def member(florist: Customer) -> Client:
    return signed_in()


def draft() -> ComposeDraft:
    return ComposeDraft.objects.get()


def test_the_page_begins_with_promotional_now_and_the_usual_choices(member: Client) -> None:
    """spec S5, S93: promotional at the portal"""
    page = html(member.get("/compose/"))
    for chosen in (
        'name="purpose" value="2" checked',
        'value="hk-business" data-route checked',
        '<option value="HarbourFlo" selected',
        '<option value="120" selected',
        'name="when" value="now" checked',
        'name="source" value="file" checked',
    ):
        assert chosen in page, chosen
    assert not ComposeDraft.objects.exists()


def test_routes_to_hong_kong_stand_with_their_prices(member: Client) -> None:
    """spec S40"""
    page = words(member.get("/compose/"))
    assert "Hong Kong, business own sender ID, receipts HK$0.2900" in page
    assert "Hong Kong, economic no sender ID, no receipts HK$0.1800" in page


def test_all_that_was_typed_is_kept_and_leads_to_the_review(member: Client, florist: Customer) -> None:
    """spec S5, S50, S70"""
    review = reviewed(member, purpose="2", route="hk-economic", validity="60", when="later", name="Christmas")
    kept = draft()
    assert review == f"/compose/{kept.pk}/review/"
    assert (kept.customer_id, kept.text, kept.name) == (florist.pk, "Your flowers are on their way.", "Christmas")
    assert (kept.purpose, kept.route, kept.validity_minutes) == (Purpose.PROMOTIONAL, "hk-economic", 60)
    assert kept.scheduled_at == datetime(2026, 12, 24, 8, 30, tzinfo=HONG_KONG)
    page = html(member.get(f"/compose/{kept.pk}/"))
    for shown in (">\n9123 4567\n+853 6612 0034<", 'value="2026-12-24"', 'value="08:30"', 'value="later" checked'):
        assert shown in page, shown


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("list.csv", b"Name,Mobile\nWong,9123 4567\nHo,+853 6612 0034\nLee,2555 0142\nAu,91234567\n"),
        ("list.txt", b"9123 4567\n+853 6612 0034\n2555 0142\n91234567\n"),
        (
            "list.xlsx",
            xlsx(
                [
                    ["Name", "Mobile"],
                    ["Wong", 91234567],
                    ["Ho", "+853 6612 0034"],
                    ["x", "2555 0142"],
                    ["Au", "9123-4567"],
                ]
            ),
        ),
    ],
)
def test_a_file_is_read_by_its_column_of_numbers(member: Client, name: str, octets: bytes) -> None:
    """spec S1"""
    page = location(compose(member, source="file", numbers="", file=SimpleUploadedFile(name, octets), do="count"))
    said = words(member.get(page))
    assert "Numbers to send to: 2 Bad rows: 1 Duplicates removed: 1 Hong Kong 1 · Macau 1" in said
    assert ComposeList.objects.get().numbers == [85291234567, 85366120034]
    if name != "list.txt":
        assert f"{name} Rows: 4," in said
        assert "Numbers are in column B, “Mobile”" in said


def test_the_member_chooses_another_column(member: Client) -> None:
    """spec S1"""
    rows = [["Mobile", "Home", "Note"], ["91234567", "61112222", "a"], ["91234568", "61112223", "=1+1"]]
    file = SimpleUploadedFile("two.csv", "\n".join(",".join(row) for row in rows).encode())
    page = location(compose(member, source="file", file=file, do="count"))
    list_id = ComposeList.objects.get(source="file").pk
    columns = location(member.post(page, TYPED | {"source": "file", "do": f"column-{list_id}"}))
    said = words(member.get(columns))
    assert "B Home 61112222 61112223" in said
    assert location(member.post(columns, {"column": "1"})) == page
    assert ComposeList.objects.get(source="file").numbers == [85261112222, 85261112223]
    assert "column B, “Home”" in words(member.get(page))


def test_a_workbook_of_several_sheets_asks_which(member: Client) -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Old", 0).append(["91234567"])
    book.create_sheet("New").append(["61234567"])
    page = location(compose(member, source="file", file=SimpleUploadedFile("two.xlsx", saved(book)), do="count"))
    assert "sheet “Old”" in words(member.get(page))
    columns = f"{page}columns/{ComposeList.objects.get(source='file').pk}/"
    assert "61234567" in words(member.get(columns, {"sheet": "New"}))
    member.post(columns, {"column": "0", "sheet": "New"})
    assert ComposeList.objects.get(source="file").numbers == [85261234567]
    assert member.get(columns, {"sheet": "None such"}).status_code == 404


def test_a_second_file_is_added_and_a_number_in_both_counts_once(member: Client) -> None:
    """spec S1: split it in two and add both"""
    page = location(compose(member, source="file", file=csv_file([91234567, 91234568]), do="count"))
    member.post(page, TYPED | {"source": "file", "file": csv_file([91234568, 91234569], "b.csv"), "do": "count"})
    said = words(member.get(page))
    assert "Numbers to send to: 3 Bad rows: 0 Duplicates removed: 1" in said
    b = ComposeList.objects.get(file_name="b.csv").pk
    member.post(page, TYPED | {"source": "file", "do": f"remove-{b}"})
    assert "Numbers to send to: 2" in words(member.get(page))
    assert ComposeList.objects.filter(source="file").count() == 1


def test_a_sixth_file_is_one_too_many(member: Client) -> None:
    page = location(compose(member, source="file", file=csv_file([91234560]), do="count"))
    for number in range(1, 5):
        member.post(page, TYPED | {"source": "file", "file": csv_file([91234560 + number]), "do": "count"})
    refused = member.post(page, TYPED | {"source": "file", "file": csv_file([91234566]), "do": "count"})
    assert errors_of(refused)["file"] == "A batch takes at most 5 files. Remove one first."


@pytest.mark.parametrize(
    ("file", "error"),
    [
        (
            SimpleUploadedFile("big.csv", b"9" * (4 * MEBI + 1)),
            "This file is larger than 4 MB. Split it in two and add both.",
        ),
        (csv_file(["91234567"] * 50_002), "This file has more than 50,000 rows. Split it in two and add both."),
        (SimpleUploadedFile("empty.csv", b""), "There is nothing in this file. Choose another."),
        (
            SimpleUploadedFile("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(200)),
            "This is no Excel, CSV or text file. Save it as .xlsx and add that.",
        ),
        (
            SimpleUploadedFile("a.csv", b'a,"91234567\n' + b"b,91234568\n" * 3),
            "A quotation mark in row 1 is not closed. Close or remove it.",
        ),
    ],
    ids=["too large", "too many rows", "empty", "a picture", "an open quote"],
)
def test_a_file_that_cannot_be_read_says_why_beside_it(member: Client, file: SimpleUploadedFile, error: str) -> None:
    """spec S1"""
    refused = compose(member, source="file", file=file)
    assert refused.status_code == 422
    assert errors_of(refused) == {"file": error}
    assert f'<a href="#file">{error}</a>' in html(refused)
    assert "Nothing has been sent or charged." in words(refused)


def test_a_file_without_any_number_lists_every_row_as_bad(member: Client) -> None:
    page = location(compose(member, source="file", file=csv_file(["Name", "Wong", "Ho"]), do="count"))
    said = words(member.get(page))
    assert "Numbers to send to: 0 Bad rows: 2" in said
    assert errors_of(member.post(page, TYPED | {"source": "file"})) == {
        "file": "There is no mobile number among them. “Wong”: Not a number."
    }


def test_all_errors_stand_beside_their_fields_and_at_the_top(member: Client) -> None:
    """design: Writing"""
    refused = compose(
        member, numbers="2555 0142", text="x" * 460, sender="Stranger", when="later", date="2036-11-21", validity="7"
    )
    found = errors_of(refused)
    latest = full_moment(latest_schedule(timezone.now()))[:-6]  # without the time of day
    assert found.pop("date").startswith(f"More than 5 years ahead. The latest is {latest}")
    assert found == {
        "numbers": "There is no mobile number among them. “2555 0142”: Fixed line. Only mobiles can receive SMS.",
        "text": "Too long (460 characters; 459 fit). Shorten the text.",
        "sender": "This sender ID is not one of yours any more. Choose another.",
        "validity": "Not one of these. Choose how long to keep trying.",
    }
    page = html(refused)
    for field, error in found.items():
        assert f'<li><a href="#{field}">{error}</a></li>' in page
        assert f'id="{field}"' in page
        assert f"{field}-error" in page
    assert page.count('aria-invalid="true"') >= 4
    assert "x" * 460 in page


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"text": ""}, {"text": "There is no text. Type one."}),
        ({"text": " \n "}, {"text": "There is no text. Type one."}),
        ({"numbers": ""}, {"numbers": "There is no mobile number yet. Add at least one."}),
        ({"source": "file"}, {"file": "There is no mobile number yet. Add at least one."}),
        ({"when": "later", "date": ""}, {"date": "No date yet. Choose one."}),
        ({"when": "later", "time": "noon"}, {"time": "Not a time. Write it as 08:30."}),
        ({"when": "later", "date": "21/11/2026"}, {"date": "Not a date. Write it as 2026-11-21."}),
        ({"name": "x" * 101}, {"name": "Longer than 100 characters. Shorten the name."}),
        ({"text": "字" * 202}, {"text": "Too long (202 characters; 201 fit). Shorten the text."}),
        (
            {"numbers": "+44 7400 123456", "text": "x" * 460},
            {"text": "Too long (460 characters; 459 fit). Shorten the text."},
        ),
        (
            {"numbers": "+86 138 0013 8000", "text": "字" * 460},
            {"text": "Too long (460 characters; 459 fit). Shorten the text."},
        ),
        (
            {"numbers": "+86 138 0013 8000\n91234567", "text": "字" * 202},
            {"text": "Too long (202 characters; 201 fit). Shorten the text."},
        ),
    ],
)
def test_each_error_says_what_is_wrong_and_how_to_mend_it(
    member: Client, typed: dict[str, str], errors: dict[str, str]
) -> None:
    """spec S20, S24, S50"""
    assert errors_of(compose(member, **typed)) == errors


def test_a_long_text_that_only_goes_to_china_is_fine(member: Client) -> None:
    """spec S24"""
    reviewed(member, numbers="+86 138 0013 8000", text="字" * 459)


def test_counting_again_asks_for_nothing_that_is_not_there_yet(member: Client) -> None:
    """spec S26: without script"""
    page = location(compose(member, numbers="", text="", do="count"))
    assert "Charge units each: 0" in words(member.get(page))
    again = location(member.post(page, TYPED | {"text": "海港花店 [€]", "do": "count"}))
    said = words(member.get(again))
    assert "Charge units each: 1 8 of 70 characters" in said
    assert "Unicode because of 海 港 花 店" in said
    assert "Messages 2 Charge units 2 Price about HK$0.63" in said


def test_the_counter_shows_china_beside_the_others_where_it_counts_otherwise(member: Client) -> None:
    """spec S24, S90"""
    page = location(compose(member, numbers="91234567\n8613800138000", text="x" * 63, do="count"))
    said = words(member.get(page))
    assert "Charge units each: 1 63 of 160 characters English, GSM 7-bit" in said
    assert "Mainland China Charge units each: 2 63 of 120 characters 【舢舨】 is sent, not counted" in said
    assert "Messages 2 Charge units 3 Price about HK$1.01" in said


def test_the_gauge_has_three_bars() -> None:
    assert counter_of("x" * 200).bars == [(153, 153), (47, 153), (0, 153)]
    assert counter_of("").bars == [(0, 160), (0, 160), (0, 160)]
    assert counter_of("字" * 71).bars == [(67, 67), (4, 67), (0, 67)]
    assert [value for value, _ in counter_of("x" * 600).bars] == [153, 153, 153]


def test_a_saved_draft_waits_at_home(member: Client) -> None:
    assert location(compose(member, text="Wreaths are here", do="draft")) == "/"
    home = words(member.get("/"))
    assert "Not sent yet All drafts Wreaths are here Draft of" in home
    assert f'href="/compose/{draft().pk}/"' in html(member.get("/"))


def test_drafts_that_nobody_touched_for_30_days_go(member: Client) -> None:
    compose(member, do="draft")
    ComposeDraft.objects.update(updated_at=timezone.now() - timedelta(days=31))
    compose(member, do="draft", text="another")
    assert draft().text == "another"


def test_a_time_that_has_passed_is_no_error(member: Client) -> None:
    """spec S50: past means now"""
    reviewed(member, when="later", date="2020-01-01", time="00:00")


def test_a_customer_without_a_sender_id_is_told_to_ask_for_one(database: Connection) -> None:
    """spec S60"""
    make_customer("stmarys", name="St Mary’s", senders=())
    member = signed_in("stmarys")
    assert errors_of(compose(member, sender=""))["sender"] == "There is no sender ID yet. Ask us for one."
    reviewed(member, sender="", route="hk-economic")


def test_a_trial_account_sends_from_our_number(database: Connection) -> None:
    """spec S87"""
    make_customer("newone", name="New Ltd", status=Customer.Status.TRIAL, senders=())
    assert '<option value="Sampan" selected>' in html(signed_in("newone").get("/compose/"))


def test_a_suspended_customer_composes_and_is_told_at_the_review(member: Client) -> None:
    Customer.objects.update(status=Customer.Status.SUSPENDED)
    Snapshot.forget_all()
    refused = compose(member)
    assert "The account is suspended or closed. Call us to open it again." in words(refused)


def test_numbers_typed_too_many_are_refused(member: Client) -> None:
    refused = compose(member, numbers="\n".join(["91234567"] * 50_001))
    assert errors_of(refused) == {"numbers": "Too many numbers (50,001). Split them in two batches."}


def test_what_members_type_is_never_markup(member: Client) -> None:
    mark = "<b>&\"'</b>"
    page = location(compose(member, text=mark, name=mark, numbers=mark, do="count"))
    for address in (page, "/", f"{page}bad-rows/"):
        assert mark not in html(member.get(address))
