"""Forms for operators, links, routes and destinations."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sampan.interfaces.staff.forms import WhyForm
from sampan.routing.tables import Destination, Link, Route

LONGEST_PASSWORD = 8  # SMPP 3.4 §4.1.1: 9 octets with its NUL
_PREFIX = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)

BINDS = [
    (Link.Bind.TRANSCEIVER.value, gettext_lazy("both ways (transceiver)")),
    (Link.Bind.TRANSMITTER.value, gettext_lazy("sends only (transmitter)")),
    (Link.Bind.RECEIVER.value, gettext_lazy("receives only (receiver)")),
]


class OperatorForm(WhyForm):
    """What may change of an operator while it runs."""

    rate_parts_per_s = forms.IntegerField(
        label=gettext_lazy("Parts a second"), min_value=0, max_value=100_000, help_text=gettext_lazy("0: no limit.")
    )
    sender = forms.CharField(
        label=gettext_lazy("Its own sender ID"),
        max_length=15,
        required=False,
        help_text=gettext_lazy("Shown where a customer’s own is not possible."),
    )
    dialect = forms.JSONField(
        label=gettext_lazy("Dialect"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "class": "code", "spellcheck": "false"}),
        help_text=gettext_lazy("How this SMSC deviates, as JSON; its error codes too."),
    )

    def clean_dialect(self) -> Any:
        """Nothing typed is no deviation."""
        return self.cleaned_data["dialect"] or {}


class LinkForm(WhyForm):
    """One bind. The password of one that exists stays where none is typed."""

    host = forms.CharField(label=gettext_lazy("Host"), max_length=255)
    port = forms.IntegerField(label=gettext_lazy("Port"), min_value=1, max_value=65535)
    bind = forms.TypedChoiceField(label=gettext_lazy("Bind"), coerce=int, choices=BINDS)
    system_id = forms.CharField(label="system_id", max_length=15)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=LONGEST_PASSWORD,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    window_size = forms.IntegerField(label=gettext_lazy("Window"), min_value=1, max_value=1000, initial=10)
    tls = forms.BooleanField(label="TLS", required=False)

    def as_new(self) -> dict[str, Any]:
        """What a new link takes."""
        values = self.changes()
        values["window"] = values.pop("window_size")
        values["bind"] = Link.Bind(values["bind"])
        return values

    def as_changes(self) -> tuple[dict[str, Any], str]:
        """What changes of one that exists, and its new password, where one was typed."""
        values = self.changes()
        return values, values.pop("password")


class NewOperatorForm(LinkForm):
    """An operator with its first link."""

    name = forms.SlugField(label=gettext_lazy("Name"), max_length=40, help_text=gettext_lazy("Such as hkt-1."))
    routes = forms.MultipleChoiceField(
        label=gettext_lazy("Carries"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["name", "routes", *(name for name in self.fields if name not in ("name", "routes", "why"))])
        self.fields["routes"].choices = list(Route.objects.order_by("code").values_list("code", "name"))  # type: ignore[attr-defined]


class RouteForm(WhyForm):
    """What a route is."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    own_sender = forms.BooleanField(label=gettext_lazy("Shows the customer’s own sender ID"), required=False)
    receipts = forms.BooleanField(label=gettext_lazy("Gives receipts"), required=False)
    resends_unknown = forms.BooleanField(
        label=gettext_lazy("Sends codes once more when no answer came"),
        required=False,
        help_text=gettext_lazy("Somebody may get one twice."),
    )


class CarrierForm(WhyForm):
    """At which position an operator carries a route, and with which share of those at that position."""

    operator = forms.IntegerField(widget=forms.HiddenInput)
    position = forms.IntegerField(label=gettext_lazy("Position"), min_value=1, max_value=99)
    share = forms.IntegerField(label=gettext_lazy("Share"), min_value=1, max_value=1000)


class DestinationForm(WhyForm):
    """A country or network with one price."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    region = forms.TypedChoiceField(
        label=gettext_lazy("Region"),
        coerce=int,
        choices=[
            (Destination.Region.HONG_KONG.value, gettext_lazy("Hong Kong")),
            (Destination.Region.MACAU.value, gettext_lazy("Macau")),
            (Destination.Region.CHINA.value, gettext_lazy("Mainland China")),
            (Destination.Region.OVERSEAS.value, gettext_lazy("Overseas")),
        ],
    )
    prefixes = forms.CharField(
        label=gettext_lazy("Prefixes"), max_length=500, help_text=gettext_lazy("Country code on; several by commas.")
    )
    route = forms.ModelChoiceField(
        label=gettext_lazy("Usual route"), queryset=Route.objects.order_by("code"), empty_label=None
    )

    def clean_prefixes(self) -> list[str]:
        """Digits each, in order."""
        prefixes = sorted({part.strip() for part in self.cleaned_data["prefixes"].split(",") if part.strip()})
        for prefix in prefixes:
            if not _PREFIX.fullmatch(prefix):
                words = _("“%(prefix)s” is no prefix. Write digits, the country code first.")
                raise forms.ValidationError(words % {"prefix": prefix})
        return prefixes
