"""What a member says of themselves, and the mobile that codes go to, through the pages (spec S131, S132)."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from sampan.accounts import codes
from sampan.accounts.proofs.tables import Mail, ProofSent
from sampan.accounts.tables import Person
from sampan.database import Connection
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Batch
from tests.interfaces.portal.pages import errors_of, location, signed_in, visitor, words
from tests.world import NOW, PASSWORD, make_customer, make_places

HERE = "/account/you/"
FILLED = {
    "do": "details",
    "name": "Wing Lam",
    "email": "wing@harbour.example",
    "language": "zh-hant",
    "current": PASSWORD,
}


@pytest.fixture(autouse=True)
def yan(database: Connection) -> Person:
    """A viewer, who came by an invitation: nobody has a mobile of theirs."""
    make_places()
    make_platform_account(NOW)
    customer = make_customer()
    yan = Person(login_name="yan", customer=customer, role=Person.Role.VIEWER, created_at=NOW)
    yan.email = "yan@harbour.example"
    yan.set_password(PASSWORD)
    yan.save()
    return yan


def code() -> str:
    found = re.search(r"\d{6}", Batch.objects.latest("id").text)
    assert found
    return found[0]


def test_name_mail_address_and_language_are_changed_with_the_password(yan: Person) -> None:
    client = signed_in("yan")
    assert "You sign in as yan" in words(client.get(HERE))
    assert location(client.post(HERE, FILLED)) == HERE
    assert "Your details are changed." in words(client.get(HERE))
    yan.refresh_from_db()
    assert (yan.name, yan.email, yan.language) == ("Wing Lam", "wing@harbour.example", "zh-hant")
    assert Mail.objects.get().to == "yan@harbour.example", "the address that counts no more is told"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("current", "a guess", "Not your password"),
        ("current", "", "Nothing here yet"),
        ("email", "wing", "Not a mail address"),
        ("name", "", "Nothing here yet"),
        ("language", "tlh", "Select a valid choice"),
    ],
)
def test_what_stands_against_it_stands_beside_its_field(yan: Person, field: str, typed: str, said: str) -> None:
    response = signed_in("yan").post(HERE, FILLED | {field: typed})
    assert response.status_code == 422
    assert said in errors_of(response)[field]
    yan.refresh_from_db()
    assert yan.email == "yan@harbour.example"


def test_another_mobile_counts_when_its_code_came_back_and_gets_the_password_codes(yan: Person) -> None:
    client = signed_in("yan")
    assert "None yet: a forgotten password comes by mail alone." in words(client.get(HERE))
    asked = {"do": "mobile", "mobile": "9765 4321", "current": PASSWORD}
    assert "Not your password" in errors_of(client.post(HERE, asked | {"current": "a guess"}))["proof"]
    assert "Fixed line" in errors_of(client.post(HERE, asked | {"mobile": "2555 0142"}))["mobile"]
    assert location(client.post(HERE, asked)) == HERE
    wrong = client.post(HERE, {"do": "code", "code": f"{(int(code()) + 1) % 10**6:06}"})
    assert "This is not the code." in errors_of(wrong)["code"]
    yan.refresh_from_db()
    assert yan.mobile is None
    assert location(client.post(HERE, {"do": "code", "code": code()})) == HERE
    yan.refresh_from_db()
    assert yan.mobile == 85297654321
    ProofSent.objects.update(sent_at=timezone.now() - codes.ONE_IN - timedelta(seconds=1))
    visitor().post("/password/", {"name": "yan"})
    assert ProofSent.objects.latest("id").mobile == 85297654321


def test_its_codes_are_as_few_as_all_others(yan: Person) -> None:
    """spec S132: they are ours to pay."""
    client = signed_in("yan")
    asked = {"do": "mobile", "mobile": "9765 4321", "current": PASSWORD}
    client.post(HERE, asked)
    assert "less than 2 minutes ago" in errors_of(client.post(HERE, asked))["mobile"]
    assert ProofSent.objects.count() == 1


def test_a_code_for_one_mobile_takes_no_other(yan: Person) -> None:
    client = signed_in("yan")
    assert "Your mobile is changed." not in words(client.post(HERE, {"do": "code", "code": "123456"}))
    yan.refresh_from_db()
    assert yan.mobile is None
