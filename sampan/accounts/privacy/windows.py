"""Support windows: opened by the customer, or for an abuse case; every look through one is logged (spec S133)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from sampan.accounts.acts import Act, may, record
from sampan.accounts.privacy.tables import SupportWindow
from sampan.accounts.tables import AuditEntry, Customer, Person
from sampan.reasons import Reason, Refused

HOURS = (1, 24, 168)  # what a customer may choose
ABUSE_CASE_FOR = timedelta(days=7)
SHORTEST_SHOWN = 8  # of a number, to show some of its digits


@transaction.atomic
def open_window(*, hours: int, why: str, by: Person, now: datetime) -> SupportWindow:
    """The owner lets support see the customer's recipients and texts for a while; the window before it is closed."""
    customer = _owned(by)
    if hours not in HOURS:
        raise Refused(Reason.NO_CHOICE, "hours")
    _close(_open(customer.pk, now).filter(is_abuse_case=False), by, now)
    until = now + timedelta(hours=hours)
    return SupportWindow.objects.create(customer=customer, opened_by=by, opened_at=now, until=until, why=why)


@transaction.atomic
def close_window(*, by: Person, now: datetime) -> None:
    """The owner takes that back, at once."""
    customer = _owned(by)
    _close(_open(customer.pk, now).filter(is_abuse_case=False), by, now)


@transaction.atomic
def open_abuse_case(customer: Customer, *, why: str, by: Person, now: datetime) -> SupportWindow:
    """Staff who look into abuse open one themselves. The customer learns of it, and of the looks, when it is over."""
    if not why.strip():
        raise Refused(Reason.NO_GROUNDS, "why")
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    if _open(customer.pk, now).filter(is_abuse_case=True).exists():
        raise Refused(Reason.DECIDED_ALREADY, "customer")
    window = SupportWindow.objects.create(
        customer=customer, is_abuse_case=True, opened_by=by, opened_at=now, until=now + ABUSE_CASE_FOR, why=why
    )
    after = {"window": window.pk, "until": window.until.isoformat()}
    record(Act.OPEN_ABUSE_CASE, by=by, subject=customer, after=after, why=why, now=now)
    return window


@transaction.atomic
def close_abuse_case(customer: Customer, *, why: str, by: Person, now: datetime) -> None:
    """It is over."""
    found = list(_open(customer.pk, now).filter(is_abuse_case=True).select_for_update())
    if not found:
        raise Refused(Reason.DECIDED_ALREADY, "customer")
    record(Act.CLOSE_ABUSE_CASE, by=by, subject=customer, before={"window": found[0].pk}, why=why, now=now)
    _close(_open(customer.pk, now).filter(is_abuse_case=True), by, now)


def window_for(person: Person, customer_id: int, now: datetime) -> SupportWindow | None:
    """The window through which this person may look now; an abuse case is for those who may open one."""
    found = _open(customer_id, now).order_by("is_abuse_case", "pk")
    if not may(person, Act.OPEN_ABUSE_CASE):
        found = found.filter(is_abuse_case=False)
    return found.first()


@transaction.atomic
def look(customer_id: int, at: str, *, by: Person, now: datetime) -> None:
    """Log that somebody is about to see `at`, such as "message 100001". Raises Refused where no window is open.

    The window is locked, so that no look is logged after it was closed.
    """
    window = window_for(by, customer_id, now)
    if window is None or not _open(customer_id, now).filter(pk=window.pk).select_for_update().exists():
        raise Refused(Reason.NO_WINDOW, "customer")
    record(Act.LOOK, by=by, subject=at, customer_id=customer_id, after={"window": window.pk}, why=window.why, now=now)


def looks_of(customer_id: int, now: datetime) -> QuerySet[AuditEntry]:
    """What staff looked at, as the customer may see it: through abuse cases only once they are over."""
    secret = _open(customer_id, now).filter(is_abuse_case=True).values_list("pk", flat=True)
    looks = AuditEntry.objects.filter(customer_id=customer_id, act=Act.LOOK.value)
    return looks.exclude(after__window__in=list(secret)).select_related("by")


def windows_of(customer_id: int, now: datetime) -> QuerySet[SupportWindow]:
    """The customer's windows, as it may see them."""
    secret = Q(is_abuse_case=True, closed_at=None, until__gt=now)
    return SupportWindow.objects.filter(customer_id=customer_id).exclude(secret).select_related("opened_by")


def open_to_customer(customer_id: int, now: datetime) -> SupportWindow | None:
    """The window that the customer has open now."""
    return _open(customer_id, now).filter(is_abuse_case=False).first()


def abuse_case_of(customer_id: int, now: datetime) -> SupportWindow | None:
    """The abuse case that is open about the customer."""
    return _open(customer_id, now).filter(is_abuse_case=True).first()


def _open(customer_id: int, now: datetime) -> QuerySet[SupportWindow]:
    return SupportWindow.objects.filter(customer_id=customer_id, closed_at=None, until__gt=now)


def _close(windows: QuerySet[SupportWindow], by: Person, now: datetime) -> None:
    windows.update(closed_at=now, closed_by=by)


def _owned(by: Person) -> Customer:
    """The customer whose owner this is, locked; not against rows that only point to it, such as the log of a look."""
    if by.role != Person.Role.OWNER or not by.is_active or by.customer_id is None:
        raise Refused(Reason.OWNERS_ONLY, "role")
    return Customer.objects.select_for_update(no_key=True).get(pk=by.customer_id)


def mask(number: int) -> str:
    """A number as staff see it: enough to tell two apart, too little to call: 85291234567 → 852••••••67."""
    digits = str(number)
    return f"{digits[:3]}{'•' * (len(digits) - 5)}{digits[-2:]}" if len(digits) >= SHORTEST_SHOWN else "•" * len(digits)
