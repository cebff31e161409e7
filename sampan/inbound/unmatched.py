"""Replies that found no customer: staff say whose one is, or dismiss it (spec S110, S134).

Staff see the number it came to and its first word (a keyword that was mistyped), and no more of it (spec S133).
"""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts import acts
from sampan.accounts.acts import Act
from sampan.accounts.tables import Person
from sampan.database import Connection, beneath_django
from sampan.inbound import settings
from sampan.inbound.answering import Incoming
from sampan.inbound.owners import Owner
from sampan.inbound.parts import ReceivedText
from sampan.inbound.tables import Rental, Reply
from sampan.inbound.taking import take
from sampan.inbound.words import split
from sampan.messages.announcing import Place
from sampan.messages.planning import Platform, terms_in_force
from sampan.reasons import Reason, Refused

SHOWN_DIGITS = 4  # of a handset


class Unmatched(NamedTuple):
    """One reply without a customer, as staff see it."""

    id: int
    received_at: datetime
    operator: str
    number: str
    handset: str  # its beginning
    word: str
    characters: int


LIST = """
    SELECT r.id, r.received_at, coalesce(o.name, ''), r.number, r.handset, r.text
      FROM reply r LEFT JOIN operator o ON o.id = r.operator_id
     WHERE r.customer_id IS NULL AND (%(before)s::int8 IS NULL OR r.id < %(before)s)
     ORDER BY r.id DESC LIMIT %(most)s"""
WAITING = "SELECT count(*), min(received_at) FROM reply WHERE customer_id IS NULL"


def unmatched(conn: Connection, *, before: int | None = None, most: int) -> list[Unmatched]:
    """The newest first, below id `before`."""
    found = conn.execute(LIST, {"before": before, "most": most})
    return [
        Unmatched(id_, at, operator, number, _masked(handset), split(text).word, len(text))
        for id_, at, operator, number, handset, text in found
    ]


def _masked(handset: str) -> str:
    return handset[:SHOWN_DIGITS] + "…" if handset else ""


@transaction.atomic
def match(
    reply_id: int, rental_id: int, platform: Platform, *, by: Person, why: str, now: datetime
) -> tuple[int, set[Place]]:
    """It is that customer's: it becomes a reply like any other, with all that comes of one.

    Gives the customer's id, and where messages wait now. Raises NotAllowed, Refused (NO_SUCH_REPLY, RENTAL_ENDED).
    """
    acts.require(by, Act.MATCH_REPLY)
    reply = _locked(reply_id)
    rental = Rental.objects.select_related("number").filter(pk=rental_id, ended_at=None).first()
    if rental is None:
        raise Refused(Reason.RENTAL_ENDED, "rental")
    before = {"number": reply.number}
    after = {"rental": rental.pk}
    acts.record(
        Act.MATCH_REPLY,
        by=by,
        subject=reply,
        before=before,
        after=after,
        why=why,
        now=now,
        customer_id=rental.customer_id,
    )
    received = ReceivedText(
        (), reply.operator_id, reply.received_at, reply.handset, reply.number, reply.text, reply.parts,
        reply.parts_missing,
    )  # fmt: skip
    owner = Owner(rental.customer_id, rental.pk, rental.keyword, reply.text, str(rental.number.number), None)
    reply.delete()  # and anew: who asks by a cursor would miss one with an old id
    with beneath_django() as conn:
        incoming = Incoming(conn, received, owner, terms_in_force(conn, platform), now)
        return rental.customer_id, take(incoming, settings.in_force(conn))


@transaction.atomic
def dismiss(reply_id: int, *, by: Person, why: str, now: datetime) -> None:
    """It is nobody's, and goes. Raises NotAllowed, Refused(NO_SUCH_REPLY)."""
    acts.require(by, Act.MATCH_REPLY)
    reply = _locked(reply_id)
    acts.record(Act.MATCH_REPLY, by=by, subject=reply, before={"number": reply.number}, why=why, now=now)
    reply.delete()


def _locked(reply_id: int) -> Reply:
    reply = Reply.objects.select_for_update().filter(pk=reply_id, customer=None).first()
    if reply is None:
        raise Refused(Reason.NO_SUCH_REPLY, "reply")
    return reply
