"""Who unsubscribed and who agreed: lists, files and evidence that a customer keeps (spec S94, S96)."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.compliance import preferences
from sampan.compliance.tables import LONGEST_EVIDENCE, Preference
from sampan.interfaces.compliance_words import NOTHING_TYPED, WAYS
from sampan.interfaces.csv_files import csv_response
from sampan.interfaces.portal.access import Member, for_senders, page
from sampan.interfaces.tags import HONG_KONG
from sampan.interfaces.words import words_of_flaw, words_of_refusal
from sampan.messages import recipients
from sampan.messages.recipients import Recipients, is_mobile
from sampan.reasons import Refused
from sampan.uploads.columns import find_number_column
from sampan.uploads.reading import Limits, read_rows

ROWS_A_PAGE = 50
LONGEST_TYPED = 1_500_000
LONGEST_ID_DIGITS = 18
MOST_BAD_SHOWN = 3
UNPROCESSABLE = 422
Kind, Way = Preference.Kind, Preference.Way
NAMES = {Kind.UNSUBSCRIBED: "unsubscribes", Kind.CONSENT: "consents"}
CONSENT_WAYS = [(way.value, WAYS[way]) for way in preferences.CONSENT_WAYS]


class NumbersForm(forms.Form):
    """Numbers, typed or in a file, and what is known of what they said."""

    numbers = forms.CharField(
        label=gettext_lazy("Mobile numbers"),
        required=False,
        max_length=LONGEST_TYPED,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line, or with commas between."),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"), required=False, help_text=gettext_lazy("Excel, CSV or text, at most 4 MB.")
    )
    way = forms.ChoiceField(label=gettext_lazy("How they said it"), choices=CONSENT_WAYS)
    day = forms.DateField(
        label=gettext_lazy("When"),
        widget=forms.DateInput(attrs={"type": "date"}),
        error_messages={"invalid": gettext_lazy("Not a date. Write it as 2026-11-21.")},
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        max_length=LONGEST_EVIDENCE,
        error_messages={"required": gettext_lazy("There is no evidence. Say how it is known.")},
        help_text=gettext_lazy("Such as the form they signed, or who spoke with them."),
    )

    def __init__(self, kind: Preference.Kind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            if field is not self.fields["evidence"]:
                field.error_messages["required"] = NOTHING_TYPED
        if kind == Kind.UNSUBSCRIBED:
            del self.fields["way"]
            self.fields["evidence"].required = False
            self.fields["evidence"].help_text = _("Such as their email or call, where there is one.")

    def clean(self) -> dict[str, Any]:
        """The numbers, each once; every bad row is told of."""
        values = self.cleaned_data
        if self.errors:
            return values
        try:
            found = self._found()
        except Refused as refused:
            self.add_error("file", words_of_refusal(refused))
            return values
        if found.bad:
            flaws = [f"“{bad.flaw.value}”: {words_of_flaw(bad.flaw)}" for bad in found.bad[:MOST_BAD_SHOWN]]
            words = _("Rows without a mobile number: %(count)s. Nothing was kept. %(flaws)s")
            about = {"count": len(found.bad), "flaws": " ".join(flaws)}
            self.add_error("file" if values.get("file") else "numbers", words % about)
        elif not found.numbers:
            self.add_error("numbers", _("There is no mobile number yet. Add at least one."))
        values["found"] = found.numbers
        return values

    def _found(self) -> Recipients:
        """Raises Refused where the file cannot be read."""
        file = self.cleaned_data.get("file")
        if not file:
            return recipients.in_text(self.cleaned_data["numbers"])
        rows = read_rows(file.read(), Limits())
        column = find_number_column(rows, is_mobile)
        return recipients.in_rows(rows, column) if column else recipients.in_text("")

    def moment(self, now: datetime) -> datetime:
        """When they said it: today means now, an earlier day its end."""
        day = self.cleaned_data["day"]
        if day == now.astimezone(HONG_KONG).date():
            return now
        return datetime.combine(day, time(23, 59, 59), HONG_KONG)


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def unsubscribes(request: HttpRequest, member: Member) -> HttpResponse:
    """Who wants no more promotional texts."""
    return _list(request, member, Kind.UNSUBSCRIBED)


@require_http_methods(["GET", "HEAD", "POST"])
@for_senders
def consents(request: HttpRequest, member: Member) -> HttpResponse:
    """Who agreed to get them, also where they stand on the do-not-call register."""
    return _list(request, member, Kind.CONSENT)


def _list(request: HttpRequest, member: Member, kind: Preference.Kind) -> HttpResponse:
    now = timezone.now()
    initial = {"day": now.astimezone(HONG_KONG).date(), "numbers": request.GET.get("add", "")[:20]}
    form = NumbersForm(kind, request.POST or None, request.FILES or None, initial=initial)
    if form.is_valid() and _kept(member, kind, form, now):
        request.session["kept"] = len(form.cleaned_data["found"])
        return redirect(NAMES[kind])
    asked, before = request.GET.get("number", "").strip()[:30], request.GET.get("before", "")
    number = next(iter(recipients.in_text(asked).numbers), 0) if asked else None
    rows = preferences.standing(
        member.conn,
        member.customer.id,
        kind,
        number=number,
        before=int(before) if before.isdecimal() and len(before) <= LONGEST_ID_DIGITS else None,
        most=ROWS_A_PAGE + 1,
    )
    return page(
        request,
        member,
        "portal/preferences.html",
        status=UNPROCESSABLE if form.errors else 200,
        here="preferences",
        tab=NAMES[kind],
        csv_page=f"{NAMES[kind]}-csv",
        form=form,
        kept=request.session.pop("kept", None),
        rows=[(row, WAYS[row.way]) for row in rows[:ROWS_A_PAGE]],
        older=rows[ROWS_A_PAGE - 1].id if len(rows) > ROWS_A_PAGE else None,
        before=before,
        asked=asked,
        total=preferences.count(member.conn, member.customer.id, kind),
    )


def _kept(member: Member, kind: Preference.Kind, form: NumbersForm, now: datetime) -> bool:
    values = form.cleaned_data
    said = {"at": form.moment(now), "evidence": values["evidence"], "person_id": member.person.pk, "now": now}
    numbers = member.conn, member.customer.id, values["found"]
    try:
        if kind == Kind.UNSUBSCRIBED:
            preferences.unsubscribe(*numbers, way=Way.HAND, **said)
        else:
            preferences.record_consents(*numbers, way=Way(values["way"]), **said)
    except Refused as refused:
        form.add_error("day" if refused.field == "at" else refused.field, words_of_refusal(refused))
        return False
    return True


@require_safe
@for_senders
def preferences_csv(_request: HttpRequest, member: Member, list_name: str) -> HttpResponseBase:
    """One of the two lists, whole."""
    kind = next(kind for kind, name in NAMES.items() if name == list_name)
    head = [_("Number"), _("When"), _("How"), _("Recorded"), _("By"), _("Evidence")]
    found = preferences.standing(member.conn, member.customer.id, kind, most=preferences.MOST_AT_ONCE)
    rows = (
        [
            row.number,
            row.at.astimezone(HONG_KONG).isoformat(" ", "minutes")[:16],
            WAYS[row.way],
            row.recorded_at.astimezone(HONG_KONG).isoformat(" ", "minutes")[:16],
            row.person,
            row.evidence,
        ]
        for row in found
    )
    return csv_response(f"{list_name}.csv", head, rows)
