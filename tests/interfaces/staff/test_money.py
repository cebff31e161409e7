"""Finance's pages: top-ups, a second person, a customer's money, prices, the daily check (spec S83–S89, S134)."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.billing import ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Certificate, CustomerPrice, Price, StaffEntry, TopUp, Transfer, VolumeTier
from sampan.database import Connection
from sampan.messages.platform import make_platform_account
from tests.billing.money import credited, filed, pips
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import NOW, make_customer, make_places, make_staff

FINANCE = Person.StaffRole.FINANCE
WHY = "the bank's list of 23 November"


@pytest.fixture
def harbour(database: Connection) -> Customer:
    return make_customer(balance="1,000")


@pytest.fixture
def fanny(database: Connection) -> Client:
    make_staff("fanny", role=FINANCE)
    return signed_in("fanny")


@pytest.fixture
def frank(database: Connection) -> Client:
    make_staff("frank", role=FINANCE)
    return signed_in("frank")


def test_a_filed_top_up_is_in_the_worklist_and_credited_at_once(
    database: Connection, fanny: Client, harbour: Customer
) -> None:
    top_up = filed(harbour, "300")
    assert "Top-ups Customers say they paid; look for it 1" in words(fanny.get("/staff/"))
    assert f"{top_up} " in words(fanny.get("/staff/top-ups/"))
    path = f"/staff/top-ups/{top_up.pk}/"
    said = words(fanny.get(location(fanny.post(path, {"do": "credit", "why": WHY}))))
    assert "is done, and the balance is as it should be" in said
    assert pips(database, harbour) == pips_of("1,300")
    assert fanny.post(path, {"do": "credit", "why": WHY}).status_code == 422
    assert pips(database, harbour) == pips_of("1,300")


def test_a_refused_top_up_tells_the_customer_why(fanny: Client, harbour: Customer) -> None:
    top_up = filed(harbour)
    fanny.post(f"/staff/top-ups/{top_up.pk}/", {"do": "refuse", "why": "The cheque was not signed"})
    assert "Not found The cheque was not signed" in words(signed_in().get("/money/"))


def test_what_became_of_a_top_up_is_told_by_mail(fanny: Client, frank: Client, harbour: Customer) -> None:
    """To the owner in their language, and to who filed it; once the second person has confirmed it."""
    owner = Person.objects.get(customer=harbour)
    Person.objects.filter(pk=owner.pk).update(email="wing@harbour.example", language="zh-hant")
    top_up = filed(harbour, "20,000")
    path = f"/staff/top-ups/{top_up.pk}/"
    fanny.post(path, {"do": "credit", "why": WHY})
    assert not Mail.objects.exists()
    frank.post(f"/staff/entries/{StaffEntry.objects.get().pk}/", {"do": "confirm"})
    mail = Mail.objects.get()
    assert (mail.to, mail.subject) == ("wing@harbour.example", f"增值 {top_up} 已入賬")
    assert "HK$20,000.00（FPS 388）" in mail.text
    Person.objects.filter(pk=owner.pk).update(language="en")
    fanny.post(path, {"do": "reverse", "why": "The cheque bounced"})
    frank.post(f"/staff/entries/{StaffEntry.objects.latest('pk').pk}/", {"do": "confirm"})
    mail = Mail.objects.latest("pk")
    assert mail.subject == f"Top-up {top_up} was taken back"
    assert "The cheque bounced" in mail.text
    other = filed(harbour, "300")
    fanny.post(f"/staff/top-ups/{other.pk}/", {"do": "refuse", "why": "Not signed"})
    assert Mail.objects.latest("pk").subject == f"Top-up {other} was not found"


def test_what_was_paid_and_not_filed_is_filed_by_one_and_credited_by_another(
    database: Connection, fanny: Client, frank: Client, harbour: Customer
) -> None:
    """Such as a cheque in the post; nobody alone makes money of it (spec S85)."""
    path = f"/staff/customers/{harbour.pk}/money/file/"
    paid = {"way": "cheque", "amount": "300", "reference": "cheque 100", "why": "came by post"}
    assert fanny.post(path, paid | {"why": ""}).status_code == 422
    assert fanny.post(path, paid | {"way": "gold"}).status_code == 422
    assert fanny.post(path, paid | {"amount": "299"}).status_code == 422
    location(fanny.post(path, paid))
    top_up = TopUp.objects.get()
    assert (top_up.filed_by.login_name, pips(database, harbour)) == ("fanny", pips_of("1,000"))
    assert AuditEntry.objects.get().act == "top_up.file"
    fanny.post(f"/staff/top-ups/{top_up.pk}/", {"do": "credit", "why": WHY})
    entry = StaffEntry.objects.get()
    assert entry.state == StaffEntry.State.WAITING
    frank.post(f"/staff/entries/{entry.pk}/", {"do": "confirm"})
    assert pips(database, harbour) == pips_of("1,300")


def test_finance_is_asked_to_give_the_platform_more_before_its_own_account_is_empty(
    database: Connection, fanny: Client
) -> None:
    make_platform_account(NOW)
    asked = "Our own account runs low It pays for codes and tests: enter a bonus, or nobody can sign up"
    assert asked not in words(fanny.get("/staff/"))
    own = Customer.objects.get(is_platform=True)
    spent = pips_of("99,000.0001")
    ledger.move(database, Transfer.Kind.SERVICE, customer_id=own.pk, amount_pips=spent, now=NOW, note="")
    assert f"{asked} 1" in words(fanny.get("/staff/"))
    assert location(fanny.get("/staff/platform/")) == f"/staff/customers/{own.pk}/money/"


def test_a_reference_that_was_filed_before_is_pointed_out(fanny: Client, harbour: Customer) -> None:
    first, second = filed(harbour, "300"), filed(harbour, "301")
    assert f"This reference was filed before {first}" in words(fanny.get(f"/staff/top-ups/{second.pk}/"))


def test_a_large_top_up_takes_two_people(database: Connection, fanny: Client, frank: Client, harbour: Customer) -> None:
    top_up = filed(harbour, "20,000")
    fanny.post(f"/staff/top-ups/{top_up.pk}/", {"do": "credit", "why": WHY})
    entry = StaffEntry.objects.get()
    path = f"/staff/entries/{entry.pk}/"
    assert "You entered it, so somebody else confirms it" in words(fanny.get(path))
    assert fanny.post(path, {"do": "confirm"}).status_code == 422
    assert pips(database, harbour) == pips_of("1,000")
    assert "Entries of money They need a second person; nobody confirms their own 1" in words(frank.get("/staff/"))
    location(frank.post(path, {"do": "confirm"}))
    assert pips(database, harbour) == pips_of("21,000")
    acts = list(AuditEntry.objects.order_by("pk").values_list("act", "by__login_name"))
    assert acts == [("top_up.credit", "fanny"), ("money.decide", "frank")]


def test_a_reversal_takes_it_back(database: Connection, fanny: Client, harbour: Customer) -> None:
    top_up = credited(harbour, "300", by=Person.objects.get(login_name="fanny"))
    location(fanny.post(f"/staff/top-ups/{top_up.pk}/", {"do": "reverse", "why": "The cheque bounced"}))
    assert pips(database, harbour) == pips_of("1,000")
    assert TopUp.objects.get().state == TopUp.State.REVERSED


def test_finance_enters_a_bonus_and_a_refund_waits(
    database: Connection, fanny: Client, frank: Client, harbour: Customer
) -> None:
    path = f"/staff/customers/{harbour.pk}/money/enter/"
    location(fanny.post(path, {"kind": "bonus", "amount": "20", "why": "an outage"}))
    location(fanny.post(path, {"kind": "refund", "amount": "10", "why": "they asked"}))
    assert pips(database, harbour) == pips_of("1,020")
    assert fanny.post(path, {"kind": "refund", "amount": "1,000.01", "why": "they asked"}).status_code == 422
    assert fanny.post(path, {"kind": "bonus", "amount": "x", "why": "they asked"}).status_code == 422
    assert fanny.post(path, {"kind": "bonus", "amount": "1", "why": " "}).status_code == 422
    frank.post(
        f"/staff/entries/{StaffEntry.objects.get(kind=StaffEntry.Kind.REFUND).pk}/", {"do": "refuse", "why": "no"}
    )
    assert pips(database, harbour) == pips_of("1,020")
    assert "Bonus" in words(fanny.get(f"/staff/customers/{harbour.pk}/money/"))


def test_a_customer_is_linked_money_moved_and_unlinked(database: Connection, fanny: Client, harbour: Customer) -> None:
    macau = make_customer("macau", name="Florist Macau", senders=(), balance="0")
    group = f"/staff/customers/{macau.pk}/group/"
    location(fanny.post(group, {"do": "link", "primary": str(harbour.pk), "why": WHY}))
    enter = f"/staff/customers/{harbour.pk}/money/enter/"
    location(fanny.post(enter, {"kind": "move", "other": str(macau.pk), "amount": "100", "why": WHY}))
    assert pips(database, macau) == pips_of("100")
    location(fanny.post(group, {"do": "unlink", "why": WHY}))
    assert fanny.post(enter, {"kind": "move", "other": str(macau.pk), "amount": "1", "why": WHY}).status_code == 422
    assert fanny.post(group, {"do": "link", "primary": "999999", "why": WHY}).status_code == 404


def test_a_certificate_is_put_on_file_and_taken_off(fanny: Client, harbour: Customer) -> None:
    path = f"/staff/customers/{harbour.pk}/certificate/"
    given = {"number": "91/1234", "valid_from": "2026-01-01", "valid_until": "", "why": "seen"}
    assert fanny.post(path, given | {"valid_from": "x"}).status_code == 200
    assert not Certificate.objects.exists()
    location(fanny.post(path, given))
    assert Certificate.objects.get(withdrawn_at=None).number == "91/1234"
    location(fanny.post(path, {"do": "remove", "why": "revoked"}))
    assert not Certificate.objects.filter(withdrawn_at=None).exists()


def test_a_price_list_is_taken_out_and_put_back_and_a_wrong_line_named(fanny: Client, harbour: Customer) -> None:
    make_places()
    taken_out = html(fanny.get("/staff/prices.csv"))
    wrong = taken_out + "Atlantis,overseas,1,2030-01-01,0.3\n"
    page = fanny.post("/staff/prices/", {"file": SimpleUploadedFile("p.csv", wrong.encode()), "why": WHY})
    assert page.status_code == 422
    assert "Atlantis There is no destination of this name" in words(page)
    right = taken_out + "Macau,macau,2,2030-01-01,0.3\n"
    location(fanny.post("/staff/prices/", {"file": SimpleUploadedFile("p.csv", right.encode()), "why": WHY}))
    assert Price.objects.get(effective_from__year__gte=2029, tier=2).unit_pips == pips_of("0.3")
    own = "destination,route,from,hkd_per_unit\nMacau,macau,,0.2\n"
    path = f"/staff/customers/{harbour.pk}/prices/"
    location(fanny.post(path, {"file": SimpleUploadedFile("p.csv", own.encode()), "why": WHY}))
    assert CustomerPrice.objects.get().customer == harbour
    assert "Macau,macau," in html(fanny.get(f"/staff/customers/{harbour.pk}/prices.csv"))


def test_accounts_and_movements_are_called_in_the_readers_language(fanny: Client, harbour: Customer) -> None:
    fanny.cookies["django_language"] = "zh-hant"
    page = words(fanny.get(f"/staff/customers/{harbour.pk}/money/"))
    assert "可用 1,000.0000 預留 0.0000 已收費 0.0000 已付 −1,000.0000 試用額 0.0000" in page
    assert "增值 the tests' grounds" in page


def test_from_a_refusal_one_gets_back_to_the_page_with_the_button(fanny: Client, harbour: Customer) -> None:
    """The address that was pressed takes presses alone; and no link leads to another site."""
    path = f"/staff/customers/{harbour.pk}/money/"
    for referer, back in ((f"http://localhost{path}", path), ("http://evil.example/", f"{path}enter/")):
        refused = fanny.post(f"{path}enter/", {"kind": "bonus", "amount": "x", "why": WHY}, HTTP_REFERER=referer)
        assert re.search(rf'href="(http://\w+)?{back}"', html(refused))
        assert "evil" not in html(refused)


def test_support_sees_a_customers_money_and_enters_nothing(harbour: Customer) -> None:
    make_staff("wing", role=Person.StaffRole.SUPPORT)
    wing = signed_in("wing")
    page = wing.get(f"/staff/customers/{harbour.pk}/money/")
    assert "1,000.0000" in words(page)
    assert "Enter money" not in words(page)
    assert wing.post(f"/staff/customers/{harbour.pk}/money/enter/", {"kind": "bonus", "amount": "1"}).status_code == 403


def test_the_tiers_are_changed_and_must_rise(fanny: Client) -> None:
    path = "/staff/prices/tiers/"
    location(fanny.post(path, {"tier-1": "300", "tier-2": "5,000", "why": WHY}))
    assert list(VolumeTier.objects.order_by("tier").values_list("tier", "from_pips")) == [
        (1, pips_of("300")),
        (2, pips_of("5,000")),
    ]
    for wrong in ({"tier-1": "300", "tier-2": "300"}, {"tier-2": "300"}, {"tier-1": "x"}, {"tier-1": "-1"}):
        assert fanny.post(path, wrong | {"why": WHY}).status_code == 422
    assert VolumeTier.objects.count() == 2
