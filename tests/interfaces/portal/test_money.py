"""Money: what there is, top-ups to file, receipts, the alert of a low balance (spec S85, S89)."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer, Document, Person
from sampan.billing import entries
from sampan.billing.money import pips_of
from sampan.billing.tables import LowBalanceAlert, StaffEntry, TopUp
from sampan.database import Connection
from tests.interfaces.portal.pages import errors_of, html, location, signed_in, words
from tests.world import make_customer, make_mallory, make_staff

PDF = b"%PDF-1.7\nthe bank's words\n%%EOF\n"
FILED = {"amount": "3,000", "way": "fps", "reference": "FRN 388"}


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer()


def file_top_up(client: Client, **changes: Any) -> Any:
    return client.post("/money/", FILED | changes)


def credit(top_up: TopUp) -> None:
    fanny = make_staff("fanny", role=Person.StaffRole.FINANCE)
    entries.enter_for_top_up(StaffEntry.Kind.TOP_UP, top_up.pk, why="listed", by=fanny, now=timezone.now())


def test_the_page_says_what_there_is_and_what_moved(harbour: Customer) -> None:
    said = words(signed_in().get("/money/"))
    assert "Balance you can use HK$1,000.00 HK$1,000.0000 exactly" in said
    assert "None yet. File the first one when you have paid." in said


def test_a_top_up_is_filed_with_the_banks_receipt_and_then_is_with_finance(harbour: Customer) -> None:
    client = signed_in()
    receipt = SimpleUploadedFile("../../收據.pdf", PDF)
    page = client.get(location(file_top_up(client, receipt=receipt)).split("#")[0])
    top_up = TopUp.objects.get()
    assert (top_up.customer, top_up.amount_pips, top_up.way) == (harbour, pips_of("3,000"), "fps")
    assert Document.objects.get() == top_up.document
    assert f"{top_up} FPS FRN 388 With finance" in words(page)
    assert "HK$1,000.00" in words(page), "nothing is credited yet"


def test_what_finance_credits_is_there_at_once_with_a_receipt(harbour: Customer) -> None:
    client = signed_in()
    file_top_up(client)
    top_up = TopUp.objects.get()
    assert client.get(f"/money/receipts/{top_up.pk}.pdf").status_code == 404
    credit(top_up)
    assert "Balance you can use HK$4,000.00" in words(client.get("/money/"))
    receipt = client.get(f"/money/receipts/{top_up.pk}.pdf")
    assert receipt.headers["Content-Type"] == "application/pdf"
    assert receipt.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("amount", "", "There is no amount. Type what you paid."),
        ("amount", "lots", "Not an amount of HK$. Write it as 1,000 or 0.2875."),
        ("amount", "299.99", "Too small. It begins at HK$300.00."),
        ("reference", " ", "There is no payment reference. Copy it from the bank’s receipt."),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_is_filed(
    harbour: Customer, field: str, value: str, error: str
) -> None:
    response = file_top_up(signed_in(), **{field: value})
    assert response.status_code == 422
    assert errors_of(response) == {field: error}
    assert TopUp.objects.count() == 0


def test_a_receipt_is_told_by_its_content_and_not_by_its_name(harbour: Customer) -> None:
    response = file_top_up(signed_in(), receipt=SimpleUploadedFile("receipt.pdf", b"MZ\x90\x00"))
    assert errors_of(response) == {"receipt": "This is no PDF, JPEG or PNG file. Add the receipt as one of them."}
    assert (TopUp.objects.count(), Document.objects.count()) == (0, 0)


def test_amounts_with_a_dollar_sign_are_amounts(harbour: Customer) -> None:
    file_top_up(signed_in(), amount="HK$ 300")
    assert TopUp.objects.get().amount_pips == pips_of("300")


def test_mallory_has_no_receipt_of_anothers(harbour: Customer) -> None:
    make_mallory()
    file_top_up(signed_in())
    top_up = TopUp.objects.get()
    credit(top_up)
    mallory = signed_in("mallory")
    assert mallory.get(f"/money/receipts/{top_up.pk}.pdf").status_code == 404
    assert "FRN 388" not in html(mallory.get("/money/"))


@pytest.mark.parametrize("role", [Person.Role.SENDER, Person.Role.VIEWER])
def test_who_has_nothing_to_do_with_the_money_is_told_so(harbour: Customer, role: Person.Role) -> None:
    Person.objects.create(login_name="yan", customer=harbour, role=role, created_at=timezone.now())
    yan = signed_in("yan")
    for path in ("/money/", "/money/alert/", "/money/statement/", "/money/statement.csv", "/money/sub-accounts/"):
        assert yan.get(path).status_code == 403, path
    assert file_top_up(yan).status_code == 403
    assert 'href="/money/"' not in html(yan.get("/"))


def test_the_alert_is_set_changed_and_ended(harbour: Customer) -> None:
    client = signed_in()
    location(client.post("/money/alert/", {"below": "100", "email": "a@example.com", "mobile": "9123 4567"}))
    alert = LowBalanceAlert.objects.get()
    assert (alert.below_pips, alert.email, alert.mobile) == (pips_of("100"), "a@example.com", 85291234567)
    assert "Below HK$100.00 we tell a@example.com, 85291234567" in words(client.get("/money/"))
    location(client.post("/money/alert/", {"below": "", "email": "a@example.com", "mobile": ""}))
    assert not LowBalanceAlert.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"below": "100"}, "email"),
        ({"below": "-1", "email": "a@example.com"}, "below"),
        ({"below": "x", "email": "a@example.com"}, "below"),
        ({"below": "100", "email": "no address"}, "email"),
        ({"below": "100", "mobile": "2123 4567"}, "mobile"),
    ],
)
def test_an_alert_says_beside_its_field_what_is_wrong(harbour: Customer, given: dict[str, str], field: str) -> None:
    response = signed_in().post("/money/alert/", given)
    assert response.status_code == 422
    assert list(errors_of(response)) == [field]
    assert not LowBalanceAlert.objects.exists()


def test_the_page_is_right_in_its_marks(harbour: Customer) -> None:
    page = html(signed_in().get("/money/"))
    assert len(re.findall("<h1>", page)) == 1
    assert 'aria-current="page"' in page
