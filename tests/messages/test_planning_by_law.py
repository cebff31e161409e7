"""What the law does to a draft, at every door: filters, purposes, words, signatures, footers (spec S90–S97)."""

from datetime import date, timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer, Person
from sampan.compliance import preferences, words
from sampan.compliance.footers import Profile, save_profile
from sampan.compliance.settings import change_settings
from sampan.compliance.signatures import approve_signature, request_signature
from sampan.compliance.tables import FilterDecision, Preference, RegisteredNumber, Screening
from sampan.database import Connection, Snapshot
from sampan.messages.planning import Plan, plan_all
from sampan.messages.schedule import start_one
from sampan.messages.submit import submit
from sampan.messages.tables import Batch, Message, Purpose, Source, Status
from sampan.reasons import Reason, Refused
from tests.world import NOW, draft_of, make_customer, make_places, make_staff, plan_of, send, terms

HONG_KONG, LISTED, MACAU, CHINA, LONDON = 85261234567, 85261234568, 85366123456, 8613812345678, 447911123456
PROMOTION: dict[str, Any] = {"purpose": Purpose.PROMOTIONAL, "text": "Roses at half price"}
PROFILE = Profile("Harbour Florist", "海港花店", "28123456", "28123457", is_added=True)


def reasons(plan: Plan) -> dict[int, Reason | None]:
    return {number: plan.kinds[place].reason for number, place in zip(plan.recipients, plan.kind_of, strict=True)}


def texts(plan: Plan) -> dict[int, str]:
    return {
        number: "".join(plan.kinds[place].composed.parts)
        for number, place in zip(plan.recipients, plan.kind_of, strict=True)
    }


def owner_of(customer: Customer) -> Person:
    return customer.members.get()


def list_number() -> None:
    RegisteredNumber.objects.create(number=LISTED, listed_on=date(2026, 11, 1))


# The register and unsubscribes (S93, S96)


def test_who_is_on_the_register_is_left_out_free_of_charge(database: Connection) -> None:
    make_places()
    list_number()
    plan = plan_of(database, draft_of(database, make_customer(), [HONG_KONG, LISTED], **PROMOTION))
    assert reasons(plan) == {HONG_KONG: None, LISTED: Reason.DO_NOT_CALL}
    assert (plan.messages, plan.price_pips) == (1, 2_900)


def test_what_was_left_out_ends_21_307_and_is_proven_by_the_registers_date(database: Connection) -> None:
    make_places()
    list_number()
    accepted = send(database, make_customer(), [HONG_KONG, LISTED], **PROMOTION)
    message = Message.objects.get(recipient=LISTED)
    assert (message.status, message.reason, message.price_pips) == (Status.UNDELIVERABLE, 307, 0)
    assert [(s.batch_id, s.asked, s.filtered) for s in Screening.objects.all()] == [(accepted.batch_id, 2, 1)]
    assert FilterDecision.objects.get().batch_id == accepted.batch_id


def test_a_text_that_nothing_filters_leaves_no_record(database: Connection) -> None:
    make_places()
    list_number()
    send(database, make_customer(), [HONG_KONG, LISTED])
    assert not Screening.objects.exists()


def test_switching_the_filter_off_declares_consent_and_is_logged(database: Connection) -> None:
    """Spec S93: `dncr=0` on a promotional call."""
    make_places()
    list_number()
    accepted = send(database, make_customer(), [LISTED], register_filter=False, **PROMOTION)
    assert [(s.batch_id, s.consent_declared) for s in Screening.objects.all()] == [(accepted.batch_id, True)]
    assert Message.objects.get().status == Status.UPLOAD_SUCCESS


def test_a_scheduled_batch_is_asked_again_when_it_starts(database: Connection) -> None:
    """Spec S97: who unsubscribed meanwhile gets nothing."""
    make_places()
    harbour = make_customer()
    later = NOW + timedelta(hours=3)
    send(database, harbour, [HONG_KONG, LISTED], scheduled_at=later, **PROMOTION)
    preferences.unsubscribe(
        database, harbour.pk, [HONG_KONG], way=Preference.Way.REPLY, at=NOW, evidence="STOP", now=NOW
    )
    list_number()
    start_one(database, terms(database), later)
    ended = {m.recipient: (m.status, m.reason) for m in Message.objects.all()}
    assert ended == {
        HONG_KONG: (Status.UNDELIVERABLE, Reason.UNSUBSCRIBED.number),
        LISTED: (Status.UNDELIVERABLE, Reason.DO_NOT_CALL.number),
    }
    assert [s.filtered for s in Screening.objects.order_by("id")] == [0, 2]


# What a text is for where nobody says it (S93)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"source": Source.HTTP}, Purpose.TRANSACTIONAL),
        ({"source": Source.SMPP}, Purpose.TRANSACTIONAL),
        ({"source": Source.PORTAL}, Purpose.PROMOTIONAL),
        ({"source": Source.HTTP, "route": "hk-economic", "sender": ""}, Purpose.PROMOTIONAL),
        ({"source": Source.PORTAL, "purpose": Purpose.TRANSACTIONAL}, Purpose.TRANSACTIONAL),
    ],
)
def test_a_purpose_unsaid_is_that_of_the_door(database: Connection, changes: dict[str, Any], expected: Purpose) -> None:
    make_places()
    plan = plan_of(database, draft_of(database, make_customer(), **({"purpose": None} | changes)))
    assert plan.purpose == expected


def test_a_customer_fixed_to_promotional_cannot_say_otherwise(database: Connection) -> None:
    make_places()
    list_number()
    harbour = make_customer()
    Customer.objects.filter(pk=harbour.pk).update(promotional_only=True)
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, harbour, [LISTED], purpose=Purpose.TRANSACTIONAL))
    assert plan.purpose == Purpose.PROMOTIONAL
    assert reasons(plan) == {LISTED: Reason.DO_NOT_CALL}


# Words and signatures, S90 and S91


def test_an_illegal_word_ends_the_messages_to_china_alone(database: Connection) -> None:
    make_places()
    words.add_words(["发票"], by=make_staff(), now=NOW, why="a test")
    plan = plan_of(database, draft_of(database, make_customer(), [HONG_KONG, CHINA], text="代開發.票"))
    assert reasons(plan) == {HONG_KONG: None, CHINA: Reason.ILLEGAL_WORD}
    assert plan.illegal_words == "发票"


def test_at_the_http_api_an_illegal_word_refuses_the_call_with_any_china_recipient(database: Connection) -> None:
    make_places()
    words.add_words(["发票"], by=make_staff(), now=NOW, why="a test")
    harbour = make_customer()
    call: dict[str, Any] = {"text": "代開發.票", "all_or_nothing": True}
    assert plan_of(database, draft_of(database, harbour, [HONG_KONG], **call)).messages == 1
    with pytest.raises(Refused) as caught:
        plan_of(database, draft_of(database, harbour, [HONG_KONG, CHINA], **call))
    assert (caught.value.reason, caught.value.value) == (Reason.ILLEGAL_WORD, "发票")


def test_a_customers_own_signature_stands_before_its_texts_to_china(database: Connection) -> None:
    make_places()
    harbour, mallory = make_customer(), make_customer("mallory")
    asked = request_signature(harbour, "海港花店", grounds="the shop's name", by=owner_of(harbour), now=NOW)
    assert texts(plan_of(database, draft_of(database, harbour, [CHINA], text="你好"))) == {CHINA: "【舢舨】你好"}
    approve_signature(asked.pk, words="their shop", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, harbour, [CHINA], text="你好"))
    assert (texts(plan), plan.signature) == ({CHINA: "【海港花店】你好"}, "海港花店")
    assert texts(plan_of(database, draft_of(database, mallory, [CHINA], text="你好"))) == {CHINA: "【舢舨】你好"}


# The footer (S95)


def test_a_promotional_text_names_its_sender_and_the_way_out_in_the_languages_of_its_region(
    database: Connection,
) -> None:
    make_places()
    harbour = make_customer()
    save_profile(harbour, PROFILE, by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, harbour, [HONG_KONG, MACAU, CHINA, LONDON], **PROMOTION))
    both = "Roses at half price\r\n海港花店 Harbour Florist 28123456 取消接收 Unsub: 28123457"
    assert texts(plan) == {
        HONG_KONG: both,
        MACAU: both,
        CHINA: "【舢舨】Roses at half price\r\n海港花店 28123456 退订回T",
        LONDON: "Roses at half price\r\nHarbour Florist 28123456 Unsub: +85228123457",
    }


def test_the_footer_counts_in_units_and_price(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    text = PROMOTION | {"text": "R" * 100}
    assert plan_of(database, draft_of(database, harbour, **text)).price_pips == 2_900
    save_profile(harbour, PROFILE, by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    plan = plan_of(database, draft_of(database, harbour, **text))
    assert (plan.units, plan.price_pips) == (3, 8_700)  # 153 characters in Unicode


def test_a_transactional_text_and_one_that_says_it_all_itself_get_no_footer(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    save_profile(harbour, PROFILE, by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    said = "Roses! 海港花店 Harbour Florist 28123456. Unsubscribe 取消: 28123457"
    assert plan_of(database, draft_of(database, harbour)).footers == ()
    own = plan_of(database, draft_of(database, harbour, purpose=Purpose.PROMOTIONAL, text=said))
    assert texts(own) == {HONG_KONG: said}


def test_a_setting_refuses_a_promotional_text_without_its_footer(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    change_settings(register_waits=False, footer_refuses=True, why="the law", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    with pytest.raises(Refused) as caught:
        plan_of(database, draft_of(database, harbour, **PROMOTION))
    assert caught.value.reason == Reason.NO_FOOTER
    assert plan_of(database, draft_of(database, harbour)).messages == 1
    save_profile(harbour, PROFILE, by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    assert plan_of(database, draft_of(database, harbour, **PROMOTION)).messages == 1


def test_the_setting_asks_of_a_text_what_the_regions_need_that_it_goes_to(database: Connection) -> None:
    """Spec S95: a customer who writes it all itself, in English alone, may write so to London and not to Hong Kong."""
    make_places()
    harbour = make_customer()
    change_settings(register_waits=False, footer_refuses=True, why="the law", by=make_staff(), now=NOW)
    save_profile(harbour, PROFILE._replace(is_added=False), by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    text = PROMOTION | {"text": "Roses! Harbour Florist 28123456. Unsub: 28123457"}
    assert plan_of(database, draft_of(database, harbour, [LONDON], **text)).messages == 1
    for number in (HONG_KONG, MACAU, CHINA):
        with pytest.raises(Refused) as caught:
            plan_of(database, draft_of(database, harbour, [LONDON, number], **text))
        assert caught.value.reason == Reason.NO_FOOTER


def test_the_footer_is_kept_with_the_batch_as_it_was_accepted(database: Connection) -> None:
    make_places()
    harbour = make_customer()
    save_profile(harbour, PROFILE, by=owner_of(harbour), now=NOW)
    Snapshot.forget_all()
    accepted = send(database, harbour, **PROMOTION)
    assert len(Batch.objects.get(id=accepted.batch_id).footers) == 4
    assert Batch.objects.get(id=send(database, harbour).batch_id).footers == []


def test_several_drafts_are_planned_as_if_each_came_alone(database: Connection) -> None:
    """Intake plans a crowd at once, and asks the law once for all of them."""
    make_places()
    list_number()
    harbour = make_customer()
    in_force = terms(database)
    drafts = [
        draft_of(database, harbour, [LISTED], **PROMOTION),
        draft_of(database, harbour, [LISTED], sender="NotMine"),
        draft_of(database, harbour, [LISTED]),
    ]
    first, second, third = plan_all(drafts, in_force, NOW)
    assert isinstance(first, Plan)
    assert reasons(first) == {LISTED: Reason.DO_NOT_CALL}
    assert isinstance(second, Refused)
    assert isinstance(third, Plan)
    assert reasons(third) == {LISTED: None}
    assert len(submit(database, [first, third], NOW)) == 2
