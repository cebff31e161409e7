"""Quiet hours: when promotional texts do not go (spec S54)."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.permissions import Permission
from sampan.accounts.quiet_hours import set_quiet_hours
from sampan.interfaces.portal.access import FORBIDDEN, Member, for_members, page
from sampan.messages import stopping

UNPROCESSABLE = 422
USUAL = ("22:00", "09:00")
CLOCK = ["%H:%M", "%H:%M:%S"]


class QuietHoursForm(forms.Form):
    """From when until when; or never."""

    quiet = forms.ChoiceField(choices=[("no", ""), ("yes", "")])
    begin = forms.TimeField(required=False, input_formats=CLOCK)
    end = forms.TimeField(required=False, input_formats=CLOCK)

    default_error_messages: ClassVar = {
        "begin": {"invalid": _("Not a time. Write it as 22:00.")},
        "end": {"invalid": _("Not a time. Write it as 09:00.")},
        "quiet": {"required": _("Choose one of the two."), "invalid_choice": _("Choose one of the two.")},
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages

    def clean(self) -> dict[str, Any]:
        """Both times, and not the same."""
        values = self.cleaned_data
        if values.get("quiet") == "yes":
            for name in ("begin", "end"):
                if name in values and not values[name]:
                    self.add_error(name, _("No time yet. Choose one."))
            if values.get("begin") and values.get("begin") == values.get("end"):
                self.add_error("end", _("The same time as the beginning. Choose another."))
        return values


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def quiet_hours(request: HttpRequest, member: Member) -> HttpResponse:
    """All members see them; who manages the account sets them."""
    hours = member.customer.quiet_hours
    if request.method != "POST":
        begin, end = (f"{hours.begin:%H:%M}", f"{hours.end:%H:%M}") if hours else USUAL
        initial = {"quiet": "yes" if hours else "no", "begin": begin, "end": end}
        return _show(request, member, QuietHoursForm(initial=initial))
    if not member.may(Permission.MANAGE_ACCOUNT):
        return page(request, member, "portal/may-not.html", status=FORBIDDEN)
    form = QuietHoursForm(request.POST)
    if not form.is_valid():
        return _show(request, member, form, status=UNPROCESSABLE)
    values = form.cleaned_data
    set_quiet_hours(member.customer.id, (values["begin"], values["end"]) if values["quiet"] == "yes" else None)
    stopping.quiet_hours_changed(member.conn, member.customer.id, timezone.now())
    return redirect("scheduled")


def _show(request: HttpRequest, member: Member, form: QuietHoursForm, *, status: int = 200) -> HttpResponse:
    may_change = member.may(Permission.MANAGE_ACCOUNT)
    return page(
        request, member, "portal/quiet-hours.html", status=status, here="scheduled", form=form, may_change=may_change
    )
