"""Codes by SMS: sent by our own pipeline, seldom, and paid by whom the spec says (spec S131, S132)."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from sampan.accounts import codes
from sampan.accounts.codes import Purpose, wrong_code
from sampan.accounts.proofs.tables import ProofSent
from sampan.accounts.tables import Customer, Person
from sampan.billing import ledger
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection
from sampan.messages.codes import send_code, send_password_code
from sampan.messages.platform import make_platform_account
from sampan.messages.tables import Batch, Lane, Message, Queued
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_places

MOBILE = 85291234567
HOME, ABROAD = "10.0.0.9", "203.0.113.9"
PRICE_PIPS = 2_900  # one unit to Hong Kong


def words(code: str) -> str:
    return f"Sampan: your code is {code}."


def code_sent() -> str:
    """The code in the last text of ours."""
    return Batch.objects.latest("id").text.removeprefix("Sampan: your code is ").rstrip(".")


@pytest.fixture
def person(database: Connection) -> Person:
    make_places()
    make_platform_account(NOW)
    make_customer()
    person = Person.objects.get()
    person.mobile = MOBILE
    person.save()
    return person


def available(conn: Connection, customer: Customer | None) -> int:
    assert customer
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


def sign_up_code(mobile: int = MOBILE, *, after: timedelta = timedelta(0), address: str | None = HOME) -> int:
    return send_code(Purpose.SIGN_UP, mobile, words, address=address, now=NOW + after)


def test_a_code_goes_from_our_own_account_on_the_fast_lane_at_our_cost(database: Connection, person: Person) -> None:
    before = available(database, person.customer)
    message = Message.objects.get(pk=sign_up_code())
    assert message.customer == Customer.objects.get(is_platform=True)
    assert (message.recipient, message.price_pips) == (MOBILE, PRICE_PIPS)
    assert Queued.objects.get().lane == Lane.TRANSACTIONAL
    assert available(database, person.customer) == before


def test_only_the_last_code_counts_and_once(person: Person) -> None:
    sign_up_code()
    first = code_sent()
    sign_up_code(after=codes.ONE_IN)
    now = NOW + codes.ONE_IN
    second = code_sent()

    def wrong(code: str) -> Reason | None:
        return wrong_code(Purpose.SIGN_UP, code, mobile=MOBILE, now=now)

    assert first == second or wrong(first) is Reason.CODE_WRONG
    assert wrong(f" {second[:3]} {second[3:]} ") is None
    assert wrong(second) is Reason.CODE_EXPIRED


def test_a_code_is_for_one_purpose_one_mobile_and_ten_minutes(person: Person) -> None:
    sign_up_code()
    code = code_sent()
    late = NOW + codes.VALID_FOR + timedelta(seconds=1)
    assert wrong_code(Purpose.OWN_NUMBER, code, mobile=MOBILE, now=NOW) is Reason.CODE_EXPIRED
    assert wrong_code(Purpose.SIGN_UP, code, mobile=MOBILE + 1, now=NOW) is Reason.CODE_EXPIRED
    assert wrong_code(Purpose.SIGN_UP, code, mobile=MOBILE, now=late) is Reason.CODE_EXPIRED


def test_after_five_wrong_tries_a_code_counts_no_more(person: Person) -> None:
    sign_up_code()
    code = code_sent()
    other = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(codes.MOST_WRONG_TRIES):
        assert wrong_code(Purpose.SIGN_UP, other, mobile=MOBILE, now=NOW) is Reason.CODE_WRONG
    assert wrong_code(Purpose.SIGN_UP, code, mobile=MOBILE, now=NOW) is Reason.CODE_EXPIRED


def test_one_in_two_minutes_and_three_a_day(person: Person) -> None:
    """spec S132"""
    sign_up_code()
    with pytest.raises(Refused) as soon:
        sign_up_code(after=codes.ONE_IN - timedelta(seconds=1))
    assert soon.value.reason is Reason.CODE_TOO_SOON
    sign_up_code(after=codes.ONE_IN)
    sign_up_code(after=codes.ONE_IN * 2)
    with pytest.raises(Refused) as many:
        sign_up_code(after=codes.ONE_IN * 3)
    assert many.value.reason is Reason.TOO_MANY_CODES
    assert Message.objects.count() == ProofSent.objects.count() == codes.MOST_A_DAY
    sign_up_code(after=codes.DAY + timedelta(seconds=1))


def test_who_asks_for_many_mobiles_is_stopped_unless_it_is_a_proxy_of_ours(person: Person) -> None:
    for place in range(codes.MOST_A_DAY_FOR_AN_ADDRESS):
        ProofSent.objects.create(purpose=Purpose.SIGN_UP, mobile=MOBILE + place, address="8.8.8.8", sent_at=NOW)
    with pytest.raises(Refused):
        sign_up_code(85261234567, address="8.8.8.8")
    sign_up_code(85261234567, address=HOME)


def test_two_who_ask_at_once_get_one(person: Person) -> None:
    together = threading.Barrier(2)
    outcomes: list[object] = []

    def ask() -> None:
        together.wait(10)
        try:
            outcomes.append(sign_up_code())
        except Refused as refused:
            outcomes.append(refused.reason)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert Reason.CODE_TOO_SOON in outcomes
    assert Message.objects.count() == 1


def test_a_password_by_sms_is_charged_as_one_and_no_member_reads_it(database: Connection, person: Person) -> None:
    """spec S132"""
    before = available(database, person.customer)
    message_id = send_password_code(person, words, address=HOME, now=NOW)
    assert available(database, person.customer) == before - PRICE_PIPS
    assert Transfer.objects.get(kind=Transfer.Kind.SERVICE).note == f"Password by SMS, {message_id}"
    assert not Batch.objects.filter(customer=person.customer).exists()
    assert wrong_code(Purpose.PASSWORD_BY_SMS, code_sent(), mobile=MOBILE, person=person, now=NOW) is None


def test_with_too_little_money_it_fails_with_16_and_nothing_is_sent(database: Connection, person: Person) -> None:
    """spec S132"""
    assert person.customer_id
    left = available(database, person.customer) - PRICE_PIPS + 1
    ledger.move(
        database, Transfer.Kind.SERVICE, customer_id=person.customer_id, amount_pips=left, now=NOW, note="spent"
    )
    with pytest.raises(Refused) as poor:
        send_password_code(person, words, address=HOME, now=NOW)
    assert poor.value.reason is Reason.BALANCE_TOO_LOW
    assert not Message.objects.exists()
    assert not ProofSent.objects.exists()


def test_where_our_own_account_is_empty_nothing_is_charged(database: Connection, person: Person) -> None:
    platform = Customer.objects.get(is_platform=True)
    everything = available(database, platform)
    ledger.move(database, Transfer.Kind.SERVICE, customer_id=platform.pk, amount_pips=everything, now=NOW, note="spent")
    before = available(database, person.customer)
    with pytest.raises(Refused) as refused:
        send_password_code(person, words, address=HOME, now=NOW)
    assert refused.value.reason is Reason.PLATFORM_CANNOT_SEND
    assert available(database, person.customer) == before


def test_proofs_are_forgotten_after_every_limit(person: Person) -> None:
    sign_up_code()
    assert codes.forget_proofs(NOW + codes.DAY) == 0
    assert codes.forget_proofs(NOW + codes.KEPT_FOR + timedelta(seconds=1)) == 1
