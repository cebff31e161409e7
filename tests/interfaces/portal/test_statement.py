"""The statement as a page, CSV, XLSX and PDF (spec S89)."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from openpyxl import load_workbook

from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Transfer
from sampan.database import Connection
from tests.interfaces.portal.pages import errors_of, html, signed_in, words
from tests.world import NOW, make_customer, make_mallory

MOVED = ((Transfer.Kind.HOLD, 3), (Transfer.Kind.CHARGE, 2), (Transfer.Kind.SENT, 20))
NOVEMBER = "?from=2026-11-01&to=2026-11-30"


@pytest.fixture
def harbour(database: Connection) -> Customer:
    """HK$1,000 paid; then 3 held and 2 of them charged, and 20 sent to a name that looks like a formula."""
    harbour = make_customer()
    for second, (kind, dollars) in enumerate(MOVED, 1):
        ledger.move(
            database,
            kind,
            customer_id=harbour.pk,
            amount_pips=dollars * 10_000,
            now=NOW + timedelta(seconds=second),
            note='=HYPERLINK("x")',
        )
    return harbour


def octets(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def test_the_page_goes_from_opening_to_closing(harbour: Customer) -> None:
    said = words(signed_in().get(f"/money/statement/{NOVEMBER}"))
    assert "Opening balance 0.0000 In 1,000.0000 Out 22.0000 Closing balance 978.0000 1.0000 is held now" in said
    assert "Messages, one charge" in said


def test_a_csv_has_every_movement_and_no_cell_that_computes(harbour: Customer) -> None:
    response = signed_in().get(f"/money/statement.csv{NOVEMBER}")
    rows = list(csv.reader(io.StringIO(octets(response).decode("utf-8-sig"))))
    assert [row[3:] for row in rows[1:]] == [
        ["1000.0000", "1000.0000", "0.0000"],
        ["3.0000", "997.0000", "3.0000"],
        ["2.0000", "997.0000", "1.0000"],
        ["20.0000", "977.0000", "1.0000"],
    ]
    assert rows[4][2] == 'Sent to =HYPERLINK("x")'


def test_an_xlsx_has_the_same_as_numbers_and_texts(harbour: Customer) -> None:
    response = signed_in().get(f"/money/statement.xlsx{NOVEMBER}")
    sheet = load_workbook(io.BytesIO(octets(response))).active
    assert sheet is not None
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[2][3:] == (3, 997, 3)
    assert len(rows) == 5
    assert {cell.data_type for cell in list(sheet.columns)[2]} == {"s"}


def test_a_pdf_is_one(harbour: Customer) -> None:
    Customer.objects.filter(pk=harbour.pk).update(name="海港花店 · 한국 · かな")
    pdf = octets(signed_in().get(f"/money/statement.pdf{NOVEMBER}"))
    assert pdf.startswith(b"%PDF-")
    assert b"MSung" in pdf


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("?from=x&to=2026-11-02", "first"),
        ("?from=2026-11-03&to=2026-11-02", "last"),
        ("?from=2025-01-01&to=2026-11-02", "last"),
        ("?from=0001-01-01&to=0001-01-02", "first"),
    ],
)
def test_days_that_cannot_be_are_told_so(harbour: Customer, asked: str, field: str) -> None:
    for path in ("statement/", "statement.csv", "statement.pdf"):
        response = signed_in().get(f"/money/{path}{asked}")
        assert (response.status_code, list(errors_of(response))) == (422, [field])


def test_mallorys_statement_has_nothing_of_anothers(harbour: Customer) -> None:
    make_mallory()
    mallory = signed_in("mallory")
    assert "HYPERLINK" not in html(mallory.get(f"/money/statement/{NOVEMBER}"))
    for kind in ("csv", "xlsx"):
        content = octets(mallory.get(f"/money/statement.{kind}{NOVEMBER}"))
        assert b"HYPERLINK" not in content
    assert octets(mallory.get(f"/money/statement.csv{NOVEMBER}")).count(b"\n") == 2
