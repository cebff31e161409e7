"""Codes of six digits that are sent to a mobile, and how often one may be asked for (spec S131, S132, S62)."""

import secrets
from datetime import datetime, timedelta
from hmac import compare_digest
from ipaddress import ip_address

from django.db import connection, transaction
from django.db.models import Q

from sampan.accounts.proofs.tables import ProofSent, SignUp
from sampan.accounts.seals import mark
from sampan.accounts.tables import Person
from sampan.reasons import Reason, Refused

Purpose = ProofSent.Purpose
DIGITS = 6
VALID_FOR = timedelta(minutes=10)
MOST_WRONG_TRIES = 5
ONE_IN = timedelta(minutes=2)  # spec S132
DAY = timedelta(days=1)
MOST_A_DAY = 3  # spec S132; to one mobile, or for one person
MOST_A_DAY_FOR_AN_ADDRESS = 20
MOST_SIGN_UPS_A_DAY = 1_000  # codes of strangers are ours to pay
KEPT_FOR = timedelta(days=3)


def note_proof(
    purpose: Purpose,
    *,
    mobile: int | None = None,
    person: Person | None = None,
    sign_up: SignUp | None = None,
    address: str | None,
    now: datetime,
) -> str:
    """A new code, to be sent in this transaction; the ones before count no more. For a mail it is only counted.

    Raises Refused: CODE_TOO_SOON until a time, TOO_MANY_CODES.
    """
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    _one_at_a_time(mobile or (person.pk if person else 0))
    _check_limits(purpose, mobile, person, address, now)
    ProofSent.objects.create(
        purpose=purpose,
        sign_up=sign_up,
        person=person,
        mobile=mobile,
        address=address,
        digest=_digest(purpose, mobile, code) if mobile else None,
        sent_at=now,
    )
    return code


def wrong_code(
    purpose: Purpose,
    code: str,
    *,
    mobile: int,
    person: Person | None = None,
    sign_up: SignUp | None = None,
    now: datetime,
) -> Reason | None:
    """What is wrong with a code that was typed; None where it is the last one sent, which is used by that.

    It raises nothing, so that the wrong tries it counts are committed.
    """
    with transaction.atomic():
        sent = ProofSent.objects.select_for_update().filter(
            purpose=purpose, mobile=mobile, person=person, sign_up=sign_up
        )
        last = sent.order_by("-sent_at", "-id").first()
        if last is None or last.used_at or now - last.sent_at > VALID_FOR or last.wrong_tries >= MOST_WRONG_TRIES:
            return Reason.CODE_EXPIRED
        typed = "".join(code.split())
        if not compare_digest(bytes(last.digest or b""), _digest(purpose, mobile, typed)):
            last.wrong_tries += 1
            last.save(update_fields=["wrong_tries"])
            return Reason.CODE_WRONG
        last.used_at = now
        last.save(update_fields=["used_at"])
        return None


def forget_proofs(now: datetime) -> int:
    """Remove what is past every limit, and sign-ups that nobody finished; how many."""
    forgotten = ProofSent.objects.filter(sent_at__lt=now - KEPT_FOR).delete()[0]
    return forgotten + SignUp.objects.filter(created_at__lt=now - DAY).delete()[0]


def _digest(purpose: Purpose, mobile: int | None, code: str) -> bytes:
    return mark("codes", f"{purpose.value}:{mobile}:{code}")


def _one_at_a_time(number: int) -> None:
    """Who asks for the same place waits until this transaction ends, so that two at once are counted as two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('proof_sent', %s))", [number])


def _check_limits(
    purpose: Purpose, mobile: int | None, person: Person | None, address: str | None, now: datetime
) -> None:
    today = ProofSent.objects.filter(sent_at__gt=now - DAY)
    by_mail = purpose == Purpose.PASSWORD_BY_MAIL
    same = Q(person=person, purpose=purpose) if by_mail else Q(mobile=mobile)
    if person is not None and not by_mail:
        same |= Q(person=person) & ~Q(purpose=Purpose.PASSWORD_BY_MAIL)
    times = sorted(today.filter(same).values_list("sent_at", flat=True))
    if times and now - times[-1] < ONE_IN:
        raise Refused(Reason.CODE_TOO_SOON, "mobile", (times[-1] + ONE_IN).isoformat())
    from_there = today.filter(address=address).count() if address and ip_address(address).is_global else 0
    sign_ups = today.filter(purpose=Purpose.SIGN_UP).count() if purpose == Purpose.SIGN_UP else 0
    if len(times) >= MOST_A_DAY or from_there >= MOST_A_DAY_FOR_AN_ADDRESS or sign_ups >= MOST_SIGN_UPS_A_DAY:
        raise Refused(Reason.TOO_MANY_CODES, "mobile")
