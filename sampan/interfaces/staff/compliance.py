"""The law in the console: the register, how strict we are, and customers held for promotional (spec S93, S95)."""

from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer
from sampan.compliance.purposes import fix_purpose
from sampan.compliance.register import ReadRegister, import_register
from sampan.compliance.settings import change_settings, strictness
from sampan.compliance.tables import RegisterImport
from sampan.interfaces.compliance_words import NOTHING_TYPED
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.tags import HONG_KONG
from sampan.interfaces.words import REFUSALS
from sampan.reasons import Refused

HERE = "staff:register"
IMPORTS_SHOWN = 20
BAD_ROWS = "register's bad rows"  # in the session, for the next page to show once
KINDS = {
    RegisterImport.Kind.REPLACE: gettext_lazy("the whole register"),
    RegisterImport.Kind.ADD: gettext_lazy("numbers to add"),
    RegisterImport.Kind.REMOVE: gettext_lazy("numbers to take off"),
}
DAY = forms.DateInput(attrs={"type": "date"})


class RegisterForm(forms.Form):
    """A file of the register."""

    file = forms.FileField(
        label=gettext_lazy("CSV file, or gzipped"),
        help_text=gettext_lazy("Number and date listed in the first two columns, at most 8 MB; gzip a larger one."),
    )
    kind = forms.TypedChoiceField(label=gettext_lazy("It holds"), choices=list(KINDS.items()), coerce=int)
    register_date = forms.DateField(
        label=gettext_lazy("As of"),
        widget=DAY,
        help_text=gettext_lazy("The day OFCA made the file. It is kept with every decision."),
    )
    may_shrink = forms.BooleanField(label=gettext_lazy("It may take off more than half of the numbers"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.error_messages["required"] = NOTHING_TYPED


class StrictnessForm(WhyForm):
    """How strictly we take the law."""

    register_waits = forms.BooleanField(
        label=gettext_lazy("Filter a number only from the 10th working day after it was listed"), required=False
    )
    footer_refuses = forms.BooleanField(
        label=gettext_lazy("Refuse a promotional text that does not say who sends it and how to unsubscribe"),
        required=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.IMPORT_REGISTER, Act.SET_COMPLIANCE)
def register(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The register's imports, a new one, and the two settings."""
    now = timezone.now()
    in_force = strictness.get(staffer.conn)
    act = request.POST.get("do")
    form = RegisterForm(
        request.POST if act == "import" else None,
        request.FILES if act == "import" else None,
        initial={"register_date": now.astimezone(HONG_KONG).date()},
    )
    settings_form = StrictnessForm(request.POST if act == "settings" else None, initial=in_force._asdict())
    if act == "settings" and settings_form.is_valid():
        change_settings(**settings_form.changes(), why=settings_form.reason, by=staffer.person, now=now)
        say(request, _("The settings are kept"))
        return redirect(HERE)
    if act == "import" and form.is_valid() and (read := _imported(staffer, form, now)):
        say(request, _("The register is imported: rows %(rows)s, bad %(bad)s") % {"rows": read.rows, "bad": read.bad})
        request.session[BAD_ROWS] = read.bad_rows
        return redirect(HERE)
    imports = RegisterImport.objects.select_related("by").order_by("-pk")[:IMPORTS_SHOWN]
    context: dict[str, Any] = {
        "form": form,
        "settings_form": settings_form,
        "imports": [(each, KINDS[RegisterImport.Kind(each.kind)]) for each in imports],
        "in_force": in_force,
        "bad_rows": request.session.pop(BAD_ROWS, []),
    }
    status = UNPROCESSABLE if form.errors or settings_form.errors else 200
    return page(request, staffer, "staff/register.html", here=HERE, status=status, **context)


def _imported(staffer: Staffer, form: RegisterForm, now: datetime) -> ReadRegister | None:
    """What was read; None where the file was refused, which stands beside its field then."""
    values = form.cleaned_data
    file = values["file"]
    try:
        _done, read = import_register(
            file.file,
            kind=RegisterImport.Kind(values["kind"]),
            register_date=values["register_date"],
            file_name=file.name[:200],
            by=staffer.person,
            now=now,
            today=now.astimezone(HONG_KONG).date(),
            may_shrink=values["may_shrink"],
        )
    except Refused as refused:
        form.add_error("file", str(REFUSALS[refused.reason]).replace("{value}", refused.value))
        return None
    return read


class PurposeForm(WhyForm):
    """Whether a customer may say that a text is transactional."""

    promotional_only = forms.BooleanField(
        label=gettext_lazy("Every text of this customer is promotional, whatever it says"), required=False
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.FIX_PURPOSE)
def purpose(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """One customer, held for promotional or not."""
    found = get_object_or_404(Customer, pk=customer_id)
    form = PurposeForm(request.POST or None, initial={"promotional_only": found.promotional_only})
    if form.is_valid():
        fix_purpose(found, **form.changes(), why=form.reason, by=staffer.person, now=timezone.now())
        say(request, _("The purpose of %(name)s is kept") % {"name": found.name})
        return redirect("staff:customer", customer_id)
    context: dict[str, Any] = {"heading": found.name, "press": _("Keep it"), "form": form}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here="staff:customers", status=status, **context)
