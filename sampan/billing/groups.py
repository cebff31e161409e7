"""Groups: a primary and its sub accounts, between which money moves and nothing else is shared (spec S88)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from sampan.accounts.acts import Act, record, require
from sampan.accounts.permissions import Permission, may
from sampan.accounts.tables import Customer, Person
from sampan.billing import ledger
from sampan.billing.ledger import Movement
from sampan.billing.money import in_pips
from sampan.billing.tables import Account, Transfer
from sampan.database import beneath_django
from sampan.reasons import Reason, Refused


def _locked(*customer_ids: int) -> list[Customer]:
    """These customers in this order, locked in the order of their ids; not against rows that only point to them."""
    found = {
        row.pk: row
        for row in Customer.objects.select_for_update(no_key=True).filter(pk__in=customer_ids).order_by("pk")
    }
    if len(found) != len(set(customer_ids)) or len(found) < 2:
        raise Refused(Reason.NOT_OF_ONE_GROUP)
    return [found[id_] for id_ in customer_ids]


@transaction.atomic
def link(sub_id: int, primary_id: int, *, why: str, by: Person, now: datetime) -> None:
    """Make one customer the sub account of another. Raises NotAllowed, and Refused where either stands elsewhere."""
    require(by, Act.LINK_SUB_ACCOUNT)
    sub, primary = _locked(sub_id, primary_id)
    for customer, taken in ((sub, sub.primary_id is not None or sub.subs.exists()), (primary, primary.primary_id)):
        if taken:
            raise Refused(Reason.CANNOT_BE_LINKED, "customer", customer.name)
    sub.primary = primary
    sub.save(update_fields=["primary"])
    record(Act.LINK_SUB_ACCOUNT, by=by, subject=sub, after={"primary": primary.pk}, why=why, now=now)


@transaction.atomic
def unlink(sub_id: int, *, why: str, by: Person, now: datetime) -> None:
    """Let a sub account stand by itself; each keeps its money. Raises NotAllowed, Refused."""
    require(by, Act.LINK_SUB_ACCOUNT)
    sub = Customer.objects.select_for_update(no_key=True).get(pk=sub_id)
    if sub.primary_id is None:
        raise Refused(Reason.NOT_OF_ONE_GROUP)
    before, sub.primary = {"primary": sub.primary_id}, None
    sub.save(update_fields=["primary"])
    record(Act.LINK_SUB_ACCOUNT, by=by, subject=sub, before=before, why=why, now=now)


def check_group(one_id: int, other_id: int | None) -> None:
    """Refuses two customers that are not a primary and its sub account, or two subs of one."""
    rows = Customer.objects.filter(pk__in=(one_id, other_id))
    if one_id == other_id or len({row.primary_id or row.pk for row in rows}) != 1 or len(rows) != 2:
        raise Refused(Reason.NOT_OF_ONE_GROUP)


def movements(origin: Customer, target: Customer, amount_pips: int) -> list[Movement]:
    """The two transfers of a move, one in each one's books. Both customers are locked by the caller."""
    if (origin.primary_id or origin.pk) != (target.primary_id or target.pk) or origin.pk == target.pk:
        raise Refused(Reason.NOT_OF_ONE_GROUP)
    return [
        Movement(Transfer.Kind.SENT, origin.pk, amount_pips, target.name),
        Movement(Transfer.Kind.RECEIVED, target.pk, amount_pips, origin.name),
    ]


@transaction.atomic
def move_as_owner(origin_id: int, target_id: int, amount_pips: int, *, by: Person, now: datetime) -> None:
    """A primary's owner moves money between the primary and its sub accounts. Raises Refused."""
    origin, target = _locked(origin_id, target_id)
    group = {origin.primary_id or origin.pk, target.primary_id or target.pk}
    if not may(by, Permission.MOVE_MONEY) or group != {by.customer_id}:
        raise Refused(Reason.NOT_OF_ONE_GROUP)
    if origin.status != Customer.Status.NORMAL or target.status == Customer.Status.CLOSED:
        raise Refused(Reason.ACCOUNT_DISABLED)
    if amount_pips <= 0:
        raise Refused(Reason.AMOUNT_TOO_SMALL, "amount", in_pips(1))
    with beneath_django() as conn:
        movable = ledger.movable_pips(ledger.balances(conn, [origin_id]), origin_id)
        try:
            ledger.post(conn, movements(origin, target, amount_pips), now=now, person_id=by.pk)
        except (ledger.BalanceTooLow, ledger.MoreThanPaid) as error:
            raise Refused(Reason.MORE_THAN_PAID, "amount", in_pips(movable)) from error


def accounts_of_group(primary_id: int) -> Sequence[tuple[Customer, int, int]]:
    """The primary and its sub accounts, each with what it has available and what of that may be moved, in pips."""
    customers = list(Customer.objects.filter(primary_id=primary_id).order_by("name", "pk"))
    customers.insert(0, Customer.objects.get(pk=primary_id))
    with beneath_django() as conn:
        balances = ledger.balances(conn, [customer.pk for customer in customers])
    return [
        (each, balances[each.pk, Account.Kind.AVAILABLE], ledger.movable_pips(balances, each.pk)) for each in customers
    ]
