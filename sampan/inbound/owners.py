"""Whose a reply is: the number's, the keyword's, or the customer's whose message it answers (spec S110)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection, array_of, one_line
from sampan.inbound.parts import ReceivedText
from sampan.inbound.reading import HONG_KONG, is_in_china
from sampan.inbound.words import split

ANSWERED_WITHIN = timedelta(days=30)  # a later reply is no answer; also how long a way out works (spec S95)
MOST_LOOKED_AT = 50_000  # of a customer's latest messages, for the one that is answered


class Answered(NamedTuple):
    """The message that a reply answers."""

    message_id: int
    customer_id: int
    sender: str


class Owner(NamedTuple):
    """Whose a reply is. `sender` is what an answer to it goes from."""

    customer_id: int
    rental_id: int | None
    keyword: str
    body: str  # what stands behind the keyword, or the whole text
    sender: str
    answered: Answered | None


class _Rental(NamedTuple):
    id: int
    customer_id: int
    keyword: str
    number: int
    is_shared: bool
    has_ended: bool


RENTALS = """
    SELECT r.id, r.customer_id, r.keyword, n.number, n.is_shared, r.ended_at IS NOT NULL
      FROM rented_number n JOIN rental r ON r.number_id = n.id
     WHERE n.operator_id = %(operator)s AND n.number = ANY(%(numbers)s::int8[])
       AND (r.ended_at IS NULL AND n.retired_at IS NULL OR r.ended_at > %(since)s)
     ORDER BY r.ended_at DESC NULLS FIRST, r.id"""


def find_owner(conn: Connection, received: ReceivedText, answers: "Answers", *, is_stop: bool) -> Owner | None:
    """Whose it is; None where nobody can be told.

    A STOP word finds its customer for 30 days after the rent has ended, too (spec S95).
    """
    values = {"operator": received.operator_id, "numbers": _numbers(received.number), "since": answers.since}
    rentals = [_Rental(*row) for row in conn.execute(RENTALS, values)]
    running = [rental for rental in rentals if not rental.has_ended]
    for rental in running:
        if not rental.is_shared:
            answered = answers.find(conn, rental.customer_id, received.handset, str(rental.number))
            return Owner(rental.customer_id, rental.id, "", received.text, str(rental.number), answered)
    word, rest = split(received.text)
    for rental in running:
        if rental.keyword == word:
            answered = answers.find(conn, rental.customer_id, received.handset, str(rental.number))
            return Owner(rental.customer_id, rental.id, word, rest, str(rental.number), answered)
    if rentals:
        return _owner_by_message(conn, received, rentals if is_stop else running, answers)
    answered = _answered_in_china(conn, received, answers.since)
    if answered is None:
        return None
    return Owner(answered.customer_id, None, "", received.text, answered.sender, answered)


def _numbers(number: str) -> list[int]:
    """As staff may have written it down."""
    if not number.isdigit():
        return []
    short = number.removeprefix(HONG_KONG)
    return [int(number), int(short)] if short else [int(number)]


def _owner_by_message(
    conn: Connection, received: ReceivedText, rentals: Sequence[_Rental], answers: "Answers"
) -> Owner | None:
    """Of those that share a number, the one who wrote last to that handset from it."""
    found = []
    for rental in rentals:
        if answered := answers.find(conn, rental.customer_id, received.handset, str(rental.number)):
            found.append((answered, rental))
    if not found:
        return None
    answered, rental = max(found, key=lambda each: each[0].message_id)
    return Owner(rental.customer_id, rental.id, "", received.text, str(rental.number), answered)


# No index says who was written to, for each message would pay for it: the latest are read, once for many handsets.
ANSWERED = one_line("""
SELECT m.recipient, b.sender, max(m.id)
  FROM (SELECT id, batch_id, recipient FROM message
         WHERE customer_id = %(customer)s AND created_at > %(since)s
         ORDER BY created_at DESC, id DESC LIMIT %(most)s) m
  JOIN batch b ON b.id = m.batch_id
 WHERE m.recipient = ANY(%(handsets)s::int8[]) GROUP BY m.recipient, b.sender""")


class Answers:
    """The messages that some handsets may be answering, found when first asked for."""

    def __init__(self, handsets: Iterable[str], now: datetime) -> None:
        self.since = now - ANSWERED_WITHIN
        self._handsets = {int(handset) for handset in handsets if handset.isdigit()}
        self._of: dict[int, dict[tuple[int, str], int]] = {}

    def find(self, conn: Connection, customer_id: int, handset: str, sender: str) -> Answered | None:
        """The customer's latest message from that sender to that handset."""
        if customer_id not in self._of:
            values = {
                "customer": customer_id,
                "since": self.since,
                "most": MOST_LOOKED_AT,
                "handsets": array_of(self._handsets),
            }
            rows = conn.execute(ANSWERED, values)
            self._of[customer_id] = {(recipient, own): message_id for recipient, own, message_id in rows}
        message_id = self._of[customer_id].get((int(handset), sender)) if handset.isdigit() else None
        return Answered(message_id, customer_id, sender) if message_id else None


ANSWERED_IN_CHINA = one_line("""
SELECT m.id, m.customer_id, b.sender FROM message m JOIN batch b ON b.id = m.batch_id
 WHERE m.recipient = %(handset)s AND m.recipient BETWEEN 8610000000000 AND 8619999999999
   AND m.operator_id = %(operator)s AND m.created_at > %(since)s
 ORDER BY m.id DESC LIMIT 1""")


def _answered_in_china(conn: Connection, received: ReceivedText, since: datetime) -> Answered | None:
    """In China every text comes from the operator's number (spec S64), so replies to that are its customers'."""
    if not is_in_china(received.handset):
        return None
    values = {"handset": int(received.handset), "operator": received.operator_id, "since": since}
    row = conn.execute(ANSWERED_IN_CHINA, values).fetchone()
    return Answered(*row) if row else None
