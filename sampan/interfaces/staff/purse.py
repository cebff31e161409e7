"""One customer's money as finance sees it: balances, entries, the group, the certificate, its own prices (S83–S88)."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer
from sampan.billing import charities, entries, groups, ledger, top_ups
from sampan.billing.tables import Account, Certificate, StaffEntry, TopUp, Transfer
from sampan.interfaces.money_words import ACCOUNTS, WAYS, amount_of
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.staff.paging import paged
from sampan.reasons import Reason, Refused

HERE = "staff:customers"
MONEY_ACTS = (Act.SEE_MONEY, Act.RECORD_CERTIFICATE)
Kind = StaffEntry.Kind
ENTERED = {"bonus": Kind.BONUS, "service": Kind.SERVICE, "refund": Kind.REFUND, "move": Kind.MOVE}
TOP_UPS_SHOWN = 10


def _customer(customer_id: int) -> Customer:
    return get_object_or_404(Customer.objects.select_related("primary"), pk=customer_id)


@require_safe
@for_staff(*MONEY_ACTS)
def purse(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """What there is and what moved, and what one's role may do about it."""
    customer = _customer(customer_id)
    balances = ledger.balances(staffer.conn, [customer_id])
    primary = customer.primary or customer
    group = [primary, *primary.subs.order_by("name", "pk")]
    context: dict[str, Any] = {
        "customer": customer,
        "balances": [(ACCOUNTS[kind], balances.get((customer_id, kind), 0)) for kind in Account.Kind],
        "movable_pips": ledger.movable_pips(balances, customer_id),
        "group": [each for each in group if each.pk != customer_id],
        "is_primary": customer.subs.exists(),
        "certificate": Certificate.objects.filter(customer=customer, withdrawn_at=None).first(),
        "top_ups": TopUp.objects.filter(customer=customer).order_by("-pk")[:TOP_UPS_SHOWN],
        "found": paged(request, _told(customer)),
        "may_enter": staffer.may(Act.GIVE_BONUS),
        "may_file": staffer.may(Act.FILE_TOP_UP) and not customer.is_platform,
        "ways": list(WAYS.items()),
        "may_link": staffer.may(Act.LINK_SUB_ACCOUNT),
        "may_certify": staffer.may(Act.RECORD_CERTIFICATE),
        "may_price": staffer.may(Act.CHANGE_PRICES),
        "sees_money": staffer.may(Act.SEE_MONEY),
    }
    return page(request, staffer, "staff/purse.html", here=HERE, **context)


@require_safe
@for_staff(Act.GIVE_BONUS)
def platform(_request: HttpRequest, _staffer: Staffer) -> HttpResponseBase:
    """To the money of the platform's own account."""
    return redirect("staff:purse", get_object_or_404(Customer, is_platform=True).pk)


def _told(customer: Customer) -> Any:
    """Movements that somebody entered; those of messages are in the customer's statement."""
    of_messages = (Transfer.Kind.HOLD, Transfer.Kind.CHARGE, Transfer.Kind.RELEASE)
    return Transfer.objects.filter(customer=customer).exclude(kind__in=of_messages).select_related("entered_by")


@require_POST
@for_staff(Act.GIVE_BONUS)
def enter(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """A bonus, a service charge, a refund, or a move within the group."""
    customer = _customer(customer_id)
    kind = ENTERED.get(request.POST.get("kind", ""), Kind.BONUS)
    other = typed(request, "other")
    entry = entries.enter(
        kind,
        customer_id=customer.pk,
        amount_pips=amount_of(typed(request, "amount")),
        why=typed(request, "why"),
        by=staffer.person,
        now=timezone.now(),
        other_customer_id=int(other) if kind == Kind.MOVE and other.isdecimal() and len(other) < 19 else None,
    )
    waits = entry.state == StaffEntry.State.WAITING
    words = _("%(entry)s waits for a second person") if waits else _("%(entry)s is done")
    say(request, words % {"entry": entry})
    return redirect("staff:purse", customer_id)


@require_POST
@for_staff(Act.FILE_TOP_UP)
def file_top_up(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """What the customer paid and has not filed; somebody else credits it."""
    customer = _customer(customer_id)
    way = request.POST.get("way", "")
    if way not in TopUp.Way.values or customer.is_platform:
        raise Refused(Reason.NO_CHOICE, "way")
    top_up = top_ups.file_as_staff(
        customer.pk,
        amount_pips=amount_of(typed(request, "amount")),
        way=TopUp.Way(way),
        reference=typed(request, "reference"),
        why=typed(request, "why"),
        by=staffer.person,
        now=timezone.now(),
    )
    say(request, _("%(top_up)s is filed; somebody else credits it") % {"top_up": top_up})
    return redirect("staff:purse", customer_id)


@require_POST
@for_staff(Act.LINK_SUB_ACCOUNT)
def group(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """Make this customer the sub account of another, or let it stand by itself."""
    customer = _customer(customer_id)
    now, why = timezone.now(), typed(request, "why")
    if request.POST.get("do") == "unlink":
        groups.unlink(customer.pk, why=why, by=staffer.person, now=now)
        say(request, _("%(name)s stands by itself") % {"name": customer.name})
    else:
        number = typed(request, "primary")
        primary = get_object_or_404(Customer, pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
        groups.link(customer.pk, primary.pk, why=why, by=staffer.person, now=now)
        say(request, _("%(name)s is a sub account of %(primary)s") % {"name": customer.name, "primary": primary.name})
    return redirect("staff:purse", customer_id)


class CertificateForm(WhyForm):
    """A tax-exemption certificate as it lies before one."""

    number = forms.CharField(label=gettext_lazy("Number of the Inland Revenue’s file"), max_length=40)
    valid_from = forms.DateField(
        label=gettext_lazy("Valid from"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Valid until"),
        required=False,
        help_text=gettext_lazy("Empty where it names no end."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.RECORD_CERTIFICATE)
def certificate(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """Put a charity's certificate on file, or take it off."""
    customer = _customer(customer_id)
    on_file = Certificate.objects.filter(customer=customer, withdrawn_at=None).first()
    if request.method == "POST" and request.POST.get("do") == "remove" and on_file:
        charities.withdraw_certificate(on_file, why=typed(request, "why"), by=staffer.person, now=timezone.now())
        say(request, _("The certificate is off the file"))
        return redirect("staff:purse", customer_id)
    form = CertificateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        charities.record_certificate(customer, **form.changes(), why=form.reason, by=staffer.person, now=now)
        say(request, _("The certificate is on file: top-ups bring 10 % more"))
        return redirect("staff:purse", customer_id)
    context: dict[str, Any] = {
        "heading": _("Tax-exemption certificate of %(name)s") % {"name": customer.name},
        "press": _("Put it on file"),
        "remove": _("Take %(number)s off the file") % {"number": on_file.number} if on_file else "",
    }
    return page(request, staffer, "staff/form.html", here=HERE, form=form, **context)
