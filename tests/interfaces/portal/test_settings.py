"""Members, sender IDs, keys and forgotten passwords, through the pages (spec S60, S62, S131, S132, S136)."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sampan.accounts import codes
from sampan.accounts.access import authenticate
from sampan.accounts.keys import Scope, holder_of
from sampan.accounts.proofs.tables import Mail, ProofSent
from sampan.accounts.tables import ApiKey, Person, SenderRequest
from sampan.billing import ledger
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Batch, Message
from sampan.reasons import Refused
from tests.interfaces.portal.pages import errors_of, html, location, signed_in, visitor, words
from tests.uploads.papers import PDF
from tests.world import NOW, PASSWORD, make_customer, make_mallory, make_places

MOBILE = 85291234567
NEW = "hand-made since 1958"


@pytest.fixture(autouse=True)
def owner(database: Connection) -> Person:
    make_places()
    make_platform_account(NOW)
    make_customer()
    make_mallory()
    owner = Person.objects.get(login_name="harbour")
    owner.mobile, owner.email = MOBILE, "wing@harbour.example"
    owner.save()
    return owner


def code() -> str:
    return Batch.objects.latest("id").text[:6]


def link() -> str:
    found = re.search(r"http://localhost(/\S+)", Mail.objects.latest("id").text)
    assert found
    return found[1]


# Members


def test_an_invitation_leads_to_a_member_of_that_role() -> None:
    client = signed_in()
    asked = {"do": "invite", "email": "yan@harbour.example", "role": "sender"}
    assert location(client.post("/account/members/", asked)) == "/account/members/"
    assert "yan@harbour.example invited" in words(client.get("/account/members/"))
    guest = visitor()
    page = link()
    assert "Of Harbour Florist, as sender." in words(guest.get(page))
    filled = {"name": "Yan", "login": "harbour", "password": NEW, "again": NEW}
    assert "is in use" in errors_of(guest.post(page, filled))["login"]
    assert location(guest.post(page, filled | {"login": "yan"})) == "/"
    yan = Person.objects.get(login_name="yan")
    assert (yan.role, yan.may_send) == ("sender", False)
    assert visitor().get(page).status_code == 410


def test_the_last_owner_stays_and_others_are_changed_and_removed(owner: Person) -> None:
    client = signed_in()
    refused = client.post("/account/members/", {"do": "remove", "id": owner.pk})
    assert "An account needs an owner." in words(refused)
    yan = Person.objects.create(login_name="yan", customer=owner.customer, role="viewer", created_at=NOW)
    client.post("/account/members/", {"do": "change", "id": yan.pk, "role": "finance", "may_send": "on"})
    yan.refresh_from_db()
    assert yan.role == "finance"
    session = signed_in("yan")
    client.post("/account/members/", {"do": "remove", "id": yan.pk})
    assert location(session.get("/")).startswith("/sign-in/")


def test_mallory_reaches_no_member_key_or_sender_of_anothers(owner: Person) -> None:
    mallory = signed_in("mallory")
    assert mallory.post("/account/members/", {"do": "remove", "id": owner.pk}).status_code == 404
    assert owner.customer is not None
    assert owner.customer
    key = ApiKey.objects.create(customer=owner.customer, person=owner, name="x", sha256=b"x", created_at=NOW)
    mallory.post("/account/keys/", {"do": "revoke", "key": key.pk})
    assert ApiKey.objects.get().revoked_at is None
    for page in ("members", "keys", "sender-ids"):
        shown = html(mallory.get(f"/account/{page}/"))
        assert "harbour" not in shown.lower()


# Sender IDs


def test_a_name_is_asked_for_with_its_document() -> None:
    client = signed_in()
    asked: dict[str, Any] = {"do": "name", "sender": "Harbour-Flo", "grounds": "registration"}

    def press(**changes: Any) -> Any:
        return client.post("/account/sender-ids/", asked | {"document": SimpleUploadedFile("br.pdf", PDF)} | changes)

    assert "“Harbour-Flo” cannot be one." in errors_of(press())["sender"]
    assert "no PDF" in errors_of(press(sender="HFWedding", document=SimpleUploadedFile("b.pdf", b"x")))["document"]
    assert location(press(sender="HFWedding")) == "/account/sender-ids/"
    assert "HFWedding With us" in words(client.get("/account/sender-ids/"))
    assert SenderRequest.objects.get().document is not None


def test_a_number_is_asked_for_by_its_code() -> None:
    """spec S62"""
    client = signed_in()
    assert (
        "Fixed line" in errors_of(client.post("/account/sender-ids/", {"do": "number", "mobile": "25550142"}))["mobile"]
    )
    client.post("/account/sender-ids/", {"do": "number", "mobile": "9988 7766"})
    assert "A code is on its way to 9988 7766." in words(client.get("/account/sender-ids/"))
    wrong = f"{(int(code()) + 1) % 10**6:06}"
    assert (
        "This is not the code." in errors_of(client.post("/account/sender-ids/", {"do": "code", "code": wrong}))["code"]
    )
    assert location(client.post("/account/sender-ids/", {"do": "code", "code": code()})) == "/account/sender-ids/"
    assert SenderRequest.objects.get().text == "85299887766"


# Keys


def test_a_key_is_shown_once_works_and_is_revoked(database: Connection) -> None:
    client = signed_in()
    assert "There is no name." in errors_of(client.post("/account/keys/", {"do": "new"}))["name"]
    page = html(client.post("/account/keys/", {"do": "new", "name": "Shop", "sort": "password"}))
    found = re.search(r'id="new-key">(\w+)<', page)
    assert found
    assert found[1] not in html(client.get("/account/keys/"))
    assert authenticate(database, "harbour", found[1])
    client.post("/account/keys/", {"do": "revoke", "key": ApiKey.objects.get().pk})
    with pytest.raises(Refused):
        authenticate(database, "harbour", found[1])


def test_a_key_of_the_json_api_has_scopes_places_and_an_end(database: Connection) -> None:
    """spec S123"""
    client = signed_in()
    asked = {"do": "new", "name": "Web shop", "sort": "test", "scopes": ["send", "read"]}
    assert "Nothing is ticked." in errors_of(client.post("/account/keys/", asked | {"scopes": []}))["scopes"]
    assert "no network" in errors_of(client.post("/account/keys/", asked | {"networks": "shop"}))["networks"]
    assert "count no more" in errors_of(client.post("/account/keys/", asked | {"expires": "2026-01-01"}))["expires"]
    page = html(client.post("/account/keys/", asked | {"networks": "203.0.113.0/24", "expires": "2099-12-31"}))
    found = re.search(r'id="new-key">(sk_test_\w+)<', page)
    assert found
    holder = holder_of(database, found[1])
    assert holder.is_test
    assert holder.scopes == {Scope.SEND, Scope.READ}
    shown = words(client.get("/account/keys/"))
    assert "Test: send, read" in shown
    assert "only from 203.0.113.0/24" in shown
    assert found[1] not in shown


def test_passwords_can_be_refused_at_the_apis(database: Connection) -> None:
    signed_in().post("/account/keys/", {"do": "password", "refuse": "on"})
    with pytest.raises(Refused):
        authenticate(database, "harbour", PASSWORD)


# A forgotten password


def ask(client: Client, by: str, name: str = "harbour") -> Any:
    return client.post("/password/", {"name": name, "do": by})


def test_by_sms_a_code_that_is_charged_sets_a_new_password(owner: Person) -> None:
    """spec S132"""
    elsewhere = signed_in()
    client = visitor()
    assert "Password forgotten?" in words(client.get("/sign-in/"))
    assert location(ask(client, "sms")) == "/password/code/"
    assert Message.objects.get().recipient == MOBILE
    assert Transfer.objects.filter(kind=Transfer.Kind.SERVICE, customer=owner.customer).count() == 1
    filled = {"code": code(), "new": NEW, "again": NEW}
    wrong = {"code": f"{(int(code()) + 1) % 10**6:06}"}
    assert "Not the code" in errors_of(client.post("/password/code/", filled | wrong))["code"]
    assert location(client.post("/password/code/", filled)) == "/sign-in/"
    owner.refresh_from_db()
    assert owner.check_password(NEW)
    assert location(elsewhere.get("/")).startswith("/sign-in/")


def test_with_too_little_money_it_says_16_and_to_call(database: Connection, owner: Person) -> None:
    """spec S132"""
    assert owner.customer_id
    everything = ledger.balances(database, [owner.customer_id])[owner.customer_id, Account.Kind.AVAILABLE]
    ledger.move(
        database,
        Transfer.Kind.SERVICE,
        customer_id=owner.customer_id,
        amount_pips=everything,
        now=NOW,
        note="spent",
    )
    refused = ask(visitor(), "sms")
    assert refused.status_code == 422
    assert "(16). Call us" in words(refused)
    assert not Message.objects.exists()


def test_no_stranger_spends_a_balance(owner: Person) -> None:
    """spec S132: at most 3 a day, 1 in 2 minutes; and the page says nothing of it"""
    answers = {location(ask(visitor(), "sms")) for _ in range(codes.MOST_A_DAY + 1)}
    assert answers == {"/password/code/"}
    assert Message.objects.count() == 1


def test_the_pages_tell_nobody_who_has_a_login() -> None:
    known, unknown = visitor(), visitor()
    for by in ("mail", "sms"):
        answers = [(page.status_code, page.headers.get("Location")) for page in (ask(known, by), ask(unknown, by, "x"))]
        assert answers[0] == answers[1]
    typed = {"code": "1", "new": NEW, "again": NEW}
    said = [errors_of(client.post("/password/code/", typed)) for client in (known, unknown)]
    assert said[0] == said[1]


def test_by_mail_a_link_that_works_once_is_free(owner: Person) -> None:
    """spec S132"""
    assert "Look into your mail" in words(ask(visitor(), "mail"))
    assert Mail.objects.get().to == "wing@harbour.example"
    page = link()
    assert "too short" in errors_of(visitor().post(page, {"new": "short", "again": "short"}))["new"]
    assert location(visitor().post(page, {"new": NEW, "again": NEW})) == "/sign-in/"
    owner.refresh_from_db()
    assert owner.check_password(NEW)
    assert visitor().get(page).status_code == 410
    assert not Transfer.objects.filter(kind=Transfer.Kind.SERVICE).exists()
    assert ProofSent.objects.get().purpose == ProofSent.Purpose.PASSWORD_BY_MAIL


def test_a_link_for_one_opens_nothing_for_another(owner: Person) -> None:
    ask(visitor(), "mail")
    mallory = Person.objects.get(login_name="mallory")
    stolen = link().replace(f"/{owner.pk}/", f"/{mallory.pk}/")
    assert visitor().get(stolen).status_code == 410
