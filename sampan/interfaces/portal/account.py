"""Settings: the company and its approval; one's own signing in."""

from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sampan.accounts import applications
from sampan.accounts.documents import read_document
from sampan.accounts.permissions import Permission
from sampan.accounts.sign_up import registration_number
from sampan.accounts.tables import Application, Customer, Decision, Document
from sampan.interfaces import own_access
from sampan.interfaces.attachments import attachment
from sampan.interfaces.portal.access import Member, for_members, for_permission, page
from sampan.interfaces.words import words_of_refusal
from sampan.reasons import Refused
from sampan.uploads.documents import ACCEPTED

UNPROCESSABLE = 422
LONGEST_NUMBER = 40
FRAME: dict[str, Any] = {
    "frame": "frame.html",
    "tabs": "portal/settings-tabs.html",
    "here": "settings",
    "go_on": "../",
}


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def security(request: HttpRequest, member: Member) -> HttpResponse:
    """Password, second factor, sessions."""
    show = partial(page, request, member, tab="security", **FRAME)
    return own_access.security(request, member.person, show)


@require_http_methods(["GET", "HEAD", "POST"])
@for_members
def second_factor(request: HttpRequest, member: Member) -> HttpResponse:
    """Setting one up."""
    return own_access.set_up(request, member.person, partial(page, request, member, tab="security", **FRAME))


@require_http_methods(["GET", "HEAD", "POST"])
@for_permission(Permission.SEE_ACCOUNT)
def company(request: HttpRequest, member: Member) -> HttpResponse:
    """What we know of the company; on trial the registration is filed here."""
    customer = Customer.objects.get(pk=member.customer.id)
    errors: dict[str, str] = {}
    number = customer.registration_number
    if request.method == "POST" and member.may(Permission.MANAGE_ACCOUNT):
        number = request.POST.get("registration", "")[:LONGEST_NUMBER]
        errors = _file(request, member, number)
        if not errors:
            return redirect("account")
    last = Application.objects.filter(customer=customer).select_related("document").order_by("-asked_at").first()
    return page(
        request,
        member,
        "portal/company.html",
        status=UNPROCESSABLE if errors else 200,
        tab="company",
        here="settings",
        company=customer,
        errors=errors,
        number=number,
        last=last,
        is_trial=customer.status == Customer.Status.TRIAL,
        is_waiting=last is not None and last.decision == Decision.WAITING,
        sent_back=last is not None and last.decision == Decision.SENT_BACK,
        accepted=ACCEPTED,
        may_manage=member.may(Permission.MANAGE_ACCOUNT),
    )


def _file(request: HttpRequest, member: Member, typed: str) -> dict[str, str]:
    """File the registration; what stands against it, beside its field."""
    number = registration_number(typed)
    if number is None:
        return {"registration": _("Not a business registration number. Copy its 8 digits.")}
    file = request.FILES.get("document")
    if file is None:
        return {"document": _("There is no file yet. Choose one.")}
    try:
        applications.apply(
            member.person,
            file.read(),
            file_name=file.name or "",
            registration_number=number,
            now=timezone.now(),
        )
    except Refused as refused:
        return {"document": words_of_refusal(refused)}
    return {}


@require_safe
@for_permission(Permission.SEE_ACCOUNT)
def document(_request: HttpRequest, member: Member, document_id: int) -> HttpResponse:
    """A document of this customer, as a download."""
    found = Document.objects.filter(pk=document_id, customer_id=member.customer.id).first()
    if found is None:
        raise Http404
    try:
        return attachment(found, read_document(found))
    except FileNotFoundError as error:
        raise Http404 from error
