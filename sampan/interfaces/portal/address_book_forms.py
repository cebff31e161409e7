"""The forms of the address book: a person, a group, a file of people."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sampan.interfaces.compliance_words import NOTHING_TYPED
from sampan.interfaces.words import words_of_flaw, words_of_refusal
from sampan.messages.address_book.contacts import LONGEST_VALUE, Contact, Given
from sampan.messages.address_book.groups import Group
from sampan.messages.address_book.tables import LONGEST_GROUP_NAME, LONGEST_NAME
from sampan.messages.recipients import LONGEST_FIELD_NAME, MOST_FIELDS, in_text
from sampan.reasons import Refused

NEW_FIELDS = 1  # empty lines for a field that nobody has yet
LONGEST_TYPED_NUMBER = 30


class Refusing(forms.Form):
    """A form that says what the address book has against it, beside the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix, self.auto_id = "", "%s"
        for field in self.fields.values():
            field.error_messages["required"] = NOTHING_TYPED

    def refuse(self, refused: Refused) -> None:
        """Beside its field, or above all."""
        self.add_error(refused.field if refused.field in self.fields else None, words_of_refusal(refused))


class PersonForm(Refusing):
    """A number, a name, and a value for each field; of new fields the name, too."""

    number = forms.CharField(label=_("Mobile number"), max_length=LONGEST_TYPED_NUMBER)
    name = forms.CharField(label=_("Name"), required=False, max_length=LONGEST_NAME)

    def __init__(self, known: Contact | None, names: Sequence[str], data: Mapping[str, Any] | None) -> None:
        super().__init__(data, initial={"number": known.number if known else "", "name": known.name if known else ""})
        self.known = known
        own = known.fields if known else {}
        self.field_names = list(dict.fromkeys([*own, *names]))[:MOST_FIELDS]
        for place, name in enumerate(self.field_names):
            self.fields[f"value-{place}"] = forms.CharField(
                label=name, required=False, max_length=LONGEST_VALUE, initial=own.get(name, "")
            )
        self.spare = min(NEW_FIELDS, MOST_FIELDS - len(self.field_names))
        for place in range(self.spare):
            self.fields[f"new-name-{place}"] = forms.CharField(
                label=_("New field"), required=False, max_length=LONGEST_FIELD_NAME
            )
            self.fields[f"new-value-{place}"] = forms.CharField(
                label=_("What it holds"), required=False, max_length=LONGEST_VALUE
            )
        if known:
            del self.fields["number"]

    def clean_number(self) -> int:
        """As a mobile."""
        found = in_text(self.cleaned_data["number"])
        if found.bad:
            raise forms.ValidationError(words_of_flaw(found.bad[0].flaw))
        if len(found.numbers) != 1:
            raise forms.ValidationError(_("More than one number. Add them one by one, or import a file."))
        return found.numbers[0]

    def given(self) -> Given:
        """The person as typed."""
        values = self.cleaned_data
        fields = {name: values[f"value-{place}"] for place, name in enumerate(self.field_names)}
        for place in range(self.spare):
            if name := values[f"new-name-{place}"].strip():
                fields[name] = values[f"new-value-{place}"]
        number = self.known.number if self.known else values["number"]
        return Given(number, values["name"], {name: value for name, value in fields.items() if value})


class GroupForm(Refusing):
    """The name of a group."""

    name = forms.CharField(label=_("Name"), max_length=LONGEST_GROUP_NAME)


class ImportForm(Refusing):
    """A file of people, and the group they are put into."""

    file = forms.FileField(
        label=_("File"),
        allow_empty_file=True,
        help_text=_("Excel, CSV or text, at most 4 MB and 50,000 rows. The first row names the columns."),
        widget=forms.FileInput(attrs={"accept": ".xlsx,.xls,.csv,.txt"}),
    )
    group = forms.TypedChoiceField(label=_("Put them into"), required=False, coerce=int, empty_value=None)
    new_group = forms.CharField(label=_("Or a new group"), required=False, max_length=LONGEST_GROUP_NAME)

    def __init__(self, book: Sequence[Group], *args: Any) -> None:
        super().__init__(*args)
        choices = [("", _("No group")), *((group.id, group.name) for group in book)]
        self.fields["group"].error_messages["invalid_choice"] = _("There is no such group any more. Choose another.")
        self.fields["group"].choices = choices  # type: ignore[attr-defined]
