"""China in the console: its words, its lists of numbers, and customers' signatures (spec S90–S92)."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts.acts import LONGEST_WHY, Act
from sampan.compliance import china_numbers, signatures, words
from sampan.compliance.tables import LONGEST_EVIDENCE, ChinaNumber, ChinaSignature, ChinaWord
from sampan.interfaces.compliance_words import NOTHING_TYPED, SIGNATURE_STATES
from sampan.interfaces.staff.access import UNPROCESSABLE, Staffer, for_staff, page, say, typed
from sampan.interfaces.staff.forms import WhyForm
from sampan.interfaces.staff.paging import paged
from sampan.reasons import Reason, Refused
from sampan.uploads.reading import MEBI

MOST_FILE_OCTETS = 4 * MEBI
LONGEST_TYPED = 20_000
WORDS, NUMBERS, SIGNATURES = "staff:words", "staff:china-numbers", "staff:signatures"
LISTS = {
    ChinaNumber.Kind.BLOCK: gettext_lazy("blocked: no text at all"),
    ChinaNumber.Kind.WHITE: gettext_lazy("white-listed: the block is lifted"),
}
SIGNATURES_SHOWN = 100


class WordsForm(WhyForm):
    """Words to add, typed or in a file."""

    words = forms.CharField(
        label=gettext_lazy("Words, one a line"),
        required=False,
        max_length=LONGEST_TYPED,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    file = forms.FileField(label=gettext_lazy("Or a text file, one word a line, in UTF-8"), required=False)
    replaces = forms.BooleanField(label=gettext_lazy("These instead of all there are"), required=False)

    def given(self) -> list[str]:
        """The words. Raises Refused where there are none, or the file cannot be read."""
        file = self.cleaned_data["file"]
        if file and file.size > MOST_FILE_OCTETS:
            raise Refused(Reason.FILE_TOO_LARGE, "file", f"{MOST_FILE_OCTETS // MEBI} MB")
        octets = file.read() if file else self.cleaned_data["words"].encode()
        found = words.read_words(octets)
        if not found:
            raise Refused(Reason.WORD_EMPTY, "words")
        return found


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_WORDS)
def word_library(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """The words, found by a part of them; a trial of a text; new words."""
    form = WordsForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        added: dict[str, Any] = {"by": staffer.person, "now": timezone.now(), "why": form.reason}
        given = form.given()
        if form.cleaned_data["replaces"]:
            came, went = words.replace_words(given, **added)
        else:
            came, went = words.add_words(given, **added), 0
        say(request, _("Words added: %(came)s; removed: %(went)s") % {"came": came, "went": went})
        return redirect(WORDS)
    asked, text = request.GET.get("asked", "")[:60], request.GET.get("text", "")[:LONGEST_WHY]
    found = ChinaWord.objects.select_related("by")
    if folded := words.fold(asked):
        found = found.filter(folded__contains=folded)
    context: dict[str, Any] = {
        "form": form,
        "asked": asked,
        "text": text,
        "hits": words.illegal_words(staffer.conn, text) if text else [],
        "total": ChinaWord.objects.count(),
        "found": paged(request, found),
    }
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/words.html", here=WORDS, status=status, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.CHANGE_WORDS)
def word(request: HttpRequest, staffer: Staffer, word_id: int) -> HttpResponseBase:
    """One of them, to remove it."""
    found = get_object_or_404(ChinaWord, pk=word_id)
    form = WhyForm(request.POST or None)
    if form.is_valid():
        words.remove_word(word_id, by=staffer.person, now=timezone.now(), why=form.reason)
        say(request, _("The word is removed"))
        return redirect(WORDS)
    context: dict[str, Any] = {"heading": found.word, "press": _("Remove the word"), "form": form}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=WORDS, status=status, **context)


@require_safe
@for_staff(Act.CHANGE_WORDS)
def words_file(_request: HttpRequest, _staffer: Staffer) -> HttpResponse:
    """All of them, as a file that can be added again."""
    response = HttpResponse("\r\n".join(words.all_words()), content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="china-words.txt"'
    return response


class NumbersForm(forms.Form):
    """Numbers for one of the lists; their grounds are what the log keeps."""

    numbers = forms.CharField(
        label=gettext_lazy("Numbers, one a line"),
        max_length=LONGEST_TYPED,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    kind = forms.TypedChoiceField(label=gettext_lazy("List"), choices=list(LISTS.items()), coerce=int)
    grounds = forms.CharField(
        label=gettext_lazy("Grounds"),
        max_length=LONGEST_EVIDENCE,
        help_text=gettext_lazy("Such as who complained, and to whom. No names of customers."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for field in self.fields.values():
            field.error_messages["required"] = NOTHING_TYPED


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.LIST_CHINA_NUMBER)
def number_lists(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Both lists, found by a number; numbers to put on them."""
    now = timezone.now()
    form = NumbersForm(request.POST or None)
    if form.is_valid():
        given = [line for line in form.cleaned_data["numbers"].splitlines() if line.strip()]
        kind, grounds = ChinaNumber.Kind(form.cleaned_data["kind"]), form.cleaned_data["grounds"]
        count = china_numbers.list_numbers(given, kind, grounds=grounds, by=staffer.person, now=now)
        say(request, _("Numbers listed: %(count)s") % {"count": count})
        return redirect(NUMBERS)
    asked = "".join(filter(str.isdecimal, request.GET.get("asked", "")))[:15]
    found = ChinaNumber.objects.select_related("by")
    if asked:
        found = found.filter(number=int(asked))
    context: dict[str, Any] = {"form": form, "asked": asked, "found": paged(request, found), "lists": LISTS}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/china-numbers.html", here=NUMBERS, status=status, **context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.LIST_CHINA_NUMBER)
def listed_number(request: HttpRequest, staffer: Staffer, row_id: int) -> HttpResponseBase:
    """One of them, to take off its list."""
    found = get_object_or_404(ChinaNumber, pk=row_id)
    form = WhyForm(request.POST or None)
    if form.is_valid():
        china_numbers.unlist_number(row_id, why=form.reason, by=staffer.person, now=timezone.now())
        say(request, _("The number is taken off its list"))
        return redirect(NUMBERS)
    heading = f"{found.number}: {LISTS[ChinaNumber.Kind(found.kind)]}"
    context: dict[str, Any] = {"heading": heading, "press": _("Take it off"), "form": form}
    status = UNPROCESSABLE if form.errors else 200
    return page(request, staffer, "staff/form.html", here=NUMBERS, status=status, **context)


@require_safe
@for_staff(Act.DECIDE_SIGNATURE)
def signature_list(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """Those that wait, and those in force."""
    shown = (ChinaSignature.State.REQUESTED, ChinaSignature.State.APPROVED)
    found = ChinaSignature.objects.filter(state__in=shown).select_related("customer").order_by("state", "-pk")
    rows = [(each, SIGNATURE_STATES[ChinaSignature.State(each.state)]) for each in found[:SIGNATURES_SHOWN]]
    return page(request, staffer, "staff/signatures.html", here=SIGNATURES, rows=rows, most=SIGNATURES_SHOWN)


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.DECIDE_SIGNATURE)
def signature(request: HttpRequest, staffer: Staffer, signature_id: int) -> HttpResponseBase:
    """One of them: approved, sent back or withdrawn."""
    found = get_object_or_404(ChinaSignature.objects.select_related("customer"), pk=signature_id)
    if request.method == "POST":
        by: dict[str, Any] = {"by": staffer.person, "now": timezone.now()}
        match request.POST.get("do"):
            case "approve":
                signatures.approve_signature(signature_id, words=typed(request, "why"), **by)
                say(request, _("【%(name)s】 is approved") % {"name": found.name})
            case "back":
                signatures.send_signature_back(signature_id, words=typed(request, "why"), **by)
                say(request, _("【%(name)s】 is sent back") % {"name": found.name})
            case "withdraw":
                signatures.withdraw_signature(signature_id, words=typed(request, "why"), **by)
                say(request, _("【%(name)s】 is withdrawn") % {"name": found.name})
            case _:
                raise Refused(Reason.NO_CHOICE, "do")
        return redirect(SIGNATURES)
    others = ChinaSignature.objects.filter(name__iexact=found.name).exclude(pk=found.pk).select_related("customer")
    context: dict[str, Any] = {
        "signature": found,
        "state": SIGNATURE_STATES[ChinaSignature.State(found.state)],
        "waits": found.state == ChinaSignature.State.REQUESTED,
        "in_force": found.state == ChinaSignature.State.APPROVED,
        "others": [(each, SIGNATURE_STATES[ChinaSignature.State(each.state)]) for each in others[:SIGNATURES_SHOWN]],
    }
    return page(request, staffer, "staff/signature.html", here=SIGNATURES, **context)
