"""Codes of authenticator apps and recovery codes: each is taken once, and nobody guesses for long (spec S132)."""

import base64
import threading
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import connection

from sampan.accounts import second_factor
from sampan.accounts.proofs.tables import RecoveryCode, SecondFactor
from sampan.accounts.seals import seal
from sampan.accounts.sign_in import TooManyFailures
from sampan.accounts.tables import Person
from sampan.database import Connection
from tests.world import NOW, make_customer

STEP = timedelta(seconds=second_factor.STEP_S)
WRONG = "000 000"


def code_of(secret: str, at: datetime) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()


@pytest.fixture
def person(database: Connection) -> Person:
    make_customer()
    return Person.objects.get()


@pytest.fixture
def secret(person: Person) -> str:
    """The secret of a factor that counts."""
    setup = second_factor.begin(person, now=NOW)
    assert second_factor.confirm(person, code_of(setup.secret, NOW - STEP), now=NOW)
    return setup.secret


def test_a_code_is_as_rfc_6238_says(person: Person) -> None:
    """RFC 6238, appendix B: 59 s after 1970 the eight digits are 94287082, of which apps show the last six."""
    sealed = seal(base64.b32encode(b"12345678901234567890").decode())
    SecondFactor.objects.create(person=person, secret=sealed, created_at=NOW, confirmed_at=NOW)
    assert second_factor.check(person, "287082", now=datetime.fromtimestamp(59, NOW.tzinfo))


def test_the_address_is_what_apps_read_from_a_qr_code(person: Person) -> None:
    setup = second_factor.begin(person, now=NOW)
    assert setup.address.startswith("otpauth://totp/Sampan:harbour?")
    assert f"secret={setup.secret}" in setup.address


def test_a_factor_counts_from_the_first_right_code_on(person: Person) -> None:
    setup = second_factor.begin(person, now=NOW)
    assert not second_factor.has_second_factor(person)
    assert second_factor.begin(person, now=NOW) == setup, "the page may be opened twice"
    assert second_factor.confirm(person, WRONG, now=NOW) is None
    assert not second_factor.has_second_factor(person)
    codes = second_factor.confirm(person, code_of(setup.secret, NOW), now=NOW)
    assert codes
    assert len(set(codes)) == second_factor.RECOVERY_CODES
    assert second_factor.has_second_factor(person)
    with pytest.raises(ValueError, match="already"):
        second_factor.begin(person, now=NOW)


@pytest.mark.parametrize(("aside", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(person: Person, secret: str, aside: int, taken: bool) -> None:
    now = NOW + timedelta(hours=1)
    assert second_factor.check(person, code_of(secret, now + aside * STEP), now=now) is taken


def test_a_code_is_taken_once_and_none_before_it_either(person: Person, secret: str) -> None:
    """RFC 6238 §5.2"""
    code, before = code_of(secret, NOW), code_of(secret, NOW - STEP)
    assert second_factor.check(person, code, now=NOW)
    assert not second_factor.check(person, code, now=NOW)
    assert not second_factor.check(person, before, now=NOW)


def test_two_at_once_with_one_code_let_one_in(person: Person, secret: str) -> None:
    code = code_of(secret, NOW)
    let_in: list[bool] = []
    together = threading.Barrier(2)

    def try_it() -> None:
        together.wait(10)
        let_in.append(second_factor.check(person, code, now=NOW))
        connection.close()

    threads = [threading.Thread(target=try_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(let_in) == [False, True]


@pytest.mark.parametrize("typed", ["{}", " {} ", "{}\u00a0"])
def test_a_recovery_code_works_once_however_it_is_typed(person: Person, secret: str, typed: str) -> None:
    first, *others = second_factor.new_recovery_codes(person)
    assert second_factor.check(person, typed.format(first.lower()), now=NOW)
    assert not second_factor.check(person, first, now=NOW)
    assert second_factor.recovery_codes_left(person) == len(others)


def test_new_recovery_codes_make_the_old_ones_void(person: Person, secret: str) -> None:
    old = second_factor.new_recovery_codes(person)
    new = second_factor.new_recovery_codes(person)
    assert not second_factor.check(person, old[0], now=NOW)
    assert second_factor.check(person, new[0], now=NOW)


def test_nothing_that_is_kept_tells_a_code(person: Person, secret: str) -> None:
    """spec S136"""
    codes = second_factor.new_recovery_codes(person)
    kept = bytes(SecondFactor.objects.get().secret) + b"".join(bytes(c.digest) for c in RecoveryCode.objects.all())
    assert secret.encode() not in kept
    assert all(code.replace("-", "").encode() not in kept for code in codes)


def test_after_five_wrong_codes_even_the_right_one_waits(person: Person, secret: str) -> None:
    """spec S132: lock-out. Only who knows the password gets this far."""
    for _ in range(second_factor.MOST_FAILURES):
        assert not second_factor.check(person, WRONG, now=NOW)
    with pytest.raises(TooManyFailures) as refused:
        second_factor.check(person, code_of(secret, NOW), now=NOW)
    later = refused.value.until
    assert later == NOW + second_factor.WAIT
    assert second_factor.check(person, code_of(secret, later), now=later)


def test_who_has_none_is_not_let_in_by_one(person: Person) -> None:
    assert not second_factor.check(person, "", now=NOW)
    assert not second_factor.check(person, WRONG, now=NOW)


def test_one_that_is_removed_asks_no_more_and_its_recovery_codes_are_gone(person: Person, secret: str) -> None:
    codes = second_factor.new_recovery_codes(person)
    second_factor.remove(person)
    assert not second_factor.has_second_factor(person)
    assert not second_factor.check(person, codes[0], now=NOW)
