"""What a customer wants done with its replies by itself: forwards, and answers to words (spec S111, S112)."""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from sampan.accounts.tables import Customer, Person
from sampan.composing.parts import compose
from sampan.database import Connection, beneath_django
from sampan.inbound import settings
from sampan.inbound.tables import AutoAnswer, Forwarding, RentedNumber
from sampan.inbound.words import as_keyword
from sampan.reasons import Reason, Refused

MOST_ANSWERS = 20


class Forwards(NamedTuple):
    """Where a customer's replies go besides its inbox."""

    email: str = ""
    mobile: int | None = None
    to_smpp: bool = False


NOWHERE = Forwards()
FORWARDS = "SELECT email, mobile, to_smpp FROM forwarding WHERE customer_id = %s"


def forwards_of(conn: Connection, customer_id: int) -> Forwards:
    """As its owner has set it."""
    row = conn.execute(FORWARDS, [customer_id]).fetchone()
    return Forwards(*row) if row else NOWHERE


@transaction.atomic
def change_forwards(customer_id: int, forwards: Forwards, *, by: Person, now: datetime) -> None:
    """The owner sets them. Raises Refused(FORWARDS_TO_ITSELF) for a number whose replies come to us: it would loop."""
    if forwards.mobile is not None and RentedNumber.objects.filter(number=forwards.mobile).exists():
        raise Refused(Reason.FORWARDS_TO_ITSELF, "mobile", str(forwards.mobile))
    values = forwards._asdict() | {"changed_at": now, "changed_by": by}
    Forwarding.objects.update_or_create(customer_id=customer_id, defaults=values)


@transaction.atomic
def set_answer(customer_id: int, word: str, text: str, *, by: Person, now: datetime) -> AutoAnswer:
    """The word is answered by this text from now on.

    Raises Refused: KEYWORD_MALFORMED, KEYWORD_TAKEN (it unsubscribes), NO_TEXT, TOO_LONG, TOO_MANY_ANSWERS.
    """
    folded = as_keyword(word)
    if not folded:
        raise Refused(Reason.KEYWORD_MALFORMED, "word", word)
    with beneath_django() as conn:
        if folded in settings.in_force(conn).stops_of(in_china=True):
            raise Refused(Reason.KEYWORD_TAKEN, "word", word)
    compose(text, china=False)
    Customer.objects.select_for_update(no_key=True).get(pk=customer_id)
    others = AutoAnswer.objects.filter(customer_id=customer_id).exclude(word=folded)
    if others.count() >= MOST_ANSWERS:
        raise Refused(Reason.TOO_MANY_ANSWERS, "word", str(MOST_ANSWERS))
    values = {"text": text, "changed_at": now, "changed_by": by}
    answer, _made = AutoAnswer.objects.update_or_create(customer_id=customer_id, word=folded, defaults=values)
    return answer


def remove_answer(customer_id: int, answer_id: int) -> bool:
    """The word is answered no more; whether it was."""
    return AutoAnswer.objects.filter(customer_id=customer_id, pk=answer_id).delete()[0] > 0


ANSWER = "SELECT text FROM auto_answer WHERE customer_id = %s AND word = %s"


def answer_to(conn: Connection, customer_id: int, word: str) -> str | None:
    """What this customer answers to a folded word."""
    row = conn.execute(ANSWER, [customer_id, word]).fetchone()
    return str(row[0]) if row else None
