"""Trial credit: HK$5, once for a mobile and once for a business registration (spec S87)."""

import pytest

from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.billing.trial import give_trial
from sampan.database import Connection
from tests.world import NOW, make_customer, make_mallory

MOBILE, OTHER_MOBILE = 85291234567, 85298765432


def test_a_new_account_gets_five_dollars_that_are_no_money_to_take_out(database: Connection) -> None:
    harbour = make_customer(balance="0")
    assert give_trial(harbour.pk, mobile=MOBILE, registration=None, now=NOW)
    balances = ledger.balances(database, [harbour.pk])
    assert balances[harbour.pk, Account.Kind.AVAILABLE] == 50_000
    assert ledger.movable_pips(balances, harbour.pk) == 0


@pytest.mark.parametrize(
    ("mobile", "registration"), [(MOBILE, "99999999"), (OTHER_MOBILE, "1234 5678 a"), (OTHER_MOBILE, "12345678A")]
)
def test_it_is_given_once(database: Connection, mobile: int, registration: str) -> None:
    harbour, mallory = make_customer(balance="0"), make_mallory()
    assert give_trial(harbour.pk, mobile=MOBILE, registration="12345678A", now=NOW)
    assert not give_trial(harbour.pk, mobile=OTHER_MOBILE, registration=None, now=NOW)
    assert not give_trial(mallory.pk, mobile=mobile, registration=registration, now=NOW)
    assert ledger.balances(database, [mallory.pk])[mallory.pk, Account.Kind.TRIAL] == 0


def test_registrations_that_are_not_known_yet_are_not_alike(database: Connection) -> None:
    harbour, mallory = make_customer(balance="0"), make_mallory()
    assert give_trial(harbour.pk, mobile=MOBILE, registration="", now=NOW)
    assert give_trial(mallory.pk, mobile=OTHER_MOBILE, registration=None, now=NOW)
