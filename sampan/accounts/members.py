"""Members of a customer: invited by a link, with a role; changed and removed by its owners (spec S131)."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction

from sampan.accounts import second_factor, sessions
from sampan.accounts.acts import Act, record, require
from sampan.accounts.proofs.tables import Invitation
from sampan.accounts.sign_up import refuse_taken
from sampan.accounts.tables import ApiKey, Customer, Person
from sampan.reasons import Reason, Refused

MOST_MEMBERS = 50  # of a customer, invitations counted
VALID_FOR = timedelta(days=7)
TOKEN_OCTETS = 24


@transaction.atomic
def invite(by: Person, *, email: str, role: str, may_send: bool, now: datetime) -> tuple[Invitation, str]:
    """The invitation, and the token for its link: it is kept nowhere. Raises Refused.

    Who is invited once more gets a new link; the one before counts no more.
    """
    customer = _locked(by)
    members = Person.objects.filter(customer=customer, is_active=True)
    waiting = Invitation.objects.filter(customer=customer, accepted_at=None, withdrawn_at=None)
    if members.filter(email__iexact=email).exists():
        raise Refused(Reason.MEMBER_THERE, "email", email)
    waiting.filter(email__iexact=email).update(withdrawn_at=now)
    if members.count() + waiting.count() >= MOST_MEMBERS:
        raise Refused(Reason.TOO_MANY_MEMBERS, "email", str(MOST_MEMBERS))
    token = secrets.token_urlsafe(TOKEN_OCTETS)
    invitation = Invitation.objects.create(
        customer=customer,
        email=email,
        role=Person.Role(role),
        may_send=may_send,
        digest=_digest(token),
        invited_by=by,
        created_at=now,
    )
    return invitation, token


def invitation_of(token: str, *, now: datetime) -> Invitation:
    """The invitation that a link is for. Raises Refused(INVITATION_VOID)."""
    found = Invitation.objects.select_related("customer").filter(
        digest=_digest(token), accepted_at=None, withdrawn_at=None, created_at__gt=now - VALID_FOR
    )
    invitation = found.first()
    if invitation is None or invitation.customer.status == Customer.Status.CLOSED:
        raise Refused(Reason.INVITATION_VOID, "token")
    return invitation


@transaction.atomic
def accept(token: str, *, login_name: str, password: str, name: str, language: str, now: datetime) -> Person:
    """The new member. Raises Refused: INVITATION_VOID, LOGIN_NAME_TAKEN."""
    invitation = invitation_of(token, now=now)
    if Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=now) != 1:
        raise Refused(Reason.INVITATION_VOID, "token")
    refuse_taken(login_name)
    try:
        with transaction.atomic():
            return Person.objects.create(
                login_name=login_name,
                password=make_password(password),
                name=name,
                email=invitation.email,
                language=language,
                customer=invitation.customer,
                role=invitation.role,
                may_send=invitation.may_send,
                created_at=now,
            )
    except IntegrityError:
        raise Refused(Reason.LOGIN_NAME_TAKEN, "login_name", login_name) from None


@transaction.atomic
def withdraw_invitation(by: Person, invitation_id: int, *, now: datetime) -> None:
    """Its link counts no more."""
    waiting = Invitation.objects.filter(customer=_locked(by), accepted_at=None, withdrawn_at=None)
    waiting.filter(pk=invitation_id).update(withdrawn_at=now)


@transaction.atomic
def change(by: Person, member_id: int, *, role: str, may_send: bool) -> Person:
    """Give a member another role. Raises Refused(LAST_OWNER), Person.DoesNotExist for another customer's."""
    member = _member(by, member_id)
    if role != Person.Role.OWNER:
        _keep_an_owner(member)
    member.role, member.may_send = Person.Role(role), may_send
    member.save(update_fields=["role", "may_send"])
    return member


@transaction.atomic
def remove(by: Person, member_id: int, *, now: datetime) -> Person:
    """A member signs in no more, and their keys are void. What they did stays theirs. Raises as `change`."""
    member = _member(by, member_id)
    _keep_an_owner(member)
    member.is_active = False
    member.save(update_fields=["is_active"])
    ApiKey.objects.filter(person=member, revoked_at=None).update(revoked_at=now)
    sessions.end_all(member)
    return member


@transaction.atomic
def reset_second_factor(member: Person, *, by: Person, why: str, now: datetime) -> None:
    """By staff, for who lost the phone and the codes: the password alone signs in. Raises NotAllowed, Refused."""
    require(by, Act.RESET_SECOND_FACTOR)
    second_factor.remove(member)
    sessions.end_all(member)
    record(Act.RESET_SECOND_FACTOR, by=by, subject=member, why=why, now=now)


def _locked(by: Person) -> Customer:
    """The customer's row, so that two owners who act at once act one after the other."""
    assert by.customer_id is not None, "staff have no members"
    return Customer.objects.select_for_update(no_key=True).get(pk=by.customer_id)


def _member(by: Person, member_id: int) -> Person:
    customer = _locked(by)
    return Person.objects.select_for_update(no_key=True).get(pk=member_id, customer=customer, is_active=True)


def _keep_an_owner(member: Person) -> None:
    owners = Person.objects.filter(customer=member.customer, role=Person.Role.OWNER, is_active=True)
    if not owners.exclude(pk=member.pk).exists():
        raise Refused(Reason.LAST_OWNER, "role")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
