"""From what handsets wrote to what comes of it: an inbox, an unsubscribe, an answer, forwards (spec S110–S112).

Each text is one transaction: all of it happens, or it is looked at again. The worker does this; several may.
"""

from datetime import datetime
from typing import NamedTuple

import structlog
from django.db import transaction

from sampan.accounts.mail import write_mail
from sampan.compliance.preferences import unsubscribe
from sampan.compliance.tables import Preference
from sampan.database import Connection, beneath_django
from sampan.inbound import answering, forwarding, parts, settings
from sampan.inbound.answering import NOT_SENT, STOPPED, Incoming, Sent
from sampan.inbound.forwarding import Forwards
from sampan.inbound.owners import Answers, Owner, find_owner
from sampan.inbound.parts import ReceivedText
from sampan.inbound.reading import is_in_china
from sampan.inbound.settings import Usual
from sampan.inbound.words import is_stop, split
from sampan.messages.announcing import Place
from sampan.messages.planning import Platform, Terms, terms_in_force
from sampan.webhooks import events
from sampan.webhooks.events import Event

LONGEST_EVIDENCE_TEXT = 100
SUBJECT = "Reply from {handset} / 回覆 / 回复"
TEXT = "{text}\n\n-- \n{handset} → {number}, {at:%Y-%m-%d %H:%M} UTC\n"

log = structlog.get_logger()


def take_replies(platform: Platform, now: datetime) -> tuple[int, set[Place]]:
    """Texts that wait become replies; how many, and where messages wait now that they brought about."""
    count, places = 0, set[Place]()
    with beneath_django() as conn:
        texts = parts.waiting(conn, now)
        if not texts:
            return 0, places
        answers = Answers((received.handset for received in texts), now)
        look = _Look(settings.in_force(conn), answers, terms_in_force(conn, platform), now)
        for received in texts:
            try:
                with transaction.atomic():
                    places |= _take(conn, received, look)
            except Exception as error:  # noqa: BLE001 - the loop's top: one text that fails must not hold up the others
                log.error("replies.failed", parts=received.ids, error=repr(error))
                parts.postpone(conn, received.ids, now)
            else:
                count += 1
    return count, places


class _Look(NamedTuple):
    """What is in force for all texts of one look."""

    usual: Usual
    answers: Answers
    terms: Terms
    now: datetime


def _take(conn: Connection, received: ReceivedText, look: _Look) -> set[Place]:
    if not parts.read(conn, received.ids):  # another worker was quicker
        return set()
    stops = look.usual.stops_of(in_china=is_in_china(received.handset))
    owner = find_owner(conn, received, look.answers, is_stop=is_stop(received.text, stops))
    if owner is None:
        _keep(conn, received, None, look.now)
        return set()
    return take(Incoming(conn, received, owner, look.terms, look.now), look.usual)


# Until the transaction's end, so that ids become known in their order: who asks by a cursor misses none.
ONE_AFTER_THE_OTHER = "SELECT pg_advisory_xact_lock(hashtext('reply'), %s::int4)"
INSERT = """
    INSERT INTO reply (customer_id, rental_id, operator_id, received_at, handset, number, keyword, text, parts,
                       parts_missing, message_id, unsubscribed, answer, tell_at)
    VALUES (%(customer)s, %(rental)s, %(operator)s, %(at)s, %(handset)s, %(number)s, %(keyword)s, %(text)s, %(parts)s,
            %(missing)s, %(message)s, %(stops)s, '', %(tell_at)s)
    RETURNING id"""
SETTLE = """
    UPDATE reply SET answer = %(answer)s, answer_batch_id = %(answer_batch)s, forward_batch_id = %(forward_batch)s,
           not_sent = %(not_sent)s
     WHERE id = %(id)s"""


def take(incoming: Incoming, usual: Usual) -> set[Place]:
    """One text becomes a reply of its owner, with all that comes of it; gives where messages wait now.

    In the caller's transaction, on Django's connection.
    """
    conn, owner, received, now = incoming.conn, incoming.owner, incoming.received, incoming.now
    stops = is_stop(owner.body, usual.stops_of(in_china=is_in_china(received.handset)))
    forwards = forwarding.forwards_of(conn, owner.customer_id)
    reply_id = _keep(conn, received, owner, now, stops=stops, to_smpp=forwards.to_smpp)
    if stops:
        _unsubscribe(incoming)
    word, answered = _answered(incoming, key=f"reply-{reply_id}", stops=stops)
    forwarded = _forwarded(incoming, forwards, key=f"reply-{reply_id}-forward")
    reason = answered.reason or forwarded.reason
    values = {
        "id": reply_id,
        "answer": word if answered.batch_id else "",
        "answer_batch": answered.batch_id,
        "forward_batch": forwarded.batch_id,
        "not_sent": reason.number if reason else None,
    }
    conn.execute(SETTLE, values)
    events.emit(conn, [Event("reply.received", owner.customer_id, reply_id, _told(reply_id, incoming, stops))], now=now)
    return answered.places | forwarded.places


def _keep(
    conn: Connection,
    received: ReceivedText,
    owner: Owner | None,
    now: datetime,
    *,
    stops: bool = False,
    to_smpp: bool = False,
) -> int:
    """Into the inbox of its owner; without one it waits for staff. Gives its id."""
    values = {
        "customer": owner.customer_id if owner else None,
        "rental": owner.rental_id if owner else None,
        "operator": received.operator_id,
        "at": received.received_at,
        "handset": received.handset,
        "number": owner.sender if owner and owner.rental_id else received.number,
        "keyword": owner.keyword if owner else "",
        "text": received.text,
        "parts": received.parts,
        "missing": received.parts_missing,
        "message": owner.answered.message_id if owner and owner.answered else None,
        "stops": stops,
        "tell_at": now if to_smpp else None,
    }
    if owner is not None:
        conn.execute(ONE_AFTER_THE_OTHER, [owner.customer_id])
    row = conn.execute(INSERT, values).fetchone()
    assert row is not None
    return int(row[0])


def _answered(incoming: Incoming, *, key: str, stops: bool) -> tuple[str, Sent]:
    """The word that is answered, and by what."""
    if stops:
        return STOPPED, answering.confirm(incoming, key=key)
    owner = incoming.owner
    word = split(owner.body).word or owner.keyword
    text = forwarding.answer_to(incoming.conn, owner.customer_id, word) if word else None
    return word, answering.answer(incoming, word, text, key=key) if text is not None else NOT_SENT


def _unsubscribe(incoming: Incoming) -> None:
    received, now = incoming.received, incoming.now
    if not received.handset.isdigit():
        return
    evidence = f"“{received.text.strip()[:LONGEST_EVIDENCE_TEXT]}” to {received.number}"
    numbers, at = [int(received.handset)], min(received.received_at, now)
    customer_id = incoming.owner.customer_id
    unsubscribe(incoming.conn, customer_id, numbers, way=Preference.Way.REPLY, at=at, evidence=evidence, now=now)


def _forwarded(incoming: Incoming, forwards: Forwards, *, key: str) -> Sent:
    """By mail, free; by SMS, charged."""
    received = incoming.received
    if forwards.email:
        words = {"handset": received.handset, "number": received.number, "at": received.received_at}
        text = TEXT.format(text=received.text, **words)
        write_mail(forwards.email, SUBJECT.format(**words), text, now=incoming.now)
    if forwards.mobile is None:
        return NOT_SENT
    return answering.forward(incoming, forwards.mobile, key=key)


def _told(reply_id: int, incoming: Incoming, stops: bool) -> dict[str, object]:
    """What a webhook says of it (docs/api/webhooks.md)."""
    received, owner = incoming.received, incoming.owner
    return {
        "id": str(reply_id),
        "received_at": received.received_at,
        "from": received.handset,
        "to": received.number,
        "keyword": owner.keyword,
        "text": received.text,
        "parts_missing": received.parts_missing,
        "message_id": str(owner.answered.message_id) if owner.answered else None,
        "unsubscribed": stops,
    }
