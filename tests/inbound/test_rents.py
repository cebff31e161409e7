"""Numbers are set up by staff alone, and rented monthly in advance (spec S110, S134)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sampan.accounts.acts import NotAllowed
from sampan.accounts.proofs.tables import Mail
from sampan.accounts.tables import AuditEntry, Customer, Person, SenderId
from sampan.billing import ledger
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, Transfer
from sampan.database import Connection, Snapshot
from sampan.inbound import numbers, rents, settings
from sampan.inbound.rents import OFF_AFTER, months_after
from sampan.inbound.tables import Rental, RentedNumber
from sampan.messages.reconcile import discrepancies
from sampan.reasons import Reason, Refused
from sampan.webhooks.tables import WebhookDelivery, WebhookEndpoint
from tests.inbound.renting import OWN, RENT_PIPS, SHARED, make_number, make_rental, support
from tests.world import NOW, make_customer, make_mallory, make_places, make_staff

MONTH = timedelta(days=30)  # November has 30 days


@pytest.fixture
def number(database: Connection) -> RentedNumber:
    return make_number(make_places())


def available(conn: Connection, customer: Customer) -> int:
    return ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.AVAILABLE]


def top_up(conn: Connection, customer: Customer, dollars: str) -> None:
    kind, pips = Transfer.Kind.TOP_UP, pips_of(dollars)
    ledger.move(conn, kind, customer_id=customer.pk, amount_pips=pips, now=NOW, note="paid")


def test_the_first_month_is_charged_at_once_and_the_customer_may_send_from_the_number(
    database: Connection, number: RentedNumber
) -> None:
    harbour = make_customer()
    rental = make_rental(number, harbour, monthly_pips=RENT_PIPS)
    assert available(database, harbour) == pips_of("500")
    charge = Transfer.objects.get(kind=Transfer.Kind.SERVICE)
    assert charge.note == f"Rent of {OWN} until 2026-12-23"
    assert rental.paid_until == months_after(NOW, 1)
    assert SenderId.objects.get(text=OWN).takes_replies
    assert discrepancies(database) == []
    lines = AuditEntry.objects.filter(act="number.rent").values_list("by__login_name", "customer__name", "after")
    assert list(lines) == [("grace", "Harbour Florist", {"number": OWN, "keyword": "", "rent": "500.0000"})]


def test_who_cannot_pay_the_first_month_rents_nothing(database: Connection, number: RentedNumber) -> None:
    harbour = make_customer(balance="499.99")
    with pytest.raises(Refused) as refused:
        make_rental(number, harbour, monthly_pips=RENT_PIPS)
    assert refused.value.reason == Reason.BALANCE_TOO_LOW
    assert not Rental.objects.exists()
    assert available(database, harbour) == pips_of("499.99")


def test_each_month_is_charged_once_when_it_begins(database: Connection, number: RentedNumber) -> None:
    harbour = make_customer(balance="2000")
    make_rental(number, harbour, monthly_pips=RENT_PIPS)
    assert rents.take_rents(NOW + MONTH - timedelta(seconds=1)) == 0
    assert rents.take_rents(NOW + MONTH) == 1
    assert rents.take_rents(NOW + MONTH) == 0
    assert available(database, harbour) == pips_of("1000")
    assert discrepancies(database) == []


def test_short_of_money_there_is_one_notice_and_after_seven_days_the_number_is_off(
    database: Connection, number: RentedNumber
) -> None:
    harbour = make_customer()
    owner = harbour.members.get()
    owner.email = "owner@harbour.example"
    owner.save()
    rental = make_rental(number, harbour, monthly_pips=pips_of("600"))
    due = NOW + MONTH
    assert [rents.take_rents(due + timedelta(hours=hours)) for hours in range(3)] == [1, 0, 0]
    (mail,) = Mail.objects.all()
    assert mail.to == "owner@harbour.example"
    assert "HK$600.00) fell due on 2026-12-23" in mail.text
    assert "by 2026-12-30" in mail.text
    rental.refresh_from_db()
    assert (rental.short_since, rental.ended_at) == (due, None)
    assert rents.take_rents(due + OFF_AFTER - timedelta(seconds=1)) == 0
    assert rents.take_rents(due + OFF_AFTER) == 1
    rental.refresh_from_db()
    assert (rental.ended_at, rental.ended_why) == (due + OFF_AFTER, "The rent was not paid")
    assert SenderId.objects.get(text=OWN).withdrawn_at == due + OFF_AFTER
    assert rents.take_rents(due + 2 * OFF_AFTER) == 0
    assert available(database, harbour) == pips_of("400")


def test_a_top_up_within_seven_days_pays_the_rent_by_itself(database: Connection, number: RentedNumber) -> None:
    harbour = make_customer()
    rental = make_rental(number, harbour, monthly_pips=pips_of("600"))
    due = NOW + MONTH
    rents.take_rents(due)
    top_up(database, harbour, "300")
    assert rents.take_rents(due + timedelta(days=6)) == 1
    rental.refresh_from_db()
    assert (rental.short_since, rental.ended_at, rental.months_paid) == (None, None, 2)
    assert rental.paid_until == months_after(NOW, 2)
    assert available(database, harbour) == pips_of("100")


def test_a_closed_account_rents_no_more(database: Connection, number: RentedNumber) -> None:
    harbour = make_customer()
    rental = make_rental(number, harbour, monthly_pips=RENT_PIPS)
    Customer.objects.filter(pk=harbour.pk).update(status=Customer.Status.CLOSED)
    rents.take_rents(NOW + MONTH)
    rental.refresh_from_db()
    assert rental.ended_why == "The account is closed"


@pytest.mark.parametrize(
    ("begun", "months", "due"),
    [
        ("2026-01-31 10:00", 1, "2026-02-28 10:00"),
        ("2026-01-31 10:00", 2, "2026-03-31 10:00"),
        ("2027-12-15 10:00", 1, "2028-01-15 10:00"),
        ("2028-01-30 23:59", 1, "2028-02-29 23:59"),
        ("2026-11-23 00:30", 12, "2027-11-23 00:30"),
    ],
)
def test_months_are_those_of_hong_kongs_calendar(begun: str, months: int, due: str) -> None:
    begun_at = datetime.fromisoformat(f"{begun}+08:00").astimezone(UTC)
    assert months_after(begun_at, months) == datetime.fromisoformat(f"{due}+08:00")


def test_a_number_of_ones_own_has_one_customer_and_a_keyword_too(database: Connection, number: RentedNumber) -> None:
    harbour, mallory = make_customer(), make_mallory()
    shared = make_number(number.operator, SHARED, is_shared=True)
    make_rental(number, harbour)
    make_rental(shared, harbour, keyword="Flowers")
    refused: dict[str, Reason] = {}
    tries: dict[str, Any] = {"own": (number, ""), "same": (shared, "ＦＬＯＷＥＲＳ"), "stop": (shared, "STOP")}
    tries |= {"china": (shared, "TD"), "none": (shared, ""), "spaces": (shared, "_a_")}
    for name, (which, keyword) in tries.items():
        with pytest.raises(Refused) as error:
            make_rental(which, mallory, keyword=keyword)
        refused[name] = error.value.reason
    assert refused == {
        "own": Reason.NUMBER_RENTED,
        "same": Reason.KEYWORD_TAKEN,
        "stop": Reason.KEYWORD_TAKEN,
        "china": Reason.KEYWORD_TAKEN,
        "none": Reason.KEYWORD_MALFORMED,
        "spaces": Reason.KEYWORD_MALFORMED,
    }
    assert not SenderId.objects.filter(customer=mallory, text__in=[OWN, SHARED]).exists()


def test_the_shared_number_stays_a_sender_id_until_the_last_keyword_ends(
    database: Connection, number: RentedNumber
) -> None:
    harbour = make_customer()
    shared = make_number(number.operator, SHARED, is_shared=True)
    first, second = make_rental(shared, harbour, keyword="flowers"), make_rental(shared, harbour, keyword="訂花")
    numbers.end_rental(first.pk, by=support(), why="asked to", now=NOW)
    assert SenderId.objects.get(text=SHARED).withdrawn_at is None
    numbers.end_rental(second.pk, by=support(), why="asked to", now=NOW)
    assert SenderId.objects.get(text=SHARED).withdrawn_at == NOW
    with pytest.raises(Refused) as refused:
        numbers.end_rental(second.pk, by=support(), why="again", now=NOW)
    assert refused.value.reason == Reason.RENTAL_ENDED


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("12", Reason.BAD_NUMBER),
        ("0852", Reason.BAD_NUMBER),
        ("٥٥٥", Reason.BAD_NUMBER),
        (OWN, Reason.NUMBER_THERE),
        (f"+{OWN}", Reason.NUMBER_THERE),
    ],
)
def test_what_is_no_number_or_there_already_is_refused(number: RentedNumber, typed: str, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        make_number(number.operator, typed)
    assert refused.value.reason == reason


def test_the_customers_servers_are_told_of_the_sender_id_that_comes_and_goes(
    database: Connection, number: RentedNumber
) -> None:
    harbour = make_customer()
    WebhookEndpoint.objects.create(
        customer=harbour,
        url="https://harbour.example/hooks",
        form=WebhookEndpoint.Form.SIGNED_JSON,
        events=["sender_id.*"],
        secret=b"sealed",
        created_at=NOW,
        created_by=harbour.members.get(),
    )
    Snapshot.forget_all()
    rental = make_rental(number, harbour)
    numbers.end_rental(rental.pk, by=support(), why="asked to", now=NOW)
    told = WebhookDelivery.objects.order_by("pk").values_list("kind", "data")
    assert list(told) == [
        ("sender_id.approved", f'{{"sender":"{OWN}","words":""}}'),
        ("sender_id.withdrawn", f'{{"sender":"{OWN}","words":"asked to"}}'),
    ]


def test_a_number_that_somebody_rents_is_not_retired(database: Connection, number: RentedNumber) -> None:
    rental = make_rental(number, make_customer())
    with pytest.raises(Refused):
        numbers.retire_number(number.pk, by=support(), why="gone", now=NOW)
    numbers.end_rental(rental.pk, by=support(), why="gone", now=NOW)
    numbers.retire_number(number.pk, by=support(), why="gone", now=NOW)
    assert make_number(number.operator).number == int(OWN)  # it may come back


def test_only_staff_whose_role_it_is_set_up_rent_and_change_words(database: Connection, number: RentedNumber) -> None:
    finance = make_staff("fay", role=Person.StaffRole.FINANCE)
    harbour = make_customer()
    as_finance: dict[str, Any] = {"by": finance, "why": "a try", "now": NOW}
    with pytest.raises(NotAllowed):
        numbers.add_number(number.operator, SHARED, is_shared=True, **as_finance)
    with pytest.raises(NotAllowed):
        numbers.rent(number.pk, harbour.pk, monthly_pips=0, **as_finance)
    with pytest.raises(NotAllowed):
        settings.change_settings(["stop"], [], number_pips=0, keyword_pips=0, **as_finance)
    assert not Rental.objects.exists()


def test_staff_change_the_words_and_the_usual_rents(database: Connection) -> None:
    usual = settings.in_force(database)
    assert usual.stop_words == {"stop", "unsub", "退訂", "退订", "取消"}
    assert usual.stops_of(in_china=True) - usual.stop_words == {"td", "t", "n", "0000"}
    assert (usual.number_pips, usual.keyword_pips) == (pips_of("500"), pips_of("200"))
    carol = make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    by: dict[str, Any] = {"by": carol, "why": "a new code of practice", "now": NOW}
    settings.change_settings(["ＳＴＯＰ", "Quit"], ["TD", " "], number_pips=1, keyword_pips=2, **by)
    assert settings.in_force(database) == (frozenset({"stop", "quit"}), frozenset({"td"}), 1, 2)
    for words in ([], ["!"], ["a" * 21]):
        with pytest.raises(Refused):
            settings.change_settings(words, [], number_pips=1, keyword_pips=2, **by)
    assert AuditEntry.objects.filter(act="replies.set").count() == 1
