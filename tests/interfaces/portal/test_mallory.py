"""Mallory, of another customer, sees nothing of Harbour Florist's: each page is as if it did not exist."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.urls import URLPattern, reverse
from django.utils import timezone

from sampan.accounts.documents import keep_document
from sampan.accounts.permissions import role_may
from sampan.accounts.tables import Customer, Person
from sampan.database import Connection
from sampan.interfaces.urls import urlpatterns
from sampan.messages.address_book import contacts
from sampan.messages.address_book.groups import make_group
from sampan.messages.cases.tables import SupportCase
from sampan.messages.tables import ComposeDraft, Purpose, Recurrence
from sampan.routing.tables import Operator
from sampan.webhooks import endpoints
from tests.billing.money import credited
from tests.inbound.renting import inbox, make_number, make_rental, take, write
from tests.interfaces.portal.pages import compose, csv_file, html, location, signed_in, visitor, words
from tests.uploads.papers import PDF
from tests.webhooks.listening import make_endpoint
from tests.world import make_customer, make_mallory, make_places, make_staff, send

PUBLIC = {
    "sign-in",
    "sign-in-code",
    "sign-up",
    "sign-up-code",
    "sign-out",
    "language",
    "too-large",
    "unsubscribing",
    "prices",
    "prices-csv",
    "api-docs",
    "api-problems",
    "api-problem",
    "coverage",
    "forgotten",
    "password-code",
    "password-link",
    "invitation",
}
NOBODYS = {
    "document_id": 999_999,
    "person_id": 999_999,
    "token": "guessed",
    "recurrence_id": 999_999,
    "top_up_id": 999_999,
    "batch_id": 999_999,
    "case_id": 999_999,
    "reply_id": 999_999,
    "message_id": 999_999,
    "list_id": 999_999,
    "webhook_id": 999_999,
    "delivery_id": 999_999,
    "draft_id": uuid4(),
    "group_id": 999_999,
    "number": 999_999,
}
MEMBERS = [pattern for pattern in urlpatterns if isinstance(pattern, URLPattern)]  # the console has tests of its own
OF_SOMETHING = [pattern for pattern in MEMBERS if pattern.pattern.converters and pattern.name not in PUBLIC]


@pytest.fixture
def florists(database: Connection) -> dict[str, Any]:
    """Ids of a batch, a message, a draft and a file of Harbour Florist's."""
    operator = make_places()
    florist = make_customer()
    make_mallory()
    sent = send(database, florist, now=timezone.now(), scheduled_at=timezone.now() + timedelta(days=1))
    series = make_series(florist)
    location(compose(signed_in(), source="file", file=csv_file([91234567]), do="count"))
    draft = ComposeDraft.objects.get()
    top_up = credited(florist, "300", by=make_staff("fanny", role=Person.StaffRole.FINANCE))
    document = keep_document(Person.objects.get(customer=florist), PDF, file_name="br.pdf", now=timezone.now())
    endpoint = make_endpoint(florist)
    return {
        "webhook_id": endpoint.pk,
        "delivery_id": endpoints.send_test(florist.pk, endpoint.pk, now=timezone.now()).pk,
        "document_id": document.pk,
        "top_up_id": top_up.pk,
        "batch_id": sent.batch_id,
        "case_id": SupportCase.objects.create(
            customer=florist,
            message_id=sent.message_ids[0],
            kind=SupportCase.Kind.SENT_NOT_RECEIVED,
            opened_by=florist.members.get(),
            opened_at=timezone.now(),
            waits_since=timezone.now(),
            closed_at=timezone.now(),
        ).pk,
        "message_id": sent.message_ids[0],
        "reply_id": make_reply(database, operator, florist),
        "recurrence_id": series.pk,
        "draft_id": draft.pk,
        "group_id": make_group(database, florist.pk, "Regulars", timezone.now()),
        "number": keep_contact(database, florist),
        "list_id": draft.lists.get(source=ComposeDraft.Source.FILE).pk,
    }


def make_reply(conn: Connection, operator: Operator, florist: Customer) -> int:
    """One to her own number."""
    make_rental(make_number(operator), florist)
    write(conn, operator, "A secret", now=timezone.now())
    take(timezone.now())
    return inbox(conn, florist)[0].id


def keep_contact(conn: Connection, florist: Customer) -> int:
    """Somebody in her address book."""
    contacts.keep(conn, florist.pk, [contacts.Given(85261234567, "A secret")], timezone.now())
    return 85261234567


def make_series(florist: Customer) -> Recurrence:
    """One that has no run yet."""
    now = timezone.now()
    return Recurrence.objects.create(
        customer=florist,
        person=Person.objects.get(customer=florist),
        created_at=now,
        every=Recurrence.Every.DAY,
        first_on=now.date(),
        at=now.time(),
        time_zone=florist.time_zone,
        run_at=now,
        text="Fresh today",
        purpose=Purpose.TRANSACTIONAL,
        validity_minutes=120,
        numbers=[85261234567],
    )


def address(pattern: URLPattern, ids: dict[str, Any]) -> str:
    assert pattern.name
    return reverse(pattern.name, kwargs={name: ids[name] for name in pattern.pattern.converters})


def bare(response: Any, asked: str) -> str:
    """The page without what differs in any two answers: its address and its token."""
    return re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r"\1", html(response).replace(asked, ""))


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_anothers_is_as_if_it_did_not_exist(florists: dict[str, Any], method: str) -> None:
    mallory = signed_in("mallory")
    for pattern in OF_SOMETHING:
        theirs, nobodys = address(pattern, florists), address(pattern, NOBODYS)
        found, absent = (getattr(mallory, method)(path) for path in (theirs, nobodys))
        assert found.status_code == absent.status_code, pattern.name
        assert found.status_code == 404 or (method, found.status_code) == ("post", 405), pattern.name
        if found.status_code == 404:
            assert bare(found, theirs) == bare(absent, nobodys), pattern.name
    florist = signed_in()
    for pattern in OF_SOMETHING:
        assert florist.get(address(pattern, florists)).status_code == 200, pattern.name


def test_her_lists_totals_and_exports_are_empty(florists: dict[str, Any]) -> None:
    mallory = signed_in("mallory")
    assert "Welcome, Mallory Ltd" in words(mallory.get("/"))
    batch_id, message_id = florists["batch_id"], florists["message_id"]
    for asked in ("", f"?batch={batch_id}", f"?number={message_id}", "?number=6123+4567"):
        assert "No messages match" in words(mallory.get(f"/results/{asked}"))
        assert html(mallory.get(f"/results.csv{asked}")).count("\n") == 1
    assert html(mallory.get("/sending-now/")).count("<progress") == 0
    for asked in ("", "?text=secret", "?text=6123+4567"):
        assert "A secret" not in html(mallory.get(f"/inbox/{asked}"))
        assert html(mallory.get(f"/inbox.csv{asked}")).count("\n") == 1


def test_her_own_draft_does_not_reach_anothers_file(florists: dict[str, Any]) -> None:
    mallory = signed_in("mallory")
    own = location(compose(mallory, sender="Mallory", do="count"))
    file = florists["list_id"]
    assert mallory.get(f"{own}columns/{file}/").status_code == 404
    mallory.post(own, {"do": f"remove-{file}", "source": "file", "purpose": "1", "validity": "120", "when": "now"})
    assert ComposeDraft.objects.get(pk=florists["draft_id"]).lists.filter(pk=file).exists()


def test_a_stranger_is_asked_to_sign_in_everywhere(database: Connection) -> None:
    for pattern in MEMBERS:
        if pattern.name not in PUBLIC:
            response = visitor().get(address(pattern, NOBODYS))
            assert location(response).startswith("/sign-in/?next="), pattern.name


@pytest.mark.parametrize("role", [Person.Role.VIEWER, Person.Role.FINANCE])
def test_who_may_not_send_is_told_so_and_sees_the_results(florists: dict[str, Any], role: str) -> None:
    customer = Customer.objects.get(name="Harbour Florist")
    Person.objects.create(login_name="yan", customer=customer, role=role, created_at=timezone.now())
    yan = signed_in("yan")
    assert 'href="/compose/"' not in html(yan.get("/"))
    for pattern in OF_SOMETHING:
        response = yan.get(address(pattern, florists))
        permission = getattr(pattern.callback, "permission", None)
        allowed = permission is None or role_may(role, permission, may_send=True)
        assert response.status_code == (200 if allowed else 403), pattern.name
    refused = compose(yan)
    assert refused.status_code == 403
    assert "Your role does not send Nothing has been sent or charged" in words(refused)
    assert ComposeDraft.objects.count() == 1


def test_numbers_no_database_takes_are_no_pages(florists: dict[str, Any]) -> None:
    for path in ("/batches/9223372036854775808/", "/messages/99999999999999999999/", "/batches/-1/", "/batches/x/"):
        assert signed_in().get(path).status_code == 404
