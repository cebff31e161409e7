"""The whole data plane against a real SMSC over TCP: every magic number, and what dies under it (spec S71–S78)."""

import asyncio
from typing import cast

import pytest

from sampan import settings
from sampan.accounts.tables import Customer
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.compliance.footers import Profile, save_profile
from sampan.compliance.links import token_of
from sampan.composing.alphabet import decode_gsm
from sampan.database import Connection, Snapshot
from sampan.dispatch.dispatcher import utc_now
from sampan.messages.reconcile import discrepancies
from sampan.messages.tables import Purpose
from sampan.routing.tables import Operator
from sampan.smpp.pdu import SubmitSm, decode
from tests.dispatch.running import accept, count, destinations, eventually, gateway, places_at, simulator, statuses
from tests.world import draft_of, make_customer

TWO_PARTS = "海港花店" * 20
# Number: status and reason in the end; None where it takes longer than a test.
MAGIC = {
    85251000000: (22, 300),
    85251000001: (21, 303),
    85251000002: (20, 304),
    85251000003: (22, 300),
    85251000004: (21, 305),
    85251000005: (21, 303),
    85251000006: (22, 300),
    85251000008: (22, 300),
    85251000009: (22, 300),
    85251000010: (21, 306),
    85251000011: (21, 312),
    85251000012: (21, 315),
    85251000014: (22, 300),
    8613812345678: (4, 301),
    447911123456: (22, 300),
}
FREE = {85251000005}


def held_and_charged(conn: Connection, customer: Customer) -> tuple[int, int]:
    assert discrepancies(conn) == []
    found = ledger.balances(conn, [customer.pk])
    return found[customer.pk, Account.Kind.HELD], found[customer.pk, Account.Kind.CHARGED]


def test_every_number_of_the_simulator_ends_as_the_table_says(database: Connection) -> None:
    """An hour passes in a second, so that phones which are off reach the end of their validity."""

    async def scenario() -> None:
        async with simulator(time_scale=3600) as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway():
                ids = accept(database, draft_of(database, harbour, list(MAGIC))).message_ids
                expected = dict(zip(ids, MAGIC.values(), strict=True))
                await eventually(lambda: statuses(database, ids) == expected)
            prices: dict[int, int] = dict(database.execute("SELECT recipient, price_pips FROM message").fetchall())
            assert held_and_charged(database, harbour) == (
                0,
                sum(pips for number, pips in prices.items() if number not in FREE),
            )
            assert count(database, "attempt") == count(database, "queued") == 0

    asyncio.run(scenario())


def test_a_phone_that_is_off_shows_as_retry_until_it_is_on_again(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            async with gateway():
                ids = accept(database, draft_of(database, make_customer(), [85251000003])).message_ids
                await eventually(lambda: statuses(database, ids) == {ids[0]: (19, 304)})
                await eventually(lambda: statuses(database, ids) == {ids[0]: (22, 300)})

    asyncio.run(scenario())


def test_long_texts_arrive_in_parts_with_their_header_and_end_once(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            async with gateway():
                numbers = [85261000000 + n for n in range(300)]
                ids = accept(database, draft_of(database, harbour, numbers, text=TWO_PARTS)).message_ids
                await eventually(lambda: set(statuses(database, ids).values()) == {(22, 300)})
            assert smsc.journal.stats.submits == 600
            assert smsc.journal.stats.duplicates == 0
            assert held_and_charged(database, harbour) == (0, 300 * 2 * 2_900)
            assert count(database, "message_part") == 600

    asyncio.run(scenario())


def test_an_operator_that_does_not_answer_leaves_the_outcome_unknown(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.links.update(response_timeout_s=1)
            harbour = make_customer()
            async with gateway():
                ids = accept(database, draft_of(database, harbour, [85251000007, 85261234567])).message_ids
                expected = {ids[0]: (4, 301), ids[1]: (22, 300)}
                await eventually(lambda: statuses(database, ids) == expected)
                assert held_and_charged(database, harbour) == (2_900, 2_900)
                await eventually(lambda: count(database, "attempt") == 1)
            assert smsc.journal.stats.submits == 2

    asyncio.run(scenario())


def test_a_paused_operator_sends_nothing_and_resumes_where_it_stood(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            operator = places_at(smsc)
            operator.state = Operator.State.PAUSED
            operator.save()
            harbour = make_customer()
            draft = draft_of(database, harbour)
            async with gateway():
                await eventually(lambda: smsc.sessions)
                ids = accept(database, draft).message_ids
                await asyncio.sleep(1.5)  # longer than a dispatcher goes without a look around
                assert smsc.journal.stats.submits == 0
                database.execute("UPDATE operator SET state = 1")
                await eventually(lambda: statuses(database, ids) == {ids[0]: (22, 300)})

    asyncio.run(scenario())


def test_an_smsc_that_goes_away_and_comes_back_loses_and_doubles_nothing(database: Connection) -> None:
    """Written without an answer: unknown. Everything else is sent once it is back."""

    async def scenario() -> None:
        async with simulator() as first:
            places_at(first)
            harbour = make_customer()
            async with gateway():
                numbers = [85261000000 + n for n in range(3_000)]
                ids = accept(database, draft_of(database, harbour, numbers)).message_ids
                await eventually(lambda: first.journal.stats.submits > 300)
                await first.stop()
                taken_before = destinations(first)
                async with simulator() as second:
                    database.execute("UPDATE link SET port = %s", [second.port])
                    await eventually(lambda: count(database, "queued") == 0)
                    await eventually(lambda: not any(s == 2 for s, _ in statuses(database, ids).values()))
                    taken_after = destinations(second)
                    assert not taken_before & taken_after
                    assert second.journal.stats.duplicates == 0
            unknown = count(database, "attempt WHERE state = 4")
            assert len(taken_before | taken_after) >= 3_000 - unknown

    asyncio.run(scenario())


def test_a_second_gateway_takes_over_when_the_first_lets_go(database: Connection) -> None:
    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            draft = draft_of(database, harbour)
            async with gateway():
                ids = accept(database, draft).message_ids
                await eventually(lambda: statuses(database, ids) == {ids[0]: (22, 300)})
            async with gateway():
                ids = accept(database, draft).message_ids
                await eventually(lambda: statuses(database, ids) == {ids[0]: (22, 300)})
            assert database.execute("SELECT epoch FROM operator_lease").fetchone() == (2,)

    asyncio.run(scenario())


def test_a_promotional_text_goes_out_with_the_link_of_its_own_message(
    database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spec S95: the footer was priced before the message had an id."""
    monkeypatch.setattr(settings, "PUBLIC_URL", "https://sampan.example")

    async def scenario() -> None:
        async with simulator() as smsc:
            places_at(smsc)
            harbour = make_customer()
            profile = Profile("Harbour Florist", "海港花店", "28123456", "", is_added=True)
            save_profile(harbour, profile, by=harbour.members.get(), now=utc_now())
            Snapshot.forget_all()
            async with gateway():
                draft = draft_of(
                    database, harbour, [447911123456, 447911123457], text="Roses", purpose=Purpose.PROMOTIONAL
                )
                ids = accept(database, draft).message_ids
                await eventually(lambda: statuses(database, ids) == dict.fromkeys(ids, (22, 300)))
            entries = smsc.journal.record.since(0, smsc.journal.record.last)
            sent = {decode_gsm(cast(SubmitSm, decode(each.octets).body).short_message) for each in entries}
            assert sent == {f"Roses\r\nHarbour Florist 28123456 Unsub: sampan.example/u/{token_of(id_)}" for id_ in ids}

    asyncio.run(scenario())
