"""Money that staff move: entered by one of finance, and confirmed by a second where it is much (spec S85, S85a)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from sampan.accounts.acts import Act, record, require
from sampan.accounts.tables import Customer, Person
from sampan.billing import groups, ledger, top_ups
from sampan.billing.ledger import Movement
from sampan.billing.money import PIPS_PER_DOLLAR, in_cents, in_pips
from sampan.billing.tables import Account, StaffEntry, TopUp, Transfer
from sampan.database import Connection, beneath_django
from sampan.reasons import Reason, Refused

Kind: TypeAlias = StaffEntry.Kind
State: TypeAlias = StaffEntry.State

ACTS = {
    Kind.TOP_UP: Act.CREDIT_TOP_UP,
    Kind.BONUS: Act.GIVE_BONUS,
    Kind.SERVICE: Act.CHARGE_SERVICE,
    Kind.REFUND: Act.REFUND,
    Kind.REVERSAL: Act.REVERSE_TOP_UP,
    Kind.MOVE: Act.MOVE_MONEY,
}
WAITING_ENTRIES = f"SELECT count(*), min(made_at) FROM staff_entry WHERE state = {State.WAITING.value}"
ALWAYS_TWO = frozenset({Kind.REFUND})
COUNTED_FOR = timedelta(days=1)  # how long what somebody entered alone counts along
STATE_OF_TOP_UP = {Kind.TOP_UP: TopUp.State.FILED, Kind.REVERSAL: TopUp.State.CREDITED}
TRANSFERS = {
    Kind.BONUS: Transfer.Kind.BONUS,
    Kind.SERVICE: Transfer.Kind.SERVICE,
    Kind.REFUND: Transfer.Kind.REFUND,
}


def needs_second_person(kind: Kind, amount_pips: int, *, customer_id: int, by: Person, now: datetime) -> bool:
    """Whether somebody else must confirm it: every refund, and what is above the installation's limit.

    What this person has entered alone for this customer within a day counts along, so that nobody goes past the limit
    in small steps.
    """
    if kind in ALWAYS_TWO:
        return True
    alone = StaffEntry.objects.filter(customer_id=customer_id, made_by=by, decided_by=None, state=State.DONE)
    entered_pips = alone.filter(made_at__gt=now - COUNTED_FOR).aggregate(pips=Sum("amount_pips"))["pips"] or 0
    return bool(entered_pips + amount_pips > settings.SECOND_PERSON_ABOVE_DOLLARS * PIPS_PER_DOLLAR)


def credit_needs_second_person(top_up: TopUp, *, by: Person, now: datetime) -> bool:
    """As `needs_second_person`; and nobody alone credits what they have filed themselves."""
    if top_up.filed_by_id == by.pk:
        return True
    return needs_second_person(Kind.TOP_UP, top_up.amount_pips, customer_id=top_up.customer_id, by=by, now=now)


@transaction.atomic
def enter(
    kind: Kind,
    *,
    customer_id: int,
    amount_pips: int,
    why: str,
    by: Person,
    now: datetime,
    other_customer_id: int | None = None,
) -> StaffEntry:
    """A bonus, a service charge, a refund, or a move to another account of the group; done at once, or WAITING.

    Raises NotAllowed, and Refused where the money is not there or there is no reason.
    """
    require(by, ACTS[kind])
    if amount_pips <= 0:
        raise Refused(Reason.AMOUNT_TOO_SMALL, "amount", in_pips(1))
    if amount_pips > top_ups.MOST_PIPS:
        raise Refused(Reason.AMOUNT_TOO_LARGE, "amount", in_cents(top_ups.MOST_PIPS))
    if kind == Kind.MOVE:
        groups.check_group(customer_id, other_customer_id)
    return _entered(
        kind, by, now, customer_id=customer_id, amount_pips=amount_pips, why=why, other_customer_id=other_customer_id
    )


@transaction.atomic
def enter_for_top_up(kind: Kind, top_up_id: int, *, why: str, by: Person, now: datetime) -> StaffEntry:
    """Credit a filed top-up (TOP_UP), or take a credited one back (REVERSAL); done at once, or WAITING.

    Raises NotAllowed, and Refused where somebody else was quicker or there is no reason.
    """
    require(by, ACTS[kind])
    top_up = top_ups.locked(top_up_id, STATE_OF_TOP_UP[kind])
    pips = top_up.amount_pips + (top_up.bonus_pips if kind == Kind.REVERSAL else 0)
    return _entered(kind, by, now, customer_id=top_up.customer_id, amount_pips=pips, why=why, top_up=top_up)


def _entered(kind: Kind, by: Person, now: datetime, *, why: str, **what: Any) -> StaffEntry:
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    entry = StaffEntry(
        kind=kind, why=why[: top_ups.LONGEST_WORDS], made_by=by, made_at=now, state=State.WAITING, **what
    )
    _customers_of(entry)  # who enters twice at once is counted twice
    if kind == Kind.TOP_UP and entry.top_up is not None:
        two = credit_needs_second_person(entry.top_up, by=by, now=now)
    else:
        two = needs_second_person(kind, entry.amount_pips, customer_id=entry.customer_id, by=by, now=now)
    entry.save()
    after = {"state": "waiting", "amount": in_pips(entry.amount_pips)}
    before: dict[str, str] = {}
    if two:
        _check_now(entry)
    else:
        before, done = _carry_out(entry, now)
        after |= {"state": "done"} | done
    record(ACTS[kind], by=by, subject=entry, before=before, after=after, why=why, now=now)
    return entry


@transaction.atomic
def confirm(entry_id: int, *, by: Person, now: datetime) -> StaffEntry:
    """The second person agrees, and the money moves. Raises NotAllowed, and Refused (also where it is not there)."""
    entry = _undecided(entry_id, by)
    entry.decided_by, entry.decided_at = by, now
    before, after = _carry_out(entry, now)
    waiting, done = {"state": "waiting"}, {"state": "done"}
    record(Act.DECIDE_MONEY, by=by, subject=entry, before=waiting | before, after=done | after, why=entry.why, now=now)
    return entry


@transaction.atomic
def refuse(entry_id: int, *, words: str, by: Person, now: datetime) -> StaffEntry:
    """The second person, or who entered it, does not want it done. Raises NotAllowed, Refused."""
    if not words.strip():
        raise Refused(Reason.NO_GROUNDS, "words")
    entry = _undecided(entry_id, by, own_too=True)
    entry.state, entry.words, entry.decided_at = State.REFUSED, words[: top_ups.LONGEST_WORDS], now
    entry.decided_by = None if entry.made_by_id == by.pk else by
    entry.save(update_fields=["state", "words", "decided_by", "decided_at"])
    before, after = {"state": "waiting"}, {"state": "refused"}
    record(Act.DECIDE_MONEY, by=by, subject=entry, before=before, after=after, why=words, now=now)
    return entry


def _undecided(entry_id: int, by: Person, *, own_too: bool = False) -> StaffEntry:
    require(by, Act.DECIDE_MONEY)
    # The top-up first: who credits one locks it before its entries.
    top_up_id = StaffEntry.objects.filter(pk=entry_id).values_list("top_up_id", flat=True).first()
    if top_up_id is not None:
        TopUp.objects.select_for_update().get(pk=top_up_id)
    entry = StaffEntry.objects.select_for_update().filter(pk=entry_id).first()
    if entry is None or entry.state != State.WAITING:
        raise Refused(Reason.DECIDED_ALREADY)
    if entry.made_by_id == by.pk and not own_too:
        raise Refused(Reason.SECOND_PERSON_NEEDED)
    return entry


def _check_now(entry: StaffEntry) -> None:
    """What could not be done now is not laid before a second person."""
    if entry.kind in (Kind.REFUND, Kind.MOVE):
        with beneath_django() as conn:
            movable = ledger.movable_pips(ledger.balances(conn, [entry.customer_id]), entry.customer_id)
        if entry.amount_pips > movable:
            raise Refused(Reason.MORE_THAN_PAID, "amount", in_pips(movable))


def _customers_of(entry: StaffEntry) -> dict[int, Customer]:
    """Those whose money it moves, locked in the order of their ids."""
    ids = sorted(filter(None, (entry.customer_id, entry.other_customer_id)))
    return {row.pk: row for row in Customer.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")}


def _carry_out(entry: StaffEntry, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """Move the money; gives what was available before and is after, for the log."""
    customers = _customers_of(entry)
    customer = customers[entry.customer_id]
    with beneath_django() as conn:
        before = _standing(conn, customer)
        with refusing(conn, customer.pk):
            if entry.top_up is not None:
                entry.top_up.refresh_from_db()
                act = top_ups.credit if entry.kind == Kind.TOP_UP else top_ups.reverse
                act(conn, entry.top_up, entry, customer, now)
            elif entry.kind == Kind.MOVE:
                assert entry.other_customer_id is not None
                movements = groups.movements(customer, customers[entry.other_customer_id], entry.amount_pips)
                ledger.post(conn, movements, now=now, person_id=entry.made_by_id, entry_id=entry.pk)
            else:
                movement = Movement(TRANSFERS[Kind(entry.kind)], customer.pk, entry.amount_pips, entry.why)
                ledger.post(conn, [movement], now=now, person_id=entry.made_by_id, entry_id=entry.pk)
        after = _standing(conn, customer)
    entry.state = State.DONE
    entry.save(update_fields=["state", "decided_by", "decided_at"])
    return before, after


def _standing(conn: Connection, customer: Customer) -> dict[str, str]:
    balances = ledger.balances(conn, [customer.pk])
    return {
        "available": in_pips(balances[customer.pk, Account.Kind.AVAILABLE]),
        "debt": in_pips(-balances[customer.pk, Account.Kind.DEBT]),
        "tier": str(customer.tier),
        "status": Customer.Status(customer.status).label,
    }


@contextmanager
def refusing(conn: Connection, customer_id: int) -> Iterator[None]:
    """The ledger's refusals as people are told them, with what there is."""
    try:
        yield
    except ledger.BalanceTooLow as error:
        available = ledger.balances(conn, [customer_id])[customer_id, Account.Kind.AVAILABLE]
        raise Refused(Reason.BALANCE_TOO_LOW, "amount", in_pips(available)) from error
    except ledger.MoreThanPaid as error:
        movable = ledger.movable_pips(ledger.balances(conn, [customer_id]), customer_id)
        raise Refused(Reason.MORE_THAN_PAID, "amount", in_pips(movable)) from error
