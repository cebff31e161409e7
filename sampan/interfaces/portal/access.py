"""Who looks at a page: a member of one customer. Every view gets them, and asks for that customer's things alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.permissions import Permission, may
from sampan.accounts.tables import Person
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, OwnConnections
from sampan.inbound import replies

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

FORBIDDEN = 403

_connections = OwnConnections("pages")


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in, their customer, and this thread's connection for SQL on many rows."""

    person: Person
    customer: CustomerFacts
    conn: Connection

    @property
    def may_send(self) -> bool:
        """Whether they may spend the customer's money."""
        return self.may(Permission.SEND)

    @property
    def may_write(self) -> bool:
        """Whether their role lets them write drafts, for themselves or others to send."""
        return self.may(Permission.WRITE_DRAFTS)

    @property
    def may_manage(self) -> bool:
        """Whether members, keys and the account are theirs to change."""
        return self.may(Permission.MANAGE_MEMBERS)

    def may(self, permission: Permission) -> bool:
        """Whether their role does this."""
        return may(self.person, permission)

    @property
    def may_see_money(self) -> bool:
        """Whether their role tops up, and reads the statement."""
        return self.may(Permission.SEE_MONEY)

    def purse(self) -> "Purse":
        """The customer's money as it is now."""
        balances = ledger.balances(self.conn, [self.customer.id])
        kinds = Account.Kind.AVAILABLE, Account.Kind.HELD
        return Purse(*(balances.get((self.customer.id, kind), 0) for kind in kinds))


@dataclass(frozen=True)
class Purse:
    """A customer's money, in pips: what can be spent, and what is set aside for messages on the way."""

    available_pips: int
    held_pips: int


View = Callable[Concatenate[HttpRequest, Member, P], HttpResponseBase]
Admitted = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def for_members(view: View[P]) -> Admitted[P]:
    """A view for those who are signed in; others are asked to, and then come back to it."""

    @wraps(view)
    def admitted(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        person = request.user
        if not isinstance(person, Person):
            return redirect_to_login(request.get_full_path())
        if person.customer_id is None:
            return redirect("staff:worklist")
        with _connections.get(tried=True) as conn:
            customer = customers(conn, {person.customer_id})[person.customer_id]
            with timezone.override(customer.zone):
                return view(request, Member(person, customer, conn), *args, **kwargs)

    return admitted


def for_permission(permission: Permission) -> Callable[[View[P]], Admitted[P]]:
    """A view for members whose role does this; the others are told so."""
    sends = permission in (Permission.SEND, Permission.WRITE_DRAFTS)
    template = "portal/may-not-send.html" if sends else "portal/may-not.html"

    def decorated(view: View[P]) -> Admitted[P]:
        @wraps(view)
        def admitted(request: HttpRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not member.may(permission):
                return page(request, member, template, status=FORBIDDEN)
            return view(request, member, *args, **kwargs)

        made = for_members(admitted)
        made.permission = permission  # type: ignore[attr-defined] # for the test that walks every page
        return made

    return decorated


for_senders = for_permission(Permission.SEND)
for_writers = for_permission(Permission.WRITE_DRAFTS)


def page(request: HttpRequest, member: Member, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the frame, with the balance at its top and the unread replies in the menu."""
    frame = {"member": member, "purse": member.purse(), "unread": replies.unread(member.conn, member.customer.id)}
    return render(request, template, frame | context, status=status)
