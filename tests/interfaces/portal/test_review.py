"""The review: exact figures before money moves, and a button that sends once (spec S2, S8, S81)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer
from sampan.billing.money import pips_of
from sampan.billing.tables import Price
from sampan.database import Connection, Snapshot
from sampan.messages.submit import Accepted
from sampan.messages.tables import Batch, ComposeDraft, ComposeList, Message, Purpose, Source
from tests.dispatch.steps import money
from tests.interfaces.portal.pages import (
    TYPED,
    csv_file,
    errors_of,
    html,
    location,
    reviewed,
    send,
    signed_in,
    value_of,
    words,
)
from tests.world import make_customer, make_places
from tests.world import send as submitted

ROWS = ["9123 4567", "9123 4568", "2555 0142", "+853 6612 0034", "+86 138 0013 8000", "9123 4567", "9123 456"]


@pytest.fixture(autouse=True)
def florist(database: Connection) -> Customer:
    make_places()
    return make_customer(balance="100")


@pytest.fixture
def member(florist: Customer) -> Client:
    return signed_in()


def test_it_shows_messages_units_charge_and_balance_after(member: Client) -> None:
    """spec S2: messages and charge are different figures"""
    said = words(member.get(reviewed(member, source="file", file=csv_file(ROWS), text="字" * 71)))
    assert "Messages 4 rows: 7 Charge units 8 for each message: 2 Total charge HK$2.56" in said
    assert "Hong Kong, business HarbourFlo 2 4 0.2900 1.16" in said
    assert "Macau HarbourFlo 1 2 0.3400 0.68" in said
    assert "Mainland China The operator’s 1 2 0.3600 0.72" in said
    assert "Total 4 8 2.56" in said
    assert "Balance HK$100.00 This batch −HK$2.56 Balance after HK$97.44 Send 4 messages" in said
    assert "Length 71 of 134, Unicode Length to China 71 of 120, Unicode Before it 【舢舨】" in said


def test_bad_rows_stand_with_row_value_and_reason(member: Client) -> None:
    """spec S1"""
    review = reviewed(member, source="file", file=csv_file(ROWS))
    said = words(member.get(review))
    assert "Bad rows: 2, duplicates: 1" in said
    assert "3 2555 0142 Fixed line. Only mobiles can receive SMS." in said
    assert "7 9123 456 7 digits. A Hong Kong number has 8." in said


def test_all_bad_rows_are_paged_and_a_file(member: Client) -> None:
    """spec S1"""
    rows = ["9123 4567", *["9123 456"] * 205]
    page = reviewed(member, source="file", file=csv_file(rows)).replace("review", "bad-rows")
    first, last = words(member.get(page)), words(member.get(page, {"after": 200}))
    assert "1–100 of 205 More bad rows" in first
    assert "201–205 of 205 Rows before" in last
    assert "206 list.csv 9123 456 7 digits" in last
    file = html(member.get(page.rstrip("/") + ".csv"))
    assert file.startswith("\ufeffFile,Row,Value,Reason\r\nlist.csv,2,9123 456,7 digits.")
    assert file.count("\r\n") == 206


def test_what_rules_leave_out_is_counted_by_reason_and_free(database: Connection) -> None:
    """spec S2, S84, S87"""
    make_customer("newone", name="New Ltd", status=Customer.Status.TRIAL, senders=(), balance="5")
    Customer.objects.filter(name="New Ltd").update(verified_mobile=85291234567)
    Snapshot.forget_all()
    member = signed_in("newone")
    review = reviewed(member, sender="Sampan", numbers="91234567\n91234568\n91234569")
    said = words(member.get(review))
    assert "Will not be sent: 2 Filtered, and free of charge" in said
    assert "A trial account sends only to its own mobile 312 Until we have approved the account 2" in said
    assert "Total charge HK$0.29" in said
    file = html(member.get(review.replace("review/", "left-out.csv"), {"reason": "3123"}))
    assert file.split("\r\n")[1] == "85291234568,312,A trial account sends only to its own mobile"
    send(member, review)
    assert Message.objects.filter(price_pips=0, status=21).count() == 2


def test_where_all_is_left_out_there_is_nothing_to_press(member: Client) -> None:
    """spec S84"""
    Customer.objects.update(message_limit_pips=1)
    Snapshot.forget_all()
    review = reviewed(member)
    page = member.get(review)
    assert "All numbers are left out Nothing has been sent or charged." in words(page)
    assert 'class="button spend"' not in html(page)
    send(member, review)
    assert not Batch.objects.exists()


def test_send_makes_the_batch_as_reviewed(member: Client, database: Connection, florist: Customer) -> None:
    """spec S5, S6, S80, S81"""
    batch_page = location(send(member, reviewed(member, purpose="2", validity="60", name="Wreaths")))
    batch = Batch.objects.get()
    assert batch_page == f"/batches/{batch.pk}/"
    assert (batch.name, batch.source, batch.purpose) == ("Wreaths", Source.PORTAL, Purpose.PROMOTIONAL)
    assert (batch.validity_minutes, batch.sender, batch.recipients) == (60, "HarbourFlo", 2)
    assert batch.person
    assert batch.person.login_name == "harbour"
    assert money(database, florist) == {"held": pips_of("0.63"), "charged": 0}
    assert set(Message.objects.values_list("recipient", flat=True)) == {85291234567, 85366120034}


def test_after_sending_the_numbers_are_no_longer_kept_with_the_draft(member: Client) -> None:
    send(member, reviewed(member))
    assert ComposeDraft.objects.get().batch_id == Batch.objects.get().pk
    assert not ComposeList.objects.exists()
    assert "Not sent yet" not in words(member.get("/"))


def test_pressing_again_going_back_or_editing_leads_to_the_same_batch(member: Client) -> None:
    """spec S8"""
    review = reviewed(member)
    seal = value_of(member.get(review), "seal")
    first = location(member.post(review, {"seal": seal}))
    draft_page = review.replace("review/", "")
    for again in (
        member.post(review, {"seal": seal}),
        member.get(review),
        member.get(draft_page),
        member.post(draft_page, TYPED | {"text": "Another text"}),
    ):
        assert location(again) == first
    assert Batch.objects.count() == 1


def test_two_presses_at_once_send_once(member: Client) -> None:
    """spec S8"""
    review = reviewed(member)
    seal = value_of(member.get(review), "seal")
    members = [signed_in() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda each: location(each.post(review, {"seal": seal})), members))
    assert len(set(answers)) == 1
    assert Batch.objects.count() == 1


def test_a_crash_between_the_commit_and_the_answer_sends_once(member: Client) -> None:
    """spec S8: we died before we wrote down as which batch it went"""
    review = reviewed(member)
    page = member.get(review)
    kept = list(ComposeList.objects.all())
    first = location(send(member, review))
    ComposeDraft.objects.update(batch_id=None)
    ComposeList.objects.bulk_create(kept)
    assert location(member.post(review, {"seal": value_of(page, "seal")})) == first
    assert Batch.objects.count() == 1
    assert ComposeDraft.objects.get().batch_id == Batch.objects.get().pk
    assert not ComposeList.objects.exists()


@pytest.mark.parametrize("change", ["price", "text", "numbers"])
def test_what_changed_since_is_shown_again_and_not_sent(member: Client, change: str) -> None:
    """spec S2: nobody pays a price they have not seen"""
    review = reviewed(member)
    seal = value_of(member.get(review), "seal")
    if change == "price":
        Price.objects.filter(route__code="hk-business").update(unit_pips=3_000)
        Snapshot.forget_all()
    else:
        compose_page = review.replace("review/", "")
        member.post(compose_page, TYPED | {change: "9123 4568" if change == "numbers" else "Another text"})
    again = member.post(review, {"seal": seal})
    assert again.status_code == 409
    assert "This is not what you reviewed" in words(again)
    assert "Nothing has been sent or charged." in words(again)
    assert not Batch.objects.exists()
    location(member.post(review, {"seal": value_of(again, "seal")}))
    assert Batch.objects.count() == 1


def test_a_balance_too_low_names_the_sum_and_offers_no_send(member: Client) -> None:
    """spec S81"""
    review = reviewed(member, numbers="\n".join(f"9{n:07d}" for n in range(1_000_000, 1_000_400)))
    page = member.get(review)
    assert "HK$16.00 more is needed This batch costs HK$116.00 and the balance is HK$100.00." in words(page)
    assert "Nothing has been sent or charged." in words(page)
    assert "Short by HK$16.00 Change it" in words(page)
    assert 'class="button spend"' not in html(page)
    assert send(member, review).status_code == 200
    assert not Batch.objects.exists()


def test_money_spent_between_looking_and_pressing_is_not_spent_twice(
    member: Client, database: Connection, florist: Customer
) -> None:
    """spec S80, S81"""
    review = reviewed(member, numbers="\n".join(f"9{n:07d}" for n in range(1_000_000, 1_000_300)))
    seal = value_of(member.get(review), "seal")
    others = submitted(database, florist, range(85261000000, 85261000200), now=timezone.now())
    assert isinstance(others, Accepted)
    refused = member.post(review, {"seal": seal})
    assert "HK$45.00 more is needed" in words(refused)
    assert Batch.objects.count() == 1


def test_a_scheduled_batch_holds_nothing_and_its_button_is_not_warm(
    member: Client, database: Connection, florist: Customer
) -> None:
    """spec S81; design: warm means money"""
    tomorrow = timezone.localtime() + timedelta(days=1)
    review = reviewed(member, when="later", date=f"{tomorrow:%Y-%m-%d}", time="08:30")
    page = member.get(review)
    assert "nothing is held until it comes due" in words(page)
    assert f"When {tomorrow.day} {tomorrow:%b %Y} 08:30" in words(page)
    assert '<button class="button primary">Schedule 2 messages</button>' in html(page)
    assert "spend" not in html(page)
    location(send(member, review))
    assert Batch.objects.get().state == Batch.State.SCHEDULED
    assert money(database, florist) == {"held": 0, "charged": 0}


def test_a_scheduled_batch_must_fit_the_balance_of_this_moment(member: Client) -> None:
    """spec S81"""
    numbers = "\n".join(f"9{n:07d}" for n in range(1_000_000, 1_000_400))
    page = words(member.get(reviewed(member, numbers=numbers, when="later", date="2026-12-24", time="08:30")))
    assert "HK$16.00 more is needed" in page


def test_a_time_that_has_passed_is_told_and_means_now(member: Client) -> None:
    """spec S50"""
    review = reviewed(member, when="later", date="2020-01-01")
    said = words(member.get(review))
    assert "The time you chose has passed So it means now." in said
    assert "Send 2 messages" in said
    send(member, review)
    assert Batch.objects.get().state == Batch.State.RUNNING


def test_one_message_is_not_called_messages(member: Client) -> None:
    assert "Send 1 message Change it" in words(member.get(reviewed(member, numbers="91234567")))


def test_what_stands_against_a_draft_by_now_is_said_on_the_compose_page(member: Client) -> None:
    """spec S97: asked again"""
    review = reviewed(member)
    Customer.objects.get().sender_ids.update(withdrawn_at=timezone.now())
    Snapshot.forget_all()
    back = location(member.get(review))
    assert back == review.replace("review/", "?check")
    assert "sender" in errors_of(member.get(back))
    assert location(member.get(review.replace("review/", "left-out.csv"))) == back


def test_sums_that_have_parts_of_a_cent_are_shown_to_the_pip(member: Client) -> None:
    Price.objects.filter(route__code="hk-business").update(unit_pips=2_875)
    Snapshot.forget_all()
    said = words(member.get(reviewed(member, numbers="91234567\n91234568\n91234569")))
    assert "Balance HK$100.00 This batch −HK$0.8625 Balance after HK$99.1375" in said


def test_typed_numbers_may_be_separated_as_people_do(member: Client) -> None:
    """spec S1"""
    review = reviewed(member, numbers="9123-4567, (852) 9123 4568/９１２３４５６９; 00853 6612 0034")
    assert "Messages 4 rows: 4" in words(member.get(review))
