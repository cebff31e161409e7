"""Personal texts: each recipient its own, from one template, at every step of a batch (spec S4, S20, S91, S97)."""

from datetime import timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer, Person
from sampan.compliance import words
from sampan.compliance.footers import Profile, save_profile
from sampan.composing.alphabet import Coding
from sampan.database import Connection, Snapshot
from sampan.dispatch.claims import Turn, claim
from sampan.messages import batches
from sampan.messages.changes import Changes, change
from sampan.messages.personal import Fields
from sampan.messages.planning import Plan
from sampan.messages.schedule import start_one
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Batch, Message, Purpose, Status
from sampan.reasons import BY_NUMBER, Reason, Refused
from tests.world import NOW, SENDER, draft_of, make_customer, make_places, make_staff, plan_of, send, terms

AMY, BEN, CHI, LONDON, SHENZHEN = 85261234567, 85261234568, 85261234569, 447911123456, 8613812345678
DEAR = "Dear {name}, your {item|order} is ready."
ROWS: list[Fields] = [{"name": "Amy", "item": "wreath", "salary": "9"}, {"name": "Ben"}, {"name": "志明", "item": "花"}]
TEXTS = ["Dear Amy, your wreath is ready.", "Dear Ben, your order is ready.", "Dear 志明, your 花 is ready."]
DUE = NOW + timedelta(hours=3)


def refusal(conn: Connection, customer: Customer, **changes: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        plan_of(conn, draft_of(conn, customer, **changes))
    return caught.value


def kinds(plan: Plan) -> list[tuple[Coding, int, int]]:
    found = [plan.kinds[place] for place in plan.kind_of]
    return [(kind.composed.coding, kind.units, kind.price_pips) for kind in found]


def texts() -> list[str | None]:
    return list(Message.objects.order_by("id").values_list("text", flat=True))


def test_each_recipient_has_its_own_text_coding_units_and_price(database: Connection) -> None:
    make_places()
    rows = [{"name": "Amy"}, {"name": "志明"}, {"name": "A" * 160}, {"name": "Amy"}]
    draft = draft_of(database, make_customer(), [AMY, BEN, CHI, LONDON], text="Dear {name}", fields=rows)
    plan = plan_of(database, draft)
    assert plan.own is not None
    assert plan.own.texts == ["Dear Amy", "Dear 志明", "Dear " + "A" * 160, "Dear Amy"]
    assert kinds(plan) == [
        (Coding.GSM7, 1, 2_900),
        (Coding.UCS2, 1, 2_900),
        (Coding.GSM7, 2, 5_800),
        (Coding.GSM7, 1, 3_700),
    ]
    assert (plan.units, plan.price_pips) == (5, 2_900 + 2_900 + 5_800 + 3_700)


def test_texts_of_one_coding_and_length_are_one_kind(database: Connection) -> None:
    """So that fifty thousand of them are planned and stored as fast as one text."""
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), [AMY, BEN, CHI], text=DEAR, fields=ROWS))
    assert [plan.counts[place] for place in range(len(plan.kinds))] == [2, 1]


def test_a_text_without_rows_is_no_template(database: Connection) -> None:
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), text="Use {code} }{"))
    assert plan.own is None
    assert plan.kinds[0].composed.parts == ("Use {code} }{",)


def test_rows_that_the_text_does_not_use_change_nothing(database: Connection) -> None:
    make_places()
    accepted = send(database, make_customer(), [AMY, BEN], text="Hello", fields=[{"name": "Amy"}, {"name": "Ben"}])
    assert texts() == [None, None]
    assert Batch.objects.get(pk=accepted.batch_id).text == "Hello"


def test_a_number_that_stands_twice_gets_the_text_of_its_first_row(database: Connection) -> None:
    """Spec S1: duplicates are removed; they keep their first row."""
    make_places()
    rows = [{"name": "Amy"}, {"name": "Ben"}, {"name": "Amy's mother"}]
    plan = plan_of(database, draft_of(database, make_customer(), [AMY, BEN, AMY], text="Dear {name}", fields=rows))
    assert plan.own is not None
    assert plan.own.texts == ["Dear Amy", "Dear Ben"]


def test_a_row_without_a_value_refuses_the_whole_naming_it(database: Connection) -> None:
    """Spec S20; a default in the template mends it."""
    make_places()
    harbour = make_customer()
    rows: list[Fields] = [{"name": "Amy"}, {"name": ""}, {"item": "wreath"}]
    about: dict[str, Any] = {"recipients": [AMY, BEN, CHI], "fields": rows}
    refused = refusal(database, harbour, text="Dear {name}", **about)
    assert (refused.reason, refused.field) == (Reason.NO_SUCH_FIELD, "text")
    assert refused.value == f"name: {BEN} and 1 more"
    mended = plan_of(database, draft_of(database, harbour, text="Dear {name|customer}", **about))
    assert mended.own is not None
    assert mended.own.texts == ["Dear Amy", "Dear customer", "Dear customer"]


@pytest.mark.parametrize(
    ("value", "changes", "reason", "what"),
    [
        ("A" * 500, {}, Reason.TOO_LONG, "Hong Kong: 505 characters; 459 fit"),
        ("志明", {"coding": Coding.GSM7}, Reason.NOT_IN_ALPHABET, "U+5FD7 志, U+660E 明"),
        ("\0", {}, Reason.BAD_TEXT, "U+0000 at character 6"),
    ],
)
def test_a_row_that_cannot_be_sent_refuses_the_whole_naming_it(
    database: Connection, value: str, changes: dict[str, Any], reason: Reason, what: str
) -> None:
    make_places()
    about: dict[str, Any] = {"recipients": [AMY, BEN], "text": "Dear {name}"}
    refused = refusal(database, make_customer(), fields=[{"name": "Amy"}, {"name": value}], **about, **changes)
    assert (refused.reason, refused.field, refused.value) == (reason, "text", f"{BEN}: {what}")


def test_a_template_of_nothing_but_an_empty_field_is_no_text(database: Connection) -> None:
    make_places()
    refused = refusal(database, make_customer(), recipients=[AMY], text="{note|}", fields=[{}])
    assert (refused.reason, refused.value) == (Reason.NO_TEXT, str(AMY))


def test_a_word_barred_in_china_ends_only_the_row_that_has_it(database: Connection) -> None:
    """Spec S91: a field can bring it, and it is found across the field's border."""
    make_places()
    words.add_words(["賭場"], by=make_staff(), now=NOW, why="the operator refused it")
    Snapshot.forget_all()
    rows = [{"name": "场"}, {"name": "王"}, {"name": "场"}]
    draft = draft_of(
        database, make_customer(), [SHENZHEN, SHENZHEN + 1, AMY], text="赌{name}", fields=rows, purpose=None
    )
    plan = plan_of(database, draft)
    assert [plan.kinds[place].reason for place in plan.kind_of] == [Reason.ILLEGAL_WORD, None, None]
    assert "賭場" in plan.illegal_words


def test_the_footer_counts_in_each_text_and_a_field_does_not_stand_for_it(database: Connection) -> None:
    """Spec S95: a field called {unsubscribe} says nothing yet."""
    make_places()
    harbour = make_customer()
    profile = Profile("Harbour Florist", "海港花店", "28123456", "28123457", is_added=True)
    save_profile(harbour, profile, by=Person.objects.get(customer=harbour), now=NOW)
    Snapshot.forget_all()
    text = "Harbour Florist 28123456 {unsubscribe|}"
    about: dict[str, Any] = {"text": text, "fields": [{}, {"unsubscribe": "x" * 60}], "purpose": Purpose.PROMOTIONAL}
    plan = plan_of(database, draft_of(database, harbour, [AMY, BEN], **about))
    assert plan.footers
    assert [units for _, units, _ in kinds(plan)] == [2, 3]


def test_texts_are_stored_beside_the_messages_with_no_more_than_the_fields_they_used(database: Connection) -> None:
    make_places()
    accepted = send(database, make_customer(), [AMY, BEN, CHI], text=DEAR, fields=ROWS)
    assert Batch.objects.get(pk=accepted.batch_id).text == DEAR
    assert texts() == TEXTS
    assert [m.fields for m in Message.objects.order_by("id")] == [
        {"name": "Amy", "item": "wreath"},
        {"name": "Ben"},
        {"name": "志明", "item": "花"},
    ]


def test_an_operator_is_given_each_ones_own_text(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    send(database, harbour, [AMY, BEN, CHI], text=DEAR, fields=ROWS)
    send(database, harbour, [LONDON], text="{plain}")
    lane = Purpose.TRANSACTIONAL.value
    claimed = claim(database, operator.pk, lane, [Turn(harbour.pk, 0, 10)], NOW)
    assert [(each.recipient, each.text) for each in claimed] == [
        *zip([AMY, BEN, CHI], TEXTS, strict=True),
        (LONDON, "{plain}"),
    ]


def test_personal_and_plain_texts_are_accepted_in_one_call(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    plain = draft_of(database, harbour, [LONDON, CHI], text="{plain}")
    personal = draft_of(
        database, harbour, [AMY, BEN], text='"{name}" \\ {{', fields=[{"name": 'A "B"'}, {"name": "\\"}]
    )
    outcomes = submit(database, [plan_of(database, draft) for draft in (plain, personal, plain)], NOW)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert texts() == [None, None, '"A "B"" \\ {', '"\\" \\ {', None, None]


def test_the_same_reference_with_other_fields_is_refused_and_with_the_same_gives_the_first_answer(
    database: Connection,
) -> None:
    """Spec S8. A field that the text does not use makes no difference."""
    make_places()
    harbour = make_customer()
    about: dict[str, Any] = {"recipients": [AMY], "text": "Dear {name}", "client_reference": "r"}
    first = send(database, harbour, fields=[{"name": "Amy"}], **about)
    again = send(database, harbour, fields=[{"name": "Amy", "age": "9"}], **about)
    assert (again.message_ids, again.is_repeat) == (first.message_ids, True)
    plan = plan_of(database, draft_of(database, harbour, fields=[{"name": "Ann"}], **about))
    (refused,) = submit(database, [plan], NOW)
    assert isinstance(refused, Refused)
    assert refused.reason == Reason.REFERENCE_REUSED
    assert texts() == ["Dear Amy"]


# Batches that wait


def test_a_scheduled_batch_starts_with_the_same_texts(database: Connection) -> None:
    """Spec S97: everything is asked again, of each text."""
    make_places()
    harbour = make_customer()
    send(database, harbour, [SHENZHEN, AMY], text="赌{name}", fields=[{"name": "场"}, {"name": "场"}], scheduled_at=DUE)
    words.add_words(["賭場"], by=make_staff(), now=NOW, why="the operator refused it")
    Snapshot.forget_all()
    assert start_one(database, terms(database), DUE)
    messages = Message.objects.order_by("id")
    assert [(m.status, BY_NUMBER[m.reason]) for m in messages] == [
        (Status.UNDELIVERABLE, Reason.ILLEGAL_WORD),
        (Status.UPLOAD_SUCCESS, Reason.NONE),
    ]
    assert texts() == ["赌场", "赌场"]


def test_a_paused_batch_resumes_with_its_texts(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    accepted = send(database, harbour, [AMY, BEN, CHI], text=DEAR, fields=ROWS)
    batches.pause(database, accepted.batch_id, NOW, customer_id=harbour.pk)
    assert batches.resume(database, accepted.batch_id, terms(database), NOW, customer_id=harbour.pk)
    assert texts() == TEXTS
    assert set(Message.objects.values_list("status", flat=True)) == {Status.UPLOAD_SUCCESS}


def test_a_changed_template_is_filled_in_again_also_after_it_was_none_for_a_while(database: Connection) -> None:
    """Spec S52."""
    make_places()
    harbour = make_customer()
    accepted = send(database, harbour, [AMY, BEN, CHI], text=DEAR, fields=ROWS, scheduled_at=DUE)

    def change_to(text: str) -> None:
        changes = Changes("", text, SENDER, 120, DUE)
        args = database, accepted.batch_id, changes, terms(database), NOW
        change(*args, customer_id=harbour.pk, person_id=None)

    change_to("Hello!")
    assert texts() == [None, None, None]
    change_to("{item|Flowers} for {name}" + "!" * 160)
    assert [text and text.rstrip("!") for text in texts()] == ["wreath for Amy", "Flowers for Ben", "花 for 志明"]
    assert list(Message.objects.order_by("id").values_list("units", "price_pips")) == [
        (2, 5_800),
        (2, 5_800),
        (3, 8_700),
    ]
    with pytest.raises(Refused) as refused:
        change_to("{salary}")
    assert refused.value.reason == Reason.NO_SUCH_FIELD
