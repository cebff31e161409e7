"""China signatures: asked for, approved, exclusive (spec S90)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from sampan.accounts.acts import NotAllowed
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.compliance.signatures import (
    approve_signature,
    request_signature,
    send_signature_back,
    signatures,
    withdraw_signature,
)
from sampan.compliance.tables import ChinaSignature
from sampan.database import Connection, Snapshot
from sampan.reasons import Reason, Refused
from tests.world import NOW, make_customer, make_mallory, make_staff

State = ChinaSignature.State


def ask(customer: Customer, name: str = "海港花店", grounds: str = "the shop's name") -> ChinaSignature:
    return request_signature(customer, name, grounds=grounds, by=customer.members.get(), now=NOW)


def test_it_is_in_force_once_approved_and_not_before(database: Connection) -> None:
    harbour = make_customer()
    row = ask(harbour)
    assert signatures.get(database) == {}
    approve_signature(row.pk, words="their shop", by=make_staff(role=Person.StaffRole.COMPLIANCE), now=NOW)
    Snapshot.forget_all()
    assert signatures.get(database) == {harbour.pk: "海港花店"}
    assert AuditEntry.objects.get().customer_id == harbour.pk


def test_it_is_one_customers_until_it_is_withdrawn(database: Connection) -> None:
    harbour, mallory, ada = make_customer(), make_mallory(), make_staff()
    row = ask(harbour)
    hers = ask(mallory)
    approve_signature(row.pk, words="their shop", by=ada, now=NOW)
    with pytest.raises(Refused) as caught:
        approve_signature(hers.pk, words="their shop", by=ada, now=NOW)
    assert caught.value.reason == Reason.SIGNATURE_TAKEN
    send_signature_back(hers.pk, words="It is another shop's name", by=ada, now=NOW)
    with pytest.raises(Refused) as caught:
        ask(mallory)
    assert caught.value.reason == Reason.SIGNATURE_TAKEN
    withdraw_signature(row.pk, words="The shop has closed", by=ada, now=NOW)
    approve_signature(ask(mallory).pk, words="their shop", by=ada, now=NOW)
    Snapshot.forget_all()
    assert signatures.get(database) == {mallory.pk: "海港花店"}


def test_a_new_one_takes_the_place_of_the_old(database: Connection) -> None:
    harbour, ada = make_customer(), make_staff()
    approve_signature(ask(harbour).pk, words="their shop", by=ada, now=NOW)
    approve_signature(ask(harbour, "海港鲜花").pk, words="their shop", by=ada, now=NOW)
    Snapshot.forget_all()
    assert signatures.get(database) == {harbour.pk: "海港鲜花"}


@pytest.mark.parametrize(
    ("name", "grounds", "reason"),
    [
        ("花", "why", Reason.SIGNATURE_MALFORMED),
        ("海港花店有限公司", "why", Reason.SIGNATURE_MALFORMED),
        ("【花店】", "why", Reason.SIGNATURE_MALFORMED),
        ("海港花店", " ", Reason.NO_EVIDENCE),
    ],
)
def test_one_that_cannot_be_is_refused(database: Connection, name: str, grounds: str, reason: Reason) -> None:
    with pytest.raises(Refused) as caught:
        ask(make_customer(), name, grounds)
    assert caught.value.reason == reason


def test_one_request_at_a_time(database: Connection) -> None:
    harbour = make_customer()
    ask(harbour)
    with pytest.raises(Refused) as caught:
        ask(harbour, "海港鲜花")
    assert caught.value.reason == Reason.SIGNATURE_WAITS


def test_support_does_not_decide(database: Connection) -> None:
    row = ask(make_customer())
    with pytest.raises(NotAllowed):
        approve_signature(row.pk, words="their shop", by=make_staff(role=Person.StaffRole.SUPPORT), now=NOW)
    row.refresh_from_db()
    assert row.state == State.REQUESTED


def test_of_two_staff_who_decide_at_once_one_does(database: Connection) -> None:
    """One approves, one sends back; and two customers' requests for one name, approved at once."""
    ada, ben = make_staff(), make_staff("ben")
    mine, hers = ask(make_customer()), ask(make_mallory())

    def decided(work: object) -> str:
        try:
            if work == "approve":
                approve_signature(mine.pk, words="their shop", by=ada, now=NOW)
            elif work == "back":
                send_signature_back(mine.pk, words="no", by=ben, now=NOW)
            else:
                approve_signature(hers.pk, words="their shop", by=ben, now=NOW)
        except Refused as refused:
            return refused.reason.name
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(decided, ("approve", "back"))) == ["DECIDED_ALREADY", "done"]
    ChinaSignature.objects.filter(pk=mine.pk).update(state=State.REQUESTED, decided_by=None, decided_at=None)
    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(decided, ("approve", "hers"))) == ["SIGNATURE_TAKEN", "done"]
    assert ChinaSignature.objects.filter(state=State.APPROVED).count() == 1
