"""The law in the console: register, settings, words, numbers, signatures, purposes (spec S90–S95, S134)."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.compliance.settings import strictness
from sampan.compliance.signatures import request_signature
from sampan.compliance.tables import ChinaNumber, ChinaSignature, ChinaWord, RegisteredNumber
from sampan.database import Connection, Snapshot
from tests.interfaces.portal.pages import html, location, signed_in, words
from tests.world import NOW, make_customer, make_staff


@pytest.fixture
def carol(database: Connection) -> Client:
    make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    return signed_in("carol")


def file(octets: bytes, name: str = "register.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, octets)


def load(client: Client, octets: bytes, **typed: Any) -> Any:
    given = {"do": "import", "kind": "1", "register_date": "2026-11-20", "file": file(octets)}
    return client.post("/staff/register/", given | typed)


def last_act() -> str:
    return AuditEntry.objects.latest("pk").act


# The register


def test_the_register_is_imported_and_its_bad_rows_are_named(carol: Client) -> None:
    assert "None was imported yet" in words(carol.get("/staff/register/"))
    assert location(load(carol, b"61234567,2008-01-24\n1234\n")) == "/staff/register/"
    Snapshot.forget_all()
    page = words(carol.get("/staff/register/"))
    assert "the register as of 2026-11-20" in page
    assert "rows 2, bad 1" in page
    assert "2: 1234" in page
    assert RegisteredNumber.objects.count() == 1
    assert last_act() == "register.import"


def test_a_file_that_cannot_be_the_register_is_refused_beside_its_field(carol: Client) -> None:
    load(carol, b"61234567\n61234568\n61234569\n")
    answer = load(carol, b"61234567\n")
    assert answer.status_code == 422
    assert "The register would lose more than half (3 → 1)" in words(answer)
    assert location(load(carol, b"61234567\n", may_shrink="on"))
    assert RegisteredNumber.objects.count() == 1
    assert "There is no Hong Kong number" in words(load(carol, b"none\n"))


def test_how_strict_we_are_is_set_on_the_same_page(carol: Client, database: Connection) -> None:
    typed = {"do": "settings", "register_waits": "on"}
    assert carol.post("/staff/register/", typed).status_code == 422
    assert location(carol.post("/staff/register/", typed | {"why": "the law allows it"}))
    Snapshot.forget_all()
    in_force = strictness.get(database)
    assert (in_force.register_waits, in_force.footer_refuses) == (True, False)


# Words


def add_words(client: Client, **typed: Any) -> Any:
    return client.post("/staff/china/words/", {"do": "add", "words": "", "why": "the operator's list"} | typed)


def test_words_are_added_found_tried_and_removed(carol: Client) -> None:
    assert location(add_words(carol, words="发票\n賭博"))
    assert "Words added: 2; removed: 0" in words(carol.get("/staff/china/words/"))
    assert "賭博" in words(carol.get("/staff/china/words/?asked=赌"))
    assert "发票" not in words(carol.get("/staff/china/words/?asked=赌"))
    tried = words(carol.get("/staff/china/words/", {"text": "代開發.票"}))
    assert "It would be stopped by: 发票" in tried
    assert "Nothing in it is barred" in words(carol.get("/staff/china/words/", {"text": "早安"}))
    of_one = f"/staff/china/words/{ChinaWord.objects.get(word='发票').pk}/"
    assert carol.post(of_one, {"why": ""}).status_code == 422
    assert location(carol.post(of_one, {"why": "the operator lets it pass"})) == "/staff/china/words/"
    assert ChinaWord.objects.count() == 1
    assert last_act() == "china_words.change"


def test_a_file_of_words_replaces_the_library_and_the_library_comes_out_as_one(carol: Client) -> None:
    add_words(carol, words="发票")
    assert location(add_words(carol, file=file("\ufeff枪\r\n赌博\r\n".encode(), "words.txt"), replaces="on"))
    assert html(carol.get("/staff/china/words.txt")).split() == ["枪", "赌博"]


@pytest.mark.parametrize("typed", [{}, {"words": "。"}, {"file": file("發".encode("big5"), "w.txt")}])
def test_what_is_no_word_is_refused(carol: Client, typed: dict[str, Any]) -> None:
    assert add_words(carol, **typed).status_code == 422
    assert not ChinaWord.objects.exists()


# Numbers


def test_numbers_are_listed_and_taken_off_with_their_grounds(carol: Client) -> None:
    typed = {"do": "add", "numbers": "8613812345678\n8613812345679", "kind": "1", "grounds": "complained to OFCA"}
    assert location(carol.post("/staff/china/numbers/", typed))
    page = words(carol.get("/staff/china/numbers/?asked=8613812345678"))
    assert "8613812345678" in page
    assert "8613812345679" not in page
    row = ChinaNumber.objects.get(number=8613812345678)
    assert carol.post(f"/staff/china/numbers/{row.pk}/", {"why": ""}).status_code == 422
    assert location(carol.post(f"/staff/china/numbers/{row.pk}/", {"why": "a mistake"}))
    assert ChinaNumber.objects.count() == 1


def test_a_number_elsewhere_is_refused(carol: Client) -> None:
    typed = {"do": "add", "numbers": "85261234567", "kind": "2", "grounds": "x"}
    answer = carol.post("/staff/china/numbers/", typed)
    assert answer.status_code == 422
    assert "is no mobile number of mainland China" in words(answer)


# Signatures


@pytest.fixture
def asked(carol: Client) -> ChinaSignature:
    harbour = make_customer()
    return request_signature(harbour, "海港花店", grounds="the shop's name", by=harbour.members.get(), now=NOW)


def test_a_request_waits_on_the_worklist_and_is_approved(carol: Client, asked: ChinaSignature) -> None:
    assert "China signatures Approve them, or send them back with words 1" in words(carol.get("/staff/"))
    assert "【海港花店】 Harbour Florist the shop's name With staff" in words(carol.get("/staff/china/signatures/"))
    assert location(carol.post(f"/staff/china/signatures/{asked.pk}/", {"do": "approve", "why": "their shop"}))
    asked.refresh_from_db()
    assert asked.state == ChinaSignature.State.APPROVED
    assert "In use" in words(carol.get("/staff/china/signatures/"))


def test_it_is_sent_back_with_words_only(carol: Client, asked: ChinaSignature) -> None:
    path = f"/staff/china/signatures/{asked.pk}/"
    assert carol.post(path, {"do": "back", "why": ""}).status_code == 422
    assert carol.post(path, {"do": "nonsense"}).status_code == 422
    assert location(carol.post(path, {"do": "back", "why": "Send the trade mark"}))
    answer = carol.post(path, {"do": "approve", "why": "their shop"})
    assert answer.status_code == 422
    asked.refresh_from_db()
    assert (asked.state, asked.words) == (ChinaSignature.State.SENT_BACK, "Send the trade mark")


# Purposes


def test_a_customer_is_held_for_promotional(carol: Client, asked: ChinaSignature) -> None:
    harbour = Customer.objects.get()
    assert f"/staff/customers/{harbour.pk}/purpose/" in html(carol.get(f"/staff/customers/{harbour.pk}/"))
    answer = carol.post(f"/staff/customers/{harbour.pk}/purpose/", {"promotional_only": "on", "why": "spam"})
    assert location(answer) == f"/staff/customers/{harbour.pk}/"
    harbour.refresh_from_db()
    assert harbour.promotional_only
    assert last_act() == "customer.fix_purpose"
