"""Who is left out and why: register, consents, unsubscribes, China's lists (spec S92–S96)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import Customer, Person
from sampan.compliance import preferences
from sampan.compliance.screening import Asked, Decided, Screened, keep, number_hash, screen
from sampan.compliance.settings import change_settings, strictness
from sampan.compliance.tables import (
    ChinaNumber,
    FilterDecision,
    Preference,
    RegisteredNumber,
    RegisterImport,
    Screening,
)
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason
from tests.world import NOW, make_customer, make_staff

ANNA, BEN, CHINESE = 85261234567, 85261234568, 8613812345678
Way = Preference.Way


def register(*numbers: int, on: date = date(2026, 11, 1)) -> None:
    RegisteredNumber.objects.bulk_create([RegisteredNumber(number=number, listed_on=on) for number in numbers])


def ask(
    conn: Connection,
    customer: Customer,
    *numbers: int,
    promotional: bool = True,
    register_filter: bool | None = None,
    now: datetime = NOW,
) -> dict[int, Reason]:
    asked = Asked(customer.pk, numbers, promotional, register_filter, has_china=CHINESE in numbers)
    (screened,) = screen(conn, [asked], now)
    return screened.reasons


def consent(conn: Connection, customer: Customer, number: int, at: datetime = NOW) -> None:
    preferences.record_consents(
        conn, customer.pk, [number], way=Way.WRITTEN, at=at, evidence="form 12", person_id=None, now=NOW
    )


def unsubscribe(conn: Connection, customer: Customer, number: int, at: datetime = NOW) -> None:
    preferences.unsubscribe(conn, customer.pk, [number], way=Way.REPLY, at=at, evidence="STOP", now=NOW)


def test_a_listed_number_gets_no_promotional_text(database: Connection) -> None:
    """Spec S93: `dncr` unsaid is on for promotional texts only, and else as it is said."""
    harbour = make_customer()
    register(ANNA)
    assert ask(database, harbour, ANNA, BEN) == {ANNA: Reason.DO_NOT_CALL}
    assert ask(database, harbour, ANNA, promotional=False) == {}
    assert ask(database, harbour, ANNA, promotional=False, register_filter=True) == {ANNA: Reason.DO_NOT_CALL}
    assert ask(database, harbour, ANNA, register_filter=False) == {}


def test_a_number_is_filtered_from_the_day_it_is_listed_in_hong_kong(database: Connection) -> None:
    harbour = make_customer()
    register(ANNA, on=date(2026, 11, 24))
    evening = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    assert ask(database, harbour, ANNA, now=evening) == {}
    assert ask(database, harbour, ANNA, now=evening + timedelta(minutes=1)) == {ANNA: Reason.DO_NOT_CALL}


def test_a_setting_waits_for_the_10th_working_day(database: Connection) -> None:
    """Spec S93: listed 24 January 2008, filtered from 5 February."""
    harbour = make_customer()
    register(ANNA, on=date(2008, 1, 24))
    change_settings(register_waits=True, footer_refuses=False, why="the law allows it", by=make_staff(), now=NOW)
    Snapshot.forget_all()
    assert ask(database, harbour, ANNA, now=datetime(2008, 2, 4, 8, tzinfo=UTC)) == {}
    assert ask(database, harbour, ANNA, now=datetime(2008, 2, 5, 8, tzinfo=UTC)) == {ANNA: Reason.DO_NOT_CALL}


def test_a_consent_overrides_the_register(database: Connection) -> None:
    """Spec S94."""
    harbour, mallory = make_customer(), make_customer("mallory", senders=("Mallory",))
    register(ANNA)
    consent(database, harbour, ANNA)
    assert ask(database, harbour, ANNA) == {}
    assert ask(database, mallory, ANNA) == {ANNA: Reason.DO_NOT_CALL}


def test_the_latest_of_consent_and_unsubscribe_wins(database: Connection) -> None:
    """Spec S94: by when it was said, not by when it was written down."""
    harbour = make_customer()
    register(ANNA)
    unsubscribe(database, harbour, ANNA, NOW - timedelta(days=2))
    assert ask(database, harbour, ANNA) == {ANNA: Reason.UNSUBSCRIBED}
    consent(database, harbour, ANNA, NOW - timedelta(days=3))
    assert ask(database, harbour, ANNA) == {ANNA: Reason.UNSUBSCRIBED}
    consent(database, harbour, ANNA, NOW - timedelta(days=1))
    assert ask(database, harbour, ANNA) == {}
    unsubscribe(database, harbour, ANNA, NOW - timedelta(days=1))
    assert ask(database, harbour, ANNA) == {ANNA: Reason.UNSUBSCRIBED}


def test_an_unsubscribe_stops_promotional_texts_only_and_no_declaration_lifts_it(database: Connection) -> None:
    """Spec S96."""
    harbour = make_customer()
    unsubscribe(database, harbour, ANNA)
    assert ask(database, harbour, ANNA, register_filter=False) == {ANNA: Reason.UNSUBSCRIBED}
    assert ask(database, harbour, ANNA, promotional=False, register_filter=True) == {}


def test_all_accounts_of_one_business_registration_are_bound(database: Connection) -> None:
    """Spec S94; accounts without a registration on file share nothing."""
    shop, branch = make_customer("shop"), make_customer("branch")
    unsubscribe(database, shop, ANNA, NOW - timedelta(days=1))
    assert ask(database, branch, ANNA) == {}
    Customer.objects.filter(pk__in=(shop.pk, branch.pk)).update(registration_number="12345678")
    assert ask(database, branch, ANNA) == {ANNA: Reason.UNSUBSCRIBED}
    consent(database, branch, ANNA)
    assert ask(database, shop, ANNA) == {}


def test_chinas_block_list_stops_every_text_and_the_white_list_lifts_it(database: Connection) -> None:
    """Spec S92."""
    harbour, ada = make_customer(), make_staff()
    row = {"number": CHINESE, "by": ada, "at": NOW, "grounds": "complained"}
    ChinaNumber.objects.create(kind=ChinaNumber.Kind.BLOCK, **row)
    assert ask(database, harbour, CHINESE, ANNA, promotional=False) == {CHINESE: Reason.BLOCKED}
    ChinaNumber.objects.create(kind=ChinaNumber.Kind.WHITE, **row)
    assert ask(database, harbour, CHINESE, promotional=False) == {}


def test_many_submissions_are_asked_at_once_each_by_its_own_terms(database: Connection) -> None:
    harbour, mallory = make_customer(), make_customer("mallory", senders=("Mallory",))
    register(ANNA)
    unsubscribe(database, mallory, BEN)
    submissions = [
        Asked(harbour.pk, [ANNA, BEN], promotional=False, register_filter=None, has_china=False),
        Asked(harbour.pk, [ANNA, BEN], promotional=True, register_filter=None, has_china=False),
        Asked(mallory.pk, [BEN, ANNA], promotional=True, register_filter=False, has_china=False),
    ]
    found = screen(database, submissions, NOW)
    assert [screened.reasons for screened in found] == [{}, {ANNA: Reason.DO_NOT_CALL}, {BEN: Reason.UNSUBSCRIBED}]
    assert [screened.consent_declared for screened in found] == [False, False, True]


def test_a_decision_is_kept_with_the_registers_date_and_without_the_number(database: Connection) -> None:
    """Spec S93, S130."""
    harbour, ada = make_customer(), make_staff()
    register(ANNA)
    counts = {"rows": 1, "bad_rows": 0, "added": 1, "removed": 0, "total": 1}
    RegisterImport.objects.create(at=NOW, by=ada, kind=1, register_date=date(2026, 11, 20), file_name="r.csv", **counts)
    Snapshot.forget_all()
    (screened,) = screen(database, [Asked(harbour.pk, [ANNA, BEN], True, None, has_china=False)], NOW)
    keep(database, [Decided(10001, harbour.pk, screened), Decided(10002, harbour.pk, Screened())], NOW)
    (screening,) = Screening.objects.all()
    assert (screening.batch_id, screening.asked, screening.filtered) == (10001, 2, 1)
    assert screening.register_date == date(2026, 11, 20)
    (decision,) = FilterDecision.objects.all()
    assert (decision.rule, decision.register_date) == (Reason.DO_NOT_CALL.number, date(2026, 11, 20))
    assert bytes(decision.number_hash) == number_hash(ANNA)
    assert str(ANNA).encode() not in bytes(decision.number_hash)


def test_the_lists_of_one_customer_are_its_own_latest_words(database: Connection) -> None:
    harbour, mallory = make_customer(), make_customer("mallory", senders=("Mallory",))
    unsubscribe(database, harbour, ANNA, NOW - timedelta(days=1))
    unsubscribe(database, harbour, BEN)
    consent(database, harbour, ANNA)
    kind = Preference.Kind
    assert [row.number for row in preferences.standing(database, harbour.pk, kind.UNSUBSCRIBED, most=10)] == [BEN]
    assert [row.number for row in preferences.standing(database, harbour.pk, kind.CONSENT, most=10)] == [ANNA]
    assert preferences.count(database, harbour.pk, kind.UNSUBSCRIBED) == 1
    assert preferences.standing(database, mallory.pk, kind.UNSUBSCRIBED, most=10) == []


FILL = """
    INSERT INTO registered_number SELECT 85260000000 + n, '2020-01-01' FROM generate_series(1, 100000) n"""
FILL_PREFERENCES = """
    INSERT INTO preference (customer_id, number, kind, way, at, recorded_at, evidence)
    SELECT %s, 85260000000 + n * 7, 1 + n %% 2, CASE n %% 2 WHEN 0 THEN 'verbal' ELSE 'hand' END, %s, %s, ''
      FROM generate_series(1, 10000) n"""


def test_many_recipients_are_asked_for_at_once(database: Connection) -> None:
    """How long 50,000 take in a register of a million says `make bench MEASURES=screening`."""
    harbour = make_customer()
    with connection.cursor() as cursor:
        cursor.execute(FILL)
        cursor.execute(FILL_PREFERENCES, [harbour.pk, NOW, NOW])
    numbers = [85260000000 + n * 37 for n in range(1, 5_001)]
    asked = Asked(harbour.pk, numbers, promotional=True, register_filter=None, has_china=False)
    (screened,) = screen(database, [asked], NOW)
    # 2,702 of them are on the register; every seventh has a preference, and half of those are consents.
    assert len(screened.reasons) == 2_567


def test_how_strict_the_platform_is_is_set_by_compliance(database: Connection) -> None:
    change_settings(
        register_waits=True,
        footer_refuses=True,
        why="the law",
        by=make_staff("carol", role=Person.StaffRole.COMPLIANCE),
        now=NOW,
    )
    Snapshot.forget_all()
    assert strictness.get(database) == (True, True, None)
    with pytest.raises(NotAllowed):
        change_settings(
            register_waits=False,
            footer_refuses=False,
            why="to sell more",
            by=make_staff("fay", role=Person.StaffRole.FINANCE),
            now=NOW,
        )
