"""Replies that found nobody: staff see little of them, match or dismiss them, and they go (spec S110, S130, S133)."""

from datetime import timedelta

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Person
from sampan.compliance.tables import Preference
from sampan.database import Connection
from sampan.inbound import forgetting, replies
from sampan.inbound.forgetting import MOST_UNMATCHED, UNMATCHED_KEPT, forget_replies
from sampan.inbound.replies import Asked, following
from sampan.inbound.tables import Reply
from sampan.inbound.unmatched import dismiss, match, unmatched
from sampan.reasons import Reason, Refused
from sampan.routing.tables import Operator
from tests.inbound.renting import HANDSET, SHARED, inbox, make_number, make_rental, support, take, write
from tests.world import NOW, PLATFORM, make_customer, make_mallory, make_places, make_staff


@pytest.fixture
def operator(database: Connection) -> Operator:
    return make_places()


def test_staff_see_the_number_the_first_word_and_no_more(database: Connection, operator: Operator) -> None:
    write(database, operator, "flower my secret address", to=SHARED)
    take()
    (row,) = unmatched(database, most=10)
    assert (row.operator, row.number, row.handset) == ("kai-tak", SHARED, "8526…")
    assert (row.word, row.characters) == ("flower", 24)
    assert "secret" not in str(row)


def test_staff_say_whose_it_is_and_it_comes_as_a_new_reply_with_all_that_follows(
    database: Connection, operator: Operator
) -> None:
    """Who asks by a cursor must not miss it."""
    harbour, mallory = make_customer(), make_mallory()
    shared = make_number(operator, SHARED, is_shared=True)
    rental = make_rental(shared, harbour, keyword="flowers")
    make_rental(shared, mallory, keyword="gold")
    write(database, operator, "STOP", to=SHARED)
    take()
    (row,) = unmatched(database, most=10)
    write(database, operator, "flowers please", to=SHARED)
    take()
    cursor = following(database, harbour.pk)[-1].id
    customer_id, places = match(row.id, rental.pk, PLATFORM, by=support(), why="a mistyped word", now=NOW)
    (reply,) = following(database, harbour.pk, after=cursor)
    assert customer_id == harbour.pk
    assert (reply.text, reply.unsubscribed, reply.answer) == ("STOP", True, "stop")
    assert len(places) == 1
    assert Preference.objects.get().number == int(HANDSET)
    assert unmatched(database, most=10) == []
    assert AuditEntry.objects.filter(act="reply.match", customer=harbour).count() == 1
    with pytest.raises(Refused) as refused:
        match(row.id, rental.pk, PLATFORM, by=support(), why="again", now=NOW)
    assert refused.value.reason == Reason.NO_SUCH_REPLY
    assert inbox(database, mallory) == []


def test_a_reply_that_has_a_customer_is_not_staffs_to_take(database: Connection, operator: Operator) -> None:
    harbour = make_customer()
    rental = make_rental(make_number(operator), harbour)
    write(database, operator, "hello")
    take()
    (reply,) = inbox(database, harbour)
    for act in (
        lambda: dismiss(reply.id, by=support(), why="a try", now=NOW),
        lambda: match(reply.id, rental.pk, PLATFORM, by=support(), why="a try", now=NOW),
    ):
        with pytest.raises(Refused):
            act()
    with pytest.raises(NotAllowed):
        dismiss(reply.id, by=make_staff("fay", role=Person.StaffRole.FINANCE), why="a try", now=NOW)
    assert len(inbox(database, harbour)) == 1


def test_staff_dismiss_what_is_nobodys(database: Connection, operator: Operator) -> None:
    write(database, operator, "you have won", to=SHARED)
    take()
    (row,) = unmatched(database, most=10)
    dismiss(row.id, by=support(), why="spam", now=NOW)
    assert not Reply.objects.exists()
    assert "won" not in str(list(AuditEntry.objects.values()))


def test_replies_go_with_their_customers_results_and_unmatched_ones_after_30_days(
    database: Connection, operator: Operator
) -> None:
    harbour, mallory = make_customer(), make_mallory()
    make_rental(make_number(operator), harbour)
    make_rental(make_number(operator, SHARED), mallory)
    harbour.results_kept_months = 12
    harbour.save()
    write(database, operator, "hello")
    write(database, operator, "hello", to=SHARED)
    write(database, operator, "hello", to="85264478299")
    take()
    forget_replies(database, NOW + UNMATCHED_KEPT)
    assert Reply.objects.count() == 3
    forget_replies(database, NOW + UNMATCHED_KEPT + timedelta(seconds=1))
    assert Reply.objects.count() == 2
    forget_replies(database, NOW + timedelta(days=63))
    assert (len(inbox(database, harbour)), len(inbox(database, mallory))) == (1, 0)
    forget_replies(database, NOW + timedelta(days=367))
    assert not Reply.objects.exists()


def test_whoever_floods_a_number_fills_no_disk(
    database: Connection, operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_UNMATCHED == 10_000
    monkeypatch.setattr(forgetting, "MOST_UNMATCHED", 3)
    for number in range(5):
        write(database, operator, f"spam {number}", to=SHARED)
    take()
    forget_replies(database, NOW)
    assert [row.characters for row in unmatched(database, most=10)] == [6, 6, 6]
    assert set(Reply.objects.values_list("text", flat=True)) == {"spam 2", "spam 3", "spam 4"}


def test_replies_are_listed_by_what_is_asked_and_read_by_their_customer_alone(
    database: Connection, operator: Operator
) -> None:
    harbour, mallory = make_customer(), make_mallory()
    make_rental(make_number(operator), harbour)
    make_rental(make_number(operator, SHARED, is_shared=True), harbour, keyword="flowers")
    other = "85261234568"
    write(database, operator, "first Rose")
    write(database, operator, "flowers two", to=SHARED, handset=other)
    write(database, operator, "third", now=NOW + timedelta(hours=1))
    take(NOW + timedelta(hours=1))
    me = harbour.pk

    def found(asked: Asked) -> list[str]:
        return [reply.text for reply in replies.newest(database, me, asked)]

    assert found(Asked()) == ["third", "flowers two", "first Rose"]
    assert found(Asked(since=NOW + timedelta(minutes=1))) == ["third"]
    assert found(Asked(until=NOW + timedelta(minutes=1))) == ["flowers two", "first Rose"]
    assert found(Asked(handset=other)) == found(Asked(number=SHARED)) == found(Asked(keyword="flowers"))
    assert found(Asked(text="rose")) == ["first Rose"]
    assert found(Asked(text="%")) == []
    assert [(each.handset, each.text, each.unread) for each in replies.threads(database, me)] == [
        (HANDSET, "third", 2),
        (other, "flowers two", 1),
    ]
    assert [each.handset for each in replies.threads(database, me, Asked(text="rose"))] == [HANDSET]
    first = replies.newest(database, me)[-1]
    assert replies.mark_read(database, mallory.pk, last_id=10**9, now=NOW) == 0
    assert not replies.mark_unread(database, mallory.pk, first.id)
    assert replies.reply(database, mallory.pk, first.id) is None
    assert replies.threads(database, mallory.pk) == []
    assert replies.newest(database, mallory.pk) == []
    assert replies.unread(database, me) == 3
    assert replies.mark_read(database, me, last_id=10**9, handset=HANDSET, now=NOW) == 2
    assert (replies.unread(database, me), found(Asked(unread=True))) == (1, ["flowers two"])
    assert replies.mark_unread(database, me, first.id)
    assert replies.unread(database, me) == 2
    pages = [replies.newest(database, me, most=2)]
    pages.append(replies.newest(database, me, before=pages[0][-1].id, most=2))
    assert [[each.text for each in page] for page in pages] == [["third", "flowers two"], ["first Rose"]]
