"""Who carries a route, and who takes over what is proven unsent (spec S42)."""

from collections import Counter
from datetime import timedelta

import pytest

from sampan.database import Connection, Snapshot
from sampan.dispatch.failover import DOWN_AFTER, fail_over, watch_operators
from sampan.messages.reconcile import discrepancies
from sampan.messages.tables import Message, Queued
from sampan.routing.directory import RouteFacts, directory
from sampan.routing.operators import add_operator, carry
from sampan.routing.tables import LinkState, Operator
from tests.dispatch.steps import Owner
from tests.world import NOW, make_customer, make_places, send

LATER = NOW + DOWN_AFTER + timedelta(seconds=1)


def second_operator(**changes: object) -> Operator:
    """Another operator for Hong Kong."""
    operator = add_operator(
        name="lamma", host="127.0.0.1", port=2776, system_id="s", password="p", route_codes=["hk-business"]
    )
    carry(operator, "hk-business", **changes)  # type: ignore[arg-type]
    return operator


def bound(operator: Operator, is_bound: bool) -> None:
    for link in operator.links.all():
        LinkState.objects.update_or_create(link=link, defaults={"bound": is_bound, "words": "", "since": NOW})
    Snapshot.forget_all()


def business(conn: Connection) -> RouteFacts:
    Snapshot.forget_all()
    return directory.get(conn).routes_by_code["hk-business"]


def who_carries(conn: Connection) -> set[int]:
    return {operator_id for operator_id, _ in business(conn).carriers}


def test_the_first_that_works_carries_and_by_shares_where_several_are_first(database: Connection) -> None:
    first = make_places()
    second = second_operator()
    assert who_carries(database) == {first.pk}
    Operator.objects.filter(pk=first.pk).update(state=Operator.State.PAUSED)
    assert who_carries(database) == {second.pk}
    Operator.objects.filter(pk=first.pk).update(state=Operator.State.DRAINING)
    assert who_carries(database) == {second.pk}
    Operator.objects.all().update(state=Operator.State.PAUSED)
    assert who_carries(database) == {first.pk}  # messages wait for the first
    Operator.objects.all().update(state=Operator.State.ACTIVE)
    carry(second, "hk-business", position=1, share=300)
    route = business(database)
    carried = Counter(route.operator_for(85261000000 + n) for n in range(4_000))
    assert carried[first.pk] == pytest.approx(1_000, rel=0.15)
    assert carried[second.pk] == pytest.approx(3_000, rel=0.15)
    assert len({route.operator_for(85261234567) for _ in range(10)}) == 1


def test_a_batch_is_shared_between_operators_at_once(database: Connection) -> None:
    first, harbour = make_places(), make_customer()
    second = second_operator(position=1)
    send(database, harbour, [85261000000 + n for n in range(200)])
    by_operator = Counter(Queued.objects.values_list("operator_id", flat=True))
    assert set(by_operator) == {first.pk, second.pk}
    assert min(by_operator.values()) > 60
    assert Counter(Message.objects.values_list("operator_id", flat=True)) == by_operator


def test_an_operator_is_down_when_none_of_its_links_was_bound_for_a_while(database: Connection) -> None:
    first = make_places()
    second = second_operator()
    for operator in (first, second):
        bound(operator, True)
    assert watch_operators(database, LATER) == 0
    bound(first, False)
    assert watch_operators(database, NOW + timedelta(seconds=10)) == 0
    assert watch_operators(database, LATER) == 1
    assert who_carries(database) == {second.pk}
    assert watch_operators(database, LATER) == 0
    bound(first, True)
    assert watch_operators(database, LATER) == 1
    assert who_carries(database) == {first.pk}


@pytest.mark.parametrize("why", ["paused", "down"])
def test_what_waits_for_one_that_does_not_work_goes_by_the_other(database: Connection, why: str) -> None:
    first, harbour = make_places(), make_customer()
    second = second_operator()
    ids = send(database, harbour, [85261000000 + n for n in range(10)]).message_ids
    abroad = send(database, harbour, [447911123456]).message_ids
    change = {"state": Operator.State.PAUSED} if why == "paused" else {"down_since": NOW}
    Operator.objects.filter(pk=first.pk).update(**change)
    assert fail_over(database) == (10, {(second.pk, 1, harbour.pk)})
    assert fail_over(database) == (0, set())
    assert set(Queued.objects.filter(operator_id=second.pk).values_list("message_id", flat=True)) == set(ids)
    assert [q.message_id for q in Queued.objects.filter(operator_id=first.pk)] == abroad  # nobody else goes there
    assert set(Message.objects.filter(pk__in=ids).values_list("operator_id", flat=True)) == {second.pk}
    assert discrepancies(database) == []


def test_what_was_handed_over_in_part_or_is_in_doubt_stays(database: Connection) -> None:
    first, harbour = make_places(), make_customer()
    second_operator()
    half, doubtful = send(database, harbour, [85261111111, 85262222222], text="花" * 80).message_ids
    owner = Owner(first)
    owner.hand_over(harbour)
    owner.taken(half, 1)
    owner.unsent(half, 2)
    owner.unanswered(doubtful, 1)
    owner.unsent(doubtful, 2)
    Operator.objects.filter(pk=first.pk).update(state=Operator.State.PAUSED)
    assert fail_over(database) == (0, set())
    assert Queued.objects.filter(operator_id=first.pk).count() == 2


def test_the_old_operator_hands_over_nothing_of_what_was_moved(database: Connection) -> None:
    first, harbour = make_places(), make_customer()
    second_operator()
    send(database, harbour)
    owner = Owner(first)
    claimed = owner.claim(harbour)
    Operator.objects.filter(pk=first.pk).update(state=Operator.State.PAUSED)
    fail_over(database)
    assert owner.attempt(claimed) == set()
