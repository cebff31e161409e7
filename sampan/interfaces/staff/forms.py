"""Forms of the console: every one asks why, for the audit log."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sampan.accounts.acts import LONGEST_WHY


class WhyForm(forms.Form):
    """Something that staff change, and why they do."""

    why = forms.CharField(label=_("Why"), max_length=LONGEST_WHY, help_text=_("It stands in the audit log."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "why"])
        self.label_suffix = ""

    def changes(self) -> dict[str, Any]:
        """What is to be written: all but why."""
        return {name: value for name, value in self.cleaned_data.items() if name != "why"}

    @property
    def reason(self) -> str:
        """Why."""
        return str(self.cleaned_data["why"])
