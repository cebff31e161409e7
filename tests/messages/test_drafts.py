"""Drafts of the portal: their lists of numbers, what a seal tells apart, and sending once (spec S1, S2, S8)."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, Snapshot
from sampan.messages import drafts
from sampan.messages.address_book import contacts, groups
from sampan.messages.address_book.contacts import Given
from sampan.messages.announcing import CHANNEL
from sampan.messages.planning import Plan, plan
from sampan.messages.tables import Batch, ComposeDraft, ComposeList, Purpose
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import Fault
from sampan.routing.operators import add_operator
from tests.world import NOW, facts_of, make_customer, make_mallory, make_places, terms

TYPED = "9123 4567\n2555 0142, 9123 4567\n+853 6612 0034"


@pytest.fixture
def florist(database: Connection) -> Customer:
    make_places()
    return make_customer()


@pytest.fixture
def draft(florist: Customer) -> ComposeDraft:
    draft = drafts.new_draft(Person.objects.get(customer=florist), NOW)
    draft.source = ComposeDraft.Source.TYPED
    draft.text, draft.sender = "Your flowers are on their way.", "HarbourFlo"
    draft.save()
    drafts.set_typed(draft, TYPED)
    return draft


def planned(conn: Connection, draft: ComposeDraft, **changes: Any) -> Any:
    customer = facts_of(conn, draft.customer)
    submitted = drafts.as_submitted(draft, customer, drafts.numbers_of(draft))
    return plan(replace(submitted, **changes), terms(conn), NOW)


def test_what_was_typed_is_numbers_bad_rows_and_duplicates(draft: ComposeDraft) -> None:
    """spec S1"""
    found = drafts.numbers_of(draft)
    assert (found.numbers, found.rows, found.bad, found.duplicates) == ([85291234567, 85366120034], 4, 1, 1)
    (bad,) = drafts.bad_rows_of(draft)
    assert (bad.row, bad.flaw.fault, bad.flaw.value) == (2, Fault.FIXED_LINE, "2555 0142")


# Personal texts (S4)

FILE = b"Mobile,Name,Note\n61234567,Amy,a\n61234568,Ben,\n61234567,Amy again,c\n"


def with_file(draft: ComposeDraft, *files: bytes, text: str) -> ComposeDraft:
    draft.source, draft.text = ComposeDraft.Source.FILE, text
    for place, octets in enumerate(files):
        drafts.add_file(draft, f"{place}.csv", octets)
    draft.save()
    return draft


def own_texts(conn: Connection, draft: ComposeDraft) -> list[str] | None:
    found: Plan = planned(conn, draft)
    return found.own.texts if found.own else None


def test_columns_with_a_heading_are_fields_of_the_text(database: Connection, draft: ComposeDraft) -> None:
    with_file(draft, FILE, text="Dear {Name}{Note|}")
    assert drafts.field_names_of(draft) == ["Name", "Note"]
    assert own_texts(database, draft) == ["Dear Amya", "Dear Ben"]


def test_each_of_several_files_has_its_own_columns(database: Connection, draft: ComposeDraft) -> None:
    other = b"Name,Mobile\nChi,61234569\nBen 2,61234568\n"
    with_file(draft, FILE, other, b"61234560\n", text="{Name|you}: {Note|-}")
    assert drafts.numbers_of(draft).numbers == [85261234567, 85261234568, 85261234569, 85261234560]
    assert own_texts(database, draft) == ["Amy: a", "Ben: -", "Chi: -", "you: -"]


def test_a_brace_begins_a_field_also_where_there_are_none(database: Connection, draft: ComposeDraft) -> None:
    """So that nobody sends "Dear {Name}" because of a file without headings."""
    draft.text = "Dear {Name}"
    with pytest.raises(Refused) as refused:
        planned(database, draft)
    assert refused.value.reason == Reason.NO_SUCH_FIELD
    draft.text = "{{Name}}"
    assert own_texts(database, draft) == ["{Name}", "{Name}"]


def test_groups_of_the_address_book_are_recipients_with_fields(database: Connection, draft: ComposeDraft) -> None:
    """Spec S1: as they are when it is sent; duplicates removed and counted."""
    harbour = draft.customer_id
    people = [Given(85261234567, "Amy", {"item": "roses"}), Given(85261234568, "Ben")]
    contacts.keep(database, harbour, people, NOW)
    ids = [groups.make_group(database, harbour, name, NOW) for name in ("All", "Best")]
    groups.add_members(database, harbour, ids[0], [85261234567, 85261234568])
    groups.add_members(database, harbour, ids[1], [85261234567])
    draft.source, draft.group_ids, draft.text = ComposeDraft.Source.GROUPS, ids, "{name}: {item|flowers}"
    assert own_texts(database, draft) == ["Amy: roses", "Ben: flowers"]
    assert drafts.field_names_of(draft) == ["name", "item"]
    assert drafts.numbers_of(draft).duplicates == 1
    contacts.delete(database, harbour, [85261234567])
    assert drafts.numbers_of(draft).numbers == [85261234568]


def test_groups_of_somebody_else_have_nobody(database: Connection, draft: ComposeDraft) -> None:
    mallory = make_mallory().pk
    contacts.keep(database, mallory, [Given(85261234567, "Amy")], NOW)
    group = groups.make_group(database, mallory, "Hers", NOW)
    groups.add_members(database, mallory, group, [85261234567])
    draft.source, draft.group_ids = ComposeDraft.Source.GROUPS, [group]
    assert drafts.numbers_of(draft).numbers == []


def test_a_seal_changes_with_what_somebodys_text_says(database: Connection, draft: ComposeDraft) -> None:
    """Also where numbers, lengths and prices stay the same."""
    with_file(draft, FILE, text="Dear {Name}")
    before = drafts.seal(planned(database, draft))
    draft.lists.all().delete()
    with_file(draft, FILE.replace(b"Ben", b"Bob"), text="Dear {Name}")
    assert drafts.seal(planned(database, draft)) != before


def test_typing_again_takes_the_place_of_what_was_typed(draft: ComposeDraft) -> None:
    drafts.set_typed(draft, "9123 4568")
    assert drafts.numbers_of(draft).numbers == [85291234568]
    assert draft.lists.count() == 1


def test_the_lists_of_the_other_source_are_kept_and_not_meant(draft: ComposeDraft) -> None:
    drafts.add_file(draft, "a.csv", b"61234567\n")
    assert drafts.numbers_of(draft).numbers == [85291234567, 85366120034]
    draft.source = ComposeDraft.Source.FILE
    assert drafts.numbers_of(draft).numbers == [85261234567]


def test_a_number_in_two_files_counts_once(draft: ComposeDraft) -> None:
    """spec S1"""
    draft.source = ComposeDraft.Source.FILE
    drafts.add_file(draft, "a.csv", b"61234567\n61234568\n")
    drafts.add_file(draft, "b.csv", b"61234568\n61234569\nx\n")
    found = drafts.numbers_of(draft)
    assert (found.numbers, found.rows) == ([85261234567, 85261234568, 85261234569], 5)
    assert (found.bad, found.duplicates) == (1, 1)
    assert [(bad.file_name, bad.row) for bad in drafts.bad_rows_of(draft)] == [("b.csv", 3)]


def test_what_postgresql_does_not_keep_is_replaced(draft: ComposeDraft) -> None:
    """NUL may stand in a file's name, and in what a program types."""
    assert drafts.add_file(draft, "a\0.csv", b"61234567\n").file_name == "a�.csv"
    drafts.set_typed(draft, "x\0y")
    assert draft.lists.get(source="typed").bad_rows == [[1, "NOT_A_NUMBER", "x�y", 0]]


def test_too_many_typed_numbers_are_refused(draft: ComposeDraft) -> None:
    with pytest.raises(Refused) as refused:
        drafts.set_typed(draft, "91234567\n" * (drafts.LIMITS.rows + 1))
    assert (refused.value.reason, refused.value.field) == (Reason.TOO_MANY_RECIPIENTS, "numbers")


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "Another"},
        {"sender": "85298765432"},
        {"route": "hk-economic"},
        {"purpose": Purpose.TRANSACTIONAL},
        {"validity_minutes": 60},
        {"scheduled_at": NOW + timedelta(days=1)},
        {"name": "Christmas"},
        {"recipients": [85291234567, 85366120035]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_seal_changes_with_anything_a_member_agreed_to(
    database: Connection, draft: ComposeDraft, changes: dict[str, Any]
) -> None:
    """spec S2"""
    before = drafts.seal(planned(database, draft))
    assert drafts.seal(planned(database, draft)) == before
    assert drafts.seal(planned(database, draft, **changes)) != before


def test_a_seal_does_not_change_with_who_carries_a_route(database: Connection, draft: ComposeDraft) -> None:
    """spec S42: that is our own affair"""
    before = drafts.seal(planned(database, draft))
    add_operator(
        name="second",
        host="127.0.0.1",
        port=2776,
        system_id="sampan",
        password="secret",
        route_codes=["hk-business", "macau"],
        window=10,
        rate_parts_per_s=0,
        dialect={},
    )
    database.execute("UPDATE route_operator SET position = 1")
    Snapshot.forget_all()
    assert drafts.seal(planned(database, draft)) == before


def test_sending_rings_for_the_dispatchers_and_forgets_the_numbers(database: Connection, draft: ComposeDraft) -> None:
    database.execute(f'LISTEN "{CHANNEL}"'.encode())
    batch_id = drafts.send(database, draft, planned(database, draft), NOW)
    assert [told.channel for told in database.notifies(timeout=10, stop_after=1)] == [CHANNEL]
    assert drafts.batch_of(database, draft) == batch_id == Batch.objects.get().pk
    assert not ComposeList.objects.exists()


def test_sending_again_gives_the_same_batch(database: Connection, draft: ComposeDraft) -> None:
    """spec S8"""
    once = planned(database, draft)
    assert drafts.send(database, draft, once, NOW) == drafts.send(database, draft, once, NOW)
    assert Batch.objects.count() == 1


def test_a_draft_that_was_sent_with_other_content_is_refused(database: Connection, draft: ComposeDraft) -> None:
    """spec S8: two windows, in one of which the text was changed"""
    once, other = planned(database, draft), planned(database, draft, text="Another")
    drafts.send(database, draft, once, NOW)
    with pytest.raises(Refused) as refused:
        drafts.send(database, draft, other, NOW)
    assert refused.value.reason == Reason.REFERENCE_REUSED


def test_a_draft_that_was_never_sent_has_no_batch(database: Connection, draft: ComposeDraft) -> None:
    assert drafts.batch_of(database, draft) is None


def test_old_drafts_go_but_only_ones_own(database: Connection, draft: ComposeDraft) -> None:
    mallory = Person.objects.get(customer=make_mallory())
    theirs = drafts.new_draft(mallory, NOW)
    later = NOW + drafts.KEPT_FOR + timedelta(seconds=1)
    mine = drafts.new_draft(draft.person, later)
    assert set(ComposeDraft.objects.all()) == {theirs, mine}
    assert not ComposeList.objects.exists()
