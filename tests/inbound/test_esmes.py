"""Replies wait for a bound ESME, come again until it acknowledges, and are given up after a week (spec S124)."""

from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.inbound import esmes, forwarding
from sampan.inbound.esmes import KEPT, LEASE
from sampan.inbound.forwarding import Forwards
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Operator
from tests.inbound.renting import HANDSET, OWN, SHARED, inbox, make_number, make_rental, take, write
from tests.world import NOW, make_customer, make_mallory, make_places


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


@pytest.fixture
def harbour(operator: Operator) -> Customer:
    customer = make_customer()
    make_rental(make_number(operator), customer)
    owner = customer.members.get()
    forwarding.change_forwards(customer.pk, Forwards(to_smpp=True), by=owner, now=NOW)
    return customer


def test_a_reply_is_told_until_it_is_acknowledged(database: Connection, operator: Operator, harbour: Customer) -> None:
    write(database, operator, "hello")
    take()
    (untold,) = esmes.take_untold(database, {harbour.pk: 10}, NOW)
    assert (untold.handset, untold.number, untold.text) == (HANDSET, OWN, "hello")
    assert esmes.take_untold(database, {harbour.pk: 10}, NOW) == []
    assert esmes.take_untold(database, {harbour.pk: 10}, NOW + LEASE) == [untold]
    esmes.give_back(database, [untold.id], NOW)
    assert esmes.take_untold(database, {harbour.pk: 10}, NOW) == [untold]
    esmes.told(database, [untold.id])
    esmes.give_back(database, [untold.id], NOW)  # an answer that was overtaken
    assert esmes.take_untold(database, {harbour.pk: 10}, NOW + LEASE) == []


def test_nobody_is_told_anothers_and_who_did_not_ask_is_told_none(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    mallory = make_mallory()
    make_rental(make_number(operator, SHARED), mallory)
    write(database, operator, "hello")
    write(database, operator, "hello", to=SHARED)
    take()
    assert esmes.take_untold(database, {mallory.pk: 10}, NOW) == []
    assert len(esmes.take_untold(database, {mallory.pk: 10, harbour.pk: 10}, NOW)) == 1


def test_the_oldest_go_first_and_after_a_week_nobody_waits_for_them(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    for text in ("one", "two", "three"):
        write(database, operator, text)
    take()
    assert [each.text for each in esmes.take_untold(database, {harbour.pk: 2}, NOW)] == ["one", "two"]
    assert esmes.give_up(database, NOW + KEPT + timedelta(seconds=1)) == 3
    assert len(inbox(database, harbour)) == 3


def test_replies_are_not_forwarded_to_a_number_whose_replies_come_to_us(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    owner = harbour.members.get()
    with pytest.raises(Refused) as refused:
        forwarding.change_forwards(harbour.pk, Forwards(mobile=int(OWN)), by=owner, now=NOW)
    assert refused.value.reason == Reason.FORWARDS_TO_ITSELF
    assert forwarding.forwards_of(database, harbour.pk) == Forwards(to_smpp=True)


@pytest.mark.parametrize(
    ("word", "text", "reason"),
    [
        ("STOP", "no", Reason.KEYWORD_TAKEN),
        ("TD", "no", Reason.KEYWORD_TAKEN),
        ("two words and more than that", "no", Reason.KEYWORD_MALFORMED),
        ("", "no", Reason.KEYWORD_MALFORMED),
        ("hours", " ", Reason.NO_TEXT),
        ("hours", "花" * 202, Reason.TOO_LONG),
    ],
)
def test_an_answer_that_cannot_be_is_refused(harbour: Customer, word: str, text: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        forwarding.set_answer(harbour.pk, word, text, by=harbour.members.get(), now=NOW)
    assert refused.value.reason == reason


def test_a_customer_has_twenty_answers_at_most_and_changes_and_removes_its_own(
    database: Connection, harbour: Customer
) -> None:
    owner = harbour.members.get()
    answers = [
        forwarding.set_answer(harbour.pk, f"word{n}", "text", by=owner, now=NOW) for n in range(forwarding.MOST_ANSWERS)
    ]
    with pytest.raises(Refused) as refused:
        forwarding.set_answer(harbour.pk, "onemore", "text", by=owner, now=NOW)
    assert refused.value.reason == Reason.TOO_MANY_ANSWERS
    forwarding.set_answer(harbour.pk, "WORD0", "another", by=owner, now=NOW)
    assert forwarding.answer_to(database, harbour.pk, "word0") == "another"
    assert not forwarding.remove_answer(make_mallory().pk, answers[0].pk)
    assert forwarding.remove_answer(harbour.pk, answers[0].pk)
    assert forwarding.answer_to(database, harbour.pk, "word0") is None
