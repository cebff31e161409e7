"""Signing up: what somebody fills in before the code that verifies their mobile (spec S131)."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password

from sampan.accounts.proofs.tables import SignUp
from sampan.accounts.tables import Person
from sampan.reasons import Reason, Refused

_LOGIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,19}")
_REGISTRATION = re.compile(r"([0-9]{8})(?:-[0-9A-Z-]*)?")  # what follows the hyphen is of a branch and a year


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The first form, read."""

    login_name: str
    password: str
    company: str
    registration_number: str
    contact: str
    email: str
    mobile: int
    language: str


def is_login_name(name: str) -> bool:
    """3 to 20 letters, digits, dots, hyphens and underlines, a letter first: as every door can take it."""
    return bool(_LOGIN_NAME.fullmatch(name))


def registration_number(typed: str) -> str | None:
    """The 8 digits of a business registration number, however much of the certificate's line was copied."""
    match = _REGISTRATION.fullmatch("".join(typed.split()).upper())
    return match[1] if match else None


def refuse_taken(login_name: str) -> None:
    """Raises Refused(LOGIN_NAME_TAKEN) for a name that is somebody's, in any case."""
    if Person.objects.filter(login_name__iexact=login_name).exists():
        raise Refused(Reason.LOGIN_NAME_TAKEN, "login_name", login_name)


def begin_sign_up(filled: Filled, *, now: datetime) -> SignUp:
    """Keep the form until the code comes back. Raises Refused(LOGIN_NAME_TAKEN)."""
    refuse_taken(filled.login_name)
    return SignUp.objects.create(
        login_name=filled.login_name,
        password=make_password(filled.password),
        company=filled.company,
        registration_number=filled.registration_number,
        contact=filled.contact,
        email=filled.email,
        mobile=filled.mobile,
        language=filled.language,
        created_at=now,
    )
