"""Send a code for a customer, and check what comes back (spec S9, S123).

The code is kept only as a mark of it, counts once and for a while, and takes few wrong tries; a new one for the same
number makes the ones before worthless. Whoever gets a customer's site to send codes to numbers of theirs (pumping) is
stopped by how many did not come back: to numbers beside each other, and of the customer as a whole.
"""

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from math import ceil
from typing import NamedTuple

import msgspec

from sampan.accounts.customers import CustomerFacts
from sampan.accounts.seals import mark
from sampan.accounts.tables import SHORTEST_VALIDITY_MINUTES
from sampan.database import Connection
from sampan.messages.announcing import Place, places_of
from sampan.messages.planning import Draft, Terms, plan
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Purpose, Source
from sampan.reasons import Reason, Refused

PLACE_OF_CODE = "{code}"
SHORTEST_CODE, LONGEST_CODE, USUAL_CODE = 4, 10, 6
SHORTEST_TTL_S, LONGEST_TTL_S, USUAL_TTL_S = 60, 3600, 600
TEST_DIGITS = "1234567890"  # of a test key's code the first few: nobody gets the text
MOST_WRONG_TRIES = 5
ONE_IN = timedelta(seconds=30)  # to one number
MOST_A_DAY = 10  # to one number
IN_VAIN_WITHIN = timedelta(hours=1)
BESIDE_EACH_OTHER = 10_000  # numbers that differ in their last four digits
MOST_IN_VAIN_BESIDE = 20
MOST_IN_VAIN = 200  # of a customer, where they are more than
MOST_IN_VAIN_PERCENT = 80
KEPT_FOR = timedelta(days=30)
MOST_AT_ONCE = 1_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A code that a customer wants sent. `number` is a mobile; `template` has `{code}` in it."""

    customer: CustomerFacts
    person_id: int
    number: int
    template: str
    sender: str
    length: int = USUAL_CODE
    ttl_s: int = USUAL_TTL_S
    is_test: bool = False
    reference: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Of what was asked (spec S8)."""
        asked = self.number, self.template, self.sender, self.length, self.ttl_s, self.is_test
        return hashlib.sha256(msgspec.json.encode(asked)).digest()


class Sent(NamedTuple):
    """A code on its way; `places` are those to announce once the transaction is committed."""

    id: uuid.UUID
    number: int
    expires_at: datetime
    message_id: int
    is_repeat: bool
    places: set[Place]


class State(StrEnum):
    """Where a verification is, or what became of one try."""

    PENDING = "pending"
    VERIFIED = "verified"
    WRONG = "wrong"
    EXPIRED = "expired"
    USED = "used"  # it was verified before
    TRIED_OUT = "tried-out"  # too many wrong codes


class Standing(NamedTuple):
    """One verification as it stands."""

    id: uuid.UUID
    number: int
    state: State
    tries_left: int
    expires_at: datetime
    message_id: int


LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('verification', %s))"
FIRST = """
    SELECT id, number, expires_at, message_id, fingerprint FROM verification
     WHERE customer_id = %s AND reference = %s"""
TO_NUMBER = """
    SELECT count(*)::int, max(created_at) FROM verification
     WHERE customer_id = %(customer)s AND number = %(number)s AND created_at > %(day)s AND is_test = %(test)s"""
IN_VAIN = """
    SELECT count(*)::int, count(*) FILTER (WHERE verified_at IS NULL)::int,
           count(*) FILTER (WHERE verified_at IS NULL AND number / %(beside)s = %(number)s / %(beside)s)::int
      FROM verification WHERE customer_id = %(customer)s AND created_at > %(hour)s AND NOT is_test"""
END_EARLIER = """
    UPDATE verification SET expires_at = %(now)s
     WHERE customer_id = %(customer)s AND number = %(number)s AND is_test = %(test)s AND verified_at IS NULL
       AND expires_at > %(now)s"""
INSERT = """
    INSERT INTO verification (id, customer_id, number, digest, is_test, created_at, expires_at, wrong_tries, batch_id,
                              message_id, masked_text, is_masked, reference, fingerprint)
    VALUES (%s, %s, %s, %s, %s, %s, %s, 0, %s, %s, %s, false, %s, %s)"""


def send_code(conn: Connection, wanted: Wanted, terms: Terms, now: datetime) -> Sent:
    """Send a new code on the transactional lane; committed when it returns.

    Raises Refused: NO_CODE_IN_TEXT, REFERENCE_REUSED, VERIFIED_LATELY, VERIFIED_TOO_OFTEN, VERIFIED_IN_VAIN, and all
    that refuses a text.
    """
    if PLACE_OF_CODE not in wanted.template:
        raise Refused(Reason.NO_CODE_IN_TEXT, "template")
    with conn.transaction():
        conn.execute(LOCK, [wanted.customer.id])  # so that calls at once are counted one after the other
        if wanted.reference and (row := conn.execute(FIRST, [wanted.customer.id, wanted.reference]).fetchone()):
            id_, number, expires_at, message_id, fingerprint = row
            if bytes(fingerprint) != wanted.fingerprint:
                raise Refused(Reason.REFERENCE_REUSED, "client_reference", wanted.reference)
            return Sent(id_, number, expires_at, message_id, True, set())
        _require_measure(conn, wanted, now)
        return _sent(conn, wanted, terms, now)


def _require_measure(conn: Connection, wanted: Wanted, now: datetime) -> None:
    values = {
        "customer": wanted.customer.id,
        "number": wanted.number,
        "test": wanted.is_test,
        "day": now - timedelta(days=1),
        "hour": now - IN_VAIN_WITHIN,
        "beside": BESIDE_EACH_OTHER,
    }
    row = conn.execute(TO_NUMBER, values).fetchone()
    assert row is not None
    today, last_at = row
    if last_at is not None and now - last_at < ONE_IN:
        raise Refused(Reason.VERIFIED_LATELY, "to", str(ceil((last_at + ONE_IN - now).total_seconds())))
    if today >= MOST_A_DAY:
        raise Refused(Reason.VERIFIED_TOO_OFTEN, "to", str(today))
    if wanted.is_test:
        return
    row = conn.execute(IN_VAIN, values).fetchone()
    assert row is not None
    total, in_vain, beside = row
    many = in_vain >= MOST_IN_VAIN and in_vain * 100 > total * MOST_IN_VAIN_PERCENT
    if beside >= MOST_IN_VAIN_BESIDE or many:
        raise Refused(Reason.VERIFIED_IN_VAIN, "to", str(wanted.number))


def _sent(conn: Connection, wanted: Wanted, terms: Terms, now: datetime) -> Sent:
    id_, length = uuid.uuid4(), wanted.length
    code = TEST_DIGITS[:length] if wanted.is_test else f"{secrets.randbelow(10**length):0{length}}"
    draft = Draft(
        customer=wanted.customer,
        person_id=wanted.person_id,
        source=Source.TEST if wanted.is_test else Source.JSON,
        recipients=(wanted.number,),
        text=wanted.template.replace(PLACE_OF_CODE, code),
        sender=wanted.sender,
        purpose=Purpose.TRANSACTIONAL,
        validity_minutes=max(SHORTEST_VALIDITY_MINUTES, ceil(wanted.ttl_s / 60)),
        client_reference=wanted.reference,  # so that no text has it, too (spec S8)
        all_or_nothing=True,
    )
    planned = plan(draft, terms, now)
    if (reason := planned.kinds[0].reason) is not None:
        raise Refused(reason, "to", str(wanted.number))
    (outcome,) = submit(conn, [planned], now)
    if not isinstance(outcome, Accepted):
        raise outcome
    if outcome.is_repeat:  # a test's code is no secret: somebody sent the very same text with it
        raise Refused(Reason.REFERENCE_REUSED, "client_reference", wanted.reference)
    expires_at = now + timedelta(seconds=wanted.ttl_s)
    conn.execute(
        END_EARLIER,
        {"customer": wanted.customer.id, "number": wanted.number, "test": wanted.is_test, "now": now},
    )
    row = [id_, wanted.customer.id, wanted.number, _digest(id_, code), wanted.is_test, now, expires_at]
    row += [outcome.batch_id, outcome.message_ids[0], wanted.template.replace(PLACE_OF_CODE, "*" * length)]
    conn.execute(INSERT, [*row, wanted.reference or None, wanted.fingerprint])
    return Sent(id_, wanted.number, expires_at, outcome.message_ids[0], False, places_of([planned]))


def _digest(id_: uuid.UUID, code: str) -> bytes:
    return mark("verifications", f"{id_}:{code}")


ONE = """
    SELECT id, number, digest, expires_at, wrong_tries, verified_at, message_id FROM verification
     WHERE id = %s AND customer_id = %s AND (is_test OR NOT %s)"""


def standing(conn: Connection, customer_id: int, id_: uuid.UUID, *, tests_only: bool, now: datetime) -> Standing:
    """One verification. Raises Refused(NO_SUCH_VERIFICATION)."""
    row = conn.execute(ONE, [id_, customer_id, tests_only]).fetchone()
    if row is None:
        raise Refused(Reason.NO_SUCH_VERIFICATION, "id", str(id_))
    return _standing(row, now)


def _standing(row: tuple[uuid.UUID, int, bytes, datetime, int, datetime | None, int], now: datetime) -> Standing:
    id_, number, _digest, expires_at, wrong_tries, verified_at, message_id = row
    state = State.PENDING
    if verified_at is not None:
        state = State.VERIFIED
    elif wrong_tries >= MOST_WRONG_TRIES:
        state = State.TRIED_OUT
    elif now >= expires_at:
        state = State.EXPIRED
    return Standing(id_, number, state, max(0, MOST_WRONG_TRIES - wrong_tries), expires_at, message_id)


WRONG = "UPDATE verification SET wrong_tries = wrong_tries + 1 WHERE id = %s"
RIGHT = "UPDATE verification SET verified_at = %s WHERE id = %s"


def check_code(
    conn: Connection, customer_id: int, id_: uuid.UUID, code: str, *, tests_only: bool, now: datetime
) -> Standing:
    """What became of this try; VERIFIED once. Raises Refused(NO_SUCH_VERIFICATION)."""
    with conn.transaction():
        row = conn.execute(f"{ONE} FOR UPDATE", [id_, customer_id, tests_only]).fetchone()
        if row is None:
            raise Refused(Reason.NO_SUCH_VERIFICATION, "id", str(id_))
        found = _standing(row, now)
        if found.state == State.VERIFIED:
            return found._replace(state=State.USED)
        if found.state != State.PENDING:
            return found
        if compare_digest(bytes(row[2]), _digest(id_, "".join(code.split()))):
            conn.execute(RIGHT, [now, id_])
            return found._replace(state=State.VERIFIED)
        conn.execute(WRONG, [id_])
        return found._replace(state=State.WRONG, tries_left=found.tries_left - 1)


MASK = """
    WITH ended AS (
        SELECT v.id, v.batch_id, v.masked_text FROM verification v
         CROSS JOIN LATERAL (SELECT FROM message m WHERE m.id = v.message_id AND m.final_at IS NOT NULL LIMIT 1) f
         WHERE NOT v.is_masked AND (v.expires_at <= %(now)s OR v.verified_at IS NOT NULL)
         ORDER BY v.expires_at LIMIT %(most)s FOR UPDATE OF v SKIP LOCKED),
    masked AS (UPDATE batch b SET text = e.masked_text FROM ended e WHERE b.id = e.batch_id)
    UPDATE verification v SET is_masked = true FROM ended e WHERE v.id = e.id"""
FORGET = """
    DELETE FROM verification WHERE id IN (
        SELECT id FROM verification WHERE created_at < %(before)s ORDER BY created_at LIMIT %(most)s)"""


def mask_codes(conn: Connection, now: datetime) -> int:
    """Codes that ended stand in no text any more; verifications of long ago are forgotten. Gives how many."""
    masked = conn.execute(MASK, {"now": now, "most": MOST_AT_ONCE}).rowcount
    return masked + conn.execute(FORGET, {"before": now - KEPT_FOR, "most": MOST_AT_ONCE}).rowcount
