"""The signature 【…】 of a customer's texts to China: asked for, approved, and then nobody else's (spec S90)."""

from datetime import datetime

from django.db import IntegrityError, transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Customer, Person
from sampan.compliance.tables import LONGEST_EVIDENCE, ChinaSignature
from sampan.composing.signature import is_valid_signature
from sampan.database import Snapshot
from sampan.reasons import Reason, Refused

State = ChinaSignature.State
IN_FORCE = f"SELECT customer_id, name FROM china_signature WHERE state = {State.APPROVED.value}"
# For the console: how many requests wait, and since when.
WAITING = f"SELECT count(*), min(requested_at) FROM china_signature WHERE state = {State.REQUESTED.value}"

signatures: Snapshot[dict[int, str]] = Snapshot(lambda conn: dict(conn.execute(IN_FORCE).fetchall()), "china_signature")


def request_signature(customer: Customer, name: str, *, grounds: str, by: Person, now: datetime) -> ChinaSignature:
    """A member asks for one. Raises Refused: SIGNATURE_MALFORMED, NO_EVIDENCE, SIGNATURE_TAKEN, SIGNATURE_WAITS."""
    if not is_valid_signature(name):
        raise Refused(Reason.SIGNATURE_MALFORMED, "name", name[:LONGEST_EVIDENCE])
    if not grounds.strip():
        raise Refused(Reason.NO_EVIDENCE, "grounds")
    if _of_another(customer.pk, name):
        raise Refused(Reason.SIGNATURE_TAKEN, "name", name)
    try:
        with transaction.atomic():
            return ChinaSignature.objects.create(
                customer=customer,
                name=name,
                grounds=grounds.strip()[:LONGEST_EVIDENCE],
                requested_by=by,
                requested_at=now,
            )
    except IntegrityError as error:
        raise Refused(Reason.SIGNATURE_WAITS, "name") from error


def _of_another(customer_id: int, name: str) -> bool:
    own = ChinaSignature.objects.filter(customer_id=customer_id)
    return ChinaSignature.objects.filter(name__iexact=name, state=State.APPROVED).exclude(id__in=own).exists()


def approve_signature(signature_id: int, *, words: str, by: Person, now: datetime) -> ChinaSignature:
    """It is the customer's from now on, instead of the one before, on the grounds in `words`.

    Raises NotAllowed, and Refused: DECIDED_ALREADY, SIGNATURE_TAKEN, NO_GROUNDS.
    """
    acts.require(by, Act.DECIDE_SIGNATURE)
    try:
        with transaction.atomic():
            row = _undecided(signature_id)
            before = ChinaSignature.objects.filter(customer_id=row.customer_id, state=State.APPROVED)
            before.update(state=State.WITHDRAWN, decided_by=by, decided_at=now)
            _decide(row, State.APPROVED, by=by, now=now, words=words.strip()[:LONGEST_EVIDENCE])
    except IntegrityError as error:
        raise Refused(Reason.SIGNATURE_TAKEN, "name") from error
    return row


def send_signature_back(signature_id: int, *, words: str, by: Person, now: datetime) -> ChinaSignature:
    """It is not approved, for the reason in `words`. Raises NotAllowed, DECIDED_ALREADY, NO_EVIDENCE."""
    acts.require(by, Act.DECIDE_SIGNATURE)
    if not words.strip():
        raise Refused(Reason.NO_EVIDENCE, "words")
    with transaction.atomic():
        row = _undecided(signature_id)
        _decide(row, State.SENT_BACK, by=by, now=now, words=words.strip()[:LONGEST_EVIDENCE])
    return row


def withdraw_signature(signature_id: int, *, words: str, by: Person, now: datetime) -> ChinaSignature:
    """The customer goes on with the platform's, and another may ask for it.

    Raises NotAllowed, and Refused: DECIDED_ALREADY, NO_EVIDENCE.
    """
    acts.require(by, Act.DECIDE_SIGNATURE)
    if not words.strip():
        raise Refused(Reason.NO_EVIDENCE, "words")
    with transaction.atomic():
        row = _locked(signature_id, State.APPROVED)
        _decide(row, State.WITHDRAWN, by=by, now=now, words=words.strip()[:LONGEST_EVIDENCE])
    return row


def _undecided(signature_id: int) -> ChinaSignature:
    return _locked(signature_id, State.REQUESTED)


def _locked(signature_id: int, state: State) -> ChinaSignature:
    row = ChinaSignature.objects.select_for_update().filter(id=signature_id).first()
    if row is None:
        raise Refused(Reason.NO_SUCH_SIGNATURE, "signature", str(signature_id))
    if row.state != state:
        raise Refused(Reason.DECIDED_ALREADY, "signature", row.name)
    return row


def _decide(row: ChinaSignature, state: State, *, by: Person, now: datetime, words: str = "") -> None:
    before = {"state": row.get_state_display()}
    row.state, row.decided_by, row.decided_at, row.words = state, by, now, words
    row.save()
    after = {"state": row.get_state_display(), "name": row.name}
    acts.record(Act.DECIDE_SIGNATURE, by=by, subject=row, before=before, after=after, why=words, now=now)
