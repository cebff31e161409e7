"""Which recipients of a mail are submitted together, so that a mail that comes again sends to nobody twice (spec S8).

One mail may come in portions, and those of a repeat need not be those of the first time: a recipient stays in the
portion where it first was, and each portion is submitted whole, by a client reference of its own.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sampan.database import Connection

KEPT_FOR = timedelta(days=30)  # as client references are
MOST_AT_ONCE = 10_000


class Portion(NamedTuple):
    """Recipients that are submitted together, and by what name."""

    id: int
    reference: str
    recipients: tuple[int, ...]


ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('smtp_portion' || %(mail)s::text, %(customer)s))"
KNOWN = (
    "SELECT id, place, recipients FROM smtp_portion WHERE customer_id = %(customer)s AND mail = %(mail)s ORDER BY place"
)
ADD = """
    INSERT INTO smtp_portion (customer_id, mail, place, recipients, created_at)
    VALUES (%(customer)s, %(mail)s, %(place)s, %(recipients)s, %(now)s) RETURNING id"""


def portions_of(
    conn: Connection, customer_id: int, name: str, recipients: Sequence[int], now: datetime
) -> list[Portion]:
    """The portions in which these recipients of the mail of that name are; committed when this returns."""
    values = {"customer": customer_id, "mail": hashlib.sha256(name.encode()).digest(), "now": now}
    with conn.transaction():
        conn.execute(ONE_AT_A_TIME, values)
        portions = [
            Portion(id_, _reference(name, place), tuple(numbers))
            for id_, place, numbers in conn.execute(KNOWN, values).fetchall()
        ]
        known = {number for portion in portions for number in portion.recipients}
        if new := [number for number in dict.fromkeys(recipients) if number not in known]:
            place = len(portions)
            row = conn.execute(ADD, values | {"place": place, "recipients": new}).fetchone()
            assert row is not None
            portions.append(Portion(row[0], _reference(name, place), tuple(new)))
    return [portion for portion in portions if not set(portion.recipients).isdisjoint(recipients)]


def _reference(name: str, place: int) -> str:
    """The first portion's is the Message-ID itself, as customers look for it."""
    return name if place == 0 else f"{name}#{place + 1}"


ANSWER = """
    UPDATE smtp_portion SET answered = %(answer)s WHERE id = %(id)s AND answered IS DISTINCT FROM %(answer)s"""


def note_answer(conn: Connection, portion: Portion, answer: str) -> bool:
    """Whether this answer is new to who wrote the mail; in the transaction that writes it."""
    values = {"id": portion.id, "answer": hashlib.sha256(answer.encode()).digest()}
    return conn.execute(ANSWER, values).rowcount == 1


FORGET = """
    DELETE FROM smtp_portion WHERE id IN (
        SELECT id FROM smtp_portion WHERE created_at < %s ORDER BY created_at LIMIT %s)"""


def forget_old(conn: Connection, now: datetime) -> int:
    """Mails past their time; how many portions. A client reference past the same time is forgotten elsewhere."""
    return conn.execute(FORGET, [now - KEPT_FOR, MOST_AT_ONCE]).rowcount
