"""Texts that operators refused by their own rules for content: what the library of words may lack (spec S91)."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.acts import Act
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.messages.content_refusals import noting
from sampan.reasons import Reason, Refused

HERE = "staff:content-refusals"
LONGEST_ID_DIGITS = 18


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SEE_TO_CONTENT)
def content_refusals(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The list; a press says what came of one."""
    if request.method == "POST":
        number = typed(request, "refusal")
        if not (number.isascii() and number.isdecimal() and len(number) <= LONGEST_ID_DIGITS):
            raise Refused(Reason.NO_CHOICE, "refusal")
        noting.see_to(int(number), by=staffer.person, why=typed(request, "why"), now=timezone.now())
        say(request, _("It is seen to"))
        return redirect(HERE)
    found = noting.waiting(staffer.conn)
    return page(request, staffer, "staff/content-refusals.html", here=HERE, found=found, most=noting.MOST_SHOWN)
