"""Top-ups, charities' bonuses, tiers, reversals and debts (spec S83, S85, S85a, S86)."""

from datetime import date, datetime, timedelta

import pytest

from sampan.accounts.tables import Customer, Person
from sampan.billing import charities, entries, ledger, top_ups
from sampan.billing.charities import record_certificate
from sampan.billing.money import pips_of
from sampan.billing.tables import Account, FirstBonus, StaffEntry, TopUp, Transfer, VolumeTier
from sampan.database import Connection
from sampan.reasons import Reason
from tests.billing.money import at_once, credited, filed, pips, reason_of, reversed_
from tests.world import NOW, make_customer, make_staff

FINANCE = Person.StaffRole.FINANCE
A_YEAR_LATER = NOW.replace(year=NOW.year + 1)


@pytest.fixture
def finance(database: Connection) -> Person:
    return make_staff("fanny", role=FINANCE)


def make_charity(login_name: str, by: Person, *, number: str = "91/1234", until: date | None = None) -> Customer:
    charity = make_customer(login_name, name="St Mary's", senders=(), balance="0")
    record_certificate(
        charity, number, valid_from=date(2026, 1, 1), valid_until=until, why="seen the paper", by=by, now=NOW
    )
    return charity


def test_a_filed_top_up_is_no_money_until_finance_credits_it(database: Connection, finance: Person) -> None:
    harbour = make_customer(balance="0")
    top_up = filed(harbour, "300")
    assert pips(database, harbour) == 0
    entry = entries.enter_for_top_up(StaffEntry.Kind.TOP_UP, top_up.pk, why="on the list", by=finance, now=NOW)
    assert pips(database, harbour) == pips_of("300")
    (transfer,) = entry.transfers.all()
    assert (transfer.kind, transfer.entered_by, transfer.note) == (Transfer.Kind.TOP_UP, finance, f"{top_up} FPS 388")
    top_up.refresh_from_db()
    assert (top_up.state, top_up.settled_at, top_up.bonus_pips) == (TopUp.State.CREDITED, NOW, 0)


@pytest.mark.parametrize(
    ("amount", "reference", "reason"),
    [
        ("299.9999", "FPS 388", Reason.AMOUNT_TOO_SMALL),
        ("-300", "FPS 388", Reason.AMOUNT_TOO_SMALL),
        ("10,000,000.0001", "FPS 388", Reason.AMOUNT_TOO_LARGE),
        ("300", "  ", Reason.NO_REFERENCE),
    ],
)
def test_what_cannot_be_a_top_up_is_refused(database: Connection, amount: str, reference: str, reason: Reason) -> None:
    harbour = make_customer(balance="0")
    assert reason_of(lambda: filed(harbour, amount, reference=reference)) == reason


def test_finance_may_refuse_it_with_words_and_then_nobody_credits_it(database: Connection, finance: Person) -> None:
    harbour = make_customer(balance="0")
    top_up = filed(harbour)
    assert reason_of(lambda: top_ups.refuse_top_up(top_up.pk, words=" ", by=finance, now=NOW)) == Reason.NO_GROUNDS
    refused = top_ups.refuse_top_up(top_up.pk, words="The cheque was not signed", by=finance, now=NOW)
    assert (refused.state, refused.words) == (TopUp.State.REFUSED, "The cheque was not signed")
    credit = StaffEntry.Kind.TOP_UP
    again = reason_of(lambda: entries.enter_for_top_up(credit, top_up.pk, why="now", by=finance, now=NOW))
    assert again == Reason.DECIDED_ALREADY


def test_the_same_reference_filed_twice_is_pointed_out(database: Connection, finance: Person) -> None:
    harbour = make_customer(balance="0")
    first, second = filed(harbour, "300", reference="FPS 388"), filed(harbour, "301", reference="fps  388")
    assert top_ups.alike(second) == [first]
    top_ups.refuse_top_up(first.pk, words="filed twice", by=finance, now=NOW)
    assert top_ups.alike(second) == []


def test_a_button_pressed_twice_files_one_top_up(database: Connection) -> None:
    harbour = make_customer(balance="0")
    at_once(*[lambda: filed(harbour, "300", reference="FPS 388")] * 3)
    assert TopUp.objects.count() == 1


def test_two_of_finance_who_credit_one_top_up_at_once_credit_it_once(database: Connection, finance: Person) -> None:
    harbour, other = make_customer(balance="0"), make_staff("frank", role=FINANCE)
    top_up = filed(harbour)

    def credit(by: Person) -> object:
        return entries.enter_for_top_up(StaffEntry.Kind.TOP_UP, top_up.pk, why="on the list", by=by, now=NOW)

    raised = at_once(lambda: credit(finance), lambda: credit(other))
    assert sorted(map(str, raised))[0] == "None"
    assert sum(error is not None for error in raised) == 1
    assert pips(database, harbour) == pips_of("300")


# Charities


def test_a_charitys_first_three_hundred_are_five_hundred_and_thirty(database: Connection, finance: Person) -> None:
    charity = make_charity("stmary", finance)
    top_up = credited(charity, "300", by=finance)
    assert pips(database, charity) == pips_of("530")
    assert top_up.bonus_pips == pips_of("230")
    kinds = list(Transfer.objects.filter(customer=charity).order_by("id").values_list("kind", "amount_pips"))
    bonus = Transfer.Kind.BONUS
    assert kinds == [(Transfer.Kind.TOP_UP, 3_000_000), (bonus, 300_000), (bonus, 2_000_000)]
    credited(charity, "300", by=finance)
    assert pips(database, charity) == pips_of("860")


def test_the_two_hundred_come_once_for_an_organisation_whatever_its_accounts(
    database: Connection, finance: Person
) -> None:
    one, other = make_charity("stmary", finance), make_charity("stmary2", finance, number=" 91 / 1234")
    tops = filed(one), filed(other)
    credit = StaffEntry.Kind.TOP_UP
    at_once(
        *(
            lambda top_up=top_up: entries.enter_for_top_up(credit, top_up.pk, why="listed", by=finance, now=NOW)
            for top_up in tops
        )
    )
    assert sorted([pips(database, one), pips(database, other)]) == [pips_of("330"), pips_of("530")]


def test_a_certificate_of_another_number_brings_no_second_two_hundred(database: Connection, finance: Person) -> None:
    """As after a slip of the pen, or where the Inland Revenue has numbered its file anew."""
    charity = make_charity("stmary", finance)
    credited(charity, "300", by=finance)
    again = date(2026, 1, 1)
    record_certificate(charity, "91/4321", valid_from=again, valid_until=None, why="a new letter", by=finance, now=NOW)
    assert credited(charity, "300", by=finance).bonus_pips == pips_of("30")


def test_accounts_of_one_business_registration_are_one_organisation(database: Connection, finance: Person) -> None:
    one, other = make_charity("stmary", finance), make_charity("stmary2", finance, number="91/4321")
    Customer.objects.filter(pk__in=(one.pk, other.pk)).update(registration_number="12345678")
    assert credited(one, "300", by=finance).bonus_pips == pips_of("230")
    assert credited(other, "300", by=finance).bonus_pips == pips_of("30")


@pytest.mark.parametrize(
    ("until", "now", "bonus"),
    [
        (date(2026, 11, 23), datetime.fromisoformat("2026-11-23T15:59:59+00:00"), "230"),
        (date(2026, 11, 23), datetime.fromisoformat("2026-11-23T16:00:00+00:00"), "0"),  # the 24th in Hong Kong
        (None, datetime.fromisoformat("2025-12-31T15:59:59+00:00"), "0"),  # not valid yet
        (None, datetime.fromisoformat("2025-12-31T16:00:00+00:00"), "230"),
    ],
)
def test_a_certificate_counts_on_the_days_of_hong_kong_on_which_it_is_valid(
    database: Connection, finance: Person, until: date | None, now: datetime, bonus: str
) -> None:
    charity = make_charity("stmary", finance, until=until)
    assert credited(charity, "300", by=finance, now=now).bonus_pips == pips_of(bonus)


def test_a_withdrawn_certificate_brings_nothing(database: Connection, finance: Person) -> None:
    charity = make_charity("stmary", finance)
    certificate = charities.certificate_in_force(charity.pk, NOW)
    assert certificate
    charities.withdraw_certificate(certificate, why="it was revoked", by=finance, now=NOW)
    assert credited(charity, "300", by=finance).bonus_pips == 0


@pytest.mark.parametrize(("paid", "bonus"), [(10, 1), (9, 0), (19, 1), (3_000_005, 300_000)])
def test_the_bonus_is_rounded_down_to_the_pip(paid: int, bonus: int) -> None:
    assert charities.bonus_of(paid) == bonus


# Tiers


@pytest.fixture
def tiers(database: Connection) -> None:
    for tier, amount in ((1, "300"), (2, "1,000"), (3, "5,000")):
        VolumeTier.objects.update_or_create(tier=tier, defaults={"from_pips": pips_of(amount)})


@pytest.mark.usefixtures("tiers")
def test_the_tier_follows_what_was_paid_and_not_the_bonus(database: Connection, finance: Person) -> None:
    charity = make_charity("stmary", finance)
    credited(charity, "950", by=finance)  # 1,245 with its bonuses
    charity.refresh_from_db()
    assert charity.tier == 1
    credited(charity, "1000", by=finance)
    charity.refresh_from_db()
    assert charity.tier == 2


@pytest.mark.usefixtures("tiers")
@pytest.mark.parametrize(
    ("later", "tier"), [(A_YEAR_LATER - timedelta(seconds=1), 3), (A_YEAR_LATER, 2), (NOW + timedelta(days=1), 3)]
)
def test_a_smaller_top_up_lowers_the_tier_only_after_twelve_months(
    database: Connection, finance: Person, later: datetime, tier: int
) -> None:
    harbour = make_customer(balance="0")
    credited(harbour, "5000", by=finance)
    credited(harbour, "1000", by=finance, now=later)
    harbour.refresh_from_db()
    assert harbour.tier == tier


# Reversals


@pytest.mark.usefixtures("tiers")
def test_a_reversed_top_up_takes_its_bonus_and_its_tier_along(database: Connection, finance: Person) -> None:
    charity = make_charity("stmary", finance)
    credited(charity, "300", by=finance)
    large = credited(charity, "1000", by=finance)
    reversed_(large, by=finance)
    assert pips(database, charity) == pips_of("530")
    charity.refresh_from_db()
    large.refresh_from_db()
    assert (charity.tier, charity.status) == (1, Customer.Status.NORMAL)
    assert (large.state, large.words) == (TopUp.State.REVERSED, "the cheque bounced")


def test_a_first_top_up_that_bounced_was_none(database: Connection, finance: Person) -> None:
    charity = make_charity("stmary", finance)
    first = credited(charity, "300", by=finance)
    reversed_(first, by=finance)
    assert (pips(database, charity), FirstBonus.objects.count()) == (0, 0)
    assert credited(charity, "300", by=finance).bonus_pips == pips_of("230")


def test_what_is_no_longer_there_becomes_a_debt_and_the_customer_is_suspended(
    database: Connection, finance: Person
) -> None:
    harbour = make_customer(balance="0")
    top_up = credited(harbour, "300", by=finance)
    ledger.move(database, Transfer.Kind.HOLD, customer_id=harbour.pk, amount_pips=pips_of("299"), now=NOW, note="")
    reversed_(top_up, by=finance)
    harbour.refresh_from_db()
    assert harbour.status == Customer.Status.SUSPENDED
    assert pips(database, harbour) == 0
    assert pips(database, harbour, Account.Kind.DEBT) == -pips_of("299")
    again = reason_of(lambda: reversed_(top_up, by=finance))
    assert again == Reason.DECIDED_ALREADY


def test_the_next_top_up_pays_the_debt_first(database: Connection, finance: Person) -> None:
    harbour = make_customer(balance="0")
    top_up = credited(harbour, "500", by=finance)
    ledger.move(database, Transfer.Kind.SERVICE, customer_id=harbour.pk, amount_pips=pips_of("450"), now=NOW, note="")
    reversed_(top_up, by=finance)
    credited(harbour, "300", by=finance)
    assert [pips(database, harbour, kind) for kind in (Account.Kind.AVAILABLE, Account.Kind.DEBT)] == [
        0,
        -pips_of("150"),
    ]
    credited(harbour, "300", by=finance)
    assert [pips(database, harbour, kind) for kind in (Account.Kind.AVAILABLE, Account.Kind.DEBT)] == [
        pips_of("150"),
        0,
    ]
