"""Top-ups: filed by a customer, credited by finance with what belongs to it, and reversed (spec S85, S85a, S86)."""

from datetime import datetime

from django.db import transaction

from sampan.accounts.acts import Act, record, require
from sampan.accounts.tables import Customer, Document, Person
from sampan.billing import ledger, tiers
from sampan.billing.charities import FIRST_BONUS_PIPS, bonus_of, certificate_in_force, take_first_bonus
from sampan.billing.ledger import Movement
from sampan.billing.money import PIPS_PER_DOLLAR, in_cents, in_pips
from sampan.billing.tables import Account, FirstBonus, StaffEntry, TopUp, Transfer
from sampan.database import Connection
from sampan.reasons import Reason, Refused

LEAST_PIPS = 300 * PIPS_PER_DOLLAR
MOST_PIPS = 10_000_000 * PIPS_PER_DOLLAR
LONGEST_REFERENCE = 60
LONGEST_WORDS = 200  # that are kept beside the money; the audit log has all of them
# How many finance has to look for, and the oldest; what waits for a second person is another list.
WAITING_TOP_UPS = f"""
    SELECT count(*), min(t.filed_at) FROM top_up t WHERE t.state = {TopUp.State.FILED.value}
       AND NOT EXISTS (SELECT FROM staff_entry e
                        WHERE e.top_up_id = t.id AND e.state = {StaffEntry.State.WAITING.value})"""


@transaction.atomic
def file_top_up(
    customer_id: int,
    *,
    amount_pips: int,
    way: TopUp.Way,
    reference: str,
    document: Document | None,
    person: Person,
    now: datetime,
) -> TopUp:
    """What a member says was paid, for finance to look for. The same filed again is filed once. Raises Refused."""
    if amount_pips < LEAST_PIPS:
        raise Refused(Reason.AMOUNT_TOO_SMALL, "amount", in_cents(LEAST_PIPS))
    if amount_pips > MOST_PIPS:
        raise Refused(Reason.AMOUNT_TOO_LARGE, "amount", in_cents(MOST_PIPS))
    if not (reference := " ".join(reference.split())[:LONGEST_REFERENCE]):
        raise Refused(Reason.NO_REFERENCE, "reference")
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)  # a button pressed twice
    waiting = TopUp.objects.filter(customer_id=customer_id, state=TopUp.State.FILED, amount_pips=amount_pips)
    if again := waiting.filter(way=way, reference__iexact=reference).first():
        return again
    return TopUp.objects.create(
        customer_id=customer_id,
        amount_pips=amount_pips,
        way=way,
        reference=reference,
        document=document,
        filed_by=person,
        filed_at=now,
    )


@transaction.atomic
def file_as_staff(
    customer_id: int, *, amount_pips: int, way: TopUp.Way, reference: str, why: str, by: Person, now: datetime
) -> TopUp:
    """What a customer paid and has not filed, such as a cheque in the post; somebody else credits it.

    Raises NotAllowed, and Refused as `file_top_up` does or where there is no reason.
    """
    require(by, Act.FILE_TOP_UP)
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    top_up = file_top_up(
        customer_id, amount_pips=amount_pips, way=way, reference=reference, document=None, person=by, now=now
    )
    record(Act.FILE_TOP_UP, by=by, subject=top_up, after={"amount": in_pips(amount_pips)}, why=why, now=now)
    return top_up


def alike(top_up: TopUp) -> list[TopUp]:
    """Other top-ups with this reference that were not refused: perhaps the same money, filed twice."""
    others = TopUp.objects.filter(reference__iexact=top_up.reference).exclude(pk=top_up.pk)
    return list(others.exclude(state=TopUp.State.REFUSED).select_related("customer").order_by("pk")[:10])


@transaction.atomic
def refuse_top_up(top_up_id: int, *, words: str, by: Person, now: datetime) -> TopUp:
    """Finance has not found the money; `words` tell the customer why. Raises NotAllowed, Refused."""
    if not words.strip():
        raise Refused(Reason.NO_GROUNDS, "words")
    top_up = locked(top_up_id, TopUp.State.FILED)
    top_up.state, top_up.settled_at, top_up.words = TopUp.State.REFUSED, now, words[:LONGEST_WORDS]
    top_up.save(update_fields=["state", "settled_at", "words"])
    record(Act.REFUSE_TOP_UP, by=by, subject=top_up, after={"amount": in_pips(top_up.amount_pips)}, why=words, now=now)
    return top_up


def locked(top_up_id: int, state: TopUp.State) -> TopUp:
    """The top-up in this state, fixed until the transaction ends, and with no second person asked about it."""
    top_up = TopUp.objects.select_for_update().filter(pk=top_up_id).first()
    if top_up is None:
        raise Refused(Reason.NO_TOP_UP)
    if top_up.state != state or top_up.entries.filter(state=StaffEntry.State.WAITING).exists():
        raise Refused(Reason.DECIDED_ALREADY)
    return top_up


def credit(conn: Connection, top_up: TopUp, entry: StaffEntry, customer: Customer, now: datetime) -> None:
    """Put it on the balance with a charity's bonus, pay the customer's debt of it, and give the tier it brings.

    The caller has locked the top-up and the customer.
    """
    bonuses = []
    certificate = certificate_in_force(customer.pk, now)
    if certificate:
        bonuses.append((bonus_of(top_up.amount_pips), f"{top_up}: 10 % for a charity"))
        if take_first_bonus(certificate, top_up, customer):
            bonuses.append((FIRST_BONUS_PIPS, f"{top_up}: a charity's first top-up"))
    movements = [
        Movement(Transfer.Kind.TOP_UP, customer.pk, top_up.amount_pips, f"{top_up} {top_up.reference}"),
        *(Movement(Transfer.Kind.BONUS, customer.pk, pips, note) for pips, note in bonuses),
    ]
    available = ledger.lock_available(conn, [customer.pk])[customer.pk]
    owed = -ledger.balances(conn, [customer.pk])[customer.pk, Account.Kind.DEBT]
    repaid = min(owed, available + sum(movement.amount_pips for movement in movements))
    if repaid:
        movements.append(Movement(Transfer.Kind.REPAYMENT, customer.pk, repaid, f"out of {top_up}"))
    ledger.post(conn, movements, now=now, person_id=entry.made_by_id, entry_id=entry.pk)
    top_up.state, top_up.settled_at = TopUp.State.CREDITED, now
    top_up.bonus_pips = sum(pips for pips, _ in bonuses)
    top_up.save(update_fields=["state", "settled_at", "bonus_pips"])
    tiers.follow_top_ups(customer, now)


def reverse(conn: Connection, top_up: TopUp, entry: StaffEntry, customer: Customer, now: datetime) -> None:
    """Take it back with its bonus; what is no longer there becomes debt, and the customer is suspended (spec S85a).

    The caller has locked the top-up and the customer.
    """
    available = ledger.lock_available(conn, [customer.pk])[customer.pk]
    lent = max(0, top_up.amount_pips + top_up.bonus_pips - available)
    wanted = (
        Movement(Transfer.Kind.DEBT, customer.pk, lent, f"what {top_up} leaves to be paid"),
        Movement(Transfer.Kind.REVERSAL, customer.pk, top_up.amount_pips, f"{top_up} {top_up.reference}"),
        Movement(Transfer.Kind.BONUS_REVERSAL, customer.pk, top_up.bonus_pips, f"bonus of {top_up}"),
    )
    movements = [movement for movement in wanted if movement.amount_pips]
    ledger.post(conn, movements, now=now, person_id=entry.made_by_id, entry_id=entry.pk)
    top_up.state, top_up.words = TopUp.State.REVERSED, entry.why
    top_up.save(update_fields=["state", "words"])
    FirstBonus.objects.filter(top_up=top_up).delete()
    tiers.follow_top_ups(customer, now)
    if lent and customer.status in (Customer.Status.TRIAL, Customer.Status.NORMAL):
        customer.status, customer.status_words = Customer.Status.SUSPENDED, entry.why
        customer.save(update_fields=["status", "status_words"])
