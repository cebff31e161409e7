"""Whose a reply is: by number, by keyword, by the message it answers; and nobody else's (spec S110)."""

from datetime import timedelta

import pytest

from sampan.accounts.tables import Customer
from sampan.database import Connection
from sampan.inbound import numbers
from sampan.inbound.owners import ANSWERED_WITHIN
from sampan.inbound.tables import Reply
from sampan.messages.tables import Purpose
from sampan.routing.tables import Operator
from tests.inbound.renting import HANDSET, IN_CHINA, OWN, SHARED, inbox, make_number, make_rental, support, take, write
from tests.world import NOW, make_customer, make_mallory, make_places, send


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


@pytest.fixture
def harbour(operator: Operator) -> Customer:
    return make_customer()


@pytest.fixture
def mallory(operator: Operator) -> Customer:
    return make_mallory()


def test_what_comes_to_a_number_of_ones_own_is_its_customers(
    database: Connection, operator: Operator, harbour: Customer, mallory: Customer
) -> None:
    make_rental(make_number(operator), harbour)
    write(database, operator, "可否中午前送到？")
    assert take() == 1
    (reply,) = inbox(database, harbour)
    assert (reply.handset, reply.number, reply.text) == (HANDSET, OWN, "可否中午前送到？")
    assert (reply.message_id, reply.is_read, reply.unsubscribed) == (None, False, False)
    assert inbox(database, mallory) == []


def test_a_keyword_finds_its_customer_and_the_text_stays_whole(
    database: Connection, operator: Operator, harbour: Customer, mallory: Customer
) -> None:
    shared = make_number(operator, SHARED, is_shared=True)
    make_rental(shared, harbour, keyword="Flowers")
    make_rental(shared, mallory, keyword="訂花")
    write(database, operator, "ＦＬＯＷＥＲＳ: two", to=SHARED)
    write(database, operator, "訂花 兩打", to=SHARED)
    assert take() == 2
    assert [(reply.keyword, reply.text) for reply in inbox(database, harbour)] == [("flowers", "ＦＬＯＷＥＲＳ: two")]
    assert [(reply.keyword, reply.text) for reply in inbox(database, mallory)] == [("訂花", "訂花 兩打")]


def test_without_a_keyword_it_is_whose_message_came_last_from_that_number(
    database: Connection, operator: Operator, harbour: Customer, mallory: Customer
) -> None:
    shared = make_number(operator, SHARED, is_shared=True)
    make_rental(shared, harbour, keyword="flowers")
    make_rental(shared, mallory, keyword="gold")
    send(database, mallory, sender=SHARED)
    sent = send(database, harbour, sender=SHARED)
    send(database, mallory, sender="Mallory")  # not from the number
    write(database, operator, "yes", to=SHARED)
    take()
    (reply,) = inbox(database, harbour)
    assert reply.message_id == sent.message_ids[0]
    assert inbox(database, mallory) == []


def test_a_reply_belongs_to_the_latest_message_of_30_days_from_the_number_to_the_handset(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    make_rental(make_number(operator), harbour)
    send(database, harbour, sender=OWN)
    second = send(database, harbour, sender=OWN)
    send(database, harbour, [85261234568], sender=OWN)
    send(database, harbour)
    write(database, operator, "first")
    take()
    later = NOW + ANSWERED_WITHIN + timedelta(seconds=1)
    write(database, operator, "late", now=later)
    take(later)
    late, first = inbox(database, harbour)
    assert (first.message_id, late.message_id) == (second.message_ids[0], None)


def test_what_finds_nobody_is_nobodys(database: Connection, operator: Operator, harbour: Customer) -> None:
    shared = make_number(operator, SHARED, is_shared=True)
    make_rental(shared, harbour, keyword="flowers")
    write(database, operator, "flower two", to=SHARED)  # mistyped
    write(database, operator, "hello", to="85264478299")  # no number of ours
    write(database, operator, "hello", to="Harbour")
    assert take() == 3
    assert inbox(database, harbour) == []
    assert Reply.objects.filter(customer=None).count() == 3


def test_a_number_is_one_operators_and_another_cannot_speak_for_it(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    make_rental(make_number(operator), harbour)
    other = Operator(pk=operator.pk + 1)
    write(database, other, "spoofed")
    take()
    assert inbox(database, harbour) == []


def test_in_china_a_reply_to_the_operators_number_is_whose_text_came_last(
    database: Connection, operator: Operator, harbour: Customer, mallory: Customer
) -> None:
    """Every text to China comes from the operator's number (spec S64), which nobody rents."""
    send(database, mallory, [IN_CHINA], sender="Mallory")
    sent = send(database, harbour, [IN_CHINA])
    write(database, operator, "T", to="106901234567", handset=IN_CHINA)
    write(database, operator, "T", to="106901234567", handset="8613812345679")
    take()
    (reply,) = inbox(database, harbour)
    assert (reply.message_id, reply.unsubscribed, reply.number) == (sent.message_ids[0], True, "106901234567")
    assert inbox(database, mallory) == []


def test_after_the_rent_has_ended_only_a_stop_word_is_still_brought(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    """spec S95: the way out works for 30 days more."""
    rental = make_rental(make_number(operator), harbour)
    send(database, harbour, sender=OWN, purpose=Purpose.TRANSACTIONAL)
    numbers.end_rental(rental.pk, by=support(), why="moved", now=NOW)
    write(database, operator, "how much?")
    write(database, operator, "STOP")
    take()
    assert [(reply.text, reply.unsubscribed) for reply in inbox(database, harbour)] == [("STOP", True)]
