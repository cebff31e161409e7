"""Change or move a scheduled batch: its name, text, sender ID, validity and time (spec S52).

The first press shows what it would come to; the second saves what was seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.interfaces.portal.access import Member, for_senders, page
from sampan.interfaces.portal.compose import options_of
from sampan.interfaces.portal.compose_form import FIELD_OF, LONGEST_NAME, LONGEST_TEXT
from sampan.interfaces.portal.options import Options
from sampan.interfaces.portal.own import own_batch
from sampan.interfaces.words import words_of_refusal
from sampan.messages import changes, drafts
from sampan.messages.changes import Changes
from sampan.messages.planning import Plan
from sampan.messages.reports.batches import BatchFacts
from sampan.reasons import Reason, Refused

CONFLICT, UNPROCESSABLE = 409, 422
TOO_LATE = frozenset({Reason.BATCH_DUE_SOON, Reason.BATCH_NOT_SCHEDULED})


class ChangeForm(forms.Form):
    """What may be changed; the recipients, the route and the purpose stay."""

    name = forms.CharField(required=False, max_length=LONGEST_NAME)
    text = forms.CharField(required=False, strip=False, max_length=LONGEST_TEXT)
    sender = forms.ChoiceField(required=False)
    validity = forms.TypedChoiceField(coerce=int)
    date = forms.DateField(input_formats=["%Y-%m-%d"])
    time = forms.TimeField(input_formats=["%H:%M", "%H:%M:%S"])

    default_error_messages: ClassVar = {
        "name": {"max_length": _("Longer than 100 characters. Shorten the name.")},
        "text": {"max_length": _("Far too long. Shorten the text.")},
        "sender": {"invalid_choice": _("This sender ID is not one of yours any more. Choose another.")},
        "validity": {"invalid_choice": _("Not one of these. Choose how long to keep trying.")},
        "date": {"invalid": _("Not a date. Write it as 2026-11-21."), "required": _("No date yet. Choose one.")},
        "time": {"invalid": _("Not a time. Write it as 08:30."), "required": _("No time yet. Choose one.")},
    }

    def __init__(self, options: Options, batch: BatchFacts, data: Mapping[str, Any] | None = None) -> None:
        assert batch.scheduled_at is not None
        moment = timezone.localtime(batch.scheduled_at)
        initial = {
            "name": batch.name,
            "text": batch.text,
            "sender": batch.sender,
            "validity": batch.validity_minutes,
            "date": moment.date().isoformat(),
            "time": f"{moment:%H:%M}",
        }
        super().__init__(data, initial=initial)
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages
        self.senders = options.senders if batch.sender in options.senders else ["", *options.senders]
        self.validities = sorted({*options.validities, batch.validity_minutes})
        self.fields["sender"].choices = [(each, each) for each in self.senders]  # type: ignore[attr-defined]
        self.fields["validity"].choices = [(each, each) for each in self.validities]  # type: ignore[attr-defined]

    def wanted(self) -> Changes:
        """What was typed. A time as the organisation's own clock shows it."""
        values = self.cleaned_data
        moment = datetime.combine(values["date"], values["time"], timezone.get_current_timezone())
        return Changes(
            values["name"], values["text"].replace("\r\n", "\n"), values["sender"], values["validity"], moment
        )

    def refuse(self, refused: Refused) -> None:
        """What stands against it, beside the field it is about."""
        field = FIELD_OF.get(refused.field, refused.field)
        self.add_error(field if field in self.fields else None, words_of_refusal(refused))


@dataclass(frozen=True)
class Seen:
    """What the batch would come to."""

    plan: Plan
    seal: str
    available_pips: int

    @property
    def after_pips(self) -> int:
        """The balance once it is held."""
        return self.available_pips - self.plan.price_pips

    @property
    def left_out(self) -> int:
        """Messages that would be refused as things are."""
        return len(self.plan.recipients) - self.plan.messages


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def change(request: HttpRequest, member: Member, batch_id: int) -> HttpResponse:
    """The form; then the form with what it would come to; then it is saved."""
    now = timezone.now()
    batch = own_batch(member, batch_id)
    if batch.scheduled_at is None or batch.started_at:
        return _too_late(request, member, batch, Refused(Reason.BATCH_NOT_SCHEDULED))
    options = options_of(member, now)
    if request.method != "POST":
        return _show(request, member, batch, ChangeForm(options, batch))
    form = ChangeForm(options, batch, request.POST)
    if not form.is_valid():
        return _show(request, member, batch, form, status=UNPROCESSABLE)
    try:
        return _try(request, member, batch, form, options)
    except Refused as refused:
        if refused.reason in TOO_LATE:
            return _too_late(request, member, batch, refused)
        form.refuse(refused)
        return _show(request, member, batch, form, status=UNPROCESSABLE)


def _try(request: HttpRequest, member: Member, batch: BatchFacts, form: ChangeForm, options: Options) -> HttpResponse:
    """Save what was seen; what was not seen yet, or is another thing by now, is shown first."""
    wanted, terms, now = form.wanted(), options.terms, options.now
    planned = changes.preview(member.conn, batch.id, wanted, terms, now, customer_id=member.customer.id)
    seen = Seen(planned, drafts.seal(planned), member.purse().available_pips)
    given = request.POST.get("seal", "")
    if given != seen.seal:
        return _show(request, member, batch, form, seen=seen, status=CONFLICT if given else 200)
    whose = {"customer_id": member.customer.id, "person_id": member.person.pk}
    changes.change(member.conn, batch.id, wanted, terms, now, **whose)
    return redirect("batch", batch.id)


def _show(
    request: HttpRequest,
    member: Member,
    batch: BatchFacts,
    form: ChangeForm,
    *,
    seen: Seen | None = None,
    status: int = 200,
) -> HttpResponse:
    return page(
        request, member, "portal/change.html", status=status, here="scheduled", batch=batch, form=form, seen=seen
    )


def _too_late(request: HttpRequest, member: Member, batch: BatchFacts, refused: Refused) -> HttpResponse:
    words = words_of_refusal(refused)
    return page(request, member, "portal/too-late.html", status=CONFLICT, here="scheduled", batch=batch, refused=words)
