"""The line to the database breaks at COMMIT: it may have been committed or not, and nothing is sent twice or stuck."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg

from sampan.database import Connection, DatabaseThreads
from sampan.dispatch import claims, leases, results
from sampan.dispatch.gateway import THREADS, Gateway
from sampan.dispatch.results import Unsent
from sampan.dispatch.tables import Attempt, OperatorLease
from sampan.messages.tables import Queued
from sampan.smpp.simulator.faults import read_faults
from tests.dispatch.running import accept, count, eventually, gateway, places_at, simulator, statuses
from tests.dispatch.steps import Owner, money, take
from tests.world import NOW, draft_of, make_customer, make_places, send

P = ParamSpec("P")
R = TypeVar("R")
LATER = NOW + timedelta(seconds=1)
MANY = range(85261000000, 85261000300)


class BreakingThreads(DatabaseThreads):
    """Each kind of work is done once and then seems not to be: the line broke when the answer to COMMIT was due."""

    def __init__(self, *breaks_at: Callable[..., Any]) -> None:
        super().__init__(THREADS, "gateway", by_key=True)
        self.still_breaks_at = list(breaks_at)

    async def run(self, work: Callable[Concatenate[Connection, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        found = await super().run(work, *args, **kwargs)
        if work in self.still_breaks_at:
            self.still_breaks_at.remove(work)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return found


def gateway_with(threads: DatabaseThreads) -> Gateway:
    it = Gateway()
    it._threads = threads
    return it


def test_what_was_attempted_and_not_written_goes_back_and_only_once(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    owner.hand_over(harbour)
    unsent = Unsent(owner.sent(id_), None)
    owner.record(unsent)
    assert owner.attempt(owner.claim(harbour), LATER) == {id_}
    owner.record(unsent)  # once more, because nobody answered that it was recorded
    assert not Queued.objects.exists(), "it is being written for the second time; a third would be a duplicate"
    assert Attempt.objects.get().submitted_at == LATER


def test_what_was_not_even_attempted_stays_where_it_is(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    (id_,) = send(database, harbour).message_ids
    owner = Owner(operator)
    (claimed,) = owner.claim(harbour)
    Queued.objects.update(operator_id=operator.pk + 1)  # by failover
    owner.attempted[id_], owner.attempted_at[id_] = claimed, NOW
    owner.unsent(id_)
    assert list(Queued.objects.values_list("operator_id", flat=True)) == [operator.pk + 1]
    assert money(database, harbour) == {"held": 2_900, "charged": 0}


def test_who_took_an_operator_without_knowing_it_takes_it_again(database: Connection) -> None:
    operator = make_places()
    assert take(database, "one", operator.pk) == 1
    assert take(database, "another", operator.pk) is None
    assert take(database, "one", operator.pk) == 2


def test_a_gateway_goes_on_after_every_line_broke_once(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            threads = BreakingThreads(leases.take, claims.attempt, results.record)
            it = gateway_with(threads)
            running = asyncio.create_task(it.run())
            ids = accept(database, draft_of(database, harbour, MANY)).message_ids
            await eventually(lambda: set(statuses(database, ids).values()) == {(22, 300)})
            assert threads.still_breaks_at == []
            stats = smsc.journal.stats
            assert (stats.distinct, stats.duplicates) == (len(MANY), 0)
            assert OperatorLease.objects.get().epoch == 2
            assert money(database, harbour)["held"] == 0
            running.cancel()
            await it.stop()

    asyncio.run(scenario())


def test_a_gateway_that_is_stopped_while_it_sends_leaves_nothing_in_doubt(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway():
                accept(database, draft_of(database, harbour, MANY))
                await eventually(lambda: smsc.journal.stats.taken)
            assert not Attempt.objects.filter(operator_ref=None).exists()
            assert count(database, "queued") == len(MANY) - smsc.journal.stats.taken

    asyncio.run(scenario())


def test_garbage_for_an_id_is_an_id_and_stops_nobody(database: Connection) -> None:
    """An index takes 2,704 octets; what is longer must not hold up the answers beside it."""

    async def scenario() -> None:
        async with simulator(seed=7) as smsc:
            places_at(smsc)
            smsc.set_faults(
                read_faults(b'{"faults": [{"fault": "spoilt-answers", "form": "garbage-inside", "times": 20}]}').faults
            )
            harbour = make_customer()
            async with gateway():
                ids = accept(database, draft_of(database, harbour, MANY)).message_ids
                await eventually(lambda: list(statuses(database, ids).values()).count((22, 300)) == len(MANY) - 20)
            assert money(database, harbour)["held"] == 0, "taken is taken, whatever its id"

    asyncio.run(scenario())
