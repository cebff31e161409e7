"""What is done with replies by itself: forwards, and answers to words (spec S111, S112)."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.permissions import Permission
from sampan.inbound import forwarding, settings
from sampan.inbound.forwarding import MOST_ANSWERS, Forwards
from sampan.inbound.tables import LONGEST_ANSWER, LONGEST_KEYWORD, AutoAnswer
from sampan.interfaces.portal.access import Member, for_permission, page
from sampan.interfaces.portal.inbox import rentals_of
from sampan.interfaces.words import words_of_flaw, words_of_refusal
from sampan.reasons import Refused
from sampan.routing.numbers import NotAMobile, parse

UNPROCESSABLE = 422
LONGEST_TYPED_NUMBER = 30
LONGEST_ID_DIGITS = 18
SAVED = "saved"  # in the session: what the last press did

for_owners = for_permission(Permission.MANAGE_ACCOUNT)


class ForwardsForm(forms.Form):
    """Where replies go besides the inbox."""

    email = forms.EmailField(label=_("By mail to"), required=False, help_text=_("Free. Leave it empty for no mails."))
    mobile = forms.CharField(
        label=_("By SMS to"),
        required=False,
        max_length=LONGEST_TYPED_NUMBER,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
        help_text=_("Each is charged like any message. The first 200 characters."),
    )
    to_smpp = forms.BooleanField(
        label=_("To SMPP sessions that are bound"),
        required=False,
        help_text=_("As deliver_sm. Kept for a week until a session acknowledges them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["email"].error_messages["invalid"] = _("Not an email address. Write it as name@example.com.")

    def clean_mobile(self) -> int | None:
        """The number, with its country code."""
        typed = self.cleaned_data["mobile"].strip()
        if not typed:
            return None
        try:
            return parse(typed)
        except NotAMobile as error:
            raise forms.ValidationError(words_of_flaw(error.flaw)) from None


class AnswerForm(forms.Form):
    """A word and what is answered to it."""

    word = forms.CharField(
        label=_("Word"),
        max_length=LONGEST_KEYWORD,
        help_text=_("The first word of a reply, in any case. Behind a keyword the next one."),
    )
    text = forms.CharField(
        label=_("Answer"),
        max_length=LONGEST_ANSWER,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Sent at once and charged like any message; the same handset gets it once a day."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["word"].error_messages["required"] = _("No word yet. Type one.")
        self.fields["text"].error_messages["required"] = _("No answer yet. Type one.")


@require_http_methods(["GET", "HEAD", "POST"])
@for_owners
def reply_settings(request: HttpRequest, member: Member) -> HttpResponse:
    """Both forms, the words that are answered, and what is rented."""
    customer_id = member.customer.id
    stands = forwarding.forwards_of(member.conn, customer_id)
    initial = {"email": stands.email, "mobile": f"+{stands.mobile}" if stands.mobile else "", "to_smpp": stands.to_smpp}
    pressed = request.POST.get("do")
    if pressed == "remove":
        answer_id = request.POST.get("answer", "")
        if answer_id.isdecimal() and len(answer_id) <= LONGEST_ID_DIGITS:
            forwarding.remove_answer(customer_id, int(answer_id))
        return redirect("reply-settings")
    forwards = ForwardsForm(request.POST if pressed == "forwards" else None, initial=initial)
    answer = AnswerForm(request.POST if pressed == "answer" else None)
    if _saved(member, forwards, answer):
        request.session[SAVED] = True
        return redirect("reply-settings")
    return page(
        request,
        member,
        "portal/reply-settings.html",
        status=UNPROCESSABLE if forwards.errors or answer.errors else 200,
        here="inbox",
        saved=request.session.pop(SAVED, False),
        forwards=forwards,
        answer=answer,
        answers=AutoAnswer.objects.filter(customer_id=customer_id).order_by("word"),
        most_answers=MOST_ANSWERS,
        rentals=rentals_of(member),
        stop_words=sorted(settings.in_force(member.conn).stop_words),
    )


def _saved(member: Member, forwards: ForwardsForm, answer: AnswerForm) -> bool:
    by: dict[str, Any] = {"by": member.person, "now": timezone.now()}
    form: forms.Form = forwards if forwards.is_bound else answer
    if not form.is_valid():
        return False
    try:
        if form is forwards:
            forwarding.change_forwards(member.customer.id, Forwards(**form.cleaned_data), **by)
        else:
            values = form.cleaned_data
            forwarding.set_answer(member.customer.id, values["word"], values["text"], **by)
    except Refused as refused:
        form.add_error(refused.field, words_of_refusal(refused))
        return False
    return True
