"""The compose form: what a member types, read and checked field by field (spec S1, S5, S50)."""

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sampan.composing.parts import compose
from sampan.composing.template import is_template
from sampan.database import beneath_django
from sampan.interfaces.portal.options import Options
from sampan.interfaces.tags import full_moment
from sampan.interfaces.words import words_of_flaw, words_of_refusal
from sampan.messages import drafts
from sampan.messages.address_book.groups import groups_of
from sampan.messages.moments import latest_schedule
from sampan.messages.tables import ComposeDraft, Purpose, Recurrence
from sampan.reasons import Reason, Refused
from sampan.uploads.reading import MEBI

LONGEST_TEXT = 10_000  # of what is kept; what can be sent is far less
LONGEST_PASTED = 1_500_000
LONGEST_NAME = 100
LONGEST_FILE_NAME = 200
USUAL_HOUR = 10  # of the next day, where a member chooses "later"
FIELD_OF_SOURCE = {ComposeDraft.Source.TYPED: "numbers", ComposeDraft.Source.GROUPS: "groups"}
FIELD_OF = {
    "recipients": "numbers",
    "scheduled_at": "date",
    "validity_minutes": "validity",
    "customer": "__all__",
}


class ComposeForm(forms.Form):
    """Every field may be empty while a draft is typed; `check_whole` asks for what the review needs."""

    source = forms.ChoiceField(choices=ComposeDraft.Source.choices)
    file = forms.FileField(required=False, allow_empty_file=True)
    groups = forms.TypedMultipleChoiceField(required=False, coerce=int)
    numbers = forms.CharField(required=False, strip=False, max_length=LONGEST_PASTED)
    text = forms.CharField(required=False, strip=False, max_length=LONGEST_TEXT)
    purpose = forms.TypedChoiceField(choices=Purpose.choices, coerce=int)
    route = forms.ChoiceField(required=False)
    sender = forms.ChoiceField(required=False)
    validity = forms.TypedChoiceField(coerce=int)
    when = forms.ChoiceField(choices=[("now", ""), ("later", "")])
    date = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    time = forms.TimeField(required=False, input_formats=["%H:%M", "%H:%M:%S"])
    every = forms.ChoiceField(required=False, choices=[("", ""), *Recurrence.Every.choices])
    until = forms.DateField(required=False, input_formats=["%Y-%m-%d"])
    name = forms.CharField(required=False, max_length=LONGEST_NAME)

    default_error_messages: ClassVar = {
        "text": {"max_length": _("Far too long. Shorten the text.")},
        "numbers": {"max_length": _("Too many numbers to type. Put them in a file.")},
        "name": {"max_length": _("Longer than 100 characters. Shorten the name.")},
        "date": {"invalid": _("Not a date. Write it as 2026-11-21.")},
        "time": {"invalid": _("Not a time. Write it as 08:30.")},
        "every": {"invalid_choice": _("Not one of these. Choose how often.")},
        "until": {"invalid": _("Not a date. Write it as 2026-11-21.")},
        "route": {"invalid_choice": _("There is no such route any more. Choose another.")},
        "sender": {"invalid_choice": _("This sender ID is not one of yours any more. Choose another.")},
        "validity": {"invalid_choice": _("Not one of these. Choose how long to keep trying.")},
        "purpose": {"invalid_choice": _("Not one of these. Choose a purpose.")},
        "groups": {"invalid_choice": _("One of these groups is not there any more. Tick others.")},
        "file": {"max_length": _("The name of this file is too long. Shorten it and add it again.")},
    }

    def __init__(
        self, options: Options, data: Mapping[str, Any] | None = None, files: Any = None, *, initial: Any = None
    ) -> None:
        super().__init__(data, files, initial=initial)
        self.options = options
        with beneath_django() as conn:
            self.book = groups_of(conn, options.customer.id)
        for name, messages in self.default_error_messages.items():
            self.fields[name].error_messages |= messages
        choices: dict[str, list[tuple[Any, str]]] = {
            "groups": [(group.id, group.name) for group in self.book],
            "route": [(option.route.code, option.route.name) for option in options.routes],
            "sender": [(sender, sender) for sender in options.senders],
            "validity": [(minutes, str(minutes)) for minutes in options.validities],
        }
        for name, pairs in choices.items():
            self.fields[name].choices = pairs  # type: ignore[attr-defined]

    @classmethod
    def of(cls, options: Options, draft: ComposeDraft | None, *, checked: bool = False) -> "ComposeForm":
        """The form as a draft has it, `checked` as if it had just been sent; without a draft as the page begins."""
        tomorrow = timezone.localtime(options.now) + timedelta(days=1)
        scheduled_at = draft and draft.scheduled_at and timezone.localtime(draft.scheduled_at)
        moment = scheduled_at or tomorrow.replace(hour=USUAL_HOUR, minute=0)
        typed = draft and draft.lists.filter(source=ComposeDraft.Source.TYPED).values_list("octets", flat=True).first()
        initial = {
            "source": draft.source if draft else ComposeDraft.Source.FILE,
            "numbers": bytes(typed or b"").decode(),
            "groups": draft.group_ids if draft else [],
            "text": draft.text if draft else "",
            "purpose": draft.purpose if draft else Purpose.PROMOTIONAL,
            "route": (draft and draft.route) or next((option.route.code for option in options.routes), ""),
            "sender": (draft and draft.sender) or next(iter(options.senders), ""),
            "validity": (draft and draft.validity_minutes) or options.customer.validity_minutes,
            "when": "later" if scheduled_at else "now",
            "date": moment.date().isoformat(),
            "time": f"{moment:%H:%M}",
            "every": draft.every if draft else "",
            "until": draft.repeat_until.isoformat() if draft and draft.repeat_until else "",
            "name": draft.name if draft else "",
        }
        return cls(options, initial) if checked else cls(options, initial=initial)

    def clean_text(self) -> str:
        """With line breaks as they are kept; forms send CR LF."""
        text: str = self.cleaned_data["text"]
        return text.replace("\r\n", "\n")

    def clean(self) -> dict[str, Any]:
        """The two fields of "later" become one moment."""
        values = self.cleaned_data
        values["scheduled_at"] = None
        if values.get("when") == "later":
            if "date" in values and not values["date"]:
                self.add_error("date", _("No date yet. Choose one."))
            if "time" in values and not values["time"]:
                self.add_error("time", _("No time yet. Choose one."))
            if values.get("date") and values.get("time"):
                zone = timezone.get_current_timezone()
                values["scheduled_at"] = self._moment(datetime.combine(values["date"], values["time"], zone))
        self._clean_repeats(values)
        return values

    def _clean_repeats(self, values: dict[str, Any]) -> None:
        """Only what is sent later recurs, and its last day is not before its first."""
        if values.get("when") != "later" or not values.get("every"):
            values["every"] = ""
        if not values["every"]:
            values["until"] = None
        elif values.get("until") and values.get("date") and values["until"] < values["date"]:
            self.add_error("until", _("Before the first day. Choose a later one, or none."))

    def _moment(self, moment: datetime) -> datetime | None:
        latest = latest_schedule(self.options.now)
        if moment > latest:
            words = _("More than 5 years ahead. The latest is %(latest)s.") % {"latest": full_moment(latest)}
            self.add_error("date", words)
            return None
        return moment

    def typed(self, draft: ComposeDraft | None) -> ComposeDraft:
        """The draft as the page shows it, whether or not it is kept like that; a new one where there is none."""
        shown = copy(draft) if draft else ComposeDraft(customer_id=self.options.customer.id)
        source, groups = self["source"].value(), self["groups"].value() or []
        shown.source = source if source in ComposeDraft.Source.values else ComposeDraft.Source.FILE
        own = {group.id for group in self.book}
        shown.group_ids = [id_ for id_ in own if str(id_) in {str(each) for each in groups}]
        shown.text = str(self["text"].value() or "").replace("\r\n", "\n")[:LONGEST_TEXT]
        shown.sender, shown.route = str(self["sender"].value() or ""), str(self["route"].value() or "")
        is_transactional = str(self["purpose"].value()) == str(Purpose.TRANSACTIONAL.value)
        shown.purpose = Purpose.TRANSACTIONAL if is_transactional else Purpose.PROMOTIONAL
        return shown

    # What goes into the draft

    def save(self, draft: ComposeDraft) -> None:
        """Keep all that could be read, so that nothing a member has typed is lost by a slip elsewhere."""
        values = self.cleaned_data
        for field, attribute in SAVED.items():
            if field in values:
                setattr(draft, attribute, values[field])
        draft.updated_at = self.options.now
        draft.save()
        self._save_numbers(draft)
        self._save_file(draft)

    def _save_numbers(self, draft: ComposeDraft) -> None:
        typed = self.cleaned_data.get("numbers")
        if typed is None:
            return
        known = draft.lists.filter(source=ComposeDraft.Source.TYPED).values_list("octets", flat=True).first()
        if not typed.strip():
            draft.lists.filter(source=ComposeDraft.Source.TYPED).delete()
        elif known is None or bytes(known) != typed.encode():
            self._try("numbers", lambda: drafts.set_typed(draft, typed))

    def _save_file(self, draft: ComposeDraft) -> None:
        file = self.cleaned_data.get("file")
        if not file:
            return
        if draft.lists.filter(source=ComposeDraft.Source.FILE).count() >= drafts.MOST_FILES:
            words = _("A batch takes at most %(most)s files. Remove one first.") % {"most": drafts.MOST_FILES}
            self.add_error("file", words)
            return
        most_octets = drafts.LIMITS.file_octets
        if file.size > most_octets:
            self._refuse("file", Refused(Reason.FILE_TOO_LARGE, "file", f"{most_octets // MEBI} MB"))
            return
        self._try("file", lambda: drafts.add_file(draft, file.name[:LONGEST_FILE_NAME], file.read()))

    def _try(self, field: str, act: Callable[[], object]) -> None:
        try:
            act()
        except Refused as refused:
            self._refuse(field, refused)

    def _refuse(self, field: str, refused: Refused) -> None:
        self.add_error(None if field == "__all__" else field, words_of_refusal(refused))

    # What the review needs

    def check_whole(self, draft: ComposeDraft, *, numbers: int, has_china: bool, has_others: bool) -> None:
        """All that stands against going on, each beside its field."""
        if not numbers and not any(self.has_error(field) for field in ("file", "numbers", "groups")):
            self._miss_numbers(draft)
        text = self.cleaned_data.get("text")
        if text is None:
            return
        if is_template(text):  # planning asks it of each text
            return
        for china in (False, True) if has_china and has_others else (has_china,):
            signature = self.options.terms.platform.signature
            try:
                compose(text, china=china, signature=signature)
            except Refused as refused:
                self._refuse("text", refused)
                return

    def _miss_numbers(self, draft: ComposeDraft) -> None:
        """Where there are rows, what is wrong with the first of them."""
        field = FIELD_OF_SOURCE.get(ComposeDraft.Source(draft.source), "file")
        bad = next(drafts.bad_rows_of(draft), None)
        if bad is None:
            self._refuse(field, Refused(Reason.NO_RECIPIENT, field))
            return
        about = {"value": bad.flaw.value, "flaw": words_of_flaw(bad.flaw)}
        self.add_error(field, _("There is no mobile number among them. “%(value)s”: %(flaw)s") % about)

    def refuse(self, refused: Refused) -> None:
        """What planning has against the whole, beside the field it is about."""
        if refused.reason == Reason.SENDER_NOT_YOURS and not refused.value:
            self.add_error("sender", _("There is no sender ID yet. Ask us for one."))
            return
        self._refuse(FIELD_OF.get(refused.field, refused.field), refused)


SAVED = {
    "source": "source",
    "groups": "group_ids",
    "text": "text",
    "purpose": "purpose",
    "route": "route",
    "sender": "sender",
    "validity": "validity_minutes",
    "scheduled_at": "scheduled_at",
    "every": "every",
    "until": "repeat_until",
    "name": "name",
}
