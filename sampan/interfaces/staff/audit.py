"""The audit log: who did what, to whom, before, after and why; with a search (spec S134)."""

from datetime import datetime, timedelta

from django import forms
from django.db.models import Func, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from sampan.accounts.acts import Act
from sampan.accounts.tables import AuditEntry
from sampan.interfaces.staff.access import Staffer, for_staff, page
from sampan.interfaces.staff.paging import paged
from sampan.interfaces.tags import HONG_KONG

UNPROCESSABLE = 422
NOT_A_DAY = gettext_lazy("Not a date. Write it as 2026-11-21.")


class AuditForm(forms.Form):
    """The search; every field may be left out."""

    since = forms.DateField(required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": NOT_A_DAY})
    until = forms.DateField(required=False, input_formats=["%Y-%m-%d"], error_messages={"invalid": NOT_A_DAY})
    act = forms.ChoiceField(required=False)
    by = forms.CharField(required=False, max_length=100)
    customer = forms.CharField(required=False, max_length=100)
    words = forms.CharField(required=False, max_length=100)

    def __init__(self, data: dict[str, str]) -> None:
        super().__init__(data)
        acts = sorted((act.value, act.value) for act in Act)
        self.fields["act"].choices = [("", _("Any")), *acts]  # type: ignore[attr-defined]

    def found(self) -> QuerySet[AuditEntry]:
        """The lines that are asked for."""
        given = self.cleaned_data
        entries = AuditEntry.objects.select_related("by", "customer")
        if given["since"]:
            entries = entries.filter(at__gte=datetime.combine(given["since"], datetime.min.time(), HONG_KONG))
        if given["until"]:
            end = datetime.combine(given["until"], datetime.min.time(), HONG_KONG) + timedelta(days=1)
            entries = entries.filter(at__lt=end)
        if given["act"]:
            entries = entries.filter(act=given["act"])
        if given["by"]:
            entries = entries.filter(Q(by__login_name__iexact=given["by"]) | Q(by__name__icontains=given["by"]))
        if given["customer"]:
            entries = entries.filter(
                Q(customer__name__icontains=given["customer"])
                | Q(customer__members__login_name__iexact=given["customer"])
            ).distinct()
        if given["words"]:
            entries = _annotated(entries).filter(
                Q(why__icontains=given["words"])
                | Q(subject__icontains=given["words"])
                | Q(changed__icontains=given["words"])
                | Q(came_from__startswith=given["words"])
            )
        return entries


def _annotated(entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
    """With what was there before and after, and from where, as text."""
    changed = Concat(Cast("before", TextField()), Value(" "), Cast("after", TextField()), output_field=TextField())
    return entries.annotate(changed=changed, came_from=Func("address", function="host", output_field=TextField()))


@require_safe
@for_staff(Act.READ_AUDIT)
def audit(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The page."""
    form = AuditForm({name: str(value).replace("\0", "") for name, value in request.GET.items()})
    if not form.is_valid():
        return page(request, staffer, "staff/audit.html", status=UNPROCESSABLE, here="staff:audit", form=form, found="")
    found = paged(request, form.found())
    return page(request, staffer, "staff/audit.html", here="staff:audit", form=form, found=found)
