"""Texts that a reply brings about: a confirmation, an answer, a forward; charged like any other (spec S110–S112).

Two programs that answer each other would spend a balance without end, and an SMS does not say that a program wrote it.
So a handset gets the same text once a day and three in all, a number of ours gets none, and nobody gets their own words
back.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sampan.accounts.customers import CustomerFacts, customers
from sampan.database import Connection
from sampan.inbound.owners import Owner
from sampan.inbound.parts import ReceivedText
from sampan.inbound.reading import is_in_china
from sampan.messages.announcing import Place, places_of
from sampan.messages.planning import Draft, Terms, plan
from sampan.messages.submit import Accepted, submit
from sampan.messages.tables import Purpose, Source
from sampan.reasons import Reason, Refused
from sampan.routing.numbers import NotAMobile, parse_international

STOPPED = "stop"  # the word of a confirmation
CONFIRMATION = "{name}: no more promotional texts. 已取消接收推廣短訊。"
CONFIRMATION_IN_CHINA = "{name}：您已退订，不会再收到推广短信。"
LONGEST_NAME = 30  # so that a confirmation is one part
SAME_ANSWER_EVERY = timedelta(days=1)
MOST_ANSWERS_A_DAY = 3  # to one handset
MOST_FORWARDS_A_DAY = 50  # of one handset's replies
LONGEST_FORWARD = 200  # UTF-16 code units: three parts at most, whatever stands in it
CUT = "..."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text whose owner is known, and what is in force while it is acted upon."""

    conn: Connection
    received: ReceivedText
    owner: Owner
    terms: Terms
    now: datetime

    @property
    def customer(self) -> CustomerFacts:
        """Its owner, as submissions see them."""
        return customers(self.conn, {self.owner.customer_id})[self.owner.customer_id]


class Sent(NamedTuple):
    """What became of a text of ours: its batch, or why there is none; where it waits now."""

    batch_id: int | None
    reason: Reason | None
    places: set[Place]


NOT_SENT = Sent(None, None, set())

ANSWERED = """
    SELECT count(*), count(*) FILTER (WHERE answer = %(word)s) FROM reply
     WHERE customer_id = %(customer)s AND handset = %(handset)s AND answer <> '' AND received_at > %(since)s"""
FORWARDED = """
    SELECT count(*) FROM reply WHERE customer_id = %(customer)s AND handset = %(handset)s
       AND forward_batch_id IS NOT NULL AND received_at > %(since)s"""
OURS = """
    SELECT EXISTS (SELECT FROM rented_number WHERE number = %(number)s AND retired_at IS NULL)
        OR EXISTS (SELECT FROM sender_id WHERE text = %(number)s::text AND customer_id = %(customer)s
                      AND withdrawn_at IS NULL)"""


def may_answer(incoming: Incoming, word: str, text: str) -> bool:
    """Does the handset get this answer? Not a number of ours, not its own words back, not again the same day."""
    owner, handset = incoming.owner, incoming.received.handset
    try:
        number = parse_international(handset)
    except NotAMobile:
        return False
    if owner.body.strip() == text.strip():
        return False
    values = {
        "customer": owner.customer_id,
        "handset": handset,
        "number": number,
        "word": word,
        "since": incoming.now - SAME_ANSWER_EVERY,
    }
    (is_ours,) = _row(incoming.conn, OURS, values)
    answers, same = _row(incoming.conn, ANSWERED, values)
    return not is_ours and answers < MOST_ANSWERS_A_DAY and same == 0


def _row(conn: Connection, sql: str, values: dict[str, object]) -> tuple[Any, ...]:
    row = conn.execute(sql, values).fetchone()
    assert row is not None
    return row


def confirm(incoming: Incoming, *, key: str) -> Sent:
    """Tell a handset that it is unsubscribed; once a day."""
    words = CONFIRMATION_IN_CHINA if is_in_china(incoming.received.handset) else CONFIRMATION
    customer = incoming.customer
    text = words.format(name=customer.name[:LONGEST_NAME])
    if not may_answer(incoming, STOPPED, text):
        return NOT_SENT
    # It is no promotion, also where all that this customer sends is taken for one.
    customer = replace(customer, promotional_only=False)
    return _sent(incoming, _draft(customer, incoming.owner, incoming.received.handset, text, key))


def answer(incoming: Incoming, word: str, text: str, *, key: str) -> Sent:
    """Send the customer's own text for a word; once a day."""
    if not may_answer(incoming, word, text):
        return NOT_SENT
    return _sent(incoming, _draft(incoming.customer, incoming.owner, incoming.received.handset, text, key))


def forward(incoming: Incoming, mobile: int, *, key: str) -> Sent:
    """Pass a reply on to the customer's mobile, whose it is before it."""
    handset = incoming.received.handset
    if handset == str(mobile):
        return NOT_SENT
    values = {
        "customer": incoming.owner.customer_id,
        "handset": handset,
        "since": incoming.now - SAME_ANSWER_EVERY,
    }
    (forwards,) = _row(incoming.conn, FORWARDED, values)
    if forwards >= MOST_FORWARDS_A_DAY:
        return NOT_SENT
    text = _cut(f"{handset}: {incoming.received.text}")
    return _sent(incoming, _draft(incoming.customer, incoming.owner, str(mobile), text, key))


def _cut(text: str) -> str:
    octets = text.encode("utf-16-be", "replace")
    if len(octets) <= 2 * LONGEST_FORWARD:
        return text
    return octets[: 2 * (LONGEST_FORWARD - len(CUT))].decode("utf-16-be", "ignore") + CUT


def _draft(customer: CustomerFacts, owner: Owner, to: str, text: str, key: str) -> Draft:
    return Draft(
        customer=customer,
        source=Source.REPLY,
        recipients=(to,),
        text=text,
        sender=owner.sender,
        purpose=Purpose.TRANSACTIONAL,
        client_reference=key,
    )


def _sent(incoming: Incoming, draft: Draft) -> Sent:
    """Through the one way in, in the caller's transaction; what refuses it is told, and ends nothing."""
    try:
        planned = plan(draft, incoming.terms, incoming.now)
    except Refused as refused:
        return Sent(None, refused.reason, set())
    if not planned.messages:
        return Sent(None, planned.kinds[0].reason, set())
    (outcome,) = submit(incoming.conn, [planned], incoming.now)
    if not isinstance(outcome, Accepted):
        return Sent(None, outcome.reason, set())
    return Sent(outcome.batch_id, None, places_of([planned]))
