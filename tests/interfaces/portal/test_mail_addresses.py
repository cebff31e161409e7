"""The page of sending by mail: where to write, and addresses proven by a code (spec S122)."""

import re

import pytest

from sampan.accounts.proofs.tables import Mail, MailAddress
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from tests.interfaces.portal.pages import errors_of, html, location, signed_in, words
from tests.world import NOW, make_customer, make_mallory

PAGE = "/account/mail/"
ADDRESS = "orders@harbour.example"


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_mallory()
    return make_customer()


def code() -> str:
    """The one of the mail that was written last."""
    found = re.search(r"\b\d{6}\b", Mail.objects.latest("id").text)
    assert found
    return found[0]


def registered() -> MailAddress:
    client = signed_in()
    client.post(PAGE, {"do": "ask", "address": ADDRESS})
    client.post(PAGE, {"do": "code", "address": ADDRESS, "code": code()})
    return MailAddress.objects.get(address=ADDRESS, removed_at=None)


def test_an_address_is_registered_by_the_code_that_was_mailed_to_it(harbour: Customer) -> None:
    client = signed_in()
    assert location(client.post(PAGE, {"do": "ask", "address": "Orders@Harbour.example "})) == PAGE
    assert Mail.objects.get().to == ADDRESS
    assert f"A code is on its way to {ADDRESS}." in words(client.get(PAGE))
    wrong = client.post(PAGE, {"do": "code", "address": ADDRESS, "code": "000000" if code() != "000000" else "1"})
    assert "This is not the code." in errors_of(wrong)["code"]
    assert location(client.post(PAGE, {"do": "code", "address": ADDRESS, "code": code()})) == PAGE
    assert f"{ADDRESS} acts for harbour On" in words(client.get(PAGE))


def test_it_says_where_to_write_and_how(harbour: Customer) -> None:
    said = words(signed_in().get(PAGE))
    for part in ("91234567@sms.localhost", "send@sms.localhost", "To: 9123 4567", "[at=2026-12-01 09:00]", "STARTTLS"):
        assert part in said


def test_it_is_switched_off_and_on_and_removed(harbour: Customer) -> None:
    row, client = registered(), signed_in()
    client.post(PAGE, {"do": "off", "id": row.pk})
    assert "Off" in words(client.get(PAGE))
    client.post(PAGE, {"do": "on", "id": row.pk})
    assert MailAddress.objects.get().is_on
    client.post(PAGE, {"do": "remove", "id": row.pk})
    assert ADDRESS not in words(client.get(PAGE))


@pytest.mark.parametrize("typed", ["", "orders", "a@b", "a@b.example\r\nBcc: c@d.example", "x" * 300 + "@b.example"])
def test_what_is_no_address_is_told_so(harbour: Customer, typed: str) -> None:
    response = signed_in().post(PAGE, {"do": "ask", "address": typed})
    assert (response.status_code, "no mail address" in errors_of(response)["address"]) == (422, True)
    assert not Mail.objects.exists()


def test_a_second_code_waits_and_says_until_when(harbour: Customer) -> None:
    client = signed_in()
    client.post(PAGE, {"do": "ask", "address": ADDRESS})
    assert re.search(
        r"Wait until \d\d:\d\d", errors_of(client.post(PAGE, {"do": "ask", "address": ADDRESS}))["address"]
    )


def test_its_owner_sees_why_the_last_mail_was_not_believed(harbour: Customer) -> None:
    registered()
    MailAddress.objects.update(refused_at=NOW, refused_why="SPF: fail for harbour.example")
    assert "SPF: fail for harbour.example" in words(signed_in().get(PAGE))


def test_mallory_sees_and_changes_no_address_of_anothers(harbour: Customer) -> None:
    row, mallory = registered(), signed_in("mallory")
    for act in ("off", "remove"):
        mallory.post(PAGE, {"do": act, "id": row.pk})
    assert mallory.post(PAGE, {"do": "remove", "id": "9" * 30}).status_code == 302
    row.refresh_from_db()
    assert (row.is_on, row.removed_at) == (True, None)
    assert ADDRESS not in html(mallory.get(PAGE))


def test_only_an_owner_registers_addresses(harbour: Customer) -> None:
    Person.objects.filter(login_name="harbour").update(role=Person.Role.SENDER)
    assert signed_in().get(PAGE).status_code == 403
    assert signed_in().post(PAGE, {"do": "ask", "address": ADDRESS}).status_code == 403
    assert not MailAddress.objects.exists()
