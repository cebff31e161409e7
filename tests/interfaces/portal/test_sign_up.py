"""From nobody to a trial account, through the pages (spec S131, S87)."""

from typing import Any

import pytest
from django.test import Client

from sampan.accounts.proofs.tables import OpenSession, ProofSent, SignUp
from sampan.accounts.tables import Application, Customer, Document, Person
from sampan.billing.money import pips_of
from sampan.billing.tables import Transfer
from sampan.database import Connection
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Batch, Message
from tests.interfaces.portal.pages import compose, errors_of, location, signed_in, visitor, words
from tests.uploads.papers import PDF
from tests.world import NOW, make_customer, make_places

FILLED = {
    "company": "Wong Kee Noodles",
    "registration": "39120447-000-05-26-7",
    "contact": "Wong Siu-ming",
    "email": "wong@noodles.example",
    "mobile": "9123 4567",
    "login": "wongkee",
    "password": "hand-made since 1958",
    "again": "hand-made since 1958",
}


@pytest.fixture(autouse=True)
def platform(database: Connection) -> None:
    make_places()
    make_platform_account(NOW)


def fill_in(client: Client, **changes: Any) -> Any:
    return client.post("/sign-up/", FILLED | changes)


def code() -> str:
    return Batch.objects.latest("id").text[:6]


def opened(client: Client, **changes: Any) -> Customer:
    """An account, opened through the pages."""
    assert location(fill_in(client, **changes)) == "/sign-up/code/"
    assert location(client.post("/sign-up/code/", {"code": code()})) == "/"
    return Customer.objects.latest("id")


def test_a_code_to_the_mobile_opens_a_trial_account_with_5_dollars() -> None:
    client = visitor()
    assert "Sign up" in words(client.get("/sign-in/"))
    customer = opened(client)
    assert (customer.status, customer.verified_mobile) == (Customer.Status.TRIAL, 85291234567)
    assert (customer.name, customer.registration_number) == ("Wong Kee Noodles", "39120447")
    owner = Person.objects.get(customer=customer)
    assert (owner.login_name, owner.role, owner.email) == ("wongkee", Person.Role.OWNER, "wong@noodles.example")
    assert owner.check_password(FILLED["password"])
    assert "A trial account with HK$5.00" in words(client.get("/"))
    assert OpenSession.objects.get().person == owner
    assert not SignUp.objects.exists()


def test_the_trial_sends_only_to_the_own_mobile_from_our_number() -> None:
    """spec S87"""
    client = visitor()
    opened(client)
    review = words(client.get(location(compose(client, numbers="9123 4567\n6123 4567", sender=""))))
    assert "A trial account sends only to its own mobile" in review
    assert "Send 1 message" in review


def test_trial_credit_is_given_once_for_a_mobile_and_for_a_registration() -> None:
    """spec S87"""
    opened(visitor())
    opened(visitor(), login="again", mobile="9765 4321")
    assert Transfer.objects.filter(kind=Transfer.Kind.TRIAL).count() == 1
    opened(visitor(), login="other", mobile="9765 4322", registration="50000001")
    assert Transfer.objects.filter(kind=Transfer.Kind.TRIAL, amount_pips=pips_of("5")).count() == 2


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("company", "", "Nothing here yet"),
        ("registration", "1234", "Copy its 8 digits"),
        ("email", "wong", "Not a mail address"),
        ("mobile", "2555 0142", "Fixed line"),
        ("mobile", "+86 138 0013 8000", "Not a Hong Kong mobile"),
        ("login", "w", "3 to 20 letters"),
        ("login", "HARBOUR", "is in use"),
        ("password", "short", "too short"),
        ("password", "wongkee123", "too similar"),
        ("again", "another one", "Not the same twice"),
    ],
)
def test_an_error_stands_beside_its_field_and_nothing_is_sent(field: str, typed: str, said: str) -> None:
    make_customer()
    response = fill_in(visitor(), **{field: typed})
    assert response.status_code == 422
    assert said in errors_of(response)[field]
    assert not Message.objects.exists()
    assert not SignUp.objects.exists()


def test_a_wrong_code_opens_nothing() -> None:
    client = visitor()
    fill_in(client)
    wrong = client.post("/sign-up/code/", {"code": f"{(int(code()) + 1) % 10**6:06}"})
    assert wrong.status_code == 422
    assert "This is not the code." in words(wrong)
    assert not Person.objects.filter(login_name="wongkee").exists()


def test_the_code_of_one_browser_opens_nothing_in_another() -> None:
    fill_in(visitor())
    assert location(visitor().post("/sign-up/code/", {"code": code()})) == "/sign-up/"


def test_another_code_waits_two_minutes() -> None:
    """spec S132"""
    client = visitor()
    fill_in(client)
    again = client.post("/sign-up/code/", {"do": "again"})
    assert "A code was sent less than 2 minutes ago. Wait until" in words(again)
    assert "Wait until" in errors_of(fill_in(visitor(), login="other"))["mobile"]
    assert ProofSent.objects.count() == 1


def test_somebody_faster_with_the_login_name_wins() -> None:
    client = visitor()
    fill_in(client)
    typed = code()
    make_customer("wongkee", name="Wong Key Locks", senders=())
    response = client.post("/sign-up/code/", {"code": typed})
    assert response.status_code == 422
    assert "“wongkee” is in use" in words(response)
    assert not Customer.objects.filter(name="Wong Kee Noodles").exists()


def pdf(octets: bytes = PDF) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("../br\n2026.pdf", octets)


def test_the_registration_is_filed_and_comes_back_to_its_customer_alone() -> None:
    client = visitor()
    opened(client)
    refused = client.post("/account/", {"registration": "39120447", "document": pdf(b"<html>")})
    assert "This is no PDF, JPEG or PNG file." in errors_of(refused)["document"]
    assert location(client.post("/account/", {"registration": "39120447", "document": pdf()})) == "/account/"
    assert "We are looking at it" in words(client.get("/account/"))
    document = Document.objects.get()
    assert Application.objects.get().document == document
    assert document.file_name == "br2026.pdf"
    given = client.get(f"/account/documents/{document.pk}/")
    assert given.content == PDF
    assert given["Content-Disposition"] == "attachment; filename*=UTF-8''br2026.pdf"
    assert given["X-Content-Type-Options"] == "nosniff"
    make_customer("mallory", name="Mallory Ltd", senders=())
    assert signed_in("mallory").get(f"/account/documents/{document.pk}/").status_code == 404
