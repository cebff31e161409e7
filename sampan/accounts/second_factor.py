"""The second factor: codes of an authenticator app (RFC 6238), and recovery codes (spec S132).

It is set up in two steps, so that nobody is locked out by an app that never took the secret: `begin` gives it, and the
first right code makes it count.
"""

import base64
import hmac
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.db import transaction

from sampan.accounts.proofs.tables import RecoveryCode, SecondFactor
from sampan.accounts.seals import mark, seal, unseal
from sampan.accounts.sign_in import TooManyFailures
from sampan.accounts.tables import Person

ISSUER = "Sampan"
SECRET_OCTETS = 20  # as long as SHA-1's output (RFC 4226 §4, R6)
DIGITS, STEP_S = 6, 30  # what every app takes for granted
STEPS_ASIDE = 1  # a clock may be half a minute off (RFC 6238 §5.2)
RECOVERY_CODES = 10
RECOVERY_OCTETS = 5  # 40 bits, of which nobody gets more than a few guesses
MOST_FAILURES = 5
WAIT = timedelta(minutes=15)


class Setup(NamedTuple):
    """What an authenticator app is told: the address a QR code carries, and the secret to type."""

    address: str
    secret: str  # in base32


def has_second_factor(person: Person) -> bool:
    """Whether this person is asked for a code after the password."""
    return SecondFactor.objects.filter(person=person, confirmed_at__isnull=False).exists()


def begin(person: Person, *, now: datetime) -> Setup:
    """A secret that counts from the first right code on; asked again before that, it is the same one."""
    with transaction.atomic():
        sealed = seal(base64.b32encode(secrets.token_bytes(SECRET_OCTETS)).decode())
        factor, _made = SecondFactor.objects.get_or_create(
            person=person, defaults={"secret": sealed, "created_at": now}
        )
    if factor.confirmed_at is not None:
        raise ValueError("there is a second factor already; remove it first")
    secret = unseal(bytes(factor.secret))
    return Setup(_totp(secret).get_provisioning_uri(person.login_name, ISSUER), secret)


@transaction.atomic
def confirm(person: Person, code: str, *, now: datetime) -> list[str] | None:
    """The recovery codes, to be shown once, where the app's code is right; else None. Raises TooManyFailures."""
    factor = SecondFactor.objects.select_for_update().filter(person=person, confirmed_at=None).first()
    if factor is None or not _take(factor, code, now):
        return None
    factor.confirmed_at = now
    factor.save()
    return new_recovery_codes(person)


@transaction.atomic
def check(person: Person, code: str, *, now: datetime) -> bool:
    """Whether this is the app's code of now, or a recovery code not used yet; each is taken once.

    Raises TooManyFailures after some wrong ones. Who has none is never let in by it.
    """
    factor = SecondFactor.objects.select_for_update().filter(person=person, confirmed_at__isnull=False).first()
    return factor is not None and _take(factor, code, now, recovery=True)


def _take(factor: SecondFactor, code: str, now: datetime, *, recovery: bool = False) -> bool:
    """Count what was tried with a locked factor."""
    waits_until = factor.failed_at + WAIT if factor.failed_at else now
    if factor.failures >= MOST_FAILURES and now < waits_until:
        raise TooManyFailures(waits_until)
    typed = "".join(code.split()).replace("-", "").upper()
    step = _step_of(unseal(bytes(factor.secret)), typed, now)
    is_right = step is not None and step > factor.last_step
    if step is not None and is_right:
        factor.last_step = step
    elif recovery:
        is_right = _use_recovery_code(factor.person_id, typed, now)
    if is_right:
        factor.failures = 0
    else:
        factor.failures = 1 if now >= waits_until else factor.failures + 1
        factor.failed_at = now
    factor.save()
    return is_right


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_S)  # noqa: S303 - RFC 6238's own; HMAC needs no more


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """The half minute whose code this is, of those near now."""
    if len(typed) != DIGITS or not typed.isascii() or not typed.isdecimal():
        return None
    present = int(now.timestamp()) // STEP_S
    return next((step for step in _near(present) if _is_code(secret, typed, step)), None)


def _near(step: int) -> Iterator[int]:
    yield from range(step - STEPS_ASIDE, step + STEPS_ASIDE + 1)


def _is_code(secret: str, typed: str, step: int) -> bool:
    return hmac.compare_digest(_totp(secret).generate(step * STEP_S), typed.encode())


def _use_recovery_code(person_id: int, typed: str, now: datetime) -> bool:
    unused = RecoveryCode.objects.filter(person_id=person_id, digest=mark("recovery", typed), used_at=None)
    return unused.update(used_at=now) == 1


@transaction.atomic
def new_recovery_codes(person: Person) -> list[str]:
    """Ten codes of eight letters and digits, to be shown once; those from before count no more."""
    codes = [base64.b32encode(secrets.token_bytes(RECOVERY_OCTETS)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person=person).delete()
    RecoveryCode.objects.bulk_create(RecoveryCode(person=person, digest=mark("recovery", code)) for code in codes)
    return [f"{code[:4]}-{code[4:]}" for code in codes]


def recovery_codes_left(person: Person) -> int:
    """How many are not used yet."""
    return RecoveryCode.objects.filter(person=person, used_at=None).count()


@transaction.atomic
def remove(person: Person) -> None:
    """Ask this person for the password alone, from now on."""
    SecondFactor.objects.filter(person=person).delete()
    RecoveryCode.objects.filter(person=person).delete()
