"""The period search of the delivery results: what a member asks for, read and checked (spec S100)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sampan.interfaces.place_words import place_words
from sampan.interfaces.words import REASONS, SOURCES, STATUSES
from sampan.messages.reports.periods import Search
from sampan.messages.reports.shown import Shown
from sampan.messages.tables import Source
from sampan.reasons import Reason
from sampan.routing.directory import RouteFacts
from sampan.routing.numbers import NotAMobile, parse

USUAL_DAYS = 7
MOST_DAYS = 93
LONGEST_ID_DIGITS = 18
EPOCH = datetime.fromtimestamp(0, UTC)


class ResultsForm(forms.Form):
    """The period search; every field may be left out."""

    since = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    until = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    status = forms.ChoiceField(required=False, choices=[(shown.value, STATUSES[shown].word) for shown in Shown])
    batch = forms.RegexField(f"^[0-9]{{1,{LONGEST_ID_DIGITS}}}$", required=False)
    number = forms.CharField(required=False, max_length=40)
    reason = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    sender = forms.ChoiceField(required=False)
    route = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)
    source = forms.TypedChoiceField(required=False, coerce=int, empty_value=None)

    default_error_messages: ClassVar = {
        "since": {"invalid": gettext_lazy("Not a date. Write it as 2026-11-21.")},
        "until": {"invalid": gettext_lazy("Not a date. Write it as 2026-11-21.")},
        "batch": {"invalid": gettext_lazy("Not a batch. Its number has digits only.")},
        "number": {"max_length": gettext_lazy("Too long. Give one number or SMSD ID.")},
    }

    def __init__(
        self, data: Mapping[str, str], *, customer_id: int, senders: list[str], routes: list[RouteFacts], now: datetime
    ) -> None:
        super().__init__(data)
        self.customer_id = customer_id
        self.now = now
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages
        shown_codes = sorted({reason.shown for reason in REASONS if reason.shown})
        choices: dict[str, list[tuple[object, object]]] = {
            "reason": [(code, f"{code} {REASONS[_reason_of(code)] or _('None')}") for code in shown_codes],
            "sender": [(sender, sender) for sender in senders],
            "route": [(route.id, place_words(route.name)) for route in routes],
            "source": [(source.value, words) for source, words in SOURCES.items()],
        }
        for name, pairs in choices.items():
            self.fields[name].choices = [("", _("Any")), *pairs]  # type: ignore[attr-defined]
        self.fields["status"].choices = [("", _("Any")), *self.fields["status"].choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """The period in whole days of Hong Kong; the number as a mobile, an SMSD ID, or what may be either."""
        values = self.cleaned_data
        today = timezone.localdate(self.now)
        until = values.get("until") or today
        since = values.get("since") or until - timedelta(days=USUAL_DAYS - 1)
        if since > until:
            self.add_error("since", _("After the end of the period. Choose an earlier day."))
        elif (until - since).days >= MOST_DAYS:
            words = _("A period of more than %(most)s days. Choose a later day.") % {"most": MOST_DAYS}
            self.add_error("since", words)
        values["first"], values["last"] = since, until
        values["recipient"], values["message_id"] = self._numbers(values.get("number") or "")
        return values

    def _numbers(self, typed: str) -> tuple[int | None, int | None]:
        """Once there are IDs of 8 digits, such a number may be a Hong Kong mobile or an ID."""
        if not typed.strip():
            return None, None
        digits = re.sub(r"\D", "", typed)
        message_id = int(digits) if 0 < len(digits) <= LONGEST_ID_DIGITS else None
        try:
            return parse(typed), message_id
        except NotAMobile:
            if message_id is None:
                self.add_error("number", _("Neither a mobile number nor an SMSD ID. Check the digits."))
            return None, message_id

    def bound_by(self, most: int, found: int) -> None:
        """An error where more messages were found than a spreadsheet is made of."""
        if found > most:
            words = _("More than %(most)s messages. Choose a shorter period, or export CSV.") % {"most": f"{most:,}"}
            self.add_error("since", words)

    def search(self) -> Search:
        """What is asked for. What can only be an SMSD ID is found whatever the period."""
        values = self.cleaned_data
        any_time = values["message_id"] is not None and values["recipient"] is None
        zone = timezone.get_current_timezone()
        since = datetime.combine(values["first"], datetime.min.time(), zone)
        until = datetime.combine(values["last"], datetime.min.time(), zone) + timedelta(days=1)
        code = values["reason"]
        return Search(
            customer_id=self.customer_id,
            since=EPOCH if any_time else since,
            until=self.now + timedelta(days=1) if any_time else until,
            shown=Shown(values["status"]) if values["status"] else None,
            reasons=frozenset(reason for reason in Reason if reason.shown == code) if code else None,
            batch_id=int(values["batch"]) if values["batch"] else None,
            recipient=values["recipient"],
            message_id=values["message_id"],
            route_id=values["route"],
            sender=values["sender"] or None,
            source=Source(values["source"]) if values["source"] else None,
        )


def _reason_of(code: int) -> Reason:
    """The reason whose number is the code that customers know."""
    return next(reason for reason in REASONS if reason.number == code)
