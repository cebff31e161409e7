"""Who looks at a page: a member of one customer. Every view gets them, and asks for that customer's things alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from sampan.accounts.access import MAY_CALL
from sampan.accounts.customers import CustomerFacts, customers
from sampan.accounts.tables import Person
from sampan.billing import ledger
from sampan.billing.tables import Account
from sampan.database import Connection, OwnConnections

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

_connections = OwnConnections("pages")


@dataclass(frozen=True)
class Member:
    """Somebody who is signed in, their customer, and this thread's connection for SQL on many rows."""

    person: Person
    customer: CustomerFacts
    conn: Connection

    @property
    def may_send(self) -> bool:
        """Whether their role lets them spend the customer's money."""
        return self.person.role in MAY_CALL

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


def for_members(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
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
            return view(request, Member(person, customer, conn), *args, **kwargs)

    return admitted


def for_senders(view: View[P]) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
    """A view for members whose role lets them send; the others are told so."""

    @wraps(view)
    def admitted(request: HttpRequest, member: Member, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not member.may_send:
            return page(request, member, "portal/may-not-send.html", status=403)
        return view(request, member, *args, **kwargs)

    return for_members(admitted)


def page(request: HttpRequest, member: Member, template: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A page in the frame, with the balance at its top."""
    return render(request, template, {"member": member, "purse": member.purse(), **context}, status=status)
