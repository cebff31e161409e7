"""Personal texts on the compose page and the review: fields to insert, texts as they will be read (spec S2, S4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer, Person
from sampan.compliance.footers import Profile, save_profile
from sampan.database import Connection, Snapshot
from sampan.interfaces.tags import HONG_KONG
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Given
from sampan.messages.tables import ComposeDraft, Message
from tests.interfaces.portal.pages import (
    TYPED,
    compose,
    errors_of,
    html,
    location,
    signed_in,
    value_of,
    words,
)
from tests.world import NOW, make_customer, make_mallory, make_places, send

FILE = b"Mobile,Name,Item\n61234567,Amy,wreath\n61234568,Ben,\n"
DEAR = "Dear {Name}, your {Item|order} is ready."


@pytest.fixture(autouse=True)
def florist(database: Connection) -> Customer:
    make_places()
    return make_customer()


@pytest.fixture
def member(florist: Customer) -> Client:
    return signed_in()


def with_file(member: Client, octets: bytes = FILE, **changes: Any) -> Any:
    return compose(member, source="file", file=SimpleUploadedFile("people.csv", octets), **changes)


def live(client: Client, draft: ComposeDraft | None = None, **typed: Any) -> Any:
    address = f"/compose/{draft.pk}/live/" if draft else "/compose/live/"
    return client.post(address, TYPED | {"source": "file"} | typed)


def test_the_columns_of_a_file_can_be_inserted(member: Client) -> None:
    page = member.get(location(with_file(member, text="", do="count")))
    assert 'data-insert="Name">Name' in html(page)
    assert "{Name} stands for each one’s own words" in words(page)
    assert "{Name|…}" in words(page)


def test_the_page_shows_the_first_texts_and_what_they_come_to(member: Client) -> None:
    """Spec S2, S4; also without script."""
    file = FILE + b"61234569," + b"C" * 160 + b",\n"
    said = words(member.get(location(with_file(member, file, text=DEAR, do="count"))))
    assert "Charge units each: 1–2" in said
    assert "6123 4567 units: 1 Dear Amy, your wreath is ready." in said
    assert "6123 4568 units: 1 Dear Ben, your order is ready." in said
    assert "Messages 3 Charge units 4 Price about HK$1.16" in said


def test_while_somebody_types_the_server_fills_in_what_is_not_kept_yet(member: Client) -> None:
    with_file(member, text="", do="count")
    draft = ComposeDraft.objects.get()
    answer = live(member, draft, text="Hi {Name}")
    assert "Hi Amy" in words(answer)
    assert 'data-units="1"' in html(answer)
    assert "A field has no value (Item: 85261234568)." in words(live(member, draft, text="{Item}"))
    assert "A brace is neither a field nor text" in words(live(member, draft, text="Hi {Name"))
    draft.refresh_from_db()
    assert draft.text == ""


def test_without_a_draft_it_tells_of_the_footer_that_is_added(member: Client, florist: Customer) -> None:
    """Spec S95: the footer counts."""
    profile = Profile("Harbour Florist", "海港花店", "28123456", "28123457", is_added=True)
    save_profile(florist, profile, by=Person.objects.get(customer=florist), now=NOW)
    Snapshot.forget_all()
    answer = live(member, text="Roses at half price", purpose="2")
    assert "Added and counted (Hong Kong and Macau)" in words(answer)
    assert "Unsub: 28123457" in html(answer).split('data-footer="', 1)[1].split('"')[0]
    assert 'data-footer=""' in html(live(member, text="Roses at half price", purpose="1"))
    assert 'data-footer=""' in html(live(member, text="", purpose="2"))
    page = location(compose(member, text="Roses at half price", purpose="2", do="count"))
    assert "of 134 characters" in words(member.get(page))


def test_groups_of_the_address_book_are_chosen_and_counted(
    member: Client, database: Connection, florist: Customer
) -> None:
    """Spec S1."""
    contacts.keep(database, florist.pk, [Given(85261234567, "Amy"), Given(85261234568, "Ben")], NOW)
    ids = [groups.make_group(database, florist.pk, name, NOW) for name in ("Regulars", "Best")]
    groups.add_members(database, florist.pk, ids[0], [85261234567, 85261234568])
    groups.add_members(database, florist.pk, ids[1], [85261234567])
    answer = live(member, source="groups", groups=ids, text="Hi {name}")
    assert "In these groups: 2 Duplicates removed: 1" in words(answer)
    assert 'data-insert="name"' in html(answer)
    assert "Hi Amy" in words(answer)
    page = location(compose(member, source="groups", groups=ids, text="Hi {name}"))
    said = words(member.get(page))
    assert "Messages 2" in said
    assert "duplicates: 1" in said
    assert "From Best, Regulars" in said
    again = html(member.get(page.replace("review/", "")))
    assert f'value="{ids[0]}" checked' in again
    batch = location(member.post(page, {"seal": value_of(member.get(page), "seal")}))
    assert "each message its own" in words(member.get(batch))
    assert list(Message.objects.order_by("id").values_list("text", flat=True)) == ["Hi Amy", "Hi Ben"]


def test_nobody_chosen_and_groups_of_others_are_told_of_beside_the_groups(member: Client, database: Connection) -> None:
    mallory = make_mallory().pk
    hers = groups.make_group(database, mallory, "Hers", NOW)
    contacts.keep(database, mallory, [Given(85261234567, "Amy")], NOW)
    groups.add_members(database, mallory, hers, [85261234567])
    assert "There is no mobile number yet" in errors_of(compose(member, source="groups", groups=[]))["groups"]
    assert "not there any more" in errors_of(compose(member, source="groups", groups=[hers]))["groups"]
    assert "Amy" not in html(live(member, source="groups", groups=[hers], text="Hi {name}"))


def test_the_review_shows_texts_and_the_spread_of_their_units(member: Client) -> None:
    file = FILE + b"61234569," + b"C" * 160 + b",\n"
    said = words(member.get(location(with_file(member, file, text=DEAR))))
    assert "of 1: 2 · of 2: 1" in said
    assert "Dear Amy, your wreath is ready." in said
    assert "Total charge HK$1.16" in said


def test_a_row_without_a_value_stops_the_review_beside_the_text(member: Client) -> None:
    answer = with_file(member, text="Dear {Name}, your {Item} is ready.")
    assert answer.status_code == 422
    assert "A field has no value (Item: 85261234568)." in errors_of(answer)["text"]


def test_a_scheduled_batch_is_changed_to_another_template_of_the_same_fields(
    member: Client, database: Connection, florist: Customer
) -> None:
    """Spec S52."""
    now = timezone.now()
    facts: dict[str, Any] = {
        "text": "Dear {name}",
        "fields": [{"name": "Amy"}],
        "scheduled_at": now + timedelta(days=1),
    }
    sent = send(database, florist, [85261234567], now=now, **facts)
    page = f"/batches/{sent.batch_id}/change/"
    local = timezone.localtime(facts["scheduled_at"], HONG_KONG)
    typed = {
        "name": "",
        "sender": "HarbourFlo",
        "validity": "120",
        "date": local.date().isoformat(),
        "time": f"{local:%H:%M}",
    }
    assert "A field has no value (item: 85261234567)." in words(member.post(page, typed | {"text": "{item}"}))
    seen = member.post(page, typed | {"text": "Hi {name}"})
    member.post(page, typed | {"text": "Hi {name}", "seal": value_of(seen, "seal")})
    assert Message.objects.get().text == "Hi Amy"


def test_mallory_has_nothing_of_somebody_elses_draft_read_to_her(member: Client) -> None:
    with_file(member, text="", do="count")
    make_mallory()
    assert live(signed_in("mallory"), ComposeDraft.objects.get(), text="{Name}").status_code == 404
