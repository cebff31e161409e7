"""How long one customer's results are kept, and erasing a closed customer's data (spec S130)."""

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from sampan.accounts.acts import Act
from sampan.accounts.tables import LONGEST_KEPT_MONTHS, Customer
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.tags import thousands
from sampan.messages.retention import closing, own

MOST_MONTHS_SHOWN = 24


class RetentionForm(WhyForm):
    """For how long."""

    months = forms.IntegerField(label=gettext_lazy("Months"), min_value=1, max_value=LONGEST_KEPT_MONTHS)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.KEEP_RESULTS, Act.ERASE_CUSTOMER)
def own_data(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """The page."""
    customer = get_object_or_404(Customer, pk=customer_id)
    now = timezone.now()
    if request.POST.get("do") == "erase":
        count = own.erase(customer_id, by=staffer.person, why=typed(request, "why"), now=now)
        say(request, _("Erased. Messages that went: %(count)s") % {"count": thousands(count)})
        return redirect("staff:own-data", customer_id)
    form = RetentionForm(request.POST or None, initial={"months": customer.results_kept_months})
    if form.is_valid():
        months = form.cleaned_data["months"]
        own.keep_results(customer_id, months, by=staffer.person, why=form.reason, now=now)
        say(request, _("Results are kept for %(months)s months") % {"months": months})
        return redirect("staff:own-data", customer_id)
    context = {
        "customer": customer,
        "form": form,
        "months": closing.closed_months(staffer.conn, customer_id, most=MOST_MONTHS_SHOWN),
        "is_closed": customer.status == Customer.Status.CLOSED,
        "may_erase": staffer.may(Act.ERASE_CUSTOMER),
    }
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/own-data.html", here="staff:customers", status=status, **context)
