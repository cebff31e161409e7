"""How pages write amounts, numbers and times (design: Writing)."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampan.interfaces import tags
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import ComposeDraft
from sampan.reasons import Reason

MOMENT = datetime(2026, 11, 20, 6, 32, 9, 218_400, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pips", "sum_", "price", "exact"),
    [
        (62_401_899, "HK$6,240.18", "HK$6,240.1899", "HK$6,240.1899"),
        (2_900, "HK$0.29", "HK$0.2900", "HK$0.29"),
        (2_875, "HK$0.28", "HK$0.2875", "HK$0.2875"),
        (-27_466_000, "−HK$2,746.60", "−HK$2,746.6000", "−HK$2,746.60"),
        (0, "HK$0.00", "HK$0.0000", "HK$0.00"),
    ],
)
def test_money_is_rounded_down_in_sums_and_whole_where_pips_matter(
    pips: int, sum_: str, price: str, exact: str
) -> None:
    assert (tags.hkd(pips), tags.price(pips), tags.exact(pips)) == (sum_, price, exact)
    assert tags.bare(pips) == price.replace("HK$", "")
    assert tags.bare_exact(pips) == exact.replace("HK$", "")


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (85291234567, "9123 4567"),
        (85366120034, "+853 6612 0034"),
        (8613800138000, "+86 138 0013 8000"),
        (447400123456, "+44 7400 123456"),
        (12025550123, "+1 202-555-0123"),
        (999, "+999"),
    ],
)
def test_numbers_are_written_as_people_here_write_them(number: int, shown: str) -> None:
    assert tags.phone(number) == shown


def test_times_are_hong_kongs() -> None:
    """spec S50"""
    assert tags.clock(MOMENT) == "14:32"
    assert tags.clock_s(MOMENT) == "14:32:09"
    assert tags.clock_ms(MOMENT) == "14:32:09.218"
    assert tags.day(MOMENT) == "20 Nov"
    assert tags.weekday(MOMENT) == "Friday 20 November"
    assert tags.moment(MOMENT) == "20 Nov 14:32"
    assert tags.full_moment(MOMENT) == "20 Nov 2026 14:32"
    assert tags.full_moment_s(MOMENT) == "20 Nov 2026 14:32:09"
    assert tags.iso_day(datetime(2026, 11, 20, 16, 0, tzinfo=UTC)) == "2026-11-21"
    assert tags.machine(MOMENT) == "2026-11-20T14:32:09+08:00"
    assert tags.clock(None) == ""


@pytest.mark.parametrize(
    ("minutes", "shown"), [(10, "10 minutes"), (60, "1 hour"), (120, "2 hours"), (90, "90 minutes"), (1380, "23 hours")]
)
def test_how_long_is_told_in_whole_units(minutes: int, shown: str) -> None:
    assert tags.duration(minutes) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 seconds"), (38, "38 seconds"), (120, "2 minutes"), (7_200, "2 hours")]
)
def test_about_how_long_is_told_roughly(count: int, shown: str) -> None:
    assert tags.seconds(count) == shown


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_a_share_is_never_rounded_to_all_or_to_nothing(whole: int, part: int) -> None:
    part = min(part, whole)
    shown = tags.share(part, whole)
    assert (shown == "100.0%") is (part == whole)
    assert (shown == "0.0%") is (part == 0)
    assert tags.share(0, 0) == "–"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hello €", ""),
        ("海港花店 sale", ' lang="zh-Hant-HK"'),
        ("免费退订", ' lang="zh-Hans-HK"'),
        ("ありがとう", ' lang="ja"'),
        ("감사합니다", ' lang="ko"'),
    ],
)
def test_foreign_runs_are_marked(text: str, language: str) -> None:
    assert tags.lang_of(text) == language


def test_a_status_is_a_shape_a_word_and_a_colour() -> None:
    shown = tags.status(Shown.WAITING)
    assert shown.startswith('<span class="status upload-success"><svg aria-hidden="true"><use href="/static/')
    assert shown.endswith('/sampan/icons.svg#is-scheduling"/></svg>Waiting</span>')
    assert "&lt;b&gt;" in tags.status(Shown.FILTERED, "<b>")


def test_a_reason_is_told_where_there_is_something_to_say() -> None:
    def row(shown: Shown, reason: Reason) -> object:
        return SimpleNamespace(shown=shown, reason=reason, held_pips=2_900)

    assert tags.reason_of(row(Shown.DELIVERED, Reason.NONE)) == ""  # type: ignore[arg-type]
    retry = row(Shown.RETRY, Reason.PHONE_UNREACHABLE)
    assert tags.reason_of(retry) == "304 Phone off, bad reception or forwarded"  # type: ignore[arg-type]
    unknown = row(Shown.UNKNOWN, Reason.OUTCOME_UNKNOWN)
    assert tags.reason_of(unknown) == "HK$0.2900 held until it settles"  # type: ignore[arg-type]


def test_a_draft_is_called_by_its_name_or_how_its_text_begins() -> None:
    assert tags.title(ComposeDraft(name="Wreaths", text="x")) == "Wreaths"
    assert tags.title(ComposeDraft(text="Your  flowers\nare on their way, and will be with you tomorrow")) == (
        "Your flowers are on their way, and will be with…"
    )
    assert tags.title(ComposeDraft()) == "No text yet"


@pytest.mark.parametrize(("count", "shown"), [(999, "999 B"), (214_300, "214 kB"), (4_194_304, "4.2 MB")])
def test_sizes_of_files_are_decimal(count: int, shown: str) -> None:
    assert tags.octets(count) == shown
