"""Sender IDs: what one may look like, asked for, granted, withdrawn (spec S60–S65)."""

from collections.abc import Callable
from datetime import date

import pytest

from sampan.accounts import senders
from sampan.accounts.acts import NotAllowed
from sampan.accounts.codes import Purpose, note_proof
from sampan.accounts.senders import Grounds, check_form
from sampan.accounts.tables import AuditEntry, Customer, Decision, Person, SenderId, SenderRequest
from sampan.database import Connection, Snapshot
from sampan.messages.planning import Plan
from sampan.reasons import Reason, Refused
from tests.uploads.papers import PDF
from tests.world import NOW, draft_of, facts_of, make_customer, make_places, make_staff, plan_of

MOBILE = 85299887766
DAY = date(2026, 3, 14)


@pytest.fixture
def owner(database: Connection) -> Person:
    make_customer(senders=())
    return Person.objects.get()


def refusal(act: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.reason


def ask(owner: Person, text: str = "HarbourFlo", grounds: Grounds = Grounds.REGISTRATION) -> SenderRequest:
    return senders.request_name(owner, text, grounds=grounds, octets=PDF, file_name="br.pdf", now=NOW)


@pytest.mark.parametrize("sender", ["A", "HarbourFlor", "4u", "#HarbourFlo", "#A", "85299887766", "16502530000"])
def test_what_can_be_one(sender: str) -> None:
    """spec S61, S62, S63"""
    check_form(sender)


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "HarbourFlori",
        "Harbour Flo",
        "Harbour-Flo",
        "海港花店",
        "RANDOMID",
        "randomid",
        "#",
        "#HarbourFlor",
        "A#",
        "##A",
        "#123",
        "8529988776",
        "852998877666",
        "0123456789",
        "1234567890123456",
        "+85299887766",
    ],
)
def test_what_can_be_nobodys(sender: str) -> None:
    assert refusal(lambda: check_form(sender)) is Reason.SENDER_MALFORMED


def test_a_name_that_is_asked_for_waits_until_staff_say_on_what_grounds(owner: Person) -> None:
    request = ask(owner)
    assert not SenderId.objects.exists()
    carol = make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    assert refusal(lambda: senders.grant(request.pk, by=carol, grounds=" ", registered_on=None, now=NOW)) is (
        Reason.NO_GROUNDS
    )
    sender = senders.grant(request.pk, by=carol, grounds="name on the BR", registered_on=None, now=NOW)
    assert (sender.text, sender.grounds) == ("HarbourFlo", "name on the BR")
    assert AuditEntry.objects.get().act == "sender.grant"
    again = refusal(lambda: senders.grant(request.pk, by=carol, grounds="x", registered_on=None, now=NOW))
    assert again is Reason.NOT_WAITING


def test_one_that_is_sent_back_says_why(owner: Person) -> None:
    request = ask(owner)
    carol = make_staff("carol", role=Person.StaffRole.COMPLIANCE)
    senders.send_back(request.pk, by=carol, words="It is not the name on the certificate.", now=NOW)
    assert SenderRequest.objects.get().words == "It is not the name on the certificate."
    ask(owner)


def test_nobody_asks_twice_or_for_more_than_five(owner: Person) -> None:
    """spec S60"""
    ask(owner)
    assert refusal(lambda: ask(owner)) is Reason.SENDER_WAITS
    for place in range(senders.MOST_OF_A_CUSTOMER - 1):
        ask(owner, f"Harbour{place}")
    assert refusal(lambda: ask(owner, "OneMore")) is Reason.TOO_MANY_SENDERS


def test_a_number_is_asked_for_by_the_code_that_was_sent_to_it(owner: Person) -> None:
    """spec S62"""
    code = note_proof(Purpose.OWN_NUMBER, mobile=MOBILE, person=owner, address=None, now=NOW)
    other = f"{(int(code) + 1) % 10**6:06}"
    assert senders.request_number(owner, MOBILE, other, now=NOW) is Reason.CODE_WRONG
    assert senders.request_number(owner, MOBILE + 1, code, now=NOW) is Reason.CODE_EXPIRED
    assert senders.request_number(owner, MOBILE, code, now=NOW) is None
    request = SenderRequest.objects.get()
    assert (request.text, request.grounds, request.verified_at) == (str(MOBILE), Grounds.OWN_NUMBER, NOW)
    assert refusal(lambda: ask(owner, str(MOBILE + 1))) is Reason.SENDER_MALFORMED, "a number needs its code"


def test_a_name_with_a_hash_is_granted_only_with_the_day_ofca_registered_it(owner: Person) -> None:
    """spec S63"""
    assert refusal(lambda: ask(owner, "#HarbourFlo")) is Reason.SENDER_REGISTERED_ONLY
    assert refusal(lambda: ask(owner, "Harbour", Grounds.OFCA)) is Reason.SENDER_REGISTERED_ONLY
    request = ask(owner, "#HarbourFlo", Grounds.OFCA)
    ada = make_staff()
    without = refusal(lambda: senders.grant(request.pk, by=ada, grounds="register", registered_on=None, now=NOW))
    assert without is Reason.SENDER_REGISTERED_ONLY
    assert senders.grant(request.pk, by=ada, grounds="register", registered_on=DAY, now=NOW).registered_on == DAY


def test_staff_make_a_name_that_was_asked_for_by_another_way(owner: Person) -> None:
    """spec S60: it is done and logged as a request is; a number shows by its code whose it is (S62)."""
    customer, ada = Customer.objects.get(), make_staff()

    def make(sender: str, grounds: str = "a letter", registered_on: date | None = None) -> SenderId:
        return senders.make_as_staff(customer, sender, by=ada, grounds=grounds, registered_on=registered_on, now=NOW)

    request = ask(owner)
    made = make("HarbourFlo")
    assert (made.grounds, AuditEntry.objects.get().act) == ("a letter", "sender.grant")
    request.refresh_from_db()
    assert (request.decision, request.decided_by) == (Decision.GRANTED, ada)
    assert refusal(lambda: make("HarbourFlo")) is Reason.SENDER_WAITS
    assert refusal(lambda: make("Harbour", " ")) is Reason.NO_GROUNDS
    assert refusal(lambda: make(str(MOBILE))) is Reason.SENDER_MALFORMED
    assert refusal(lambda: make("#HarbourFlo")) is Reason.SENDER_REGISTERED_ONLY
    assert make("#HarbourFlo", registered_on=DAY).registered_on == DAY
    for place in range(3):
        make(f"Harbour{place}")
    assert refusal(lambda: make("OneMore")) is Reason.TOO_MANY_SENDERS
    wing = make_staff("wing", role=Person.StaffRole.SUPPORT)
    with pytest.raises(NotAllowed):
        senders.make_as_staff(customer, "Wing", by=wing, grounds="x", registered_on=None, now=NOW)


def reasons_of(plan: Plan) -> dict[int, Reason | None]:
    return {number: plan.kinds[place].reason for number, place in zip(plan.recipients, plan.kind_of, strict=True)}


def test_a_name_with_a_hash_goes_only_to_hong_kong_and_never_by_the_economic_route(database: Connection) -> None:
    """spec S63"""
    make_places()
    customer = make_customer(senders=())
    senders.add_sender(customer, "#HarbourFlo", grounds="register", registered_on=DAY, now=NOW)
    numbers = (85261234567, 85366120034, 8613800138000)
    everywhere = reasons_of(plan_of(database, draft_of(database, customer, numbers, sender="#HarbourFlo")))
    assert everywhere == {
        85261234567: None,
        85366120034: Reason.SENDER_NOT_POSSIBLE,
        8613800138000: Reason.SENDER_NOT_POSSIBLE,
    }
    cheap = draft_of(database, customer, numbers[:1], sender="#HarbourFlo", route="hk-economic")
    assert reasons_of(plan_of(database, cheap)) == {85261234567: Reason.SENDER_NOT_POSSIBLE}


def test_one_that_is_withdrawn_is_nobodys_at_once(database: Connection) -> None:
    """spec S60"""
    customer = make_customer()
    sender = SenderId.objects.get(text="HarbourFlo")
    assert "HarbourFlo" in facts_of(database, customer).senders
    senders.withdraw(sender.pk, by=make_staff(), why="OFCA dropped it", now=NOW)

    Snapshot.forget_all()
    assert "HarbourFlo" not in facts_of(database, customer).senders
    again = refusal(lambda: senders.withdraw(sender.pk, by=make_staff("bo"), why="x", now=NOW))
    assert again is Reason.NOT_WAITING


def test_only_compliance_and_administrators_decide(owner: Person) -> None:
    request = ask(owner)
    for by in (make_staff("wing", role=Person.StaffRole.SUPPORT), owner):
        with pytest.raises(NotAllowed):
            senders.grant(request.pk, by=by, grounds="x", registered_on=None, now=NOW)
        with pytest.raises(NotAllowed):
            senders.send_back(request.pk, by=by, words="x", now=NOW)
    assert not SenderId.objects.exists()
    assert Customer.objects.count() == 1
