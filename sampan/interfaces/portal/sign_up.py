"""Signing up: the form, the code, and in (spec S131)."""

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from sampan.accounts.codes import Purpose, wrong_code
from sampan.accounts.proofs.tables import SignUp
from sampan.accounts.sign_up import Filled, begin_sign_up, is_login_name, refuse_taken, registration_number
from sampan.accounts.tables import LONGEST_LOGIN_NAME, Person
from sampan.billing.opening import open_from_sign_up
from sampan.interfaces.signing_in import LONGEST_CODE, address_of, let_in
from sampan.interfaces.tags import clock, phone
from sampan.interfaces.words import words_of_flaw, words_of_refusal
from sampan.messages.codes import send_code
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import NotAMobile, parse

UNPROCESSABLE = 422
SIGN_UP = "sign up"  # in the session: whose code is waited for
HONG_KONG = "852"
LONGEST_NAME, LONGEST_PASSWORD, LONGEST_MOBILE = 100, 200, 30


class SignUpForm(forms.Form):
    """The first form; every error stands beside its field."""

    company = forms.CharField(max_length=LONGEST_NAME)
    registration = forms.CharField(max_length=40)
    contact = forms.CharField(max_length=LONGEST_NAME)
    email = forms.EmailField(max_length=254)
    mobile = forms.CharField(max_length=LONGEST_MOBILE)
    login = forms.CharField(max_length=LONGEST_LOGIN_NAME)
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)
    again = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)

    missing: ClassVar = _("Nothing here yet. Fill it in.")
    too_long: ClassVar = _("Longer than it may be. Shorten it.")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        for field in self.fields.values():
            field.error_messages |= {"required": self.missing, "max_length": self.too_long}
        self.fields["email"].error_messages["invalid"] = _("Not a mail address. Write it as name@company.hk.")

    def clean_registration(self) -> str:
        """Its 8 digits."""
        number = registration_number(self.cleaned_data["registration"])
        if number is None:
            raise forms.ValidationError(_("Not a business registration number. Copy its 8 digits."))
        return number

    def clean_mobile(self) -> int:
        """A Hong Kong mobile: codes abroad could be made dear by strangers."""
        return hong_kong_mobile(self.cleaned_data["mobile"])

    def clean_login(self) -> str:
        """One that is free."""
        name: str = self.cleaned_data["login"]
        if not is_login_name(name):
            raise forms.ValidationError(
                _("Not possible. Use 3 to 20 letters, digits, dots or hyphens, a letter first.")
            )
        try:
            refuse_taken(name)
        except Refused as refused:
            raise forms.ValidationError(words_of_refusal(refused)) from None
        return name

    def clean(self) -> dict[str, Any]:
        """The password against what else was typed."""
        values = self.cleaned_data
        if values.get("again", "") != values.get("password", ""):
            self.add_error("again", _("Not the same twice. Type it once more."))
        if "password" in values:
            person = Person(
                login_name=values.get("login", ""), name=values.get("company", ""), email=values.get("email", "")
            )
            try:
                validate_password(values["password"], person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return values

    def filled(self) -> Filled:
        """What was typed, read."""
        values = self.cleaned_data
        return Filled(
            login_name=values["login"],
            password=values["password"],
            company=values["company"],
            registration_number=values["registration"],
            contact=values["contact"],
            email=values["email"],
            mobile=values["mobile"],
            language=get_language() or "en",
        )


def hong_kong_mobile(typed: str) -> int:
    """The number. Raises ValidationError with what is wrong with it."""
    try:
        mobile = parse(typed)
    except NotAMobile as error:
        raise forms.ValidationError(words_of_flaw(error.flaw)) from None
    if not str(mobile).startswith(HONG_KONG):
        raise forms.ValidationError(_("Not a Hong Kong mobile. Give one, or call us."))
    return mobile


def code_words(code: str) -> str:
    """The text of every code, in the language of who reads it."""
    text = gettext("%(code)s is your Sampan code. It counts for 10 minutes. Tell it to nobody, us included.")
    return text % {"code": code}


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponse:
    """The form; then the code is on its way."""
    if isinstance(request.user, Person):
        return redirect("home")
    form = SignUpForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        status = UNPROCESSABLE if form.is_bound else 200
        return render(request, "portal/sign-up.html", {"form": form}, status=status)
    now = timezone.now()
    begun = begin_sign_up(form.filled(), now=now)
    try:
        _send(request, begun, now)
    except Refused as refused:
        begun.delete()
        form.add_error("mobile", words_of_code_refusal(refused))
        return render(request, "portal/sign-up.html", {"form": form}, status=UNPROCESSABLE)
    request.session[SIGN_UP] = begun.pk
    return redirect("sign-up-code")


def _send(request: HttpRequest, begun: SignUp, now: datetime) -> None:
    address = address_of(request)
    send_code(Purpose.SIGN_UP, begun.mobile, code_words, sign_up=begun, address=address, now=now)


def words_of_code_refusal(refused: Refused) -> str:
    """As `words_of_refusal`, with the time by the clock."""
    if refused.reason == Reason.CODE_TOO_SOON:
        refused = Refused(refused.reason, refused.field, clock(datetime.fromisoformat(refused.value)))
    return words_of_refusal(refused)


@require_http_methods(["GET", "HEAD", "POST"])
def sign_up_code(request: HttpRequest) -> HttpResponse:
    """The code, or another one; the account opens with it."""
    begun = SignUp.objects.filter(pk=request.session.get(SIGN_UP, 0)).first()
    if begun is None:
        return redirect("sign-up")
    context: dict[str, Any] = {"mobile": phone(begun.mobile), "login_name": begun.login_name}
    if request.method != "POST":
        return render(request, "portal/sign-up-code.html", context)
    now = timezone.now()
    try:
        if request.POST.get("do") == "again":
            _send(request, begun, now)
            return redirect("sign-up-code")
        typed = request.POST.get("code", "")[:LONGEST_CODE]
        wrong = wrong_code(Purpose.SIGN_UP, typed, mobile=begun.mobile, sign_up=begun, now=now)
        if wrong is not None:
            raise Refused(wrong, "code")
        owner = open_from_sign_up(begun, now=now)
    except Refused as refused:
        context["error"] = words_of_code_refusal(refused)
        return render(request, "portal/sign-up-code.html", context, status=UNPROCESSABLE)
    del request.session[SIGN_UP]
    return let_in(request, owner, "")
