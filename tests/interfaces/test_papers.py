"""PDFs: each letter by a font that has it, long texts cut, many lines on many sheets."""

import re
import zlib

import pytest

from sampan.interfaces import papers
from sampan.interfaces.papers import Column, Paper, written


def sheets(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def test_a_paper_has_its_title_and_as_many_sheets_as_it_takes() -> None:
    rows = [(f"line {number}", "1.0000") for number in range(120)]
    pdf = written(Paper("Statement", ["Sampan"], [("Customer", "海港花店")], [Column("A", 90), Column("B", 90)], rows))
    assert sheets(pdf) == 3
    assert b"(Statement)" in pdf


@pytest.mark.parametrize(
    ("text", "font"),
    [
        ("海港花店", papers.TRADITIONAL),
        ("让您买卖", papers.SIMPLIFIED),
        ("はな", papers.JAPANESE),
        ("꽃집", papers.KOREAN),
        ("Übung €5 – “so”", papers.LATIN),
    ],
)
def test_each_script_has_its_font(text: str, font: str) -> None:
    assert {face for _run, face in papers._runs(text, papers.LATIN)} == {font}


def test_a_text_wider_than_its_column_is_cut_and_says_so() -> None:
    cut = papers._fitted("海港花店" * 40, papers.LATIN, 8, 100)
    assert cut.endswith(papers.ELLIPSIS)
    assert papers._width(cut, papers.LATIN, 8) <= 100


def test_what_does_not_print_breaks_no_paper() -> None:
    pdf = written(Paper("(\\)", ["a\0b"], [("c", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"))]))
    assert sheets(pdf) == 1
    assert zlib.crc32(pdf)
