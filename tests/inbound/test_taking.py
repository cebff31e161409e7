"""What comes of a reply: an unsubscribe, one confirmation, answers, forwards; all of it or nothing (spec S110–S112)."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import Customer
from sampan.compliance.tables import Preference
from sampan.database import Connection, Snapshot, connect
from sampan.inbound import forwarding, parts
from sampan.inbound.forwarding import Forwards
from sampan.inbound.tables import Reply, ReplyPart
from sampan.inbound.taking import ONE_AFTER_THE_OTHER
from sampan.messages.tables import Batch, Message, Purpose, Source
from sampan.reasons import Reason
from sampan.routing.tables import Operator
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint
from tests.inbound.renting import HANDSET, IN_CHINA, OWN, SHARED, inbox, make_number, make_rental, take, write
from tests.world import NOW, draft_of, make_customer, make_mallory, make_places, plan_of, send

DAY = timedelta(days=1)


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


@pytest.fixture
def harbour(operator: Operator) -> Customer:
    customer = make_customer()
    make_rental(make_number(operator), customer)
    return customer


def texts_sent() -> list[tuple[int, str, str]]:
    """To whom, from what sender and what, of all that replies brought about."""
    batches = {batch.pk: batch for batch in Batch.objects.filter(source=Source.REPLY)}
    messages = Message.objects.filter(batch_id__in=list(batches)).order_by("pk")
    return [(each.recipient, batches[each.batch_id].sender, batches[each.batch_id].text) for each in messages]


@pytest.mark.parametrize("text", ["STOP", "ｓｔｏｐ", "Unsub.", "退訂", "退订", "取消"])
def test_a_stop_word_in_three_scripts_unsubscribes_with_evidence_and_is_confirmed_once(
    database: Connection, operator: Operator, harbour: Customer, text: str
) -> None:
    write(database, operator, text)
    take()
    (said,) = Preference.objects.all()
    assert (said.customer, said.number, said.kind, said.way) == (harbour, int(HANDSET), 2, "reply")
    assert said.evidence == f"“{text}” to {OWN}"
    confirmation = "Harbour Florist: no more promotional texts. 已取消接收推廣短訊。"
    assert texts_sent() == [(int(HANDSET), OWN, confirmation)]
    (reply,) = inbox(database, harbour)
    assert (reply.unsubscribed, reply.answer, reply.not_sent) == (True, "stop", None)
    promotion = plan_of(database, draft_of(database, harbour, purpose=Purpose.PROMOTIONAL))
    assert [kind.reason for kind in promotion.kinds] == [Reason.UNSUBSCRIBED]


def test_a_confirmation_is_charged_like_any_text_and_goes_though_all_is_promotion(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    Customer.objects.update(promotional_only=True)
    Snapshot.forget_all()
    write(database, operator, "STOP")
    take()
    (message,) = Message.objects.all()
    assert (message.units, message.price_pips) == (1, 2_900)
    assert Batch.objects.get().purpose == Purpose.TRANSACTIONAL


def test_in_china_one_letter_unsubscribes_and_the_confirmation_is_simplified(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    """spec S112: T, TD, N and 0000 stop there; 退订回T is what the footer says (spec S95)."""
    send(database, harbour, [IN_CHINA])
    write(database, operator, "T", to="10690123", handset=IN_CHINA)
    write(database, operator, "T")  # in Hong Kong it is a letter
    take()
    (said,) = Preference.objects.all()
    assert said.number == int(IN_CHINA)
    (sent,) = texts_sent()
    assert sent[0] == int(IN_CHINA)
    assert "已退订" in sent[2]


def test_a_second_stop_of_a_day_is_heeded_and_not_answered(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    for hours in (0, 1, 23, 25):
        now = NOW + timedelta(hours=hours)
        write(database, operator, "STOP", now=now)
        take(now)
    assert Preference.objects.count() == 4
    assert len(texts_sent()) == 2


def test_without_money_the_unsubscribe_counts_and_the_inbox_says_what_was_not_sent(
    database: Connection, operator: Operator
) -> None:
    poor = make_customer("poor", name="Poor Ltd", senders=(), balance="0.01")
    make_rental(make_number(operator), poor)
    write(database, operator, "STOP")
    take()
    (reply,) = inbox(database, poor)
    assert (reply.unsubscribed, reply.answer, reply.not_sent) == (True, "", Reason.BALANCE_TOO_LOW)
    assert Preference.objects.count() == 1
    assert texts_sent() == []


def test_a_word_is_answered_by_the_customers_text_once_a_day(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    owner = harbour.members.get()
    forwarding.set_answer(harbour.pk, "HOURS", "Open 9 to 6.", by=owner, now=NOW)
    write(database, operator, "hours please")
    take()
    write(database, operator, "Hours?", now=NOW + timedelta(hours=2))
    write(database, operator, "what hours", now=NOW + timedelta(hours=2))
    take(NOW + timedelta(hours=2))
    assert texts_sent() == [(int(HANDSET), OWN, "Open 9 to 6.")]
    assert [reply.answer for reply in inbox(database, harbour)] == ["", "", "hours"]


def test_behind_a_keyword_the_next_word_is_answered_and_alone_the_keyword_itself(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    make_rental(make_number(operator, SHARED, is_shared=True), harbour, keyword="flowers")
    owner = harbour.members.get()
    forwarding.set_answer(harbour.pk, "hours", "Open 9 to 6.", by=owner, now=NOW)
    forwarding.set_answer(harbour.pk, "flowers", "Roses, lilies.", by=owner, now=NOW)
    write(database, operator, "FLOWERS hours", to=SHARED)
    write(database, operator, "Flowers", to=SHARED)
    write(database, operator, "flowers stop", to=SHARED, handset="85261234568")
    take()
    assert [(to, sender, text[:6]) for to, sender, text in texts_sent()] == [
        (int(HANDSET), SHARED, "Open 9"),
        (int(HANDSET), SHARED, "Roses,"),
        (85261234568, SHARED, "Harbou"),
    ]


def test_two_numbers_that_answer_each_other_stop_at_once(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    """The loop guard: a number of ours is not answered, nobody gets their own words back, three answers a day."""
    mallory = make_mallory()
    theirs = "85264478209"
    make_rental(make_number(operator, theirs), mallory)
    owner = harbour.members.get()
    for word in ("ping", "two", "three", "four"):
        forwarding.set_answer(harbour.pk, word, f"{word} pong", by=owner, now=NOW)
    write(database, operator, "ping", handset=theirs)
    write(database, operator, "ping pong", handset="85261234568")
    for word in ("ping", "two", "three", "four"):
        write(database, operator, word)
    write(database, operator, "ping", handset="Kwai-Fong")
    write(database, operator, "ping", handset="85221234567")  # a fixed line
    take()
    assert [text for _to, _sender, text in texts_sent()] == ["ping pong", "two pong", "three pong"]


def test_a_reply_goes_on_by_mail_and_by_sms_which_is_charged(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    owner = harbour.members.get()
    forwards = Forwards("shop@harbour.example", 85291234567)
    forwarding.change_forwards(harbour.pk, forwards, by=owner, now=NOW)
    write(database, operator, "可以，" * 200)
    write(database, operator, "from the boss", handset="85291234567")
    take()
    assert [mail.to for mail in Mail.objects.all()] == ["shop@harbour.example"] * 2
    assert "可以，" * 200 in Mail.objects.order_by("pk")[0].text
    ((to, sender, text),) = texts_sent()
    assert (to, sender) == (85291234567, OWN)
    assert text.startswith(f"{HANDSET}: 可以，可以，")
    assert text.endswith("...")
    assert Message.objects.get().units == 3


def test_webhooks_are_told_in_the_same_transaction(database: Connection, operator: Operator, harbour: Customer) -> None:
    sent = send(database, harbour, sender=OWN)
    WebhookEndpoint.objects.create(
        customer=harbour,
        url="https://harbour.example/hooks",
        form=WebhookEndpoint.Form.SIGNED_JSON,
        events=["reply.received"],
        secret=b"sealed",
        created_at=NOW,
        created_by=harbour.members.get(),
    )
    Snapshot.forget_all()
    write(database, operator, "Yes!")
    take()
    (delivery,) = WebhookDelivery.objects.filter(kind="reply.received")
    (reply,) = inbox(database, harbour)
    assert delivery.subject_id == reply.id
    assert f'{{"id":"{reply.id}","received_at":"' in delivery.data
    assert f'"from":"{HANDSET}","to":"{OWN}","keyword":"","text":"Yes!"' in delivery.data
    assert f'"message_id":"{sent.message_ids[0]}"' in delivery.data


def test_a_text_is_taken_once_by_two_workers(database: Connection, operator: Operator, harbour: Customer) -> None:
    for number in range(20):
        write(database, operator, "STOP", handset=f"852612345{number:02}")
    barrier, counts = threading.Barrier(2), []

    def worker() -> None:
        barrier.wait()
        counts.append(take())
        connection.close()

    threads = [threading.Thread(target=worker) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inbox(database, harbour)) == Reply.objects.count() == 20
    assert len(texts_sent()) == 20
    assert ReplyPart.objects.exclude(look_at=None).count() == 0


def test_ids_become_known_in_their_order_so_that_a_cursor_misses_none(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    """A second worker waits until the first has committed."""
    write(database, operator, "first")
    write(database, operator, "second")
    with connect("tests") as first, first.transaction():
        first.execute(ONE_AFTER_THE_OTHER, [harbour.pk])

        def work() -> None:
            take()
            connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not database.execute(waits).rowcount:
            assert worker.is_alive()
        assert inbox(database, harbour) == []
    worker.join()
    assert [reply.text for reply in inbox(database, harbour)] == ["second", "first"]


def test_one_text_that_cannot_be_taken_is_put_back_whole_and_holds_up_nobody(
    database: Connection, operator: Operator, harbour: Customer
) -> None:
    database.execute("ALTER TABLE preference ADD CONSTRAINT broken CHECK (number <> 85261234567)")
    try:
        write(database, operator, "STOP")
        write(database, operator, "hello")
        assert take() == 1
        assert [reply.text for reply in inbox(database, harbour)] == ["hello"]
        assert texts_sent() == []
    finally:
        database.execute("ALTER TABLE preference DROP CONSTRAINT broken")
    assert take() == 0  # not yet
    assert take(NOW + timedelta(minutes=1)) == 1
    assert [reply.text for reply in inbox(database, harbour)] == ["STOP", "hello"]
    assert parts.waiting(database, NOW + DAY) == []
