"""Sub accounts: what each has, and money from one to another, by the primary's owner (spec S88)."""

from django import forms
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.permissions import Permission
from sampan.accounts.tables import Customer, Person
from sampan.billing import groups
from sampan.billing.tables import Transfer
from sampan.interfaces.money_words import amount_of, words_of_money
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.portal.money import UNPROCESSABLE
from sampan.reasons import Refused

MOST_MOVES = 50


class MoveForm(forms.Form):
    """So much from one account of the group to another."""

    origin = forms.TypedChoiceField(coerce=int)
    target = forms.TypedChoiceField(coerce=int)
    amount = forms.CharField(max_length=20)

    def __init__(self, customers: list[Customer], data: object = None) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        for name in ("origin", "target"):
            self.fields[name].choices = [(each.pk, each.name) for each in customers]  # type: ignore[attr-defined]

    def move(self, person: Person) -> bool:
        """Whether it was done; else what stands against it stands beside its field."""
        if not self.is_valid():
            return False
        given = self.cleaned_data
        try:
            amount = amount_of(given["amount"])
            groups.move_as_owner(given["origin"], given["target"], amount, by=person, now=timezone.now())
        except Refused as refused:
            self.add_error(refused.field if refused.field == "amount" else "target", words_of_money(refused))
            return False
        return True


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.SEE_MONEY)
def sub_accounts(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The page; only a primary has it, and only its owner moves money."""
    accounts = groups.accounts_of_group(member.customer.id)
    if len(accounts) < 2:
        raise Http404
    may_move = member.may(Permission.MOVE_MONEY)
    form = MoveForm([customer for customer, *_pips in accounts], request.POST or None)
    if request.method == "POST" and may_move and form.move(member.person):
        return redirect(f"{request.path}?moved=1")
    moves = Transfer.objects.filter(
        customer_id=member.customer.id, kind__in=(Transfer.Kind.SENT, Transfer.Kind.RECEIVED)
    )
    said = _("The money is there.") if "moved" in request.GET and request.method != "POST" else ""
    return page(
        request,
        member,
        "portal/sub-accounts.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="money",
        accounts=accounts,
        form=form,
        may_move=may_move,
        said=said,
        moves=list(moves.select_related("entered_by").order_by("-at", "-pk")[:MOST_MOVES]),
    )
