"""Codes that customers have us send: once, for a while, with few tries, and never for who pumps (spec S9, S123)."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from sampan.accounts.tables import Customer, Person
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, connect
from sampan.messages.tables import Batch, Lane, Message, Queued, Source, Status
from sampan.messages.verifications import asking
from sampan.messages.verifications.asking import (
    IN_VAIN_WITHIN,
    KEPT_FOR,
    MOST_A_DAY,
    MOST_IN_VAIN_BESIDE,
    MOST_WRONG_TRIES,
    ONE_IN,
    Sent,
    State,
    Wanted,
    check_code,
    mask_codes,
    send_code,
    standing,
)
from sampan.messages.verifications.tables import Verification
from sampan.reasons import Reason, Refused
from tests.world import NOW, SENDER, facts_of, make_customer, make_mallory, make_places, terms

NUMBER = 85261234567
SECOND = timedelta(seconds=1)

Ask = Callable[..., Sent]


@pytest.fixture
def harbour(database: Connection) -> Customer:
    make_places()
    return make_customer()


@pytest.fixture
def ask(database: Connection, harbour: Customer) -> Ask:
    owner = Person.objects.get(login_name="harbour")

    def ask(number: int = NUMBER, *, now: datetime = NOW, **changes: Any) -> Sent:
        values = {"template": "{code} opens the shop.", "sender": SENDER} | changes
        facts = facts_of(database, harbour)
        return send_code(
            database, Wanted(customer=facts, person_id=owner.pk, number=number, **values), terms(database), now
        )

    return ask


def code_of(sent: Sent) -> str:
    text = Batch.objects.get(pk=Message.objects.get(pk=sent.message_id).batch_id).text
    found = re.match(r"\d+", text)
    assert found
    return found[0]


def tried(
    conn: Connection, customer: Customer, sent: Sent, code: str, now: datetime = NOW, *, tests_only: bool = False
) -> tuple[State, int]:
    found = check_code(conn, customer.pk, sent.id, code, tests_only=tests_only, now=now)
    return found.state, found.tries_left


def test_a_code_goes_before_bulk_is_charged_and_lets_in_once(database: Connection, harbour: Customer, ask: Ask) -> None:
    sent = ask()
    assert Queued.objects.get().lane == Lane.TRANSACTIONAL
    assert ledger.balances(database, [harbour.pk])[harbour.pk, Account.Kind.HELD] == 2_900
    code = code_of(sent)
    assert len(code) == 6
    assert code.encode() not in bytes(Verification.objects.get().digest)
    assert standing(database, harbour.pk, sent.id, tests_only=False, now=NOW).state == State.PENDING
    assert tried(database, harbour, sent, f"{code[:3]} {code[3:]}") == (State.VERIFIED, 5)
    assert tried(database, harbour, sent, code) == (State.USED, 5)
    assert standing(database, harbour.pk, sent.id, tests_only=False, now=NOW).state == State.VERIFIED


def test_of_many_who_try_at_once_one_is_let_in_and_few_are_heard(harbour: Customer, ask: Ask) -> None:
    def tried(id_: uuid.UUID, code: str) -> Counter[State]:
        def once(_number: int) -> State:
            with connect("tries") as conn:
                return check_code(conn, harbour.pk, id_, code, tests_only=False, now=NOW).state

        with ThreadPoolExecutor(8) as threads:
            return Counter(threads.map(once, range(16)))

    sent = ask()
    assert tried(sent.id, code_of(sent)) == {State.VERIFIED: 1, State.USED: 15}
    sent = ask(NUMBER + 1)
    assert tried(sent.id, "no code") == {State.WRONG: MOST_WRONG_TRIES, State.TRIED_OUT: 16 - MOST_WRONG_TRIES}


def test_a_few_wrong_tries_end_it(database: Connection, harbour: Customer, ask: Ask) -> None:
    sent = ask()
    code = code_of(sent)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for left in reversed(range(MOST_WRONG_TRIES)):
        assert tried(database, harbour, sent, wrong) == (State.WRONG, left)
    assert tried(database, harbour, sent, code) == (State.TRIED_OUT, 0)


def test_a_code_counts_for_its_time(database: Connection, harbour: Customer, ask: Ask) -> None:
    sent = ask(ttl_s=60)
    assert tried(database, harbour, sent, code_of(sent), NOW + 60 * SECOND) == (State.EXPIRED, 5)


def test_a_new_one_makes_the_one_before_worthless(database: Connection, harbour: Customer, ask: Ask) -> None:
    first = ask()
    second = ask(now=NOW + ONE_IN)
    assert tried(database, harbour, first, code_of(first), NOW + ONE_IN)[0] == State.EXPIRED
    assert tried(database, harbour, second, code_of(second), NOW + ONE_IN)[0] == State.VERIFIED


def test_a_repeat_sends_nothing_more(database: Connection, harbour: Customer, ask: Ask) -> None:
    """spec S8"""
    first = ask(reference="login 7")
    again = ask(reference="login 7", now=NOW + SECOND)
    assert (again.id, again.message_id, again.is_repeat) == (first.id, first.message_id, True)
    assert Message.objects.count() == 1
    with pytest.raises(Refused) as refused:
        ask(reference="login 7", length=4)
    assert refused.value.reason == Reason.REFERENCE_REUSED


def test_one_number_gets_one_at_a_time_and_few_a_day(ask: Ask) -> None:
    ask()
    with pytest.raises(Refused) as refused:
        ask(now=NOW + ONE_IN - SECOND)
    assert (refused.value.reason, refused.value.value) == (Reason.VERIFIED_LATELY, "1")
    for number in range(1, MOST_A_DAY):
        ask(now=NOW + number * ONE_IN)
    with pytest.raises(Refused) as refused:
        ask(now=NOW + timedelta(hours=2))
    assert refused.value.reason == Reason.VERIFIED_TOO_OFTEN
    ask(now=NOW + timedelta(hours=25))


def test_codes_to_numbers_beside_each_other_that_do_not_come_back_stop(
    database: Connection, harbour: Customer, ask: Ask
) -> None:
    beside = [85291230000 + number for number in range(MOST_IN_VAIN_BESIDE + 1)]
    for number in beside[:-1]:
        ask(number)
    with pytest.raises(Refused) as refused:
        ask(beside[-1])
    assert refused.value.reason == Reason.VERIFIED_IN_VAIN
    elsewhere = ask(85261234567)
    assert tried(database, harbour, elsewhere, code_of(elsewhere))[0] == State.VERIFIED
    ask(beside[-1], now=NOW + IN_VAIN_WITHIN + SECOND)


def test_a_customer_whose_codes_do_not_come_back_is_stopped(
    database: Connection, harbour: Customer, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MOST_IN_VAIN", 5)
    numbers = [85260000000 + 10_000 * number for number in range(30)]
    for number in numbers[:2]:
        sent = ask(number)
        tried(database, harbour, sent, code_of(sent))
    for number in numbers[2:11]:
        ask(number)  # 9 of 11 in vain are more than 80 %
    with pytest.raises(Refused) as refused:
        ask(numbers[11])
    assert refused.value.reason == Reason.VERIFIED_IN_VAIN


def test_a_refused_text_leaves_nothing(ask: Ask) -> None:
    refusals: list[tuple[dict[str, Any], Reason]] = [
        ({"template": "no place"}, Reason.NO_CODE_IN_TEXT),
        ({"sender": "Mallory"}, Reason.SENDER_NOT_YOURS),
        ({"template": "{code}" + "a" * 460}, Reason.TOO_LONG),
        ({"number": 79123456789}, Reason.NO_ROUTE),
    ]
    for changes, reason in refusals:
        with pytest.raises(Refused) as refused:
            ask(**changes)
        assert refused.value.reason == reason
    assert not Verification.objects.exists()
    assert not Batch.objects.exists()


def test_a_tests_code_is_known_and_goes_to_nobody(database: Connection, harbour: Customer, ask: Ask) -> None:
    sent = ask(is_test=True, length=4)
    assert Batch.objects.get().source == Source.TEST
    assert tried(database, harbour, sent, "1234", tests_only=True)[0] == State.VERIFIED


def test_mallory_and_test_keys_find_nothing(database: Connection, harbour: Customer, ask: Ask) -> None:
    sent, mallory = ask(), make_mallory()
    for customer, tests_only in ((mallory, False), (harbour, True)):
        with pytest.raises(Refused) as refused:
            tried(database, customer, sent, code_of(sent), tests_only=tests_only)
        assert refused.value.reason == Reason.NO_SUCH_VERIFICATION
    with pytest.raises(Refused):
        standing(database, harbour.pk, uuid.uuid4(), tests_only=False, now=NOW)


def test_what_ended_stands_in_no_text_and_is_forgotten(database: Connection, ask: Ask) -> None:
    ask(ttl_s=60)
    later = NOW + 61 * SECOND
    assert mask_codes(database, later) == 0  # it may still have to go
    Message.objects.update(status=Status.DELIVERED, final_at=NOW)
    assert mask_codes(database, NOW) == 0
    assert mask_codes(database, later) == 1
    assert Batch.objects.get().text == "****** opens the shop."
    assert mask_codes(database, later) == 0
    assert mask_codes(database, NOW + KEPT_FOR + SECOND) == 1
    assert not Verification.objects.exists()
