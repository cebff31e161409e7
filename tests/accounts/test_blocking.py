"""Addresses that guess are blocked for a while, and staff let them in again (spec S125)."""

from datetime import timedelta
from functools import partial

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.blocking import (
    BLOCKED_FOR,
    CROWD_BLOCKED_FOR,
    MOST_FAILURES,
    MOST_TURNED_AWAY,
    Crowds,
    block_crowd,
    blocks,
    caller_of,
    guessing_at_pages,
    note_failure,
    unblock,
)
from sampan.accounts.sign_in import WITHIN, prove
from sampan.accounts.tables import AuditEntry, BlockedAddress, Person, SignInFailure
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from tests.billing.money import at_once
from tests.world import NOW, make_customer, make_staff

STRANGER = "8.8.8.8"  # public; those for documentation do not count as such


def guess(conn: Connection, times: int, *, address: str = STRANGER, name: str = "harbour") -> list[bool]:
    return [note_failure(conn, name, "HTTP", address, NOW) for _ in range(times)]


def test_the_twentieth_wrong_password_blocks_the_address(database: Connection) -> None:
    assert guess(database, MOST_FAILURES) == [False] * (MOST_FAILURES - 1) + [True]
    assert blocks.get(database).get(STRANGER) == NOW + BLOCKED_FOR
    assert blocks.get(database).get("8.8.4.4") is None
    found = BlockedAddress.objects.get()
    assert (found.failures, found.door, found.login_name) == (MOST_FAILURES, "HTTP", "harbour")


def test_failures_of_long_ago_count_no_more(database: Connection) -> None:
    guess(database, MOST_FAILURES - 1)
    SignInFailure.objects.update(at=NOW - timedelta(minutes=16))
    assert guess(database, 1) == [False]


def test_going_on_prolongs_it(database: Connection) -> None:
    guess(database, MOST_FAILURES)
    note_failure(database, "other", "HTTP", STRANGER, NOW + timedelta(minutes=5))
    found = BlockedAddress.objects.get()
    assert (found.since, found.until) == (NOW, NOW + timedelta(minutes=35))


def test_who_goes_through_his_own_network_of_ipv6_is_one(database: Connection) -> None:
    tried = [guess(database, 1, address=f"2a00:1450:4001:80b::{number:x}")[0] for number in range(MOST_FAILURES)]
    assert tried == [False] * (MOST_FAILURES - 1) + [True]
    found = blocks.get(database)
    assert found.get("2a00:1450:4001:80b:ffff::1") == NOW + BLOCKED_FOR
    assert found.get("2a00:1450:4001:80c::1") is None
    unblock(BlockedAddress.objects.get().address, by=make_staff(), why="a school", now=NOW)
    Snapshot.forget_all()  # as the database's notification does
    assert blocks.get(database).get("2a00:1450:4001:80b::1") is None


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("8.8.8.8", "8.8.8.8"),
        ("::ffff:8.8.8.8", "8.8.8.8"),
        ("2001:4860:4860::8888", "2001:4860:4860::"),
        ("10.0.0.1", None),
        ("::ffff:10.0.0.1", None),
        ("::1", None),
        ("", None),
    ],
)
def test_a_stranger_is_told_from_those_who_stand_for_many(address: str, caller: str | None) -> None:
    assert caller_of(address) == caller


@pytest.mark.parametrize("address", ["10.0.0.9", "127.0.0.1", "::1"])
def test_a_proxy_of_ours_is_never_blocked(database: Connection, address: str) -> None:
    assert not any(guess(database, MOST_FAILURES + 1, address=address))
    assert not BlockedAddress.objects.exists()


def test_staff_unblock_and_what_was_tried_is_forgotten(database: Connection) -> None:
    guess(database, MOST_FAILURES)
    unblock(STRANGER, by=make_staff(), why="their new server", now=NOW)
    assert blocks.get(database).get(STRANGER) is None
    assert guess(database, 1) == [False]
    assert AuditEntry.objects.get().subject == f"address {STRANGER}"


def test_of_two_who_unblock_at_once_one_does(database: Connection) -> None:
    guess(database, MOST_FAILURES)
    ada, ben = make_staff(), make_staff("ben")
    raised = at_once(*(partial(unblock, STRANGER, by=by, why="known", now=NOW) for by in (ada, ben)))
    assert sorted(each.reason.name for each in raised if isinstance(each, Refused)) == ["NOT_BLOCKED"]
    assert AuditEntry.objects.count() == 1


def test_what_is_not_blocked_cannot_be_unblocked_nor_by_finance(database: Connection) -> None:
    with pytest.raises(Refused) as refused:
        unblock(STRANGER, by=make_staff(), why="", now=NOW)
    assert refused.value.reason == Reason.NOT_BLOCKED
    guess(database, MOST_FAILURES)
    with pytest.raises(NotAllowed):
        unblock(STRANGER, by=make_staff("fay", role=Person.StaffRole.FINANCE), why="", now=NOW)
    assert BlockedAddress.objects.exists()


def test_who_goes_on_doing_too_much_at_once_is_blocked_for_a_while(database: Connection) -> None:
    """Spec S125: too many connections; not one that waited a quarter of an hour."""
    crowds = Crowds()
    assert not any(crowds.note(STRANGER, NOW) for _ in range(MOST_TURNED_AWAY - 1))
    assert not crowds.note("8.8.4.4", NOW)
    assert not crowds.note(STRANGER, NOW + WITHIN + timedelta(seconds=1))
    assert [crowds.note(STRANGER, NOW + WITHIN) for _ in range(MOST_TURNED_AWAY - 1)].count(True) == 1
    block_crowd(database, "web", STRANGER, NOW)
    assert blocks.get(database).until_of == {STRANGER: NOW + CROWD_BLOCKED_FOR}
    row = BlockedAddress.objects.get()
    assert (row.is_crowd, row.failures, row.door) == (True, MOST_TURNED_AWAY, "web")


def test_a_crowd_does_not_shorten_the_block_of_who_guessed(database: Connection) -> None:
    guess(database, MOST_FAILURES)
    block_crowd(database, "web", STRANGER, NOW)
    assert blocks.get(database).until_of == {STRANGER: NOW + BLOCKED_FOR}


def test_who_waits_at_the_sign_in_page_is_listed_apart(database: Connection) -> None:
    make_customer()
    for _ in range(5):
        prove("harbour", "wrong", address=STRANGER, now=NOW)
    assert guessing_at_pages(database, 5, NOW) == [(STRANGER, 5, "harbour", NOW)]
    unblock(STRANGER, by=make_staff(), why="forgot it", now=NOW)
    assert guessing_at_pages(database, 5, NOW) == []
