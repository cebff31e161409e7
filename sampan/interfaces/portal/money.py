"""Money: the balance, the latest movements, top-ups filed and to file, the alert of a low balance (spec S85, S89)."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.documents import keep_document
from sampan.accounts.permissions import Permission
from sampan.accounts.tables import Customer
from sampan.billing import charities, top_ups
from sampan.billing.low_balance import alert_of, change_alert
from sampan.billing.money import in_pips
from sampan.billing.statement import statement
from sampan.billing.tables import TopUp, Transfer, VolumeTier
from sampan.interfaces.money_words import WAYS, amount_of, words_of_money
from sampan.interfaces.papers import Paper, pdf_response
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.tags import full_moment
from sampan.interfaces.words import words_of_flaw
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import NotAMobile, parse

UNPROCESSABLE = 422
LATELY = timedelta(days=30)
MOST_LINES, MOST_TOP_UPS = 8, 20


class TopUpForm(forms.Form):
    """What a member says was paid."""

    amount = forms.CharField(max_length=20)
    way = forms.ChoiceField(choices=[(way, words) for way, words in WAYS.items()])
    reference = forms.CharField(max_length=top_ups.LONGEST_REFERENCE)
    receipt = forms.FileField(required=False, allow_empty_file=True)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["amount"].error_messages["required"] = _("There is no amount. Type what you paid.")
        self.fields["reference"].error_messages["required"] = _(
            "There is no payment reference. Copy it from the bank’s receipt."
        )

    def file(self, member: Member) -> TopUp | None:
        """File it; else what stands against it stands beside its field."""
        if not self.is_valid():
            return None
        given, receipt, now = self.cleaned_data, self.cleaned_data["receipt"], timezone.now()
        try:
            amount = amount_of(given["amount"])
            document = (
                keep_document(member.person, receipt.read(), file_name=receipt.name, now=now) if receipt else None
            )
            return top_ups.file_top_up(
                member.customer.id,
                amount_pips=amount,
                way=TopUp.Way(given["way"]),
                reference=given["reference"],
                document=document,
                person=member.person,
                now=now,
            )
        except Refused as refused:
            field = "receipt" if refused.field == "document" else refused.field
            self.add_error(field, words_of_money(refused))
            return None


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.SEE_MONEY)
def money(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The page; a top-up that was filed leads back to it."""
    form = TopUpForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and (filed := form.file(member)):
        return redirect(f"{reverse('money')}?filed={filed.pk}#filed")
    now = timezone.now()
    lately = statement(member.conn, member.customer.id, now - LATELY, now + timedelta(minutes=1))
    filed_by_them = TopUp.objects.filter(customer_id=member.customer.id).order_by("-filed_at", "-pk")
    return page(
        request,
        member,
        "portal/money.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="money",
        form=form,
        lines=lately.lines[: -MOST_LINES - 1 : -1],
        charged_pips=-sum(line.amount_pips for line in lately.lines if line.kind == Transfer.Kind.CHARGE),
        top_ups=list(filed_by_them[:MOST_TOP_UPS]),
        filed=_number(request.GET.get("filed", "")),
        tier=member.customer.tier,
        tiers=list(VolumeTier.objects.order_by("from_pips")),
        least_pips=top_ups.LEAST_PIPS,
        is_charity=charities.certificate_in_force(member.customer.id, now) is not None,
        has_subs=Customer.objects.filter(primary_id=member.customer.id).exists(),
        alert=alert_of(member.customer.id),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@require_safe
@for_permission(Permission.SEE_MONEY)
def receipt(_request: HttpRequest, member: Member, top_up_id: int) -> HttpResponse:
    """Our receipt for a credited top-up, as a PDF."""
    top_up = TopUp.objects.filter(pk=top_up_id, customer_id=member.customer.id, state=TopUp.State.CREDITED).first()
    if top_up is None:
        raise Http404
    facts = [
        (pgettext("payment", "Receipt"), str(top_up)),
        (_("Customer"), member.customer.name),
        (_("Paid"), f"HK${in_pips(top_up.amount_pips)}"),
        (_("By"), f"{WAYS[top_up.way]} {top_up.reference}"),
        (_("Credited, Hong Kong time"), full_moment(top_up.settled_at)),
    ]
    if top_up.bonus_pips:
        facts.insert(3, (_("Charity bonus"), f"HK${in_pips(top_up.bonus_pips)}"))
    closing = [_("Prepaid credit does not expire.")]
    return pdf_response(
        f"receipt-{top_up}.pdf", Paper(pgettext("payment", "Receipt"), settings.LETTERHEAD, facts, closing=closing)
    )


class AlertForm(forms.Form):
    """Below which balance to tell whom; without an amount nobody is told."""

    below = forms.CharField(required=False, max_length=20)
    email = forms.EmailField(required=False)
    mobile = forms.CharField(required=False, max_length=20)

    def clean_below(self) -> int:
        """In pips; 0 for no alert."""
        try:
            pips = amount_of(self.cleaned_data["below"] or "0")
        except Refused as refused:
            raise forms.ValidationError(words_of_money(refused)) from refused
        if pips < 0:
            raise forms.ValidationError(words_of_money(Refused(Reason.AMOUNT_TOO_SMALL, "below", "0")))
        return pips

    def clean_mobile(self) -> int | None:
        """As a number with its country code."""
        if not self.cleaned_data["mobile"].strip():
            return None
        try:
            return parse(self.cleaned_data["mobile"])
        except NotAMobile as refused:
            raise forms.ValidationError(words_of_flaw(refused.flaw)) from refused

    def clean(self) -> None:
        """Who wants to be told says where."""
        given = self.cleaned_data
        if given.get("below") and not self.errors and not (given["email"] or given["mobile"]):
            self.add_error("email", _("There is nobody to tell. Give an email address or a mobile."))


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.TOP_UP)
def low_balance(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The alert of a low balance: change it, or end it with an empty amount."""
    alert = alert_of(member.customer.id)
    initial = {"below": in_pips(alert.below_pips), "email": alert.email, "mobile": alert.mobile} if alert else None
    form = AlertForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        change_alert(member.customer.id, below_pips=given["below"], email=given["email"], mobile=given["mobile"])
        return redirect(f"{reverse('money')}#alert")
    status = UNPROCESSABLE if form.errors else 200
    return page(request, member, "portal/low-balance.html", status=status, here="money", form=form, alert=alert)
