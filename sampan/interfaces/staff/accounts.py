"""Approvals: registrations and sender IDs that wait; suspending, reopening, closing (spec S131, S60, S134)."""

from datetime import date

from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sampan.accounts import applications, members, senders
from sampan.accounts.acts import Act
from sampan.accounts.tables import Application, Customer, Decision, Document, Person, SenderId, SenderRequest
from sampan.interfaces import account_mails
from sampan.interfaces.account_mails import tell_owners
from sampan.interfaces.attachments import attachment
from sampan.interfaces.staff.access import Staffer, for_staff, page, say, typed
from sampan.reasons import Reason, Refused
from sampan.webhooks import sender_ids

HERE = "staff:approvals"
MOST_SHOWN = 200
STATE_ACTS = {
    "suspend": (Act.SUSPEND_CUSTOMER, applications.suspend),
    "reopen": (Act.REOPEN_CUSTOMER, applications.reopen),
    "close": (Act.CLOSE_CUSTOMER, applications.close),
}


@require_safe
@for_staff(Act.APPROVE_CUSTOMER, Act.GRANT_SENDER)
def approvals(request: HttpRequest, staffer: Staffer) -> HttpResponseBase:
    """What waits for a decision, the oldest first."""
    waiting = Application.objects.filter(decision=Decision.WAITING).select_related("customer")
    asked = SenderRequest.objects.filter(decision=Decision.WAITING).select_related("customer")
    return page(
        request,
        staffer,
        "staff/approvals.html",
        here=HERE,
        applications=waiting.order_by("asked_at")[:MOST_SHOWN] if staffer.may(Act.APPROVE_CUSTOMER) else [],
        requests=asked.order_by("asked_at")[:MOST_SHOWN] if staffer.may(Act.GRANT_SENDER) else [],
    )


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.APPROVE_CUSTOMER)
def application(request: HttpRequest, staffer: Staffer, application_id: int) -> HttpResponseBase:
    """One registration: the certificate, and the decision."""
    found = get_object_or_404(Application.objects.select_related("customer", "document", "asked_by"), pk=application_id)
    if request.method == "POST":
        now, words = timezone.now(), typed(request, "why")
        with transaction.atomic():
            if request.POST.get("do") == "approve":
                customer = applications.approve(application_id, by=staffer.person, why=words, now=now)
                tell_owners(customer, account_mails.approved, now)
                say(request, _("%(name)s is approved") % {"name": customer.name})
            else:
                customer = applications.send_back(application_id, by=staffer.person, words=words, now=now)
                tell_owners(customer, account_mails.sent_back(words), now)
                say(request, _("Sent back to %(name)s") % {"name": customer.name})
        return redirect(HERE)
    number = found.customer.registration_number
    same = Customer.objects.filter(registration_number=number).exclude(pk=found.customer_id)[:MOST_SHOWN]
    return page(request, staffer, "staff/application.html", here=HERE, application=found, same=same if number else [])


@require_safe
@for_staff(Act.READ_DOCUMENT)
def document(_request: HttpRequest, staffer: Staffer, document_id: int) -> HttpResponseBase:
    """A customer's document, as a download; the look is logged."""
    found = get_object_or_404(Document, pk=document_id)
    try:
        return attachment(found, applications.read_as_staff(found, by=staffer.person, now=timezone.now()))
    except FileNotFoundError as error:
        raise Http404 from error


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.GRANT_SENDER)
def sender_request(request: HttpRequest, staffer: Staffer, request_id: int) -> HttpResponseBase:
    """One sender ID that is asked for."""
    asked = SenderRequest.objects.select_related("customer", "document", "asked_by")
    found = get_object_or_404(asked, pk=request_id)
    if request.method == "POST":
        now, words = timezone.now(), typed(request, "why")
        with transaction.atomic():
            if request.POST.get("do") == "grant":
                registered_on = _day(typed(request, "registered_on"))
                sender_ids.grant(request_id, by=staffer.person, grounds=words, registered_on=registered_on, now=now)
                tell_owners(found.customer, account_mails.sender_granted(found.text), now)
                say(request, _("%(sender)s is granted") % {"sender": found.text})
            else:
                sender_ids.send_back(request_id, by=staffer.person, words=words, now=now)
                tell_owners(found.customer, account_mails.sender_sent_back(found.text, words), now)
                say(request, _("%(sender)s is sent back") % {"sender": found.text})
        return redirect(HERE)
    needs_day = found.text.startswith(senders.REGISTERED)
    others = SenderId.objects.filter(text__iexact=found.text, withdrawn_at=None).exclude(customer=found.customer)
    return page(
        request,
        staffer,
        "staff/sender-request.html",
        here=HERE,
        asked=found,
        needs_day=needs_day,
        others=others.select_related("customer")[:MOST_SHOWN],
    )


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written) if written else None
    except ValueError:
        raise Refused(Reason.BAD_TIME, "registered_on", written) from None


@require_http_methods(["GET", "HEAD", "POST"])
@for_staff(Act.SUSPEND_CUSTOMER, Act.CLOSE_CUSTOMER, Act.GRANT_SENDER, Act.WITHDRAW_SENDER, Act.RESET_SECOND_FACTOR)
def account(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """A customer's state, its sender IDs and its members' second factors."""
    customer = get_object_or_404(Customer, pk=customer_id)
    if request.method == "POST":
        act = request.POST.get("do", "")
        if act not in STATE_ACTS:
            raise Refused(Reason.NO_CHOICE, "do")
        now, words = timezone.now(), typed(request, "why")
        with transaction.atomic():
            changed = STATE_ACTS[act][1](customer_id, by=staffer.person, words=words, now=now)
            tell_owners(changed, account_mails.changed_state(words), now)
        say(request, _("The account’s state is changed"))
        return redirect("staff:account", customer_id)
    acts = [name for name, (act, _do) in STATE_ACTS.items() if staffer.may(act) and _fits(name, customer)]
    return page(
        request,
        staffer,
        "staff/account.html",
        here="staff:customers",
        customer=customer,
        acts=acts,
        senders=customer.sender_ids.filter(withdrawn_at=None).order_by("created_at"),
        documents=customer.documents.order_by("-created_at")[:MOST_SHOWN],
        secured=customer.members.filter(second_factor__confirmed_at__isnull=False),
        may_make=staffer.may(Act.GRANT_SENDER) and customer.status != Customer.Status.CLOSED,
        most=senders.MOST_OF_A_CUSTOMER,
        may_withdraw=staffer.may(Act.WITHDRAW_SENDER),
        may_reset=staffer.may(Act.RESET_SECOND_FACTOR),
        may_read=staffer.may(Act.READ_DOCUMENT),
    )


def _fits(act: str, customer: Customer) -> bool:
    if customer.is_platform or customer.status == Customer.Status.CLOSED:
        return False
    is_suspended = customer.status == Customer.Status.SUSPENDED
    return {"suspend": not is_suspended, "reopen": is_suspended, "close": True}[act]


@require_POST
@for_staff(Act.GRANT_SENDER)
def make_sender(request: HttpRequest, staffer: Staffer, customer_id: int) -> HttpResponseBase:
    """A name that the customer asked for by another way than the portal."""
    customer = get_object_or_404(Customer, pk=customer_id)
    now = timezone.now()
    with transaction.atomic():
        made = sender_ids.make_as_staff(
            customer,
            typed(request, "sender"),
            by=staffer.person,
            grounds=typed(request, "why"),
            registered_on=_day(typed(request, "registered_on")),
            now=now,
        )
        tell_owners(customer, account_mails.sender_granted(made.text), now)
    say(request, _("%(sender)s is granted") % {"sender": made.text})
    return redirect("staff:account", customer_id)


@require_POST
@for_staff(Act.WITHDRAW_SENDER)
def withdraw_sender(request: HttpRequest, staffer: Staffer, sender_id: int) -> HttpResponseBase:
    """It is used no more."""
    now, words = timezone.now(), typed(request, "why")
    with transaction.atomic():
        sender = sender_ids.withdraw(sender_id, by=staffer.person, why=words, now=now)
        tell_owners(sender.customer, account_mails.sender_withdrawn(sender.text, words), now)
    say(request, _("%(sender)s is withdrawn") % {"sender": sender.text})
    return redirect("staff:account", sender.customer_id)


@require_POST
@for_staff(Act.RESET_SECOND_FACTOR)
def reset_second_factor(request: HttpRequest, staffer: Staffer, person_id: int) -> HttpResponseBase:
    """For a member who lost the phone and the recovery codes, and has shown who they are."""
    member = get_object_or_404(Person, pk=person_id, customer__isnull=False)
    members.reset_second_factor(member, by=staffer.person, why=typed(request, "why"), now=timezone.now())
    say(request, _("%(name)s signs in by the password alone now") % {"name": member})
    return redirect("staff:account", member.customer_id)
