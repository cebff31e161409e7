"""Settings of promotional texts and of texts to China: purposes, footer, signature (spec S90, S93, S95)."""

from typing import Any, NamedTuple

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sampan import settings
from sampan.accounts.tables import Customer
from sampan.compliance import footers
from sampan.compliance.footers import Profile, Speaker, footers_for, save_profile, with_footer
from sampan.compliance.purposes import set_purposes
from sampan.compliance.signatures import request_signature, signatures
from sampan.compliance.tables import LONGEST_CONTACT, LONGEST_EVIDENCE, ChinaSignature
from sampan.composing.parts import measure
from sampan.composing.signature import MOST_UNITS
from sampan.interfaces.compliance_words import NOTHING_TYPED, SIGNATURE_STATES
from sampan.interfaces.portal.access import Member, for_senders, page
from sampan.interfaces.words import PURPOSES, words_of_refusal
from sampan.messages.planning import THIS_PLATFORM
from sampan.reasons import Refused
from sampan.routing.tables import Destination

Region = Destination.Region
UNPROCESSABLE = 422
KEPT = "promotions kept"
REGION_WORDS = {
    Region.HONG_KONG: gettext_lazy("Hong Kong and Macau"),
    Region.CHINA: gettext_lazy("Mainland China"),
    Region.OVERSEAS: gettext_lazy("Elsewhere"),
}
PURPOSE_CHOICES = [(purpose.value, words) for purpose, words in PURPOSES.items()]


class _Form(forms.Form):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.error_messages["required"] = NOTHING_TYPED

    def refuse(self, refused: Refused) -> None:
        """What the part below has against it, beside its field."""
        self.add_error(refused.field if refused.field in self.fields else None, words_of_refusal(refused))


class FooterForm(_Form):
    """The footer's profile."""

    name_en = forms.CharField(label=gettext_lazy("Name in English"), max_length=LONGEST_CONTACT)
    name_zh = forms.CharField(
        label=gettext_lazy("Name in Chinese"),
        max_length=LONGEST_CONTACT,
        help_text=gettext_lazy("Without one, the English name once more."),
    )
    contact = forms.CharField(
        label=gettext_lazy("How to reach you"),
        max_length=LONGEST_CONTACT,
        help_text=gettext_lazy("A telephone number, an email or web address."),
    )
    unsubscribe_number = forms.CharField(
        label=gettext_lazy("Hong Kong number to unsubscribe at, free of charge"), required=False, max_length=8
    )
    is_added = forms.BooleanField(
        label=gettext_lazy("Add it to every promotional text that does not say it itself"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        number = self.fields["unsubscribe_number"]
        number.required = not settings.PUBLIC_URL
        number.help_text = _("Without one, each text has a link of ours.") if settings.PUBLIC_URL else _("8 digits.")


class PurposesForm(_Form):
    """What a text is for where nobody says it."""

    portal = forms.TypedChoiceField(label=gettext_lazy("On these pages"), choices=PURPOSE_CHOICES, coerce=int)
    api = forms.TypedChoiceField(label=gettext_lazy("From programs (APIs)"), choices=PURPOSE_CHOICES, coerce=int)
    economic = forms.TypedChoiceField(label=gettext_lazy("By the economic route"), choices=PURPOSE_CHOICES, coerce=int)


class SignatureForm(_Form):
    """A signature that is asked for."""

    name = forms.CharField(
        label=gettext_lazy("Signature, without its brackets"),
        max_length=MOST_UNITS,
        help_text=gettext_lazy("2 to 6 characters, such as 海港花店."),
    )
    grounds = forms.CharField(
        label=gettext_lazy("Why it is yours"),
        max_length=LONGEST_EVIDENCE,
        help_text=gettext_lazy("Such as the name on the business registration, or a trade mark."),
    )


class Preview(NamedTuple):
    """What a footer says in one region, and how long it is there."""

    words: Promise
    footer: str
    length: int


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def promotions(request: HttpRequest, member: Member) -> HttpResponse:
    """The page, and what its three buttons do."""
    act = request.POST.get("do", "")
    profile = footers.profiles.get(member.conn).get(member.customer.id)
    all_forms = {
        "footer": FooterForm(request.POST if act == "footer" else None, initial=_profile(member, profile)),
        "purposes": PurposesForm(request.POST if act == "purposes" else None, initial=_purposes(member)),
        "signature": SignatureForm(request.POST if act == "signature" else None),
    }
    form = all_forms.get(act)
    if form is not None and form.is_valid():
        try:
            request.session[KEPT] = ACTS[act](member, form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            return redirect("promotions")
    asked = ChinaSignature.objects.filter(customer_id=member.customer.id).order_by("-id")
    return page(
        request,
        member,
        "portal/promotions.html",
        status=UNPROCESSABLE if form is not None and form.errors else 200,
        here="settings",
        tab="promotions",
        forms=all_forms,
        kept=request.session.pop(KEPT, ""),
        previews=_previews(profile, has_own=member.customer.id in signatures.get(member.conn)),
        signature=signatures.get(member.conn).get(member.customer.id),
        platform=THIS_PLATFORM,
        asked=[(each, SIGNATURE_STATES[ChinaSignature.State(each.state)]) for each in asked],
    )


def _profile(member: Member, profile: Profile | None) -> dict[str, Any]:
    if profile is None:
        return {"name_en": member.customer.name[:LONGEST_CONTACT], "is_added": True}
    return profile._asdict()


def _purposes(member: Member) -> dict[str, int]:
    customer = member.customer
    return {
        "portal": customer.portal_purpose,
        "api": customer.api_purpose,
        "economic": customer.economic_purpose,
    }


def _previews(profile: Profile | None, *, has_own: bool) -> list[Preview]:
    added = footers_for("", Speaker("", profile, own_signature=has_own))
    if not added:
        return []
    texts = {region: with_footer("", added, region) for region in REGION_WORDS}
    return [
        Preview(REGION_WORDS[region], text.strip(), measure(text, china=region == Region.CHINA).length)
        for region, text in texts.items()
    ]


def _keep_footer(member: Member, values: dict[str, Any]) -> str:
    customer = Customer.objects.get(pk=member.customer.id)
    save_profile(customer, Profile(**values), by=member.person, now=timezone.now())
    return _("The footer is kept")


def _keep_purposes(member: Member, values: dict[str, Any]) -> str:
    set_purposes(member.customer.id, **values)
    return _("The purposes are kept")


def _ask_signature(member: Member, values: dict[str, Any]) -> str:
    customer = Customer.objects.get(pk=member.customer.id)
    request_signature(customer, values["name"], grounds=values["grounds"], by=member.person, now=timezone.now())
    return _("The signature is asked for; we look at it on the next working day")


ACTS = {"footer": _keep_footer, "purposes": _keep_purposes, "signature": _ask_signature}
