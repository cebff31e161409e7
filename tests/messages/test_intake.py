"""Group commit: many callers, few commits, and each gets its own answer (house.md, one message)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from msgspec.structs import replace

from sampan.database import Connection, connect
from sampan.messages import intake as module
from sampan.messages.announcing import CHANNEL, announce, announced
from sampan.messages.intake import Intake
from sampan.messages.planning import Draft
from sampan.messages.submit import Accepted
from sampan.messages.tables import Message
from sampan.reasons import Reason, Refused
from tests.dispatch import running
from tests.world import PLATFORM, draft_of, make_customer, make_mallory, make_places

INTAKE = "application_name = 'sampan intake'"
RANG = f"SELECT 1 FROM pg_stat_activity WHERE {INTAKE} AND state = 'idle' AND query LIKE '%pg_notify%'"


def with_intake(scenario: Callable[[Intake], Awaitable[None]]) -> None:
    async def run() -> None:
        intake = Intake(PLATFORM)
        try:
            await scenario(intake)
        finally:
            await intake.close()

    asyncio.run(run())


def commits(conn: Connection) -> int:
    row = conn.execute("SELECT count(DISTINCT created_at) FROM message").fetchone()
    assert row is not None
    return int(row[0])


def test_a_crowd_is_accepted_in_few_commits_and_each_gets_its_own_ids(database: Connection) -> None:
    make_places()
    draft = draft_of(database, make_customer(balance="5000"))
    drafts = [replace(draft, recipients=[85261000000 + n]) for n in range(1_000)]

    async def scenario(intake: Intake) -> None:
        outcomes = await asyncio.gather(*(intake.submit(each) for each in drafts))
        accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
        assert len(accepted) == 1_000
        by_id: dict[int, int] = dict(database.execute("SELECT id, recipient FROM message").fetchall())
        assert [by_id[each.message_ids[0]] for each in accepted] == [85261000000 + n for n in range(1_000)]
        assert commits(database) < 20

    with_intake(scenario)


def test_one_that_is_refused_harms_no_other(database: Connection) -> None:
    make_places()
    good = draft_of(database, make_customer())
    bad = draft_of(database, make_mallory(), sender="NotMine")
    poor = draft_of(database, make_customer("poor", balance="0.01"))

    async def scenario(intake: Intake) -> None:
        outcomes = await asyncio.gather(*(intake.submit(draft) for draft in (good, bad, poor, good)))
        reasons = [outcome.reason if isinstance(outcome, Refused) else None for outcome in outcomes]
        assert reasons == [None, Reason.SENDER_NOT_YOURS, Reason.BALANCE_TOO_LOW, None]

    with_intake(scenario)


def assert_others_pass(database: Connection, lock: str, drafts: Sequence[Draft], mallory: Draft) -> None:
    """While another transaction holds what `drafts` need, somebody else is accepted; they are, once it has ended."""

    async def scenario(intake: Intake) -> None:
        with connect("tests") as holder, holder.transaction():
            holder.execute(lock.encode())
            held = [asyncio.ensure_future(intake.submit(draft)) for draft in drafts]
            among = [asyncio.ensure_future(intake.submit(mallory))]
            await asyncio.sleep(2 * module.LONGEST_LOCK_MS / 1_000)
            among += [asyncio.ensure_future(intake.submit(draft)) for draft in [mallory] * 20]
            held.append(asyncio.ensure_future(intake.submit(drafts[0])))
            outcomes = await asyncio.wait_for(asyncio.gather(*among), 10)
            assert [each for each in outcomes if not isinstance(each, Accepted)] == []
            assert not any(each.done() for each in held)
        assert all(isinstance(each, Accepted) for each in await asyncio.wait_for(asyncio.gather(*held), 10))
        assert isinstance(await intake.submit(drafts[0]), Accepted)

    with_intake(scenario)


def test_whose_balance_is_locked_waits_alone(database: Connection) -> None:
    """As while the same customer's batch of 100,000 is being written."""
    make_places()
    harbour, mallory = draft_of(database, make_customer()), draft_of(database, make_mallory(), sender="Mallory")
    lock = f"SELECT FROM account WHERE customer_id = {harbour.customer.id} FOR UPDATE"
    assert_others_pass(database, lock, [harbour] * 3, mallory)
    assert Message.objects.count() == 26


def test_whose_client_reference_is_being_written_waits_alone(database: Connection) -> None:
    make_places()
    harbour, mallory = draft_of(database, make_customer()), draft_of(database, make_mallory(), sender="Mallory")
    lock = f"""INSERT INTO client_reference (customer_id, reference, fingerprint, batch_id, created_at)
               VALUES ({harbour.customer.id}, 'order 7', '', 1, now());
               DELETE FROM client_reference"""
    assert_others_pass(database, lock, [replace(harbour, client_reference="order 7")] * 3, mallory)
    assert Message.objects.count() == 22  # one reference, one message


def test_large_ones_keep_nobody_waiting(database: Connection) -> None:
    """More of them than there are flushes, all held up in the database."""
    make_places()
    harbour, mallory = (
        draft_of(database, make_customer(balance="5000")),
        draft_of(database, make_mallory(), sender="Mallory"),
    )
    large = replace(harbour, recipients=[85261000000 + n for n in range(module.MOST_RECIPIENTS_OF_A_FLUSH + 1)])
    lock = f"SELECT FROM account WHERE customer_id = {harbour.customer.id} FOR UPDATE"
    assert_others_pass(database, lock, [large] * 3, mallory)


def test_too_many_that_wait_are_told_to_come_again(database: Connection) -> None:
    make_places()
    draft = draft_of(database, make_customer())

    async def scenario(intake: Intake) -> None:
        waiting = [asyncio.ensure_future(intake.submit(draft)) for _ in range(module.MOST_PENDING + 1)]
        outcomes = await asyncio.gather(*waiting)
        overloaded = [o for o in outcomes if isinstance(o, Refused) and o.reason == Reason.OVERLOADED]
        assert len(overloaded) == 1

    with_intake(scenario)


def test_who_goes_away_before_the_answer_still_counts_as_waiting(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PENDING", 2)
    make_places()
    draft = draft_of(database, make_customer())

    async def scenario(intake: Intake) -> None:
        for _ in range(2):
            gone = asyncio.ensure_future(intake.submit(draft))
            await asyncio.sleep(0)
            gone.cancel()
        outcome = await intake.submit(draft)
        assert isinstance(outcome, Refused)
        assert outcome.reason == Reason.OVERLOADED

    with_intake(scenario)
    assert Message.objects.count() == 2  # what was taken in is accepted, whoever listens


def test_when_the_database_is_away_the_answer_is_an_error_and_afterwards_all_is_well(database: Connection) -> None:
    make_places()
    draft = draft_of(database, make_customer())

    async def scenario(intake: Intake) -> None:
        assert isinstance(await intake.submit(draft), Accepted)
        await running.eventually(lambda: database.execute(RANG).fetchone())
        database.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE " + INTAKE)
        outcome = await intake.submit(draft)
        assert isinstance(outcome, Refused)
        assert outcome.reason == Reason.UNEXPECTED
        assert isinstance(await intake.submit(draft), Accepted)
        assert Message.objects.count() == 2

    with_intake(scenario)


def test_the_bell_rings_for_the_place_where_something_waits(database: Connection) -> None:
    operator, harbour = make_places(), make_customer()
    draft = draft_of(database, harbour)
    database.execute(f'LISTEN "{CHANNEL}"')

    async def scenario(intake: Intake) -> None:
        await intake.submit(draft)

    with_intake(scenario)
    rung = [announced(bell.payload) for bell in database.notifies(timeout=5, stop_after=1)]
    assert rung == [{(operator.pk, 1, harbour.pk)}]


def test_a_bell_for_more_places_than_fit_rings_for_all(database: Connection) -> None:
    database.execute(f'LISTEN "{CHANNEL}"')
    announce(database, {(1, 1, customer) for customer in range(3_000)})
    announce(database, {(1, 2, 3), (4, 1, 9)})
    announce(database, set())
    rung = [announced(bell.payload) for bell in database.notifies(timeout=5, stop_after=2)]
    assert rung == [set(), {(1, 2, 3), (4, 1, 9)}]
