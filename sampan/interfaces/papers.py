"""PDFs of receipts and statements: headings, facts and one table, on as many sheets of A4 as it takes.

The fonts are the PDF's own standard ones, for Chinese, Japanese and Korean too; a reader that has none of those on its
machine shows its own. So nothing is embedded and no font file is kept (docs/decisions/0015-papers.md).
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from django.http import HttpResponse
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

WIDTH, HEIGHT = A4
MARGIN, FOOT = 18 * mm, 16 * mm
LATIN, BOLD = "Helvetica", "Helvetica-Bold"
TRADITIONAL, SIMPLIFIED, JAPANESE, KOREAN = "MSung-Light", "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
TITLE, TEXT, SMALL = 16, 9.5, 8
LEADING = 5.2 * mm
ELLIPSIS = "…"
_LETTERS = r"\u0000-\u024f\u2010-\u2027\u2030-\u203a\u20ac"  # what the Latin fonts have, and a little more
_RUNS = re.compile(f"([{_LETTERS}]+)|[^{_LETTERS}]+")
_KANA = re.compile(r"[\u3041-\u30ff]")
_HANGUL = re.compile(r"[\uac00-\ud7a3]")

for _font in (TRADITIONAL, SIMPLIFIED, JAPANESE, KOREAN):
    pdfmetrics.registerFont(UnicodeCIDFont(_font))


class Column(NamedTuple):
    """A column of the table: its heading, and its width; numbers stand at its right edge."""

    words: str
    width: float
    is_number: bool = False


class Paper(NamedTuple):
    """What a PDF says. `letter` is who we are, `facts` are pairs of a name and what it is."""

    title: str
    letter: Sequence[str]
    facts: Sequence[tuple[str, str]]
    columns: Sequence[Column] = ()
    rows: Iterable[Sequence[str]] = ()
    closing: Sequence[str] = ()


def pdf_response(name: str, paper: Paper) -> HttpResponse:
    """A download."""
    response = HttpResponse(written(paper), content_type="application/pdf")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def written(paper: Paper) -> bytes:
    """The PDF's octets."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=A4, pageCompression=1)
    canvas.setTitle(paper.title)
    canvas.setAuthor(paper.letter[0] if paper.letter else "")
    sheet = _Sheet(canvas)
    for place, line in enumerate(paper.letter):
        sheet.line(line, BOLD if place == 0 else LATIN, TEXT if place == 0 else SMALL)
    sheet.down(4 * mm)
    sheet.line(paper.title, BOLD, TITLE)
    sheet.down(3 * mm)
    for name, value in paper.facts:
        sheet.pair(name, value)
    if paper.columns:
        sheet.down(3 * mm)
        sheet.table(paper.columns, paper.rows)
    sheet.down(3 * mm)
    for line in paper.closing:
        sheet.line(line, LATIN, SMALL)
    sheet.end()
    canvas.save()
    return file.getvalue()


class _Sheet:
    """Where the next line goes; it turns to a new page by itself."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self._y = HEIGHT - MARGIN
        self._page = 1

    def down(self, length: float) -> None:
        self._y -= length
        if self._y < FOOT + LEADING:
            self.end()
            self._canvas.showPage()
            self._y = HEIGHT - MARGIN
            self._page += 1

    def end(self) -> None:
        """The foot of the page."""
        _draw(self._canvas, WIDTH - MARGIN, FOOT - 6 * mm, str(self._page), LATIN, SMALL, at_right=True)

    def line(self, text: str, font: str, size: float) -> None:
        self.down(max(LEADING, size * 1.4))
        _draw(self._canvas, MARGIN, self._y, _fitted(text, font, size, WIDTH - 2 * MARGIN), font, size)

    def pair(self, name: str, value: str) -> None:
        self.down(LEADING)
        _draw(self._canvas, MARGIN, self._y, name, LATIN, TEXT)
        at = MARGIN + 50 * mm
        _draw(self._canvas, at, self._y, _fitted(value, LATIN, TEXT, WIDTH - MARGIN - at), LATIN, TEXT)

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
        self.down(LEADING)
        self._row(columns, [column.words for column in columns], BOLD)
        page = self._page
        for row in rows:
            self.down(0)
            if self._page != page:
                self._row(columns, [column.words for column in columns], BOLD)
                page = self._page
            self._row(columns, row, LATIN)

    def _row(self, columns: Sequence[Column], cells: Sequence[str], font: str) -> None:
        at = MARGIN
        for column, cell in zip(columns, cells, strict=True):
            text = _fitted(cell, font, SMALL, column.width - 2 * mm)
            edge = at + column.width - 2 * mm if column.is_number else at
            _draw(self._canvas, edge, self._y, text, font, SMALL, at_right=column.is_number)
            at += column.width
        if font == BOLD:
            self._canvas.line(MARGIN, self._y - 1.4 * mm, WIDTH - MARGIN, self._y - 1.4 * mm)
        self._y -= LEADING


def _runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """The text in pieces, each with the font that has its letters."""
    for run in _RUNS.finditer(text):
        yield run[0], font if run[1] else _asian(text)


def _asian(text: str) -> str:
    """By what else the text has: kana and hangul are told apart, and of Chinese what Big5 can write."""
    if _KANA.search(text):
        return JAPANESE
    if _HANGUL.search(text):
        return KOREAN
    han = "".join(letter for letter in text if "\u3400" <= letter <= "\u9fff")
    return TRADITIONAL if han.encode("big5hkscs", "ignore").decode("big5hkscs") == han else SIMPLIFIED


def _width(text: str, font: str, size: float) -> float:
    return sum(float(pdfmetrics.stringWidth(run, face, size)) for run, face in _runs(text, font))


def _fitted(text: str, font: str, size: float, room: float) -> str:
    """The text, cut where it is wider than the room."""
    text = " ".join(text.split())
    if _width(text, font, size) <= room:
        return text
    while text and _width(text + ELLIPSIS, font, size) > room:
        text = text[:-1]
    return text + ELLIPSIS


def _draw(canvas: Canvas, x: float, y: float, text: str, font: str, size: float, *, at_right: bool = False) -> None:  # noqa: PLR0917
    if at_right:
        x -= _width(text, font, size)
    for run, face in _runs(text, font):
        canvas.setFont(face, size)
        canvas.drawString(x, y, run)
        x += pdfmetrics.stringWidth(run, face, size)
