"""What waits for whom, and who may do what."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.interfaces.staff.access import Staffer, for_staff, page


@require_safe
@for_staff()
def worklist(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The landing page: every kind of work of one's role."""
    return page(request, staffer, "staff/worklist.html", here="staff:worklist")


@require_safe
@for_staff()
def roles(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The table of acts and roles, as acts.py has it."""
    table = [(act.value, [role in act.roles for role in Person.StaffRole]) for act in Act]
    return page(request, staffer, "staff/roles.html", here="staff:roles", table=sorted(table), roles=Person.StaffRole)
