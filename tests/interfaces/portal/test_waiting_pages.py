"""Resend by reasons, recurring batches, quiet hours and drafts, as members use them (spec S54, S101)."""

import re
from datetime import time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from sampan.accounts.tables import Customer, Person
from sampan.database import Connection, Snapshot
from sampan.messages.recurring import make_next_runs
from sampan.messages.schedule import start_one
from sampan.messages.tables import Batch, ComposeDraft, Message, Purpose, Recurrence, Status
from sampan.reasons import Reason
from tests.interfaces.portal import pages
from tests.interfaces.portal.pages import compose, errors_of, html, location, reviewed, signed_in, words
from tests.messages.one_of_each import RECIPIENTS, OneOfEach, make_one_of_each
from tests.world import make_customer, make_places, send, terms

# Resend


@pytest.fixture
def one(database: Connection) -> OneOfEach:
    """With one more reason: a message that got no receipt."""
    found = make_one_of_each(database, timezone.now())
    ended = {"status": Status.EXPIRED, "reason": Reason.NO_RECEIPT.number, "final_at": timezone.now()}
    Message.objects.filter(pk=found.ids["retry"]).update(**ended)
    return found


def test_reasons_are_ticked_reviewed_and_sent(database: Connection, one: OneOfEach) -> None:
    """Spec S101."""
    member = signed_in()
    address = f"/batches/{one.batch_id}/resend/"
    assert f'href="{address}"' in html(member.get(f"/batches/{one.batch_id}/"))
    page = words(member.get(address))
    assert "The number does not exist or is deactivated 303 2" in page
    assert "The operator gave no receipt 301 No receipt came, so some of these may have arrived" in page
    review = location(member.post(address, {"reason": ["303", "304"]}))
    seen = words(member.get(review))
    assert f"batch {one.batch_id}, again" in seen
    assert "Messages 2" in seen
    assert Batch.objects.count() == 1  # the member sends it
    sent = pages.send(member, review)
    again = Batch.objects.get(resend_of=one.batch_id)
    assert location(sent) == f"/batches/{again.pk}/"
    assert f"Sent again from batch {one.batch_id}" in words(member.get(f"/batches/{again.pk}/"))
    left = words(member.get(address))
    assert "303" not in left
    assert "301" in left


def test_nothing_ticked_is_told_and_makes_no_draft(one: OneOfEach) -> None:
    response = signed_in().post(f"/batches/{one.batch_id}/resend/", {})
    assert response.status_code == 422
    assert "Nothing has been sent or charged No message of it ended for these reasons" in words(response)
    assert not ComposeDraft.objects.exists()


def test_a_resend_can_be_changed_on_the_compose_page_and_keeps_its_numbers(one: OneOfEach) -> None:
    member = signed_in()
    member.post(f"/batches/{one.batch_id}/resend/", {"reason": "303"})
    draft = ComposeDraft.objects.get()
    page = words(member.get(f"/compose/{draft.pk}/"))
    assert f"Again from batch {one.batch_id} 2" in page
    typed = pages.TYPED | {"source": "resend", "numbers": "", "text": "Once more"}
    assert location(member.post(f"/compose/{draft.pk}/", typed)) == f"/compose/{draft.pk}/review/"
    pages.send(member, f"/compose/{draft.pk}/review/")
    recipients = set(Message.objects.exclude(batch_id=one.batch_id).values_list("recipient", flat=True))
    assert recipients == {RECIPIENTS["undeliverable"], RECIPIENTS["refused"]}


def test_a_batch_with_nothing_to_resend_says_so(one: OneOfEach) -> None:
    Message.objects.exclude(final_at=None).update(status=Status.DELIVERED)
    assert "There is nothing to send again" in words(signed_in().get(f"/batches/{one.batch_id}/resend/"))


def test_the_results_lead_to_the_batch_whose_messages_can_be_sent_again(database: Connection, one: OneOfEach) -> None:
    """Spec S101: Action → Resend."""
    member = signed_in()
    results = html(member.get(f"/results/?batch={one.batch_id}"))
    found = re.search(r'href="(/results/resend/[^"]*)"', results)
    assert found
    assert location(member.get(found[1].replace("&amp;", "&"))) == f"/batches/{one.batch_id}/resend/"
    assert "There is nothing to send again" in words(member.get("/results/resend/?status=delivered"))
    other = send(database, one.customer, [79123456789, 85261234567], now=timezone.now(), name="New Year")
    both = words(member.get("/results/resend/"))
    assert f"New Year {other.batch_id} 1" in both
    assert f"Christmas market {one.batch_id} 4" in both


# Recurring


@pytest.fixture
def member(database: Connection) -> Client:
    make_places()
    make_customer()
    return signed_in()


def later(**typed: str) -> dict[str, str]:
    tomorrow = timezone.localtime() + timedelta(days=1)
    return {"when": "later", "date": tomorrow.date().isoformat(), "time": "10:00", **typed}


def test_a_series_is_composed_reviewed_and_ended(database: Connection, member: Client) -> None:
    """Spec S54."""
    review = reviewed(member, **later(every="week", name="Fresh flowers"))
    seen = words(member.get(review))
    assert "Every week, until you end it First runs:" in seen
    assert seen.count("10:00") >= 4
    first = location(pages.send(member, review))
    assert "It recurs" in words(member.get(first))
    assert "Fresh flowers HarbourFlo Every week 10:00" in words(member.get("/recurring/"))
    series = Recurrence.objects.get()
    page = words(member.get(f"/recurring/{series.pk}/"))
    assert page.count("once the one before has started") == 5
    assert location(member.post(f"/recurring/{series.pk}/")) == f"/recurring/{series.pk}/"
    assert "It ended on" in words(member.get(f"/recurring/{series.pk}/"))
    assert Batch.objects.get().state == Batch.State.CANCELLED


def test_the_next_run_is_among_the_scheduled_ones_and_changed_by_itself(database: Connection, member: Client) -> None:
    pages.send(member, reviewed(member, **later(every="day")))
    Batch.objects.update(scheduled_at=timezone.now())
    Snapshot.forget_all()
    start_one(database, terms(database), timezone.now())
    make_next_runs(database, terms(database), timezone.now())
    standing = Batch.objects.get(state=Batch.State.SCHEDULED)
    listed = html(member.get("/scheduled/"))
    assert f'href="/batches/{standing.pk}/change/"' in listed
    assert f'href="/recurring/{Recurrence.objects.get().pk}/"' in listed


def test_what_cannot_recur_stands_beside_its_field(member: Client) -> None:
    today = timezone.localdate().isoformat()
    response = compose(member, **later(every="day", until=today))
    assert errors_of(response) == {"until": "Before the first day. Choose a later one, or none."}


def test_what_is_sent_now_does_not_recur(member: Client) -> None:
    reviewed(member, when="now", every="day")
    assert ComposeDraft.objects.get().every == ""


def test_a_review_from_before_it_recurred_does_not_begin_a_series(member: Client) -> None:
    review = reviewed(member, **later())
    seal = pages.value_of(member.get(review), "seal")
    ComposeDraft.objects.update(every="day")
    response = member.post(review, {"seal": seal})
    assert response.status_code == 409
    assert "This is not what you reviewed" in words(response)
    assert not Recurrence.objects.exists()


# Quiet hours


def test_the_owner_sets_quiet_hours_and_the_review_says_what_they_move(member: Client) -> None:
    """Spec S54."""
    saved = member.post("/account/quiet-hours/", {"quiet": "yes", "begin": "22:00", "end": "09:00"})
    assert location(saved) == "/scheduled/"
    customer = Customer.objects.get()
    assert (customer.quiet_from, customer.quiet_until) == (time(22), time(9))
    Snapshot.forget_all()
    assert "Quiet hours: 22:00–09:00" in words(member.get("/scheduled/"))
    tomorrow = timezone.localdate() + timedelta(days=1)
    review = reviewed(member, **later(time="23:30", purpose=str(Purpose.PROMOTIONAL.value)))
    seen = words(member.get(review))
    assert f"It goes at {tomorrow + timedelta(days=1):%-d %b %Y} 09:00 Your quiet hours last until then." in seen
    member.post("/account/quiet-hours/", {"quiet": "no"})
    assert Customer.objects.get().quiet_from is None


@pytest.mark.parametrize(
    ("typed", "errors"),
    [
        ({"quiet": "yes", "begin": "22:00", "end": ""}, {"end": "No time yet. Choose one."}),
        ({"quiet": "yes", "begin": "9 pm", "end": "09:00"}, {"begin": "Not a time. Write it as 22:00."}),
        (
            {"quiet": "yes", "begin": "09:00", "end": "09:00"},
            {"end": "The same time as the beginning. Choose another."},
        ),
        ({}, {"quiet": "Choose one of the two."}),
    ],
)
def test_what_are_no_quiet_hours_stands_beside_its_field(
    member: Client, typed: dict[str, str], errors: dict[str, str]
) -> None:
    response = member.post("/account/quiet-hours/", typed)
    assert response.status_code == 422
    assert errors_of(response) == errors
    assert Customer.objects.get().quiet_from is None


def test_others_see_quiet_hours_and_do_not_set_them(member: Client) -> None:
    customer = Customer.objects.get()
    Person.objects.create(login_name="yan", customer=customer, role=Person.Role.SENDER, created_at=timezone.now())
    yan = signed_in("yan")
    assert "The owner of the organisation sets them." in words(yan.get("/account/quiet-hours/"))
    assert yan.post("/account/quiet-hours/", {"quiet": "yes", "begin": "22:00", "end": "09:00"}).status_code == 403
    assert Customer.objects.get().quiet_from is None


# Drafts


def test_drafts_are_listed_and_deleted_once_more_asked(member: Client) -> None:
    compose(member, do="draft", text="Half a thought")
    draft = ComposeDraft.objects.get()
    assert "Half a thought HarbourFlo Harbour Florist" in words(member.get("/drafts/"))
    address = f"/drafts/{draft.pk}/delete/"
    assert "“Half a thought”, with its numbers." in words(member.get(address))
    assert ComposeDraft.objects.exists()
    assert location(member.post(address)) == "/drafts/"
    assert "There are no drafts" in words(member.get("/drafts/"))


def test_a_draft_that_was_sent_is_kept_because_it_says_as_which_batch(member: Client) -> None:
    """Spec S8: pressing Send on an old page leads to the batch and sends nothing."""
    review = reviewed(member)
    pages.send(member, review)
    draft = ComposeDraft.objects.get()
    assert str(draft.pk) not in html(member.get("/drafts/"))
    member.post(f"/drafts/{draft.pk}/delete/")
    assert ComposeDraft.objects.exists()


def test_times_are_told_and_read_by_the_clock_of_the_organisation(member: Client) -> None:
    """Spec S50."""
    Customer.objects.update(time_zone="Europe/London")
    Snapshot.forget_all()
    assert "Europe/London time" in words(member.get("/compose/"))
    first = location(pages.send(member, reviewed(member, **later(date="2030-07-01", time="09:30"))))
    assert f"{Batch.objects.get().scheduled_at:%H:%M}" == "08:30"
    assert re.search(r"For 1 Jul 2030 09:30, Europe/London time", words(member.get(first)))
